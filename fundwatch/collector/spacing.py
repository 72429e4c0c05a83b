"""Intervals for the rows of one answer that do not carry their own, from what is stored before them."""

from dataclasses import replace
from itertools import groupby
from operator import attrgetter

from fundwatch.analytics.intervals import fill_intervals
from fundwatch.exchanges.base import Answer
from fundwatch.models import Settlement
from fundwatch.storage.database import Database
from fundwatch.storage.missing import interval_context

_BY_SYMBOL_AND_TIME = attrgetter("symbol", "funding_time")


def with_intervals(db: Database, exchange: str, answer: Answer) -> Answer:
    """The same answer with the intervals filled in, where spacing or quotes tell them.

    A stored row is the one right before the answer's first only when the answer reaches back to it.
    """
    if all(row.interval_hours is not None for row in answer.rows):
        return answer
    begins: dict[str, int] = {}
    for symbol, window in answer.answered:
        begins[symbol] = min(window.start, begins.get(symbol, window.start))
    rows: list[Settlement] = []
    for symbol, found in groupby(sorted(answer.rows, key=_BY_SYMBOL_AND_TIME), key=attrgetter("symbol")):
        group = list(found)
        known = interval_context(db, exchange, [symbol], group[0].funding_time).get(symbol)
        before = known.last_funding_time if known else None
        gapless = before is not None and symbol in begins and begins[symbol] <= before
        rows += fill_intervals(
            group, previous_time=before if gapless else None, seen=known.intervals if known else ()
        )
    return replace(answer, rows=tuple(rows))
