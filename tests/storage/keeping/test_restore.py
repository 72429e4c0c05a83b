"""A copy takes the place of the database: the old one whole or the new one whole, at any moment."""

import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from copy import copy
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fundwatch.models import Source
from fundwatch.storage.database import open_reader, open_writer, reader
from fundwatch.storage.errors import DamagedDatabase, DatabaseBusy, ForeignDatabase, StorageError, WrongWorld
from fundwatch.storage.keeping.restore import Restored, restore
from fundwatch.storage.keeping.snapshot import take_snapshot
from fundwatch.storage.migrations import APPLICATION_ID
from fundwatch.storage.trackers import begin_run
from tests.storage.ledger import LATER, Ledger

KILLS = int(os.environ.get("FUNDWATCH_RESTORE_KILLS", "10"))
STEPS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"}
if KILLS > 10:  # asked for by hand: then before every opening of a file too
    STEPS.add("open")
OLD, NEW = range(1, 31), range(1, 11)
"""Hours that the present database and the copy hold."""


class Stage:
    """A copy with `NEW` and, in a folder of its own, a database with `OLD`."""

    def __init__(self, folder: Path) -> None:
        self.copy = folder / "copy.db"
        self.path = folder / "home" / "f.db"
        self.path.parent.mkdir()
        ledger = Ledger(self.path, "A")
        ledger.fill("A", NEW)
        take_snapshot(self.path, self.copy, world="real")
        ledger.fill("A", OLD)
        ledger.writer.close()

    def copied(self, folder: Path) -> "Stage":
        """The same files in another folder; nobody has them open."""
        shutil.copytree(self.path.parent, folder)
        other = copy(self)
        other.path = folder / self.path.name
        return other

    def restore(self, **options: Any) -> Restored:
        return restore(self.path, self.copy, world="real", now=LATER, **options)

    def held(self) -> int:
        """How many settlements the database holds; it must be whole and ready to be written to."""
        with reader(self.path, world="real") as db:
            assert db.value("PRAGMA integrity_check") == "ok"
            count: int = db.value("SELECT COUNT(*) FROM settlement")
        open_writer(self.path, world="real", create=False).close()
        return count

    def files(self) -> set[str]:
        return {file.name.partition(".before-restore")[0] for file in self.path.parent.iterdir()}

    def leave_a_log(self) -> None:
        """As after kill -9: the last rows lie in the log, and no file was moved into another."""

        def die() -> None:
            Ledger(self.path).fill("A", [31])

        in_child(die)
        assert self.path.with_name("f.db-wal").stat().st_size > 0

    def spoil(self) -> bytes:
        junk = random.Random(1).randbytes(self.path.stat().st_size)
        self.path.write_bytes(junk)
        return junk


