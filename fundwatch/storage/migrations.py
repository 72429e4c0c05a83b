"""How a database comes to the shape that this program knows: `PRAGMA user_version` counts the steps."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from fundwatch.clock import SystemClock
from fundwatch.storage import ddl
from fundwatch.storage.errors import ForeignDatabase
from fundwatch.storage.keeping.backup import copy_verified
from fundwatch.storage.keeping.placing import remove_unfinished
from fundwatch.text import utc

APPLICATION_ID = 0x66776174
"""Marks a SQLite file as ours ("fwat")."""

MIGRATIONS: tuple[str, ...] = (ddl.TABLES_1,)


def version(connection: sqlite3.Connection) -> int:
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def require_known(connection: sqlite3.Connection, path: Path, known: int = len(MIGRATIONS)) -> int:
    """The schema version of the database, raising `ForeignDatabase` when it is not one of ours."""
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    found = version(connection)
    if mark != APPLICATION_ID or found < 1:
        raise ForeignDatabase(f"{path} belongs to another program; name another file with --db")
    if found > known:
        raise ForeignDatabase(
            f"{path} was written by a newer fundwatch (schema {found}, this program knows {known}): "
            "update fundwatch, or name another file with --db"
        )
    return found


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS
) -> Path | None:
    """Runs the steps that `path` has not seen, each in a transaction of its own.

    A database that held something is copied first; the verified copy's path is returned. Foreign
    keys are off meanwhile, so that a table can be rebuilt, and checked before each commit.
    """
    start = version(connection)
    if start >= len(migrations):
        return None
    backup = None
    if start:
        backup = _free_name(path, len(migrations))
        copy_verified(connection, backup)
    connection.execute("PRAGMA foreign_keys = OFF")
    for number, script in enumerate(migrations[start:], start + 1):
        _apply(connection, path, number, script)
    connection.execute("PRAGMA foreign_keys = ON")
    return backup


def _free_name(path: Path, number: int) -> Path:
    """Where the copy before schema `number` goes; unfinished ones of tries that were killed are removed."""
    start = f"{path.name}.before-v"
    remove_unfinished(path.parent, start, ".part")
    stamp = utc(SystemClock().now(), "%Y%m%dT%H%M%SZ")
    backup = path.with_name(f"{start}{number}-{stamp}.bak")
    tries = 1
    while backup.exists():
        tries += 1
        backup = path.with_name(f"{start}{number}-{stamp}-{tries}.bak")
    return backup


def _apply(connection: sqlite3.Connection, path: Path, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in statements(script):
            connection.execute(statement)
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
        if orphan is not None:
            raise ForeignDatabase(f"{path}: step {number} would leave rows of {orphan[0]} without a parent")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def statements(script: str) -> list[str]:
    """The single statements of `script`; `executescript` would commit the open transaction."""
    found: list[str] = []
    pending = ""
    for part in script.split(";"):
        pending += part + ";"
        if sqlite3.complete_statement(pending):
            if pending.strip(" \n;"):
                found.append(pending.strip())
            pending = ""
    return found
