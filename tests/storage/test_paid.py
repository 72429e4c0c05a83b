from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.models import Kind, Source, Window
from fundwatch.storage import paid as storage_paid
from fundwatch.storage.paid import has_recorded, paid_hourly, paid_otherwise
from tests.storage.ledger import Ledger, hour, paid


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    yield ledger
    ledger.writer.close()


def test_every_payment_is_read_once_and_one_of_unknown_interval_never(ledger: Ledger) -> None:
    ledger.save(
        *(paid(end, end / 1e5) for end in (1, 2, 3, 4)),
        paid(3, -0.5, kind=Kind.SPECIAL),
        paid(12, 0.0008, 8),
        paid(14, 0.0007, None),
        paid(15, 0.0001),
    )
    ledger.fill("ETH", [2])
    window = Window(hour(1), hour(14))
    assert paid_hourly(ledger.writer, 1, window) == {hour(2): 2e-5, hour(3): 3e-5, hour(4): 4e-5}
    assert paid_otherwise(ledger.writer, 1, window) == [
        (hour(3), -0.5, 0.0, True),
        (hour(12), 0.0008, 8.0, False),
    ]


def test_recorded_estimates_count_where_they_lie_in_the_window(ledger: Ledger) -> None:
    ledger.save(paid(5), source=Source.RECORDED)
    ledger.save(paid(6))
    assert has_recorded(ledger.writer, 1, Window(hour(4), hour(5)))
    assert not has_recorded(ledger.writer, 1, Window(hour(5), hour(9)))
    assert not has_recorded(ledger.writer, 2, Window(hour(0), hour(9)))


@pytest.mark.parametrize("name", ["_HOURLY", "_OTHERS", "_RECORDED"])
def test_only_the_window_of_one_market_is_read(ledger: Ledger, name: str) -> None:
    sql = getattr(storage_paid, name)
    steps = " ".join(row[-1] for row in ledger.writer.rows(f"EXPLAIN QUERY PLAN {sql}", 1, 0, 1))
    assert "SEARCH s USING PRIMARY KEY (market_id=? AND funding_time>? AND funding_time<?)" in steps
    assert "SCAN s" not in steps
