"""Which hours of an exchange are stored, hour by hour, and which can never be."""

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

from fundwatch.models import HOUR, Source, Window, without
from fundwatch.storage.database import Database
from fundwatch.storage.holes.absences import NEVER_A_GAP, is_final
from fundwatch.storage.holes.due import absences, due_markets, holes


class HourHoles(NamedTuple):
    """The hour that ends at `hour` in market-hours: those `expected`, of them those that are `stored`,
    and those that the exchange was asked for in vain too often (`gone`)."""

    hour: int
    expected: int
    stored: int
    gone: int


def hole_map(
    db: Database,
    exchange: str,
    start: int,
    end: int,
    *,
    source: int = Source.EXCHANGE,
    continuous: bool = False,
) -> list[HourHoles]:
    """Each hour of (start, end], oldest first; UTC seconds on full hours, `end` not later than now.

    Hours before a market's first settlement are not expected. Of an exchange that publishes no
    settlements (`source` RECORDED) every hour that was not recorded is gone.
    """
    markets = due_markets(db, exchange, horizon=start, now=end + HOUR // 60, continuous=continuous)
    absent = absences(db, exchange)
    expected, missing, gone = _Hours(start, end), _Hours(start, end), _Hours(start, end)
    for due in markets:
        expected.add([Window(due.start, min(due.end, end))])
    for due, windows in holes(db, exchange, markets, lambda _: False):
        noted = absent.get(due.market_id, [])
        never = [a.window for a in noted if a.reason in NEVER_A_GAP]
        final = [a.window for a in noted if is_final(a)]
        real = without(windows, never)
        expected.add(without(windows, real), -1)
        missing.add(real)
        gone.add(real if source == Source.RECORDED else without(real, without(real, final)))
    counts = zip(expected.counts(), missing.counts(), gone.counts(), strict=True)
    return [
        HourHoles(start + (number + 1) * HOUR, wanted, wanted - lacking, lost)
        for number, (wanted, lacking, lost) in enumerate(counts)
    ]


class _Hours:
    """Counts of windows over the hours of (start, end]: what begins and ends is added up at last."""

    def __init__(self, start: int, end: int) -> None:
        self._start, self._end = start, end
        self._steps = [0] * ((end - start) // HOUR + 1)

    def add(self, windows: Iterable[Window], count: int = 1) -> None:
        for window in windows:
            first, last = max(window.start, self._start), min(window.end, self._end)
            if first < last:
                self._steps[(first - self._start) // HOUR] += count
                self._steps[(last - self._start) // HOUR] -= count

    def counts(self) -> list[int]:
        return list(accumulate(self._steps))[:-1]
