"""Counting missing hours by sums comes to the same as looking at each of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.models import HOUR, Window
from fundwatch.storage import summary
from fundwatch.storage.holes import gaps
from fundwatch.storage.holes.absences import NEVER_A_GAP, is_final, record_absence
from fundwatch.storage.holes.due import due_markets, holes
from fundwatch.storage.holes.gaps import gaps_open
from tests.storage.ledger import START, Ledger, hour, paid


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC")
    ledger.writer.connection().execute("PRAGMA synchronous = OFF")
    yield ledger
    ledger.writer.close()


def looked_at(ledger: Ledger, horizon: int, now: float) -> int:
    markets = due_markets(ledger.writer, "lighter", horizon=horizon, now=now)
    found = holes(ledger.writer, "lighter", markets, lambda a: is_final(a) or a.reason in NEVER_A_GAP)
    return sum(window.end - window.start for _, windows in found for window in windows) // HOUR


STRETCHES = st.lists(st.tuples(st.sampled_from([1, 1, 1, 2, 4, 8, None]), st.integers(1, 60)), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stretches=STRETCHES,
    horizon=st.integers(-20, 760),
    now=st.integers(1, 800),
    summed_at=st.one_of(st.none(), st.integers(700, 800)),
    listed=st.one_of(st.none(), st.integers(0, 600)),
    asked=st.lists(st.tuples(st.integers(0, 780), st.integers(1, 30), st.sampled_from([1, 5])), max_size=3),
)
def test_the_sums_agree_with_the_hours(
    ledger: Ledger,
    stretches: list[tuple[int | None, int]],
    horizon: int,
    now: int,
    summed_at: int | None,
    listed: int | None,
    asked: list[tuple[int, int, int]],
) -> None:
    """Whatever the intervals, holes and absences are, and whenever the summary was made, if at all."""
    writer = ledger.writer
    with writer.transaction():
        for table in ("settlement", "absence", "summary"):
            writer.change(f"DELETE FROM {table}")
        writer.change("UPDATE market SET listed_time = ?", None if listed is None else hour(listed))
    end, rows = 0, []
    for hours, count in stretches:
        for _ in range(count if hours else 1):
            end += hours or count
            if hours:
                rows.append(paid(end, hours=hours))
    ledger.save(*rows)
    for start, length, times in asked:
        for _ in range(times):
            with writer.transaction():
                answered = [("BTC", Window(hour(start), hour(start + length)))]
                record_absence(writer, "lighter", answered, hour(801))
    if summed_at is not None:
        with writer.transaction():
            summary.refresh(writer, hour(summed_at) + 1000)
    at, since = hour(now) + 100, START + horizon * HOUR
    assert gaps_open(writer, "lighter", horizon=since, now=at) == looked_at(ledger, since, at)


def test_a_full_month_is_believed_without_a_look_at_its_hours(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.fill("BTC", range(1, 801))
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, hour(800) + 1000)

    def look(*_: object) -> int:
        raise AssertionError("its rows were summed up")

    monkeypatch.setattr(gaps, "_stored", look)
    assert gaps_open(ledger.writer, "lighter", horizon=hour(80), now=hour(800) + 1000) == 0


@pytest.mark.parametrize("sql", [gaps._SUMS, gaps._SUMMARIES])
def test_no_count_reads_all_settlements(ledger: Ledger, sql: str) -> None:
    parameters = [1] * (7 if "?7" in sql else 2)
    steps = [row[-1] for row in ledger.writer.rows(f"EXPLAIN QUERY PLAN {sql}", *parameters)]
    assert sum("SEARCH settlement USING PRIMARY KEY (market_id=? AND funding_time" in s for s in steps) >= 2
    assert not any(step.startswith("SCAN settlement") for step in steps)
