"""What readers can know of an exchange without loading its module."""

from pathlib import Path

from fundwatch.models import Source
from fundwatch.storage import queries, trackers
from tests.storage.ledger import Ledger


def test_what_was_described_is_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "fundwatch.db")
    with ledger.writer.transaction():
        trackers.describe(
            ledger.writer,
            "lighter",
            source=Source.EXCHANGE,
            continuous=False,
            minute=2,
            taker_fee_percent=0.0,
            hourly_rate_step=1e-6,
        )
        trackers.describe(ledger.writer, "paradex", source=Source.EXCHANGE, continuous=True, minute=14)
    found = queries.exchanges(ledger.writer)
    assert found["lighter"] == queries.ExchangeRow("lighter", Source.EXCHANGE, False, 2, 0.0, 1e-6)
    assert found["paradex"] == queries.ExchangeRow("paradex", Source.EXCHANGE, True, 14, None, None)
    ledger.writer.close()
