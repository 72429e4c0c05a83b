"""Rewriting the file so that its pages are full: settlements inserted between others leave them ragged."""

import sqlite3

from fundwatch.storage.database import Writer
from fundwatch.storage.errors import in_words

EVERY_SECONDS = 86400
RAGGED_SHARE = 0.08
SMALLEST_BYTES = 4 * 2**20
LARGEST_BYTES = 512 * 2**20
"""A larger file is left alone: rewriting it would keep the collector busy for too long."""


def compact(writer: Writer, now: float) -> bool:
    """Rewrites the file at most once a day, when much of it is unused; whether it did.

    Runs outside a transaction and needs as much room on the disk again. Readers are not disturbed.
    """
    used = writer.value("PRAGMA page_count") * writer.value("PRAGMA page_size")
    if not SMALLEST_BYTES <= used <= LARGEST_BYTES:
        return False
    last = writer.value("SELECT value FROM meta WHERE key = 'compacted'")
    if last is not None and 0 <= now - int(last) < EVERY_SECONDS:
        return False
    with writer.transaction():
        writer.change("INSERT OR REPLACE INTO meta (key, value) VALUES ('compacted', ?)", str(int(now)))
    if ragged_share(writer) < RAGGED_SHARE:
        return False
    with in_words(writer.path):
        writer.connection().execute("VACUUM")
    return True


def ragged_share(writer: Writer) -> float:
    """The unused share (0 to 1) of the pages of settlements; 0 where this SQLite cannot tell."""
    try:
        unused: float | None = writer.value(
            "SELECT SUM(unused) * 1.0 / SUM(pgsize) FROM dbstat WHERE name = 'settlement'"
        )
    except sqlite3.OperationalError:
        return 0.0
    return unused or 0.0
