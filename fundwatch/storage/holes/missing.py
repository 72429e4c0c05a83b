"""Due work: the hours that an exchange should have settled and that are not stored."""

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from fundwatch.models import HOUR, Window
from fundwatch.storage.database import Database
from fundwatch.storage.holes.absences import is_waiting
from fundwatch.storage.holes.absences import record_absence as record_absence
from fundwatch.storage.holes.due import due_markets, holes

_NEVER = 1 << 60
_LAST_SEEN = """
SELECT hour FROM (
  SELECT * FROM (SELECT observed_at AS hour FROM quote WHERE market_id = ?1 AND interval_hours IS NOT NULL
    AND observed_at >= ?2 AND observed_at < ?3)
  UNION ALL
  SELECT * FROM (SELECT hour FROM market_history WHERE market_id = ?1 AND interval_hours IS NOT NULL
    AND hour >= ?2 AND hour <= ?3 - 3600 ORDER BY hour DESC LIMIT 1)
) ORDER BY hour DESC LIMIT 1
"""


class IntervalContext(NamedTuple):
    """What is known of a market's intervals, for rows that do not carry their own.

    `last_funding_time` is that of the last stored regular row before the time asked about,
    `intervals` are the hours seen in quotes with the time (UTC seconds) since which they were seen,
    oldest first, None from when on nobody looked; `current_hours` is the interval of the last quote.
    """

    last_funding_time: int | None
    intervals: list[tuple[int, float | None]]
    current_hours: float | None


class HourCoverage(NamedTuple):
    """Of the hour that ends at `hour`: how many markets should have it, and how many do."""

    hour: int
    expected: int
    stored: int


def missing(
    db: Database,
    exchange: str,
    *,
    horizon: int,
    now: float,
    symbols: Collection[str] | None = None,
    again: bool = False,
    continuous: bool = False,
) -> dict[str, list[Window]]:
    """For each market with missing hours its windows, newest first; the largest markets first.

    From `horizon` (UTC seconds) or the market's listing on. What the exchange was asked for and did
    not have is left out until it is due again, or not at all with `again` (a backfill by hand).
    `continuous` says that any full hour can be settled, whatever the interval.
    """
    markets = due_markets(db, exchange, horizon=horizon, now=now, symbols=symbols, continuous=continuous)
    return {
        due.symbol: windows[::-1]
        for due, windows in holes(db, exchange, markets, lambda a: not again and is_waiting(a, now))
    }


def coverage_strip(
    db: Database, exchange: str, start: int, end: int, *, continuous: bool = False
) -> list[HourCoverage]:
    """Each hour of (start, end], oldest first; `end` is not later than now."""
    first = start // HOUR * HOUR
    size = max(0, (end - first) // HOUR)
    expected, stored = [0] * (size + 1), [0] * (size + 1)
    markets = due_markets(db, exchange, horizon=start, now=end, continuous=continuous)
    for due in markets:
        for counts in (expected, stored):
            counts[(due.start - first) // HOUR] += 1
            counts[(due.end - first) // HOUR] -= 1
    for _, windows in holes(db, exchange, markets, lambda _: False):
        for window in windows:
            stored[(window.start - first) // HOUR] -= 1
            stored[(window.end - first) // HOUR] += 1
    return [
        HourCoverage(first + (index + 1) * HOUR, *counts)
        for index, counts in enumerate(
            zip(accumulate(expected[:size]), accumulate(stored[:size]), strict=True)
        )
    ]


def interval_context(
    db: Database, exchange: str, symbols: Sequence[str], before: int
) -> dict[str, IntervalContext]:
    """What is known of the intervals of `symbols` at `before` (UTC seconds); unknown symbols are left out."""
    result = {}
    for symbol in symbols:
        for market_id, last, hours in db.rows(
            "SELECT m.id, (SELECT MAX(funding_time) FROM settlement s WHERE s.market_id = m.id"
            " AND s.funding_time < ? AND s.kind = 0), q.interval_hours"
            " FROM exchange e JOIN market m ON m.exchange_id = e.id AND m.symbol = ?"
            " LEFT JOIN quote q ON q.market_id = m.id WHERE e.name = ?",
            before,
            symbol,
            exchange,
        ):
            events = db.rows(
                "SELECT time, value FROM event WHERE market_id = ? AND kind = 'interval'"
                " AND value IS NOT NULL ORDER BY time, id",
                market_id,
            )
            result[symbol] = IntervalContext(last, list(_while_seen(db, market_id, events)), hours)
    return result


def _while_seen(
    db: Database, market_id: int, events: Sequence[tuple[int, float]]
) -> Iterator[tuple[int, float | None]]:
    """`events` with the moments from which on they are not known to hold: a quote tells the interval up to
    the next payment. Where the quotes themselves are not kept any more, an event holds until the next one."""
    for place, (time, hours) in enumerate(events):
        yield time, hours
        until = events[place + 1][0] if place + 1 < len(events) else None
        seen = db.value(_LAST_SEEN, market_id, time // HOUR * HOUR, _NEVER if until is None else until)
        if seen is not None:
            step = max(1, round(hours)) * HOUR  # intervals are counted from midnight UTC
            end = (max(seen, time) // step + 1) * step
            if until is None or end < until:
                yield end, None
