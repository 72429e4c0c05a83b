"""What the collector lets go of in its quiet moments."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.collector.derive import tidy
from fundwatch.collector.ledger import Ledger
from fundwatch.models import HOUR, Asset, AssetClass, Market, Settlement, Source
from fundwatch.storage import imports, trackers
from fundwatch.storage.settlements import save_settlements
from tests.collector.scripted import HandClock

DAY = 24 * HOUR
LAST = 1_795_132_800
"""2026-11-20 00:00 UTC, the newest payment."""


def opened(folder: Path, retention_days: int) -> Ledger:
    return Ledger.open(
        folder / "f.db",
        world="real",
        role="collector",
        clock=HandClock(LAST),
        exchanges=["aster"],
        retention_days=retention_days,
    )


@pytest.fixture(params=[0, 40])
def ledger(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A hundred days of one market, a payment a day."""
    ledger = opened(tmp_path, request.param)
    writer = ledger.writer
    market = Market("aster", "BTCUSDT", Asset("BTC", AssetClass.CRYPTO))
    rows = [Settlement("BTCUSDT", LAST - n * DAY, 0.0001, 8.0) for n in range(100)]
    with writer.transaction():
        run_id = trackers.begin_run(writer, "aster", "import", Source.IMPORT, 1, LAST)
        imports.add_markets(writer, "aster", [(market, LAST - 99 * DAY, LAST)])
        save_settlements(writer, run_id, "aster", rows, LAST)
    yield ledger
    ledger.close()


def test_old_settlements_go_a_day_after_their_announcement_where_that_was_asked_for(ledger: Ledger) -> None:
    def count() -> int:
        found: int = ledger.writer.value("SELECT COUNT(*) FROM settlement")
        return found

    tidy(ledger, LAST)
    assert count() == 100
    tidy(ledger, LAST + DAY)
    assert count() == (42 if ledger.retention_days else 100)
    events = ledger.writer.value("SELECT COUNT(*) FROM event WHERE kind = 'retention'")
    assert events == (2 if ledger.retention_days else 0)
