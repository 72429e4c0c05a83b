"""What a database can say about its own soundness. Reads only."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from fundwatch.storage import migrations, views
from fundwatch.storage.database import Database
from fundwatch.storage.shape import described

SQLITE_VERSION = sqlite3.sqlite_version

_FIRST_WITH_WAL = (3, 7, 0)
_MENDED = (3, 51, 3)
_MENDED_BRANCHES = {(3, 44): 6, (3, 50): 7}
"""Branches to which the mend was carried back, and the patch that has it."""


class Shape(NamedTuple):
    """How the schema differs from what this program makes; each object as "type name".

    Triggers and views that are `foreign` can do or show what fundwatch never would.
    """

    version: int
    known_version: int
    foreign: tuple[str, ...]
    changed: tuple[str, ...]
    lacking: tuple[str, ...]


def can_corrupt_a_wal(version: str = SQLITE_VERSION) -> bool:
    """Whether this SQLite has the WAL-reset bug (https://sqlite.org/wal.html#walresetbug): 3.7.0 to 3.51.2,
    mended in 3.51.3 and carried back to 3.44.6 and 3.50.7."""
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    mended_at = _MENDED_BRANCHES.get((major, minor))
    if mended_at is not None and patch >= mended_at:
        return False
    return _FIRST_WITH_WAL <= (major, minor, patch) < _MENDED


def journal_mode(db: Database) -> str:
    return str(db.value("PRAGMA journal_mode"))


def world(db: Database) -> str | None:
    """The stamp that keeps real and demo data apart."""
    found = db.value("SELECT value FROM meta WHERE key = 'world'")
    return None if found is None else str(found)


def shape(db: Database, exchanges: Iterable[str]) -> Shape:
    """The schema beside a fresh one, with the views of `exchanges`."""
    expected = _fresh(exchanges)
    found = described(db.connection())
    return Shape(
        version=migrations.version(db.connection()),
        known_version=len(migrations.MIGRATIONS),
        foreign=_named(found.keys() - expected.keys()),
        changed=_named(key for key in found.keys() & expected.keys() if found[key] != expected[key]),
        lacking=_named(expected.keys() - found.keys()),
    )


def newest_stamp(db: Database) -> int | None:
    """The latest time (UTC seconds) that a quote or a collector was stamped with by the clock of its day."""
    found: int | None = db.value(
        "SELECT MAX(at) FROM (SELECT MAX(observed_at) AS at FROM quote UNION ALL"
        " SELECT MAX(heartbeat) FROM collector)"
    )
    return found


def interval_changes(db: Database, since: int) -> list[tuple[str, str]]:
    """(exchange, what changed) since a time (UTC seconds), newest first; a first sight is no change."""
    return db.rows(
        "SELECT e.name, n.message FROM event n JOIN exchange e ON e.id = n.exchange_id"
        " WHERE n.kind = 'interval' AND n.time > ? AND EXISTS (SELECT 1 FROM event o"
        " WHERE o.market_id = n.market_id AND o.kind = 'interval' AND (o.time, o.id) < (n.time, n.id))"
        " ORDER BY n.time DESC, n.id DESC",
        since,
    )


def _fresh(exchanges: Iterable[str]) -> dict[tuple[str, str], str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.migrate(connection, Path(":memory:"))
        for exchange in exchanges:
            for statement in views.definitions(exchange).values():
                connection.execute(statement)
        return described(connection)


def _named(objects: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{kind} {name}" for kind, name in sorted(objects))