def in_child(work: Callable[[], object]) -> int:
    """Does `work` in a process of its own, which ends at once without tidying up; its exit status."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    return os.waitpid(pid, 0)[1]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_the_copy_takes_the_place_and_the_former_database_is_kept(stage: Stage) -> None:
    done = stage.restore()
    assert (done.contents.settlements, done.damage) == (len(NEW), None)
    assert stage.held() == len(NEW)
    assert done.kept is not None
    assert done.kept.name == "f.db.before-restore-20270105T000000Z"
    with closing(open_reader(done.kept, world="real")) as kept:
        assert kept.value("SELECT COUNT(*) FROM settlement") == len(OLD)
    assert {done.kept.stat().st_mode & 0o777, stage.path.stat().st_mode & 0o777} == {0o600}
    assert stage.copy.exists()
    assert not [name for name in stage.files() if name.startswith(".")]


def test_what_was_kept_can_be_restored_in_its_turn(stage: Stage) -> None:
    kept = stage.restore().kept
    assert kept is not None
    again = restore(stage.path, kept, world="real", now=LATER)
    assert stage.held() == len(OLD)
    assert again.kept is not None
    assert again.kept.name.endswith("Z-2"), "the first one is still there"


def test_a_restored_database_says_so_and_nobody_is_at_work_in_it(stage: Stage) -> None:
    """The copy was taken in the middle of a sweep."""
    ledger = Ledger(stage.path)
    with ledger.writer.transaction():
        begin_run(ledger.writer, "lighter", "sweep", Source.EXCHANGE, 1, LATER)
    stage.copy.unlink()
    take_snapshot(stage.path, stage.copy, world="real")
    ledger.writer.close()
    stage.restore()
    with reader(stage.path) as db:
        assert db.value("SELECT COUNT(*) FROM run WHERE ended IS NULL") == 0
        assert db.value("SELECT status FROM tracker") == "error"
        assert db.rows("SELECT kind, message FROM event") == [("restore", "restored from copy.db")]


def test_the_last_rows_of_an_unclean_stop_are_in_what_is_kept(stage: Stage) -> None:
    stage.leave_a_log()
    kept = stage.restore().kept
    assert stage.held() == len(NEW)
    assert kept is not None
    assert kept.with_name(f"{kept.name}-wal").stat().st_size > 0
    with closing(open_reader(kept)) as former:
        assert former.value("SELECT COUNT(*) FROM settlement") == len(OLD) + 1


def test_it_makes_a_database_where_there_was_none(stage: Stage) -> None:
    stage.path.unlink()
    done = stage.restore()
    assert (done.kept, stage.held()) == (None, len(NEW))


def test_a_log_without_its_database_is_kept_and_never_meets_the_new_one(stage: Stage) -> None:
    stage.leave_a_log()
    log = stage.path.with_name("f.db-wal").read_bytes()
    stage.path.unlink()
    kept = stage.restore().kept
    assert kept is not None
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == log
    assert stage.held() == len(NEW)


@pytest.mark.parametrize("junk", [b"", b"junk" * 5000])
def test_a_damaged_database_does_not_stop_it_and_is_kept(stage: Stage, junk: bytes) -> None:
    stage.path.write_bytes(junk)
    done = stage.restore()
    assert done.damage
    assert done.kept is not None
    assert done.kept.read_bytes() == junk
    assert stage.held() == len(NEW)


def test_a_flipped_page_is_seen_and_the_file_is_kept_as_it_was(stage: Stage) -> None:
    with stage.path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    before = stage.path.read_bytes()
    done = stage.restore()
    assert done.damage
    assert done.kept is not None
    assert done.kept.read_bytes() == before
    assert stage.held() == len(NEW)


def _newer(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db:
        db.execute("PRAGMA user_version = 99")


def _foreign(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as db:
        db.execute("CREATE TABLE settlement (x)")


def _with_trigger(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON settlement BEGIN DELETE FROM quote; END")


def _without_quotes(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as db:
        db.execute("DROP TABLE quote")


def _demo(copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = 'demo:7' WHERE key = 'world'")


def _flipped(copy: Path) -> None:
    with copy.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)


def _cut(copy: Path) -> None:
    os.truncate(copy, copy.stat().st_size // 2)


def _empty(copy: Path) -> None:
    copy.write_bytes(b"")


def _text(copy: Path) -> None:
    copy.write_text("exchange,symbol\n" * 100)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (_newer, ForeignDatabase, "newer fundwatch"),
        (_foreign, ForeignDatabase, "no copy of a fundwatch database"),
        (_with_trigger, ForeignDatabase, "holds a trigger, 't'"),
        (_without_quotes, DamagedDatabase, "lacks what a database of fundwatch has"),
        (_demo, WrongWorld, "a copy of the world 'demo:7'"),
        (_flipped, DamagedDatabase, "no whole copy"),
        (_cut, DamagedDatabase, "no whole copy"),
        (_empty, DamagedDatabase, "empty, 0 bytes"),
        (_text, DamagedDatabase, "no whole copy"),
    ],
)
def test_a_file_that_cannot_be_the_database_is_refused_and_nothing_is_touched(
    stage: Stage, spoil: Callable[[Path], None], error: type[StorageError], words: str
) -> None:
    spoil(stage.copy)
    before = stage.path.read_bytes()
    with pytest.raises(error, match=words):
        stage.restore()
    assert stage.path.read_bytes() == before
    assert stage.files() == {"f.db"}
    assert stage.held() == len(OLD)


def test_the_database_is_no_copy_of_itself(stage: Stage) -> None:
    with pytest.raises(StorageError, match="the database itself"):
        restore(stage.path, stage.path, world="real", now=LATER)


def test_what_is_another_programs_or_of_another_world_is_not_replaced(stage: Stage) -> None:
    with closing(sqlite3.connect(stage.path, isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = 'demo:7' WHERE key = 'world'")
    with pytest.raises(WrongWorld, match="--db"):
        stage.restore()
    with closing(sqlite3.connect(stage.path)) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID + 1}")
    before = stage.path.read_bytes()
    with pytest.raises(ForeignDatabase, match="belongs to another program"):
        stage.restore()
    assert stage.path.read_bytes() == before


def test_a_reader_goes_on_with_what_it_reads_and_the_next_one_sees_the_copy(stage: Stage) -> None:
    with reader(stage.path) as db:
        assert db.value("SELECT COUNT(*) FROM settlement") == len(OLD)
        stage.restore()
        assert db.value("SELECT COUNT(*), MAX(rate) FROM settlement") == len(OLD)
    assert stage.held() == len(NEW)


def test_a_reader_that_holds_back_the_log_is_told_of(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fundwatch.storage.keeping.restore.BUSY_TIMEOUT_MS", 50)
    with reader(stage.path) as db:
        assert db.value("SELECT COUNT(*) FROM settlement") == len(OLD)
        stage.leave_a_log()
        with pytest.raises(DatabaseBusy, match="read for a long time"):
            stage.restore()
    assert stage.held() == len(OLD) + 1


def test_what_stops_the_copying_changes_nothing(stage: Stage) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.restore(progress=stop)
    assert stage.files() == {"f.db"}
    assert stage.held() == len(OLD)


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Does `work` in a process that is killed before it touches the file system for the `step`-th time;
    whether it was."""

    def counted() -> None:
        left = step

        def touch(event: str, _: Any) -> None:
            nonlocal left
            if event in STEPS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(touch)
        work()

    return os.WIFSIGNALED(in_child(counted))


