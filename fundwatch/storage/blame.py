"""Whose fault an error is: that of a damaged file, or our own."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import PeeweeException

from fundwatch.storage import shape
from fundwatch.storage.database import TRIPPED, Writer, reader
from fundwatch.storage.errors import DamagedDatabase, StorageError, explain, judging


@contextmanager
def blaming_damage(path: Path) -> Iterator[None]:
    """Work that fails over a damaged database `path` raises `DamagedDatabase`; other failures stay.

    A failure takes the time to look at the whole file (0.4 s in 100 MB).
    """
    try:
        yield
    except TRIPPED as error:
        damage = _damage(path)
        if damage is None:
            raise
        raise damage from error


def trouble_with(writer: Writer, error: BaseException) -> StorageError | None:
    """What an error that may have come from anywhere says about the database; None when that is nothing.

    Takes milliseconds: a collector that goes on cannot look at every page each time.
    """
    if isinstance(error, StorageError):
        return error
    if not isinstance(error, sqlite3.Error | PeeweeException):
        return None
    found = explain(writer.path, error)
    if found is not None:
        return found
    try:
        with judging(writer.path):
            shape.require_described(writer.connection(), writer.path)
    except DamagedDatabase as damage:
        return damage
    except StorageError:
        return None
    return None


def _damage(path: Path) -> DamagedDatabase | None:
    try:
        with judging(path), reader(path) as database:
            shape.require_coherent(database.connection(), path)
    except DamagedDatabase as damage:
        return damage
    except StorageError:  # none there, another program's, in use: not what the work failed over
        return None
    return None
