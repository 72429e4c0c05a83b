"""What should be stored of each market by now, and what is.

Hours are counted by their end: the hour 14:00 is the time (13:00, 14:00].
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from fundwatch.models import HOUR, Window, merged, without
from fundwatch.storage.database import Database

SETTLES_WITHIN_SECONDS = 60
"""A payment is asked for from this age on."""

PART_SECONDS = 32 * 24 * HOUR
"""Of a market's time that is looked at by itself for holes; a whole number of days."""

_MARKETS = """
SELECT m.id, m.symbol, m.status, m.listed_time, m.delisting_time, m.last_seen,
       q.interval_hours, q.next_funding_time
FROM market m JOIN exchange e ON e.id = m.exchange_id LEFT JOIN quote q ON q.market_id = m.id
WHERE e.name = ?
ORDER BY COALESCE(q.open_interest_usd, q.volume_24h_usd, 0) DESC, m.symbol
"""
_COVERED = """
SELECT SUM(interval_hours), SUM(interval_hours * ((funding_time - ?2) / 1800.0 - interval_hours)),
  MIN(funding_time), interval_hours
FROM settlement
WHERE market_id = ?1 AND funding_time > ?2 AND funding_time <= ?3 AND kind = 0 AND interval_hours IS NOT NULL
"""


_SAME_HOURS = 1e-6
"""What rounding makes of hours that are stored as fractions."""


class Due(NamedTuple):
    """A market whose settlements should cover (start, end]."""

    market_id: int
    symbol: str
    start: int
    end: int


class Absence(NamedTuple):
    """Hours that the exchange was asked for and did not have; asked again as `due_again` says."""

    window: Window
    reason: str
    asked: int
    last_asked: int


def due_markets(
    db: Database,
    exchange: str,
    *,
    horizon: int,
    now: float,
    symbols: Collection[str] | None = None,
    continuous: bool = False,
) -> list[Due]:
    """The markets of `exchange` with hours to store since `horizon` (UTC seconds), largest first.

    Largest by open interest, or by volume where that is not known. From the hour of the listing to
    the last payment that has happened; of a market that is gone, to its delisting or last sight.
    """
    result = []
    earliest = horizon // HOUR * HOUR
    for market_id, symbol, status, listed, delisting, last_seen, hours, next_time in db.rows(
        _MARKETS, exchange
    ):
        if symbols is not None and symbol not in symbols:
            continue
        latest = now - SETTLES_WITHIN_SECONDS
        if delisting is not None and delisting <= now:
            latest = min(latest, delisting)
        elif status != "active":
            latest = min(latest, last_seen)
        start = earliest if listed is None else max(earliest, listed // HOUR * HOUR)
        end = last_boundary(latest, None if continuous else hours, next_time)
        if start < end:
            result.append(Due(market_id, symbol, start, end))
    return result


def last_boundary(latest: float, interval_hours: float | None, next_funding_time: int | None) -> int:
    """The last funding time at or before `latest`; of hourly ones where the interval is not known.

    Without a `next_funding_time` the intervals are counted from midnight UTC.
    """
    step = max(1, round(interval_hours or 1)) * HOUR
    anchor = round((next_funding_time or 0) / HOUR) * HOUR
    return anchor + int((latest - anchor) // step) * step


def covered(db: Database, market_id: int, start: int, end: int) -> list[Window]:
    """The part of (start, end] that has a settlement. A row of unknown interval covers nothing, so that
    it is asked for again, together with the row before it that tells its interval."""
    rows = db.rows(
        "SELECT funding_time, interval_hours FROM settlement WHERE market_id = ? AND funding_time > ?"
        " AND funding_time <= ? AND kind = 0 AND interval_hours IS NOT NULL ORDER BY funding_time",
        market_id,
        start,
        end,
    )
    rows += db.rows(
        "SELECT funding_time, interval_hours FROM settlement WHERE market_id = ? AND funding_time > ?"
        " AND kind = 0 AND interval_hours IS NOT NULL ORDER BY funding_time LIMIT 1",
        market_id,
        end,
    )
    spans: list[Window] = []
    first = last = start
    for time, hours in rows:  # a year of hours: rows that follow each other are taken as one span
        begin = time - round(hours * HOUR)
        if begin != last:
            spans.append(Window(max(start, first), min(end, last)))
            first = begin
        last = time
    spans.append(Window(max(start, first), min(end, last)))
    return merged(spans)


def absences(db: Database, exchange: str) -> dict[int, list[Absence]]:
    """By market id, oldest first."""
    result: dict[int, list[Absence]] = {}
    for market_id, start, end, *rest in db.rows(
        "SELECT a.market_id, a.start_time, a.end_time, a.reason, a.asked, a.last_asked FROM market m"
        " JOIN exchange e ON e.id = m.exchange_id JOIN absence a ON a.market_id = m.id WHERE e.name = ?"
        " ORDER BY a.market_id, a.start_time",
        exchange,
    ):
        result.setdefault(market_id, []).append(Absence(Window(start, end), *rest))
    return result


def holes(
    db: Database, exchange: str, markets: list[Due], settled: Callable[[Absence], bool]
) -> Iterator[tuple[Due, list[Window]]]:
    """The markets with hours that no row covers, and those hours, oldest first.

    Absences for which `settled` is true are left out. Time without holes costs one sum over the key for
    each month of a market; only the other months are read row by row.
    """
    absent = absences(db, exchange)
    for due in markets:
        settled_windows = [a.window for a in absent.get(due.market_id, ()) if settled(a)]
        left = [
            hole
            for part in _parts(due.start, due.end)
            if not _is_complete(db, due.market_id, part, settled_windows)
            for hole in without([part], covered(db, due.market_id, *part) + settled_windows)
        ]
        if left:
            yield due, merged(left)


def _parts(start: int, end: int) -> Iterator[Window]:
    """(start, end] cut at midnights, where no usual interval is cut."""
    while start < end:
        cut = min(end, (start // PART_SECONDS + 1) * PART_SECONDS)
        yield Window(start, cut)
        start = cut


def _is_complete(db: Database, market_id: int, part: Window, settled: Sequence[Window]) -> bool:
    """Whether rows and `settled` time add up to all of `part`.

    In hours since its start they do when the sum of (end - begin) is its length, and that of
    (end^2 - begin^2) the square of it: an hour that is covered twice does not stand for one that is missing
    elsewhere. What a row after it covers of its end is not counted: then it may be complete all the same.
    """
    hours, squares, first, first_hours = db.connection().execute(_COVERED, (market_id, *part)).fetchone()
    if hours is None:
        return False
    before = max(0.0, first_hours - (first - part.start) / HOUR)
    hours, squares = hours - before, squares + before**2
    for window in settled:
        begin, end = (max(window.start, part.start) - part.start), (min(window.end, part.end) - part.start)
        if begin < end:
            hours, squares = hours + (end - begin) / HOUR, squares + (end**2 - begin**2) / HOUR**2
    length = part.hours
    return bool(abs(hours - length) < _SAME_HOURS and abs(squares - length**2) < _SAME_HOURS * length)
