"""Reads the holes of the last days, which takes a moment: in a thread, and not at every snapshot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fundwatch.analytics.windows import window_end
from fundwatch.models import HOUR
from fundwatch.storage import queries
from fundwatch.storage.database import reader
from fundwatch.storage.holes.hole_map import hole_map
from fundwatch.tui.charts.bars import HourCount

HOURS = 168
"""What a wide screen shows; a narrow one takes the newest of them."""

EVERY_SECONDS = 60.0
"""Between two looks where nothing was stored, for what grows old; EAGER_SECONDS where something was."""
EAGER_SECONDS = 10.0


class Holes(NamedTuple):
    """By exchange the last hours, oldest first; the last one is that up to `end` (UTC seconds), the
    newest of which all should be there. `end` is 0 before the first look."""

    end: int
    by_exchange: Mapping[str, Sequence[HourCount]]


def read_holes(database: Path, world: str, now: float) -> Holes:
    """Raises `StorageError`."""
    end = window_end(now)
    with reader(database, world=world) as db:
        found = {
            row.name: [
                HourCount(hour.expected, hour.stored, hour.gone)
                for hour in hole_map(
                    db, row.name, end - HOURS * HOUR, end, source=row.source, continuous=row.continuous
                )
            ]
            for row in queries.exchanges(db).values()
        }
    return Holes(end, found)
