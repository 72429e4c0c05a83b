"""A copy of one moment, taken beside the one who writes."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.storage.database import open_reader
from fundwatch.storage.errors import DamagedDatabase, NoDatabase, StorageError, WrongWorld
from fundwatch.storage.keeping import backup
from fundwatch.storage.keeping.contents import Contents
from fundwatch.storage.keeping.snapshot import take_snapshot
from tests.storage.ledger import START, Ledger, hour


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setattr(backup, "PAGES_PER_STEP", 8)
    ledger = Ledger(tmp_path / "f.db", "A", "B")
    ledger.fill("A", range(1, 3001))
    yield ledger
    ledger.writer.close()


def test_it_says_what_it_holds_and_is_one_file_for_this_user(ledger: Ledger, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    found = take_snapshot(ledger.writer.path, target, world="real")
    assert found == Contents(3000, 2, hour(1), hour(3000), None)
    assert target.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.glob("copy*")] == ["copy.db"]
    with closing(open_reader(target, world="real")) as copy:
        assert copy.value("PRAGMA journal_mode") == "delete"


def test_it_is_of_one_moment_while_the_writer_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    """Each commit between two steps succeeds at once, also checkpoints, and nothing of it is in the copy."""
    seen = []

    def progress(share: float) -> None:
        seen.append(share)
        ledger.fill("B", [len(seen)])
        ledger.writer.checkpoint()

    found = take_snapshot(ledger.writer.path, tmp_path / "copy.db", world="real", progress=progress)
    assert len(seen) > 5
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
    assert found.settlements == 3000
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT COUNT(*), MAX(funding_time) FROM settlement").fetchone() == (
            3000,
            hour(3000),
        )
    assert len(ledger.stored("B")) == len(seen)
    assert ledger.writer.checkpoint(truncate=True), "nothing holds the log any more"


def test_what_stops_it_leaves_no_file(ledger: Ledger, tmp_path: Path) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_snapshot(ledger.writer.path, tmp_path / "copy.db", world="real", progress=stop)
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.parametrize("name", ["f.db", "f.db-wal", "f.db-journal", "f.db.lock", "there.db"])
def test_it_lands_on_no_file_and_on_no_name_of_the_database(
    ledger: Ledger, tmp_path: Path, name: str
) -> None:
    (tmp_path / "there.db").write_text("precious")
    with pytest.raises(StorageError, match=r"not overwritten|belongs to the database"):
        take_snapshot(ledger.writer.path, tmp_path / name, world="real")
    assert (tmp_path / "there.db").read_text() == "precious"
    assert len(ledger.stored("A")) == 3000


def test_a_damaged_database_is_not_copied_as_if_it_were_whole(ledger: Ledger, tmp_path: Path) -> None:
    ledger.writer.close()
    path = tmp_path / "f.db"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 20_000)
    with pytest.raises(DamagedDatabase, match=rf"^{path} is damaged.*`fundwatch restore`"):
        take_snapshot(path, tmp_path / "copy.db", world="real")
    assert not list(tmp_path.glob("copy*"))


def test_another_world_or_no_database_is_said(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(WrongWorld):
        take_snapshot(ledger.writer.path, tmp_path / "copy.db", world="demo:7")
    with pytest.raises(NoDatabase):
        take_snapshot(tmp_path / "none.db", tmp_path / "copy.db", world="real")


def test_a_log_that_was_never_moved_into_the_file_is_in_the_copy(ledger: Ledger, tmp_path: Path) -> None:
    """As after kill -9: database and log lie there, and nobody writes."""
    left = tmp_path / "left"
    left.mkdir()
    for end in ("", "-wal"):
        shutil.copy(tmp_path / f"f.db{end}", left / f"f.db{end}")
    assert (left / "f.db-wal").stat().st_size > 0
    found = take_snapshot(left / "f.db", tmp_path / "copy.db", world="real")
    assert (found.settlements, found.first) == (3000, START + 3600)
