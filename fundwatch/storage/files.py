"""What a database file must look like before SQLite opens it, and how a new one comes to be.

A file that exists is only looked at from outside (stat): opening and closing it in this process
would drop SQLite's POSIX locks (https://sqlite.org/howtocorrupt.html, 2.2).
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from fundwatch.storage import migrations
from fundwatch.storage.errors import DamagedDatabase, NoDatabase, StorageError, damaged
from fundwatch.storage.keeping.placing import give_name, remove_unfinished


def real_path(path: Path) -> Path:
    """The one path that all spellings of a database (symbolic links, `..`) stand for."""
    return Path(os.path.realpath(path))


def make_folder(path: Path) -> None:
    """The folder that `path` lies in; private to this user when it is new."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)


def create(path: Path, world: str) -> None:
    """A new database appears under its name only when it is whole."""
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise DamagedDatabase(
            f"{path} is missing but {wal.name} is there and holds its last rows: put the database back "
            "beside it, or move that file away to start anew"
        )
    make_folder(path)
    remove_unfinished(path.parent, f"{path.name}.", ".new")
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            migrations.migrate(connection, partial)
            connection.execute("INSERT INTO meta (key, value) VALUES ('world', ?)", (world,))
        give_name(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def require_plain(path: Path) -> None:
    """Refuses what cannot be a healthy database of ours, judged from outside."""
    if not path.exists():
        raise absent(path)
    found = path.stat()
    if not path.is_file():
        raise damaged(path, "it is not a plain file")
    if found.st_size == 0:
        raise damaged(path, "it is empty, 0 bytes")
    if found.st_nlink > 1:
        raise StorageError(
            f"{path} has a second name (hard link); used under both it breaks: make a copy instead"
        )


def absent(path: Path) -> NoDatabase:
    return NoDatabase(f"there is no database at {path} yet: start `fundwatch`, or name one with --db")
