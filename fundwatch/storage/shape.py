"""Whether a file has the tables that fundwatch makes, and whole pages, before anything rests on it."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from fundwatch.storage import migrations
from fundwatch.storage.errors import damaged
from fundwatch.storage.schema import MODELS
from fundwatch.storage.soundness import complaints
from fundwatch.text import clean

_COLUMNS = """
SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'
"""
_DESCRIBED = """
SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
"""
_UNQUOTED = str.maketrans("", "", ' \n\t"`[]')


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
    """Raises `DamagedDatabase` where SQLite finds fault with a page, the order of rows or an index.

    See `complaints` for what it costs and what it cannot see.
    """
    found = complaints(connection)
    if found:
        raise damaged(path, clean(found[0]))


def require_described(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `DamagedDatabase` where the description of a table or index of ours is not as we make it.

    A flipped bit there turns a CHECK or a default into another one, and SQLite finds nothing wrong.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        for script in migrations.MIGRATIONS:
            fresh.executescript(script)
        lacking = described(fresh).items() - described(connection).items()
    if lacking:
        kind, name = min(lacking)[0]
        raise damaged(path, f"the {kind} {name} is not described as fundwatch does")


def described(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """By kind and name the statement that makes each table, index, view or trigger.

    Without spaces and the quotes of names: SQLite sets others, from version to version, where a migration
    renames something.
    """
    return {(kind, name): sql.translate(_UNQUOTED) for kind, name, sql in connection.execute(_DESCRIBED)}


def require_coherent(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `DamagedDatabase` where anything in the file cannot be as fundwatch left it.

    Looks beyond `require_sound` at the descriptions of tables and for rows without those that they belong to.
    It is for telling why something failed.
    """
    require_sound(connection, path)
    require_described(connection, path)
    orphan = connection.execute('SELECT "table", parent FROM pragma_foreign_key_check LIMIT 1').fetchone()
    if orphan is not None:
        raise damaged(path, f"rows of {clean(str(orphan[0]), 40)} have no {clean(str(orphan[1]), 40)}")
