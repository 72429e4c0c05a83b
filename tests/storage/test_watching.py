"""Has anybody written?"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.models import Window
from fundwatch.storage import summary, undo
from fundwatch.storage.database import open_writer
from fundwatch.storage.holes.absences import record_absence
from fundwatch.storage.watching import Watch, due, fingerprint, settled
from tests.storage.ledger import START, Ledger, hour, paid


def test_a_commit_of_another_connection_is_news_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with closing(ledger.writer), closing(Watch(tmp_path / "f.db")) as watch:
        assert watch.has_news()
        assert not watch.has_news()
        ledger.market("ETH")
        assert watch.has_news()
        assert not watch.has_news()


def test_a_file_that_is_not_there_or_no_database_is_no_news(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with closing(Watch(path)) as watch:
        assert not watch.has_news()
        path.write_bytes(b"")
        assert not watch.has_news()


def test_another_file_in_its_place_is_news(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    open_writer(path, world="real").close()
    with closing(Watch(path)) as watch:
        assert watch.has_news()
        open_writer(tmp_path / "g.db", world="real").close()
        (tmp_path / "g.db").replace(path)
        assert watch.has_news()


def test_watching_does_not_keep_the_wal_from_being_emptied(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with closing(ledger.writer), closing(Watch(tmp_path / "f.db")) as watch:
        watch.has_news()
        ledger.market("ETH")
        watch.has_news()
        assert ledger.writer.checkpoint(truncate=True)
        assert (tmp_path / "f.db-wal").stat().st_size == 0


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC", "ETH")
    ledger.quote(1, interval_hours=1.0, next_funding_time=hour(9))
    yield ledger
    ledger.writer.close()


def store(ledger: Ledger, rate: float = 0.0001) -> int:
    run_id = ledger.run()
    stored = ledger.save(paid(1, rate), run_id=run_id)
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, hour(9), stored.market_ids)
    return run_id


def test_what_was_settled_changes_with_every_settlement_and_with_nothing_else(ledger: Ledger) -> None:
    seen = [settled(ledger.writer)]

    def is_new() -> bool:
        seen.append(settled(ledger.writer))
        return seen[-1] not in seen[:-1]

    run_id = store(ledger)
    assert is_new()
    store(ledger)
    assert not is_new(), "it told nothing new"
    with ledger.writer.transaction():
        undo.undo_run(ledger.writer, run_id, hour(9), group="")
    assert is_new()
    store(ledger)
    assert is_new(), "not even what it was once"
    with ledger.writer.transaction():
        summary.rebuild(ledger.writer, hour(9))
    assert is_new()
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, hour(10))
    ledger.quote(2)
    ledger.market("NEW")
    assert not is_new()


def test_an_undone_run_is_seen(ledger: Ledger) -> None:
    run_id = store(ledger)
    before = fingerprint(ledger.writer)
    with ledger.writer.transaction():
        undo.undo_run(ledger.writer, run_id, hour(9))
    assert fingerprint(ledger.writer) != before


def _absent(ledger: Ledger, times: int = 1) -> None:
    for _ in range(times):
        with ledger.writer.transaction():
            record_absence(ledger.writer, "lighter", [("BTC", Window(START, hour(2)))], hour(9))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE quote SET interval_hours = 8",
        "UPDATE quote SET next_funding_time = next_funding_time + 3600",
        "UPDATE market SET listed_time = 5 WHERE id = 2",
        "UPDATE market SET delisting_time = 5 WHERE id = 2",
        "UPDATE market SET status = 'absent' WHERE id = 2",
        "UPDATE exchange SET continuous = 1",
        "UPDATE exchange SET source = 1",
        lambda ledger: ledger.market("NEW"),
        _absent,
    ],
)
def test_what_is_due_changes_with_what_gaps_are_counted_by(
    ledger: Ledger, change: str | Callable[[Ledger], object]
) -> None:
    before = due(ledger.writer)
    if isinstance(change, str):
        with ledger.writer.transaction():
            ledger.writer.change(change)
    else:
        change(ledger)
    assert due(ledger.writer) != before


def test_what_is_due_changes_when_an_absence_is_asked_for_again(ledger: Ledger) -> None:
    _absent(ledger, 4)
    before = due(ledger.writer)
    _absent(ledger)
    assert due(ledger.writer) != before


def test_what_is_due_stays_with_new_quotes(ledger: Ledger) -> None:
    before = due(ledger.writer)
    ledger.quote(1, interval_hours=1.0, next_funding_time=hour(9), observed_at=START + 60, mark_price=5.0)
    assert due(ledger.writer) == before
