"""What can be wrong with a database, in words for a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fundwatch.text import clean


class StorageError(Exception):
    """The database cannot be used as asked; the message names the file and what to do."""


class NoDatabase(StorageError):
    """There is no database yet, or it holds nothing yet."""


class DamagedDatabase(StorageError):
    """The file cannot be trusted. It is left as it is. `detail` is the complaint alone."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail or message


class ForeignDatabase(StorageError):
    """The file is a database, but of another program, or of a newer or older fundwatch."""


class WrongWorld(StorageError):
    """A demo database was opened as a real one, or the other way round."""


class DatabaseBusy(StorageError):
    """Another process kept its write lock for longer than we wait."""


class DiskTrouble(StorageError):
    """The disk is full, read-only or failing: try again later with a fresh connection."""


def damaged(path: Path, detail: str) -> DamagedDatabase:
    return DamagedDatabase(
        f"{path} is damaged or not a database ({detail}). Keep it together with its -wal and -shm files, "
        "and bring back a copy with `fundwatch restore`, or name another file with --db",
        detail,
    )


def _database_errors() -> tuple[type[Exception], ...]:
    from peewee import PeeweeException  # who only names our own errors starts sooner without it

    return sqlite3.Error, PeeweeException


def _reading_errors() -> tuple[type[Exception], ...]:
    return *_database_errors(), UnicodeDecodeError


def explain(path: Path, error: BaseException) -> StorageError | None:
    """What an error of SQLite (bare or wrapped by peewee) says about `path`; None when it is no such error.

    A mistake in a statement or a violated constraint is ours, so it stays what it is.
    """
    if isinstance(error, UnicodeDecodeError):  # sqlite3 quotes a broken schema in its complaint
        return damaged(path, "its schema is unreadable")
    cause = getattr(error, "orig", error)  # peewee's name for what it wraps
    if isinstance(cause, sqlite3.Error) and str(cause).startswith("Could not decode to UTF-8"):
        return damaged(path, "a text in it is unreadable")
    code = getattr(cause, "sqlite_errorcode", None)
    if not isinstance(cause, sqlite3.Error) or code is None:
        return None
    match code & 0xFF:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, str(cause))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return DatabaseBusy(f"{path} is being written by another process; waited in vain")
        case sqlite3.SQLITE_FULL:
            return DiskTrouble(f"no room left for {path}: free some space, collecting goes on by itself")
        case sqlite3.SQLITE_READONLY:
            return DiskTrouble(f"{path} or its folder is read-only for this user")
        case sqlite3.SQLITE_CANTOPEN:
            return DiskTrouble(f"{path} cannot be opened: check that its folder exists and may be written")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PERM:
            return DiskTrouble(f"the disk fails under {path}: {cause} ({cause.sqlite_errorname})")
    return None


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Says what the disk or another process did as a `StorageError`; other errors stay."""
    try:
        yield
    except _reading_errors() as error:
        words = explain(path, error)
        if words is None:
            raise
        raise words from error


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Says what the file system did while `path` was opened as a `StorageError`."""
    try:
        yield
    except OSError as error:
        raise DiskTrouble(f"{path} cannot be opened: {error.strerror}") from error


@contextmanager
def judging(path: Path) -> Iterator[None]:
    """A file that cannot answer the first questions is damaged, whatever SQLite makes of it.

    (A flipped bit in the stored schema can be a missing column, or no UTF-8 any more.)
    """
    try:
        yield
    except _reading_errors() as error:
        raise explain(path, error) or damaged(path, clean(str(error))) from error
