"""A verified copy of the database, taken while it is in use."""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from fundwatch.storage.errors import DamagedDatabase, StorageError, explain

PAGES_PER_STEP = 1024


def copy_verified(source: sqlite3.Connection, target: Path) -> None:
    """Copies the database behind `source` to the new file `target`, or leaves no file at all.

    The copy is checked page by page, compared with the source row by count, and on the disk before
    it gets its name. Raises `StorageError`, also when `target` exists.
    """
    partial = None
    try:
        handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        partial = Path(name)
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            source.backup(copy, pages=PAGES_PER_STEP)
            copy.execute("PRAGMA journal_mode = DELETE")
            complaint = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if complaint != "ok":
                raise DamagedDatabase(f"the copy {target} would be damaged: {complaint}")
            if _row_counts(copy) != _row_counts(source):
                raise StorageError(f"the copy {target} would lack rows: the database changed meanwhile")
        give_name(partial, target)
    except (sqlite3.Error, OSError) as error:
        raise explain(target, error) or StorageError(f"no copy could be made at {target}: {error}") from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


def give_name(partial: Path, target: Path) -> None:
    """Puts the finished file `partial` under its name, on the disk; never over another file."""
    if target.exists():
        raise StorageError(f"{target} exists already; it is not overwritten")
    _sync(partial)
    partial.rename(target)
    _sync(target.parent)


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    quoted = {name: name.replace('"', '""') for name in names}
    return {
        name: connection.execute(f'SELECT count(*) FROM "{quoted[name]}"').fetchone()[0]  # noqa: S608
        for name in names
    }


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
