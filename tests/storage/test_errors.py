"""What SQLite says, bare or through peewee, in words for a person."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.storage.database import Database, Writer, reader
from fundwatch.storage.errors import DamagedDatabase, DiskTrouble, explain
from fundwatch.storage.schema import Ban
from tests.commands.desk import run


def blanked(path: Path, table: str, writer: Writer) -> None:
    """The first page of `table` is zeros, as after a disk lost it; the writer is closed."""
    page, size = (
        writer.value("SELECT rootpage FROM sqlite_schema WHERE name = ?", table),
        writer.value("PRAGMA page_size"),
    )
    writer.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


@pytest.mark.parametrize(
    "question",
    [lambda db: db.rows("SELECT * FROM ban"), lambda db: list(Ban.select().execute(db))],
    ids=["plain SQL", "peewee"],
)
def test_a_damaged_page_is_damage_however_one_asks(
    path: Path, writer: Writer, question: Callable[[Database], object]
) -> None:
    blanked(path, "ban", writer)
    with pytest.raises(DamagedDatabase, match=r"malformed.*`fundwatch restore`"), reader(path) as db:
        question(db)


def test_an_answer_that_trips_over_damage_says_so_and_one_that_is_wrong_itself_does_not(
    path: Path, writer: Writer
) -> None:
    with pytest.raises(TypeError), reader(path):
        raise TypeError("a mistake of ours")
    blanked(path, "ban", writer)
    with pytest.raises(DamagedDatabase, match="restore"), reader(path):
        raise TypeError("None where a rate should be")


def test_rows_without_those_they_belong_to_are_damage_where_an_answer_trips_over_them(
    path: Path, writer: Writer
) -> None:
    writer.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("INSERT INTO tracker (exchange_id) VALUES (7)")
    with pytest.raises(DamagedDatabase, match="rows of tracker have no exchange"), reader(path):
        raise KeyError("lighter")


def test_what_is_only_met_while_printing_is_damage_too(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trips(*args: object, **more: object) -> int:
        raise TypeError("'str' object cannot be interpreted as an integer")

    monkeypatch.setattr("fundwatch.commands.status.show_status", trips)
    assert isinstance(run("--db", str(path), "status").exception, TypeError)
    blanked(path, "ban", writer)
    said = run("--db", str(path), "status")
    assert (said.exit_code, "`fundwatch restore`" in said.stderr) == (1, True)


def test_a_full_disk_is_told_through_peewee_too(path: Path, writer: Writer) -> None:
    writer.value(f"PRAGMA max_page_count = {writer.value('PRAGMA page_count')}")
    rows = [
        {"scope": f"{n} {'x' * 900}", "kind": "banned", "until": 1.0, "reason": "", "strikes": 1}
        for n in range(100)
    ]
    with pytest.raises(DiskTrouble, match="no room left"), writer.transaction():
        Ban.insert_many(rows).execute(writer)


def test_text_that_is_no_text_any_more_is_damage(path: Path, writer: Writer) -> None:
    with writer.transaction():
        writer.change("INSERT INTO ban VALUES (CAST(x'61ff62' AS TEXT), 'banned', 1.0, 'why', 1)")
    with pytest.raises(DamagedDatabase, match=r"unreadable.*`fundwatch restore`"), reader(path) as db:
        db.rows("SELECT scope FROM ban")


def test_a_mistake_in_a_statement_stays_what_it_is(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(":memory:").execute("SELECT x FROM nowhere")
    assert explain(path, caught.value) is None
