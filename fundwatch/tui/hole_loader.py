"""Reads the holes of the last two days, which takes a moment: in a thread, at most once a minute."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fundwatch.analytics.windows import window_end
from fundwatch.models import HOUR
from fundwatch.storage import queries
from fundwatch.storage.database import reader
from fundwatch.storage.hole_map import hole_map
from fundwatch.tui.bars import HourCount

HOURS = 48
EVERY_SECONDS = 60.0

Holes = Mapping[str, Sequence[HourCount]]


def read_holes(database: Path, world: str, now: float) -> Holes:
    """By exchange the last 48 hours, oldest first; the newest one is that of which all should be there.

    Raises `StorageError`.
    """
    end = window_end(now)
    with reader(database, world=world) as db:
        return {
            row.name: [
                HourCount(hour.expected, hour.stored, hour.gone)
                for hour in hole_map(
                    db, row.name, end - HOURS * HOUR, end, source=row.source, continuous=row.continuous
                )
            ]
            for row in queries.exchanges(db).values()
        }
