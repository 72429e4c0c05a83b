"""What is derived, derived anew: the same in a sound database, put right in another."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fundwatch.collector.identity import same_assets
from fundwatch.collector.rebuild import rebuild
from fundwatch.models import HOUR, Source, Window
from fundwatch.storage import queries, summary, verdicts
from fundwatch.storage.holes import absences
from fundwatch.storage.holes.missing import record_absence
from fundwatch.storage.trackers import begin_run, count_rows, end_run
from tests.storage.ledger import Ledger, hour, paid

NOW = hour(800) + 1000
TABLES = ("summary", "identity", "absence", "tracker")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Three markets of one ticker on as many exchanges, the last one about something else."""
    ledger = Ledger(tmp_path / "f.db", "BTC")
    market_ids = [1, *(ledger.market("BTC", exchange=name) for name in ("aster", "binance"))]
    for market_id, price in zip(market_ids, (100.0, 101.0, 250.0), strict=True):
        ledger.quote(market_id, observed_at=int(NOW) - 60, mark_price=price, hourly_rate=0.0001)
    writer = ledger.writer
    with writer.transaction():
        run_id = begin_run(writer, "lighter", "sweep", Source.EXCHANGE, 1, NOW)
    rows = [paid(end, 0.00013) for end in range(100, 801) if end not in (300, 301)]
    stored = ledger.save(*rows, run_id=run_id)
    with writer.transaction():
        count_rows(writer, run_id, inserted=stored.inserted)
        record_absence(writer, "lighter", [("BTC", Window(hour(90), hour(800)))], NOW)
        end_run(writer, run_id, outcome="ok", now=NOW)
        verdicts.save_identities(writer, same_assets(queries.market_rows(writer), {}, NOW))
        summary.refresh(writer, NOW)
    yield ledger
    writer.close()


def tables(ledger: Ledger) -> dict[str, list[Any]]:
    return {name: ledger.writer.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}


def differed(ledger: Ledger, now: float = NOW) -> list[int]:
    return [found.differed for found in rebuild(ledger.writer, now).values()]


def test_nothing_differs_in_a_sound_database_at_any_later_time(ledger: Ledger) -> None:
    before = tables(ledger)
    assert [len(rows) for rows in before.values()] == [3, 3, 2, 3]
    assert differed(ledger) == [0, 0, 0, 0]
    assert differed(ledger, NOW + 1000 * HOUR) == [0, 0, 0, 0]
    assert tables(ledger) == before


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("UPDATE summary SET apr_7d = 5 WHERE market_id = 1", [1, 0, 0, 0]),
        ("DELETE FROM summary", [3, 0, 0, 0]),
        ("UPDATE identity SET same_as_group = 0, reason = NULL", [0, 1, 0, 0]),
        ("DELETE FROM identity", [0, 3, 0, 0]),
        ("UPDATE absence SET end_time = end_time + 7200 WHERE reason LIKE 'not%'", [0, 0, 1, 0]),
        ("UPDATE tracker SET total_records = 7, status = 'running' WHERE exchange_id = 1", [0, 0, 0, 1]),
    ],
)
def test_what_is_wrong_is_put_right_and_counted(ledger: Ledger, spoil: str, expected: list[int]) -> None:
    before = tables(ledger)
    with ledger.writer.transaction():
        ledger.writer.change(spoil)
    assert tables(ledger) != before
    assert differed(ledger) == expected
    assert tables(ledger) == before
    assert differed(ledger) == [0, 0, 0, 0]


def test_a_verdict_that_waits_for_another_sample_is_left_to_it(ledger: Ledger) -> None:
    """A price that jumped once is not yet another asset."""
    ledger.quote(2, observed_at=int(NOW), mark_price=250.0)
    with ledger.writer.transaction():
        known = verdicts.load_identities(ledger.writer)
        sample = same_assets(queries.market_rows(ledger.writer), known, NOW)
        verdicts.save_identities(ledger.writer, sample)
    before = tables(ledger)["identity"]
    assert differed(ledger) == [0, 0, 0, 0]
    assert tables(ledger)["identity"] == before


def test_settlements_and_quotes_are_not_touched(ledger: Ledger) -> None:
    before = [ledger.writer.rows(f"SELECT * FROM {name}") for name in ("settlement", "quote", "run", "event")]
    with ledger.writer.transaction():
        ledger.writer.change("DELETE FROM summary")
    rebuild(ledger.writer, NOW)
    assert before == [
        ledger.writer.rows(f"SELECT * FROM {name}") for name in ("settlement", "quote", "run", "event")
    ]


def test_absent_hours_that_have_a_row_are_absent_no_more(ledger: Ledger) -> None:
    with ledger.writer.transaction():
        ledger.writer.change("UPDATE absence SET start_time = start_time - 36000 WHERE reason LIKE 'not%'")
        absences.trim_all(ledger.writer)
    assert ledger.writer.rows("SELECT start_time, end_time FROM absence WHERE reason LIKE 'not%'") == [
        (hour(299), hour(301))
    ]
