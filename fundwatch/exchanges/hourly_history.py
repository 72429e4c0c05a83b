"""One market's hourly settlements from a venue that answers page by page, newest rows first."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.per_market import answered, spans
from fundwatch.models import HOUR, Refusal, Settlement, Window, settlement_hour

LONGEST_HOURS = 720
"""30 days: what one request is sure to hold at the venues that cap their answers at 750 or 1000 rows."""

MAX_PAGES = 12
_EARLIEST = 1_577_836_800  # 2020-01-01: older than any of these venues
_DAY = 24 * HOUR


class Page(NamedTuple):
    """What one request brought. `hours` are those of all rows, also of refused ones (UTC seconds)."""

    rows: tuple[Settlement, ...]
    refused: tuple[Refusal, ...]
    hours: frozenset[int]


AskPage = Callable[[Window], Awaitable[Page]]
"""The rows of one market in a window, both ends of it included."""


def hour_of(stamp_seconds: float, now: float) -> int:
    """The full hour that a settlement's stamp means; raises `BadNumber` for one that cannot be true."""
    if not _EARLIEST <= stamp_seconds <= now + _DAY:
        raise BadNumber("time is not a time of this venue's life in the documented unit")
    hour = settlement_hour(stamp_seconds)
    if hour is None:
        raise BadNumber("time is not near a full hour")
    return hour


async def hourly_history(
    symbol: str, windows: Sequence[Window], ask: AskPage, now: Callable[[], float]
) -> Answer:
    """All that the venue has of `windows`, in as few requests as possible, newest first.

    Goes on backwards while a page does not reach the beginning of what was asked. The hour before a
    window is asked too: a witness that a venue which answers nothing else does have this market.
    """
    rows: dict[int, Settlement] = {}
    refused: list[Refusal] = []
    covered: list[tuple[str, Window]] = []
    for span in spans(windows, LONGEST_HOURS):
        hours: set[int] = set()
        refused_before = len(refused)
        until, reached = span.end, span.start
        for _ in range(MAX_PAGES):
            page = await ask(Window(span.start, until))
            refused += page.refused
            for row in page.rows:
                if not span.start < row.funding_time <= span.end:
                    continue
                known = rows.setdefault(row.funding_time, row)
                if known.rate != row.rate:
                    refused.append(Refusal(symbol, f"another rate for the same hour {row.funding_time}"))
            oldest = min(page.hours, default=None)
            hours |= page.hours
            if oldest is None or oldest <= span.start + HOUR:
                reached = span.start
                break
            reached = min(hours) - HOUR
            if oldest > until:
                break
            until = oldest - HOUR
        own_refusals = len(refused) > refused_before
        found = list(rows.values())
        span = Window(reached, span.end)
        covered += answered(symbol, span, found, refused=own_refusals, now=now(), seen=bool(hours))
    return Answer(tuple(rows[t] for t in sorted(rows)), tuple(covered), tuple(refused))
