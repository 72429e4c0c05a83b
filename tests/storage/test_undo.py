from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.models import Source, Window
from fundwatch.storage import summary
from fundwatch.storage.holes.missing import missing, record_absence
from fundwatch.storage.undo import Undone, undo_run, undo_since
from tests.storage.ledger import START, Ledger, hour, paid

NOW = hour(24) + 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    yield ledger
    ledger.writer.close()


def outcomes(ledger: Ledger) -> dict[int, str]:
    return dict(ledger.writer.rows("SELECT id, outcome FROM run"))


def test_a_run_is_taken_back_with_all_that_it_stored_and_nothing_else(ledger: Ledger) -> None:
    good, bad = ledger.run(), ledger.run()
    ledger.save(*(paid(end) for end in range(1, 13)), run_id=good)
    ledger.save(*(paid(end, 0.0009) for end in range(12, 25)), paid(3, symbol="ETH"), run_id=bad)
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, NOW)
        assert undo_run(ledger.writer, bad, NOW) == Undone(1, 13, 1, 0, 2)
    assert [row[0] for row in ledger.stored()] == list(range(1, 13))
    assert ledger.stored("ETH") == []
    assert outcomes(ledger) == {good: "ok", bad: "undone"}
    assert ledger.writer.value("SELECT apr_24h FROM summary WHERE market_id = 1") == pytest.approx(87.6)
    assert ledger.writer.value("SELECT message FROM event WHERE kind = 'undo'") == (
        f"run {bad} undone: 13 settlements taken back"
    )


def test_the_holes_are_asked_for_again_at_once(ledger: Ledger) -> None:
    run_id = ledger.run()
    ledger.save(*(paid(end) for end in range(5, 21)), run_id=run_id)
    with ledger.writer.transaction():
        for _ in range(5):
            record_absence(ledger.writer, "lighter", [("BTC", Window(START, hour(24)))], NOW)
        undone = undo_run(ledger.writer, run_id, NOW)
    assert undone.absences == 2
    assert missing(ledger.writer, "lighter", horizon=START, now=NOW, symbols={"BTC"}) == {
        "BTC": [Window(START, hour(24))]
    }


def test_everything_since_a_time_is_taken_back(ledger: Ledger) -> None:
    before = ledger.run(started=START - 1)
    first, second = ledger.run(started=START), ledger.run(started=START + 60)
    for run_id, end in ((before, 1), (first, 2), (second, 3)):
        ledger.save(paid(end), run_id=run_id)
    with ledger.writer.transaction():
        assert undo_since(ledger.writer, "lighter", START, NOW) == Undone(2, 2, 0, 0, 1)
        assert undo_since(ledger.writer, "lighter", START, NOW) == Undone(0, 0, 0, 0, 0)
        assert undo_since(ledger.writer, "aster", 0, NOW) == Undone(0, 0, 0, 0, 0)
    assert outcomes(ledger) == {before: "ok", first: "undone", second: "undone"}
    assert ledger.stored() == [(1, 0.0001, 1)]


def test_a_wrong_import_gives_way_to_what_the_exchange_says(ledger: Ledger) -> None:
    run_id = ledger.run(Source.IMPORT, kind="import")
    ledger.save(*(paid(end, 0.0000125) for end in range(1, 9)), run_id=run_id)
    assert ledger.save(paid(8, 0.0001, 8)).refused == 1
    with ledger.writer.transaction():
        undo_run(ledger.writer, run_id, NOW)
    assert ledger.save(paid(8, 0.0001, 8)).inserted == 1


def test_a_run_that_does_not_exist_is_an_error(ledger: Ledger) -> None:
    with ledger.writer.transaction(), pytest.raises(ValueError, match="no run 5"):
        undo_run(ledger.writer, 5, NOW)


def test_a_run_that_stored_nothing_can_be_taken_back(ledger: Ledger) -> None:
    run_id = ledger.run()
    with ledger.writer.transaction():
        assert undo_run(ledger.writer, run_id, NOW) == Undone(1, 0, 0, 0, 0)
    assert outcomes(ledger) == {run_id: "undone"}
