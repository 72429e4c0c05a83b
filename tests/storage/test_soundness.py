"""Damage that SQLite's own checks name, and one that they overlook."""

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fundwatch.storage import views
from fundwatch.storage.database import open_writer
from fundwatch.storage.errors import DamagedDatabase
from fundwatch.storage.soundness import complaints
from tests.storage.ledger import Ledger

PAGE = 4096
NOT_USED = r"(Page \d+ is never used|of \d+ pages \d+ are in use and 0 free)"
"""SQLite's words, where it finds it itself, or ours."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Settlements on many pages, and views, as every database of ours has them."""
    path = tmp_path / "fundwatch.db"
    ledger = Ledger(path, "A")
    ledger.fill("A", range(1, 2001))
    with ledger.writer.transaction():
        for statement in views.definitions("lighter").values():
            ledger.writer.change(statement)
    ledger.writer.close()
    return path


def exchanged(path: Path, one: int, other: int) -> None:
    """Two pages, counted from 1, change places."""
    content = bytearray(path.read_bytes())
    one, other = (one - 1) * PAGE, (other - 1) * PAGE
    content[one : one + PAGE], content[other : other + PAGE] = (
        content[other : other + PAGE],
        content[one : one + PAGE],
    )
    path.write_bytes(content)


def pages(path: Path, kind: str) -> list[int]:
    with opened(path) as db:
        found = db.execute("SELECT pageno, pagetype FROM dbstat WHERE name = 'settlement' ORDER BY pageno")
        return [page for page, its_kind in found if its_kind == kind]


def opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)


def test_a_sound_file_has_nothing_to_complain_of(path: Path) -> None:
    with opened(path) as db:
        assert complaints(db) == []


def has_dbstat() -> bool:
    with closing(sqlite3.connect(":memory:")) as db, suppress(sqlite3.OperationalError):
        db.execute("SELECT 1 FROM dbstat")
        return True
    return False


needs_dbstat = pytest.mark.skipif(not has_dbstat(), reason="this SQLite was built without dbstat")


@needs_dbstat
def test_a_first_page_that_is_an_old_one_is_found_among_views(path: Path) -> None:
    """The table has another first page, so most of its rows are gone, and SQLite has nothing to say."""
    (root,) = pages(path, "internal")
    exchanged(path, root, pages(path, "leaf")[3])
    with opened(path) as db:
        assert re.search(NOT_USED, complaints(db)[0])
    with pytest.raises(DamagedDatabase, match=rf"{NOT_USED}.*`fundwatch restore`"):
        open_writer(path, world="real")


def test_nothing_is_wrong_with_a_file_that_is_written_meanwhile(path: Path) -> None:
    """Before each statement, also those inside of others, another connection frees or takes pages."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer, closing(opened(path)) as db:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA synchronous = OFF")
        steps = 0

        def meanwhile(sql: str) -> None:
            nonlocal steps
            steps += 1
            if steps % 2:
                writer.execute("INSERT INTO ban VALUES ('a', 'banned', 1.0, ?, 1)", ("x" * 90_000,))
            else:
                writer.execute("DELETE FROM ban")

        db.set_trace_callback(meanwhile)
        for _ in range(2):
            assert complaints(db) == []
            steps += 1  # the other way round
        db.set_trace_callback(None)
        assert steps > 10


@needs_dbstat
def test_leaves_that_changed_places_are_found(path: Path) -> None:
    exchanged(path, *pages(path, "leaf")[:2])
    with opened(path) as db:
        assert complaints(db) == ["row not in PRIMARY KEY order for settlement"]


def test_free_pages_and_pages_of_long_texts_are_in_use(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM settlement WHERE funding_time % 7200 = 0 OR market_id = 1")
        db.executemany("INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)", [(n, "x" * 10_000) for n in "abc"])
        assert db.execute("PRAGMA freelist_count").fetchone()[0] > 0
        db.commit()
        assert complaints(db) == []
    db.close()


@needs_dbstat
def test_more_free_pages_than_there_are_pages_are_found(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(36)
        file.write((0x400000).to_bytes(4, "big"))
    with opened(path) as db:
        assert len(complaints(db)) == 1
    with pytest.raises(DamagedDatabase, match="`fundwatch restore`"):
        open_writer(path, world="real")