def killed_at_each_step(template: Stage, folder: Path) -> Iterator[tuple[int, Stage]]:
    """The stage as it lies after each kill, until one restore goes through unharmed."""
    for step in count():
        stage = template.copied(folder / str(step))
        was_killed = killed_at(step, stage.restore)
        yield step, stage
        if not was_killed:
            assert step > 15
            return


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("has_log", [False, True])
def test_a_kill_before_any_step_leaves_the_old_one_whole_or_the_new_one(
    tmp_path: Path, has_log: bool
) -> None:
    template = Stage(tmp_path)
    if has_log:
        template.leave_a_log()
    seen = set()
    for step, stage in killed_at_each_step(template, tmp_path):
        held = stage.held()
        assert held in (len(OLD) + has_log, len(NEW)), f"killed before step {step}"
        seen.add(held)
        stage.restore()
        assert stage.held() == len(NEW)
        assert not [name for name in stage.files() if name.startswith(".")], "no litter stays for ever"
    assert len(seen) == 2, "some kills came before the moment that counts and some after"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_kill_while_a_damaged_database_is_replaced_loses_none_of_its_files(tmp_path: Path) -> None:
    template = Stage(tmp_path)
    template.leave_a_log()
    log = template.path.with_name("f.db-wal").read_bytes()
    junk = template.spoil()
    for step, stage in killed_at_each_step(template, tmp_path):
        files = [file for file in stage.path.parent.iterdir() if file.is_file()]
        contents = {file.name: file.read_bytes() for file in files}
        assert junk in [found for name, found in contents.items() if not name.endswith("-wal")], step
        assert log in [found for name, found in contents.items() if name.endswith("-wal")], step
        if contents[stage.path.name] != junk:
            assert contents.get("f.db-wal") != log, f"killed before step {step}: the log of another database"
            assert stage.held() == len(NEW)
        assert stage.restore().contents.settlements == len(NEW)
        assert stage.held() == len(NEW)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_kill_at_any_time_leaves_the_old_one_whole_or_the_new_one(tmp_path: Path) -> None:
    """Each kill has its own seed, which a failure names."""
    template = Stage(tmp_path)
    template.leave_a_log()
    unharmed = template.copied(tmp_path / "unharmed")
    started = time.perf_counter()
    in_child(unharmed.restore)
    whole = time.perf_counter() - started
    for seed in range(KILLS):
        stage = template.copied(tmp_path / str(seed))
        pid = os.fork()
        if pid == 0:
            try:
                stage.restore()
            finally:
                os._exit(0)
        time.sleep(random.Random(seed).uniform(0, whole * 1.1))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        assert stage.held() in (len(NEW), len(OLD) + 1), f"seed {seed}"
