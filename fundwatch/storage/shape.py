"""Whether a file has the tables that fundwatch makes, and whole pages, before anything rests on it."""

import sqlite3
from collections import defaultdict
from pathlib import Path

from fundwatch.storage.errors import damaged
from fundwatch.storage.schema import MODELS
from fundwatch.text import clean

_COLUMNS = """
SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'
"""


def require_no_trigger(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `DamagedDatabase` where there is one: it would change what our own statements store."""
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchone()
    if found is not None:
        raise damaged(path, f"it holds a trigger, {clean(str(found[0]), 40)!r}, which fundwatch never makes")


def require_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `DamagedDatabase` where a table of the newest schema, or a column of one, is not there.

    A view under the name of a table is no table. What is there besides is left alone.
    """
    columns: defaultdict[str, set[str]] = defaultdict(set)
    for table, column in connection.execute(_COLUMNS):
        columns[table].add(column)
    for model in MODELS:
        table = model._meta.table_name
        wanted = {field.column_name for field in model._meta.sorted_fields}
        if lacking := wanted - columns[table]:
            what = f"no column {min(lacking)}" if columns[table] else "no table of that name"
            raise damaged(path, f"{table}: {what}")


def require_sound(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `DamagedDatabase` where SQLite finds fault with a page; looks at every one (0.3 s in 100 MB).

    A flipped bit inside a number is not seen, nor, through a connection that cannot write, a broken CHECK.
    """
    complaint = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if complaint != "ok":
        raise damaged(path, clean(complaint))
