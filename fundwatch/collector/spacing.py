"""Intervals for the rows of one answer that do not carry their own, with what is stored around them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from fundwatch.analytics.intervals import LONGEST_HOURS, Seen, fill_intervals
from fundwatch.exchanges.base import Answer
from fundwatch.models import HOUR, Kind, Settlement, Source, Window, merged
from fundwatch.storage.database import Database
from fundwatch.storage.holes.missing import interval_context
from fundwatch.storage.imports import stored_payments

_BY_SYMBOL_AND_TIME = attrgetter("symbol", "funding_time")
_REACH_SECONDS = round(LONGEST_HOURS * HOUR)


def with_intervals(db: Database, exchange: str, answer: Answer) -> Answer:
    """The same answer with the intervals filled in, where spacing or quotes tell them.

    Rows that the exchange has told before, and that are stored with their interval, are left out.
    """
    if all(row.interval_hours is not None for row in answer.rows):
        return answer
    windows: dict[str, list[Window]] = {}
    for symbol, window in answer.answered:
        windows.setdefault(symbol, []).append(window)
    rows: list[Settlement] = []
    for symbol, found in groupby(sorted(answer.rows, key=_BY_SYMBOL_AND_TIME), key=attrgetter("symbol")):
        for group, begins in _connected(list(found), merged(windows.get(symbol, ()))):
            known = interval_context(db, exchange, [symbol], group[0].funding_time).get(symbol)
            around = _stored(db, exchange, group, begins)
            told = {(row.funding_time, row.rate) for row in around if row.interval_hours is not None}
            rows += [
                row
                for row in filled(around, group, known.intervals if known else ())
                if (row.funding_time, row.rate) not in told or row.kind is not Kind.REGULAR
            ]
    return replace(answer, rows=tuple(rows))


def _connected(
    rows: Sequence[Settlement], windows: Sequence[Window]
) -> Iterator[tuple[list[Settlement], int]]:
    """`rows` of one market, oldest first, parted where an answer has a hole between its `windows`.

    There the venue told of a payment that could not be read, or of nothing: what lies around it is no
    spacing. With each part the time back to which the answer reaches without a hole.
    """
    starts = [window.start for window in windows]
    part: list[Settlement] = []
    begins = 0
    for row in rows:
        place = bisect_left(starts, row.funding_time) - 1
        inside = place >= 0 and row.funding_time <= windows[place].end
        reach = starts[place] if inside else row.funding_time
        if part and part[-1].funding_time < min(reach, row.funding_time):
            yield part, begins
            part = []
        if not part:
            begins = reach
        part.append(row)
    if part:
        yield part, begins


def filled(witnesses: Sequence[Settlement], rows: Sequence[Settlement], seen: Seen) -> list[Settlement]:
    """`rows` of one market, oldest first, with the intervals that they and the `witnesses` tell.

    A witness at the time of a row, of the same rate, speaks for that row itself.
    """
    if not witnesses:
        return fill_intervals(rows, previous_time=None, seen=seen)
    rate_at = {row.funding_time: row.rate for row in rows if row.kind is Kind.REGULAR}
    around = [
        replace(row, interval_hours=None) if rate_at.get(row.funding_time, row.rate) != row.rate else row
        for row in witnesses
    ]
    marked = [(row, False) for row in around] + [(row, True) for row in rows]
    marked.sort(key=lambda entry: entry[0].funding_time)
    found = fill_intervals([row for row, _ in marked], previous_time=None, seen=seen)
    return [row for row, (_, is_ours) in zip(found, marked, strict=True) if is_ours]


def _stored(db: Database, exchange: str, rows: Sequence[Settlement], begins: int) -> list[Settlement]:
    """The stored payments beside `rows` of one market that no hole parts from them.

    That is: those from the moment `begins` on, back to which the answer reaches, and the next one
    when its interval begins where the answer ends. What only a file or a recording told is a payment,
    but no witness for an interval.
    """
    symbol, last = rows[0].symbol, rows[-1].funding_time
    payments = stored_payments(db, exchange, symbol, begins, last + _REACH_SECONDS)
    following = [payment for payment in payments if payment.funding_time > last][:1]
    return [
        Settlement(
            symbol,
            payment.funding_time,
            payment.rate,
            payment.interval_hours if payment.rank == Source.EXCHANGE else None,
        )
        for payment in payments
        if payment.funding_time <= last
        or (
            payment in following
            and payment.interval_hours is not None
            and payment.funding_time - payment.interval_hours * HOUR <= last
        )
    ]
