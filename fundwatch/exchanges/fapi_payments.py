"""The rows of fundingRate: one page of them, and what several pages together answer."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.decode import BadNumber, envelope
from fundwatch.exchanges.fapi import LONGEST_INTERVAL_HOURS, NamedRow, milliseconds, named
from fundwatch.models import (
    HOUR,
    LATE_STAMP_SECONDS,
    Kind,
    Refusal,
    Settlement,
    Window,
    settlement_hour,
    without,
)

LONGEST_SECONDS = int(LONGEST_INTERVAL_HOURS * HOUR)
_SETTLED_AHEAD_SECONDS = 600
_KEPT_SECONDS = 12 * HOUR


class PaymentRow(NamedRow):
    """fundingRate; `fundingTime` in milliseconds, `rateType` where there is one."""

    fundingTime: Any = None
    fundingRate: Any = None
    rateType: Any = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of fundingRate.

    `count` is of all its rows, `stamps_ms` the readable fundingTimes in the venue's order. `lost` names
    the (symbol, hour) of payments that were published but could not be taken, an hour of None stands
    for any; `nameless` counts those without a symbol.
    """

    rows: tuple[Settlement, ...]
    refused: tuple[Refusal, ...]
    count: int
    stamps_ms: tuple[int, ...]
    lost: tuple[tuple[str, int | None], ...] = ()
    nameless: int = 0


def read_page(
    body: bytes,
    *,
    now: float,
    convert: Callable[[object], float],
    since: int = 0,
) -> Page:
    """fundingRate. `convert` makes a fraction for the interval of fundingRate. Rows before `since` (UTC
    seconds) are another venue's: refused. `markPrice` is not read: it says a price, not a payment.
    """
    raw_rows = envelope(body, list[msgspec.Raw])
    taken: list[Settlement] = []
    refused: list[Refusal] = []
    stamps: list[int] = []
    lost: list[tuple[str, int | None]] = []
    nameless = 0
    for found in named(raw_rows, PaymentRow):
        if isinstance(found, Refusal):
            refused.append(found)
            nameless += 1
            continue
        symbol, row = found
        hour = None
        try:
            told_ms = milliseconds(row.fundingTime)
            if told_ms is None:
                raise BadNumber("fundingTime is not a time in milliseconds")
            stamps.append(told_ms)
            hour = settlement_hour(told_ms / 1000)
            if hour is None:
                raise BadNumber("fundingTime is not near a full hour")
            if told_ms / 1000 > now + _SETTLED_AHEAD_SECONDS:
                raise BadNumber("fundingTime lies in the future")
            if hour < since:
                refused.append(Refusal(symbol, "older than the venue's own record"))
                continue
            kind = _kind(row.rateType)
            rate = convert(row.fundingRate)
            covers = 0.0 if kind is Kind.SPECIAL else None
            taken.append(Settlement(symbol, hour, rate, covers, kind))
        except BadNumber as error:
            refused.append(Refusal(symbol, str(error)))
            lost.append((symbol, hour))
    return Page(tuple(taken), tuple(refused), len(raw_rows), tuple(stamps), tuple(lost), nameless)


def _kind(value: object) -> Kind:
    if value is None or value in ("", "Regular"):
        return Kind.REGULAR
    if value == "Special":
        return Kind.SPECIAL
    raise BadNumber("rateType is neither Regular nor Special")


class Recent:
    """All payments that all symbols published lately, kept so that they need not be asked for again.

    Only of a stretch in which every row could be read, and which is old enough to be complete.
    """

    def __init__(self) -> None:
        self._window = Window(0, 0)
        self._rows: list[Settlement] = []

    def reaches(self, window: Window) -> int:
        """Up to when `window` is known from its start on (UTC seconds); its start where nothing is."""
        known = self._window.start <= window.start <= self._window.end
        return min(self._window.end, window.end) if known else window.start

    def page(self, start: int, until: int) -> Page:
        """The payments from `start` to before `until`."""
        rows = tuple(row for row in self._rows if start <= row.funding_time < until)
        return Page(rows, (), len(rows), ())

    def keep(self, pages: Sequence[Page], window: Window, now: float) -> None:
        """Takes note of `pages` of all symbols over `window`, unless it is older than what is known."""
        published = int(now - LATE_STAMP_SECONDS) // HOUR * HOUR
        window = Window(window.start, min(window.end, published))
        if window.end < self._window.end or window.end <= window.start:
            return
        if any(page.refused for page in pages):
            self._window, self._rows = Window(0, 0), []
            return
        fresh = {row: None for page in pages for row in page.rows if row.funding_time <= window.end}
        if self._window.start <= window.start <= self._window.end:
            window = Window(self._window.start, window.end)
            fresh = dict.fromkeys(self._rows) | fresh
        start = max(window.start, window.end - _KEPT_SECONDS)
        self._window = Window(start, window.end)
        self._rows = [row for row in fresh if row.funding_time >= start]


class Reading:
    """What several pages together say of `symbols`: all of their payments in the windows asked for."""

    def __init__(self, symbols: Collection[str]) -> None:
        self._symbols = symbols
        self._hours: dict[str, set[int]] = {}
        self._rows: dict[Settlement, None] = {}
        self._refused: dict[Refusal, None] = {}
        self._lost: set[tuple[str, int | None]] = set()

    def add(self, page: Page) -> None:
        """Pages may repeat rows; a nameless row of an answer for one symbol can only be that symbol's."""
        for row in page.rows:
            if row.symbol in self._symbols:
                self._rows[row] = None
            if row.symbol in self._symbols and row.kind is Kind.REGULAR:
                self._hours.setdefault(row.symbol, set()).add(row.funding_time)
        for refusal in page.refused:
            if refusal.symbol in self._symbols or refusal.symbol == "?":
                self._refused[refusal] = None
        self._lost.update(lost for lost in page.lost if lost[0] in self._symbols)
        if len(self._symbols) == 1 and page.nameless:
            self._lost.update((symbol, None) for symbol in self._symbols)

    def seen(self, window: Window) -> set[str]:
        """The symbols with a regular payment in `window`."""
        return {s for s, hours in self._hours.items() if any(window.start <= h <= window.end for h in hours)}

    def answer(self, covered: Iterable[tuple[str, Window]], now: float) -> Answer:
        """All rows. Of `covered`, what they cannot answer is left out: the intervals of refused rows,
        and hours after the last payment that one still to come may cover.
        """
        published = int(now - LATE_STAMP_SECONDS) // HOUR * HOUR
        answered: list[tuple[str, Window]] = []
        for symbol, window in covered:
            last = max(self._hours.get(symbol, ()), default=0)
            until = last if published < last + LONGEST_SECONDS else published
            asked = Window(window.start, min(window.end, until))
            answered += ((symbol, part) for part in without([asked], self._holes(symbol, published)))
        rows = sorted(self._rows, key=lambda row: row.funding_time)
        return Answer(tuple(rows), tuple(answered), tuple(self._refused))

    def _holes(self, symbol: str, published: int) -> list[Window]:
        """The intervals of refused rows: each back to the payment before it, 8 h at most."""
        holes: list[Window] = []
        for hour in (hour for lost, hour in self._lost if lost == symbol):
            if hour is None:
                return [Window(0, published)]
            earliest = hour - LONGEST_SECONDS
            before = [h for h in self._hours.get(symbol, ()) if earliest < h < hour]
            holes.append(Window(max(before, default=earliest), hour))
        return holes
