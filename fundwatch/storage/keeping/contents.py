"""What a database holds, in a few numbers for a person."""

from typing import NamedTuple

from fundwatch.storage.database import Database


class Contents(NamedTuple):
    """`first` and `last` are the funding times of the oldest and the newest settlement, `newest_quote` when
    the newest quote was observed: UTC seconds, None where there is none."""

    settlements: int
    markets: int
    first: int | None
    last: int | None
    newest_quote: int | None


def contents(db: Database) -> Contents:
    """Counts every settlement: a second for ten million."""
    first, last = db.rows(
        "SELECT MIN((SELECT MIN(funding_time) FROM settlement s WHERE s.market_id = m.id)),"
        " MAX((SELECT MAX(funding_time) FROM settlement s WHERE s.market_id = m.id)) FROM market m"
    )[0]
    return Contents(
        settlements=db.value("SELECT COUNT(*) FROM settlement"),
        markets=db.value("SELECT COUNT(*) FROM market"),
        first=first,
        last=last,
        newest_quote=db.value("SELECT MAX(observed_at) FROM quote"),
    )
