"""A verified copy of a database, taken while it is in use."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from fundwatch.storage.errors import DamagedDatabase, DiskTrouble, StorageError, damaged, explain
from fundwatch.storage.keeping.placing import new_file
from fundwatch.storage.soundness import complaints
from fundwatch.text import clean

PAGES_PER_STEP = 1024

Progress = Callable[[float], None]
"""Hears the share (0 to 1) of the pages that are copied. What it raises ends the copying."""


def copy_verified(source: sqlite3.Connection, target: Path) -> None:
    """Copies the database behind `source` to the new file `target`, or leaves no file at all.

    The copy is checked page by page, compared with the source row by count, and on the disk before
    it gets its name. Raises `StorageError`, also when `target` exists.
    """
    with new_file(target) as partial:
        counts = copy_pages(source, partial, target)
        require_whole(partial, target, _file(source), counts)


def copy_pages(
    source: sqlite3.Connection, partial: Path, target: Path, progress: Progress | None = None
) -> Mapping[str, int]:
    """Copies all pages into the empty file `partial`, which is to become `target`; the rows by table.

    Inside a transaction of `source` the copy is of that moment, whatever is committed meanwhile, and
    nobody who commits has to wait.
    """
    with _said_of(target, _file(source)), closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        counts = _row_counts(source)  # first: the first reading fixes the moment of a transaction

        def tell(_: int, remaining: int, total: int) -> None:
            if progress is not None:
                progress(1 - remaining / total if total else 1.0)

        source.backup(copy, pages=PAGES_PER_STEP, progress=tell)
        copy.execute("PRAGMA journal_mode = DELETE")
    return counts


def require_whole(partial: Path, target: Path, source: Path, counts: Mapping[str, int]) -> None:
    """Checks every page of the copy `partial` of `source`, and that it has as many rows as were counted.

    It is on its way to `target`. Raises `DamagedDatabase` about `source` when what was copied is not whole.
    """
    with _said_of(target, source), closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        found = complaints(copy)
        if found:
            raise damaged(source, clean(found[0]))
        if _row_counts(copy) != counts:
            raise StorageError(f"the copy {target} would lack rows: the database changed meanwhile")


def _file(connection: sqlite3.Connection) -> Path:
    return Path(connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()[0])


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    quoted = {name: name.replace('"', '""') for name in names}
    return {
        name: connection.execute(f'SELECT count(*) FROM "{quoted[name]}"').fetchone()[0]  # noqa: S608
        for name in names
    }


@contextmanager
def _said_of(target: Path, source: Path) -> Iterator[None]:
    """Damage is that of `source`, which is copied as it is; the rest happens to `target`."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise DiskTrouble(
                f"no room left for {target}: free some space there, or name another place"
            ) from error
        found = explain(source, error)
        if not isinstance(found, DamagedDatabase):
            found = explain(target, error)
        raise found or StorageError(f"no copy could be made at {target}: {error}") from error
