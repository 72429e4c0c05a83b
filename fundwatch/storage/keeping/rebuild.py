"""What a table was before something derived it anew, and what it is then."""

from collections.abc import Callable
from math import isclose
from typing import Any, NamedTuple

from fundwatch.storage.database import Database, Writer

_KEYS = {"summary": 1, "identity": 1, "absence": 2, "tracker": 1}
"""By table, how many of its first columns are its key."""


class Rebuilt(NamedTuple):
    """`differed` of the `rows` (before and after taken together) were not what they are now."""

    rows: int
    differed: int


def rebuilt(writer: Writer, table: str, work: Callable[[], object]) -> Rebuilt:
    """Does `work`, which derives `table` anew, and compares; numbers to a relative 1e-9."""
    before = _table(writer, table)
    work()
    after = _table(writer, table)
    keys = before.keys() | after.keys()
    return Rebuilt(len(keys), sum(not _same(before.get(key, ()), after.get(key, ())) for key in keys))


def _table(db: Database, table: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    size = _KEYS[table]
    return {row[:size]: row for row in db.rows(f"SELECT * FROM {table}")}  # noqa: S608


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(one) == len(other) and all(map(_alike, one, other))


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-15)
    return bool(one == other)
