"""How many hours are missing: counted from sums, without looking at each hour."""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from fundwatch.analytics.windows import WINDOWS
from fundwatch.models import HOUR, Window, merged
from fundwatch.storage.database import Database
from fundwatch.storage.holes.absences import NEVER_A_GAP, is_final
from fundwatch.storage.holes.due import Absence, Due, absences, due_markets

_WINDOW_SECONDS = WINDOWS["30d"] * HOUR

_SUM = """(
  SELECT TOTAL(interval_hours) * 3600 FROM settlement
  WHERE market_id = ?1 AND funding_time > {} AND funding_time <= {} AND kind = 0
)"""
_NEXT_BEGINS = """(
  SELECT funding_time - interval_hours * 3600 FROM settlement
  WHERE market_id = {} AND funding_time > {} AND kind = 0 AND interval_hours IS NOT NULL
  ORDER BY funding_time LIMIT 1
)"""
_LAST = """(
  SELECT funding_time FROM settlement
  WHERE market_id = {} AND funding_time <= {} AND kind = 0 AND interval_hours IS NOT NULL
  ORDER BY funding_time DESC LIMIT 1
)"""
_SUMS = "SELECT " + ", ".join(
    (
        _SUM.format("?2", "?3"),
        _SUM.format("?4", "?5"),
        _NEXT_BEGINS.format("?1", "?6"),
        _NEXT_BEGINS.format("?1", "?7"),
    )
)
_SUMMARIES = f"""
SELECT s.market_id, s.window_end, s.coverage_30d,
  CASE WHEN s.coverage_30d >= 1 THEN {_NEXT_BEGINS.format("s.market_id", "s.window_end - ?2")} END,
  CASE WHEN s.coverage_30d >= 1 THEN {_LAST.format("s.market_id", "s.window_end")} END
FROM exchange e JOIN market m ON m.exchange_id = e.id JOIN summary s ON s.market_id = m.id WHERE e.name = ?1
"""  # noqa: S608


class _Known(NamedTuple):
    """What a summary tells: `seconds` is the sum of the intervals of the rows paid in (start, end].

    Nothing is missing from `start` to `complete_to`.
    """

    start: int
    end: int
    seconds: int
    complete_to: int


def gaps_open(db: Database, exchange: str, *, horizon: int, now: float, continuous: bool = False) -> int:
    """Missing market-hours that can still come: neither stored, nor finally absent, nor of a time
    before the market's first settlement, when it was most likely not listed yet.

    Takes a summary's word for the hours that it knows, so that a market costs the same however many
    hours it lacks. Relies on what is stored: rows overlap neither each other nor absences.
    """
    connection = db.connection()
    absent = absences(db, exchange)
    known = _known(db, exchange)
    left = 0
    for due in due_markets(db, exchange, horizon=horizon, now=now, continuous=continuous):
        told = known.get(due.market_id) or _Known(due.start, due.start, 0, due.start)
        if not told.start <= due.start < due.end <= told.complete_to:
            gone = _gone(due, absent.get(due.market_id, ()))
            left += max(0, due.end - due.start - _stored(connection, due, told) - gone)
    return left // HOUR


def _known(db: Database, exchange: str) -> dict[int, _Known]:
    """What the summaries tell, by market id.

    A coverage of 1 may stand for more hours than the window has, since the first row may begin before
    it. All rows lie between that begin and the end of the last; where this is no longer than the
    window, they add up to the window and leave no hole. Otherwise the sum is not known.
    """
    result = {}
    for market_id, end, coverage, begins, last in db.rows(_SUMMARIES, exchange, _WINDOW_SECONDS):
        start = end - _WINDOW_SECONDS
        if coverage < 1:
            result[market_id] = _Known(start, end, round(coverage * _WINDOW_SECONDS), start)
        elif start - begins <= end - last:
            result[market_id] = _Known(start, end, _WINDOW_SECONDS, last)
    return result


def _stored(connection: sqlite3.Connection, due: Due, known: _Known) -> int:
    """Seconds of the time due that rows cover.

    What is known is set right by the rows between its bounds and those of the time due. Then the
    first row may begin before that, and the row after it may begin within.
    """
    at_start, at_end = sorted((known.start, due.start)), sorted((known.end, due.end))
    older, newer, first_begins, next_begins = connection.execute(
        _SUMS, (due.market_id, *at_start, *at_end, due.start, due.end)
    ).fetchone()
    seconds: float = known.seconds
    seconds += older if due.start < known.start else -older
    seconds += newer if due.end > known.end else -newer
    if first_begins is not None and first_begins != next_begins:
        seconds -= max(0, due.start - first_begins)
    if next_begins is not None:
        seconds += max(0, due.end - max(due.start, next_begins))
    return round(seconds)


def _gone(due: Due, noted: Iterable[Absence]) -> int:
    """Seconds of the time due of which nothing more can come."""
    windows = merged(
        Window(max(due.start, one.window.start), min(due.end, one.window.end))
        for one in noted
        if is_final(one) or one.reason in NEVER_A_GAP
    )
    return sum(window.end - window.start for window in windows)
