"""Which settlements to ask for in bulk, all symbols at once, and which symbol by symbol."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil, inf
from typing import NamedTuple

from fundwatch.exchanges.base import Wanted
from fundwatch.exchanges.per_market import spans
from fundwatch.models import HOUR, Window, merged, without

PAGE_ROWS = 1000
LEAD_SECONDS = 8 * HOUR
"""Asked before each window, so that the spacing to the payment before tells the interval."""

_CHUNK_SECONDS = 5 * 24 * HOUR
_BULK_GAP_SECONDS = 12 * HOUR
SINGLE_HOURS = PAGE_ROWS - 2 * LEAD_SECONDS // HOUR
"""What one request of one symbol holds even when it pays every hour, the lead before it included."""

_USEFUL_ROWS = 900
"""New rows of a full bulk page: it repeats the instant at which the page before was cut."""


class Plan(NamedTuple):
    """`bulk` windows newest first, each at most 5 days; `single` the windows left for each symbol."""

    bulk: tuple[Window, ...]
    single: dict[str, list[Window]]
    requests: int


def plan(wanted: Wanted, rows_per_hour: float, *, bulk_served: bool) -> Plan:
    """The split of `wanted` that takes the fewest requests; `rows_per_hour` is of all symbols together.

    One long hole of one market must not drag the venue's whole month in with it, so bulk is
    considered for the time that at least 1, 8 or 64 symbols want.
    """
    crowds = (inf, 1, 8, 64) if bulk_served else (inf,)
    return min((_split(wanted, least, rows_per_hour) for least in crowds), key=lambda p: p.requests)


def _split(wanted: Wanted, least: float, rows_per_hour: float) -> Plan:
    bulk = _chunks(_joined(_crowded(wanted, least)))
    left = {symbol: without(windows, bulk) for symbol, windows in wanted.items()}
    single = {symbol: windows for symbol, windows in left.items() if windows}
    pages = sum(ceil(rows_per_hour * (window.hours + LEAD_SECONDS / HOUR) / _USEFUL_ROWS) for window in bulk)
    alone = sum(len(spans(windows, SINGLE_HOURS)) for windows in single.values())
    return Plan(bulk, single, pages + alone)


def _crowded(wanted: Wanted, least: float) -> list[Window]:
    """The time that at least `least` symbols want."""
    edges: Counter[int] = Counter()
    for windows in wanted.values():
        for window in merged(windows):
            edges[window.start] += 1
            edges[window.end] -= 1
    found: list[Window] = []
    symbols, opened = 0, 0
    for time in sorted(edges):
        before, symbols = symbols, symbols + edges[time]
        if before < least <= symbols:
            opened = time
        elif symbols < least <= before:
            found.append(Window(opened, time))
    return found


def _joined(windows: Iterable[Window]) -> list[Window]:
    """`windows` with gaps up to 12 h closed: each window costs its lead of 8 h anyway."""
    result: list[Window] = []
    for window in merged(windows):
        if result and window.start - result[-1].end <= _BULK_GAP_SECONDS:
            result[-1] = Window(result[-1].start, window.end)
        else:
            result.append(window)
    return result


def _chunks(windows: Sequence[Window]) -> tuple[Window, ...]:
    """`windows` cut from their ends into pieces of at most 5 days, newest first."""
    pieces: list[Window] = []
    for window in reversed(windows):
        end = window.end
        while end > window.start:
            start = max(window.start, end - _CHUNK_SECONDS)
            pieces.append(Window(start, end))
            end = start
    return tuple(pieces)
