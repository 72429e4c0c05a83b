from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fundwatch.analytics.windows import WINDOWS, Paid, window_apr, window_end
from fundwatch.models import HOUR, Kind, Settlement, Source
from fundwatch.storage import queries, summary
from fundwatch.storage.trackers import begin_run
from tests.storage.ledger import Ledger, hour, paid

NOW = hour(800) + 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    yield ledger
    ledger.writer.close()


def refresh(ledger: Ledger, now: float = NOW, market_ids: list[int] | None = None) -> int:
    with ledger.writer.transaction():
        return summary.refresh(ledger.writer, now, market_ids)


def table(ledger: Ledger) -> list[Any]:
    return ledger.writer.rows("SELECT * FROM summary ORDER BY market_id")


def columns(ledger: Ledger, names: str, market_id: int = 1) -> Any:
    return ledger.writer.rows(f"SELECT {names} FROM summary WHERE market_id = ?", market_id)[0]


SETTLEMENTS = st.lists(
    st.builds(
        paid,
        st.integers(1, 801),
        st.floats(-0.001, 0.001),
        st.sampled_from([1.0, 4.0, 8.0, None]),
        symbol=st.just("BTC"),
        kind=st.sampled_from([Kind.REGULAR, Kind.REGULAR, Kind.REGULAR, Kind.SPECIAL]),
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=SETTLEMENTS, minutes=st.integers(0, 120))
def test_the_table_says_what_the_definition_says_of_the_rows(
    ledger: Ledger, rows: list[Settlement], minutes: int
) -> None:
    now = hour(799) + minutes * 60
    with ledger.writer.transaction():
        ledger.writer.change("DELETE FROM settlement")
    ledger.save(*rows)
    assert refresh(ledger, now, [1]) == 1
    stored = [
        Paid(time, rate, hours, kind == 1)
        for time, rate, hours, kind in ledger.writer.rows(
            "SELECT funding_time, rate, interval_hours, kind FROM settlement"
        )
    ]
    end = window_end(now)
    assert columns(ledger, "window_end") == (end,)
    for name, hours in WINDOWS.items():
        expected = window_apr(stored, end, hours)
        apr, coverage = columns(ledger, f"apr_{name}, coverage_{name}")
        assert coverage == pytest.approx(expected.coverage, rel=1e-12)
        if expected.apr_percent is None:
            assert apr is None
        else:
            assert apr == pytest.approx(expected.apr_percent, rel=1e-9, abs=1e-9)


def test_a_change_of_interval_weighs_by_hours(ledger: Ledger) -> None:
    ledger.save(
        *(paid(end, 0.0008, 8) for end in range(784, 793, 8)), *(paid(e, 0.0) for e in range(793, 801))
    )
    refresh(ledger)
    apr, coverage = columns(ledger, "apr_24h, coverage_24h")
    assert apr == pytest.approx(0.0016 / 24 * 876_000)
    assert coverage == 1.0


def test_a_market_without_settlements_has_no_rate_and_no_coverage(ledger: Ledger) -> None:
    refresh(ledger)
    assert columns(ledger, "apr_24h, coverage_24h, apr_30d, coverage_30d, recorded") == (None, 0, None, 0, 0)


def test_recorded_rows_are_named_while_a_window_holds_one(ledger: Ledger) -> None:
    ledger.save(paid(81, source := 0.0001), paid(82, source))
    ledger.save(paid(80), paid(799, symbol="ETH"), source=Source.RECORDED)
    refresh(ledger, hour(800) + 900)
    assert columns(ledger, "recorded", 1) == (0,)
    assert columns(ledger, "recorded", 2) == (1,)
    refresh(ledger, hour(799) + 900)
    assert columns(ledger, "recorded", 1) == (1,)


def test_only_summaries_of_another_window_end_are_made_anew(ledger: Ledger) -> None:
    assert refresh(ledger) == 2
    assert refresh(ledger, NOW + 60) == 0
    assert refresh(ledger, NOW + HOUR, [2]) == 1
    assert refresh(ledger, NOW + HOUR) == 1
    assert refresh(ledger, NOW) == 2, "a clock that was ahead leaves no window in the future"


def test_a_rebuilt_table_is_what_it_was(ledger: Ledger) -> None:
    ledger.fill("BTC", range(100, 801), rate=0.00013)
    ledger.fill("ETH", range(200, 801, 4), hours=4, rate=-0.00007)
    refresh(ledger)
    refresh(ledger, NOW + HOUR, [2])
    before = table(ledger)
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE summary SET apr_7d = 5, coverage_3d = 0 WHERE market_id = 1")
        assert summary.rebuild(ledger.writer, NOW) == 2
    assert table(ledger) == before


def test_rebuilding_makes_the_summaries_that_were_missing(ledger: Ledger) -> None:
    with ledger.writer.transaction():
        assert summary.rebuild(ledger.writer, NOW) == 2
    assert columns(ledger, "window_end", 2) == (window_end(NOW),)


def test_the_sums_read_the_key_and_never_the_whole_table(ledger: Ledger) -> None:
    plan = ledger.writer.rows(f"EXPLAIN QUERY PLAN {summary._BAND}", "[1]", 0, 1)
    steps = " ".join(step[-1] for step in plan)
    assert "SEARCH s USING PRIMARY KEY (market_id=? AND funding_time>? AND funding_time<?)" in steps


def test_exchanges_with_recorded_runs_are_found_among_new_runs_too(ledger: Ledger) -> None:
    """Only what came since the last look is read, and a rolled back run may leave its id to another."""

    def is_recorded(market_id: int) -> bool:
        refresh(ledger, market_ids=[market_id])
        return bool(columns(ledger, "recorded", market_id)[0])

    def roll_back() -> None:
        with ledger.writer.transaction():
            begin_run(ledger.writer, "lighter", "sweep", Source.EXCHANGE, 1, NOW)
            summary.refresh(ledger.writer, NOW, [1])
            raise ZeroDivisionError

    ledger.save(paid(799))
    assert not is_recorded(1)
    with pytest.raises(ZeroDivisionError):
        roll_back()
    ledger.save(paid(800), source=Source.RECORDED)
    assert is_recorded(1)
    aster = ledger.market("BTC", exchange="aster")
    ledger.exchange = "aster"
    ledger.save(paid(799), source=Source.RECORDED)
    assert is_recorded(aster)


def test_windows_that_were_derived_before_are_not_derived_again(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.fill("BTC", range(700, 801))
    rows = queries.market_rows(ledger.writer)
    known: dict[int, summary.Derived] = {}
    first = summary.current(ledger.writer, rows, hour(800), known)
    assert [row.coverage_24h for row in first] == [1.0, 0.0]

    def read(*_: object) -> Any:
        raise AssertionError("settlements were read again")

    monkeypatch.setattr(ledger.writer, "rows", read)
    assert summary.current(ledger.writer, rows, hour(800), known) == first
