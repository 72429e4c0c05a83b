"""A failure over a damaged database is told as such; one of our own stays what it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.storage.blame import blaming_damage, trouble_with
from fundwatch.storage.database import Writer
from fundwatch.storage.errors import DamagedDatabase, DiskTrouble
from tests.storage.test_errors import blanked


def reworded(path: Path, table: str, old: str, new: str) -> None:
    """The statement that makes `table` reads otherwise, as after a flipped bit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA writable_schema = 1")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ? AND instr(sql, ?)",
            (old, new, table, old),
        )
        assert db.execute("SELECT changes()").fetchone() == (1,)


def refused(writer: Writer, sql: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught, writer.transaction():
        writer.change(sql)
    return caught.value


NEW = "INSERT INTO exchange (name, source) VALUES ('lighter', 3)"
WRONG = NEW.replace("3", "9")


@pytest.mark.parametrize(
    "error",
    [TypeError("None + 1"), KeyError("lighter"), OverflowError(), sqlite3.OperationalError("no such column")],
    ids=repr,
)
def test_what_fails_over_a_damaged_page_is_damage(path: Path, writer: Writer, error: Exception) -> None:
    blanked(path, "ban", writer)
    words = r"fundwatch\.db is damaged.*`fundwatch restore`"
    with pytest.raises(DamagedDatabase, match=words) as told, blaming_damage(path):
        raise error
    assert told.value.__cause__ is error


def test_what_fails_over_a_sound_file_stays_as_it_is(path: Path, writer: Writer) -> None:
    with pytest.raises(TypeError, match="a mistake of ours"), blaming_damage(path):
        raise TypeError("a mistake of ours")


def test_what_fails_without_a_file_or_beside_that_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError), blaming_damage(tmp_path / "nothing.db"):
        raise KeyError("nothing")
    assert not (tmp_path / "nothing.db").exists()
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE ban (x)")
    with pytest.raises(KeyError), blaming_damage(tmp_path / "other.db"):
        raise KeyError("other")


def test_what_is_told_in_words_already_is_not_looked_into(path: Path, writer: Writer) -> None:
    blanked(path, "ban", writer)
    with pytest.raises(DiskTrouble, match="no room"), blaming_damage(path):
        raise DiskTrouble("no room")


def test_a_rule_that_reads_otherwise_is_damage_when_a_row_breaks_it(path: Path, writer: Writer) -> None:
    writer.close()
    reworded(path, "exchange", "IN (1, 3)", "IN (1, 7)")
    writer.connect()
    error = refused(writer, NEW)
    assert isinstance(error, sqlite3.IntegrityError)

    trouble = trouble_with(writer, error)

    assert isinstance(trouble, DamagedDatabase)
    assert "the table exchange is not described as fundwatch does" in str(trouble)
    assert "`fundwatch restore`" in str(trouble)
    with pytest.raises(DamagedDatabase, match="the table exchange"), blaming_damage(path):
        raise error


def test_a_rule_that_is_broken_by_ourselves_is_no_trouble_of_the_database(writer: Writer) -> None:
    assert trouble_with(writer, refused(writer, WRONG)) is None
    assert trouble_with(writer, TypeError("None + 1")) is None


def test_a_table_that_another_sqlite_words_otherwise_is_no_damage(path: Path, writer: Writer) -> None:
    with writer.transaction():
        writer.change("ALTER TABLE exchange RENAME TO other")
        writer.change("ALTER TABLE other RENAME TO exchange")
    assert 'REFERENCES "exchange"' in writer.value("SELECT sql FROM sqlite_schema WHERE name = 'market'")
    error = refused(writer, WRONG)

    assert trouble_with(writer, error) is None
    with pytest.raises(sqlite3.IntegrityError), blaming_damage(path):
        raise error


def test_what_somebody_added_is_no_damage(path: Path, writer: Writer) -> None:
    with writer.transaction():
        writer.change("CREATE INDEX mine ON ban (until)")
        writer.change("CREATE TABLE notes (x)")
    assert trouble_with(writer, refused(writer, WRONG)) is None


def test_a_writer_that_is_closed_blames_nobody(writer: Writer) -> None:
    writer.close()
    assert trouble_with(writer, sqlite3.ProgrammingError("Cannot operate on a closed database")) is None
