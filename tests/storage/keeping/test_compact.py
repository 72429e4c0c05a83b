from pathlib import Path

import pytest

from fundwatch.storage.database import reader
from fundwatch.storage.keeping import compact
from tests.storage.ledger import DAY, LATER, Ledger, hour

HOURS = 1500


@pytest.fixture
def ragged(path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Settlements of forty markets, each stored between those of the others."""
    monkeypatch.setattr(compact, "SMALLEST_BYTES", 0)
    ledger = Ledger(path, *(f"M{number:02}" for number in range(40)))
    for number in [*range(0, 40, 2), *range(1, 40, 2)]:
        ledger.fill(f"M{number:02}", range(1, HOURS))
    return ledger


def bytes_per_row(ledger: Ledger) -> float:
    size = ledger.writer.value("SELECT SUM(pgsize) FROM dbstat WHERE name = 'settlement'")
    return float(size / ledger.writer.value("SELECT COUNT(*) FROM settlement"))


def test_a_ragged_table_is_rewritten_to_full_pages_and_keeps_every_row(ragged: Ledger) -> None:
    before = ragged.writer.rows("SELECT * FROM settlement ORDER BY 1, 2, 3")
    assert compact.ragged_share(ragged.writer) > compact.RAGGED_SHARE
    assert compact.compact(ragged.writer, LATER)
    assert compact.ragged_share(ragged.writer) < 0.02
    assert ragged.writer.rows("SELECT * FROM settlement ORDER BY 1, 2, 3") == before
    assert bytes_per_row(ragged) <= 30


def test_it_is_done_at_most_once_a_day_also_after_a_restart(ragged: Ledger) -> None:
    assert compact.compact(ragged.writer, LATER)
    ragged.fill("M00", range(HOURS, 2 * HOURS))
    assert not compact.compact(ragged.writer, LATER + DAY / 2)


def test_a_reader_keeps_its_snapshot_while_the_file_is_rewritten(ragged: Ledger, path: Path) -> None:
    with reader(path) as db:
        before = db.value("SELECT COUNT(*) FROM settlement")
        assert compact.compact(ragged.writer, LATER)
        assert db.value("SELECT COUNT(*) FROM settlement") == before
        assert db.value("SELECT MAX(funding_time) FROM settlement") == hour(HOURS - 1)
