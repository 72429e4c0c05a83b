import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.clock import SystemClock
from fundwatch.storage import migrations
from fundwatch.storage.database import Writer, open_reader, open_writer
from fundwatch.storage.errors import ForeignDatabase, StorageError
from fundwatch.storage.keeping.backup import copy_verified
from fundwatch.text import utc

MORE_COLOUR = "ALTER TABLE exchange ADD COLUMN colour TEXT DEFAULT 'blue; or not';"
BROKEN = "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);"
ORPHANS = "DELETE FROM exchange;"


@pytest.fixture
def filled(path: Path) -> Iterator[Writer]:
    writer = open_writer(path, world="real")
    with writer.transaction():
        writer.insert("INSERT INTO exchange (name) VALUES ('lighter')")
        writer.change("INSERT INTO tracker (exchange_id) VALUES (1)")
    yield writer
    writer.close()


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.bak*"))


def test_a_new_database_needs_no_copy_of_nothing(path: Path) -> None:
    open_writer(path, world="real").close()

    assert [file.name for file in path.parent.iterdir()] == ["fundwatch.db"]


def test_an_old_database_is_copied_before_it_changes(path: Path, filled: Writer) -> None:
    steps = (*migrations.MIGRATIONS, MORE_COLOUR)

    backup = migrations.migrate(filled.connection(), path, steps)

    assert filled.value("SELECT colour FROM exchange") == "blue; or not"
    assert filled.value("PRAGMA user_version") == 2
    assert filled.value("PRAGMA foreign_keys") == 1
    assert backups(path) == [backup]
    assert backup is not None
    assert backup.name.startswith("fundwatch.db.before-v2-2")
    assert backup.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT id, name FROM exchange").fetchall() == [(1, "lighter")]
    with closing(open_reader(backup, world="real")) as old:
        assert old.value("SELECT name FROM exchange") == "lighter"


def test_a_second_try_within_the_same_second_makes_a_copy_of_its_own(path: Path, filled: Writer) -> None:
    now = SystemClock().now()
    for second in range(60):
        stamp = utc(now + second, "%Y%m%dT%H%M%SZ")
        path.with_name(f"{path.name}.before-v2-{stamp}.bak").write_text("of the try before")

    backup = migrations.migrate(filled.connection(), path, (*migrations.MIGRATIONS, MORE_COLOUR))

    assert filled.value("PRAGMA user_version") == 2
    assert backup is not None
    assert backup.name.endswith("Z-2.bak")
    assert len(backups(path)) == 61


def test_what_a_killed_try_left_of_its_copy_is_removed(path: Path, filled: Writer) -> None:
    left = path.with_name(f"{path.name}.before-v2-20261120T120000Z.bak.abcdefgh.part")
    own = path.with_name(f"{path.name}.mine.part")
    for file in (left, left.with_name(left.name + "-journal"), own):
        file.write_text("half")

    migrations.migrate(filled.connection(), path, (*migrations.MIGRATIONS, MORE_COLOUR))

    assert [file.name for file in path.parent.glob("*.part*")] == [own.name]


def test_an_up_to_date_database_is_left_alone(path: Path, filled: Writer) -> None:
    assert migrations.migrate(filled.connection(), path) is None
    assert backups(path) == []


@pytest.mark.parametrize("step", [BROKEN, ORPHANS])
def test_a_step_that_fails_leaves_no_trace(path: Path, filled: Writer, step: str) -> None:
    with pytest.raises((sqlite3.Error, StorageError)):
        migrations.migrate(filled.connection(), path, (*migrations.MIGRATIONS, MORE_COLOUR, step))

    assert filled.value("PRAGMA user_version") == 2
    assert "half" not in filled.get_tables()
    assert filled.value("SELECT colour FROM exchange") == "blue; or not"
    assert not filled.connection().in_transaction


def test_without_a_sound_copy_nothing_changes(
    path: Path, filled: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: sqlite3.Connection, target: Path) -> None:
        raise StorageError("no room for the copy")

    monkeypatch.setattr(migrations, "copy_verified", full)

    with pytest.raises(StorageError, match="no room"):
        migrations.migrate(filled.connection(), path, (*migrations.MIGRATIONS, MORE_COLOUR))
    assert filled.value("PRAGMA user_version") == 1


def test_a_reader_of_an_older_schema_says_who_updates_it(
    path: Path, filled: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, MORE_COLOUR))

    with pytest.raises(ForeignDatabase, match="older fundwatch"):
        open_reader(path)


def test_the_hook_after_the_migrations_runs_in_a_transaction_at_each_opening(path: Path) -> None:
    for _ in range(2):
        opened = open_writer(
            path,
            world="real",
            after_migration=lambda writer: writer.insert(
                "INSERT INTO event (time, kind, message) VALUES (1,'','')"
            ),
        )
        opened.close()

    with closing(open_reader(path)) as database:
        assert database.value("SELECT count(*) FROM event") == 2


def test_a_copy_holds_what_is_only_in_the_wal_yet_and_is_one_file(path: Path, filled: Writer) -> None:
    target = path.with_name("copy.db")

    copy_verified(filled.connection(), target)

    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT name FROM exchange").fetchall() == [("lighter",)]
    assert [file.name for file in path.parent.glob("copy.db*")] == ["copy.db"]


def test_a_copy_never_lands_on_another_file(path: Path, filled: Writer) -> None:
    target = path.with_name("copy.db")
    target.write_text("precious")

    with pytest.raises(StorageError, match="not overwritten"):
        copy_verified(filled.connection(), target)
    assert target.read_text() == "precious"
    assert not list(path.parent.glob("*.part*"))


def test_a_copy_into_a_missing_folder_is_said_so(path: Path, filled: Writer) -> None:
    with pytest.raises(StorageError, match=r"nowhere/copy.db cannot be written: No such file"):
        copy_verified(filled.connection(), path.parent / "nowhere" / "copy.db")
