"""What was really paid over a window, and which hours of it are still missing."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from fundwatch.models import HOUR, Window, apr_percent, without

WINDOWS: Final[Mapping[str, int]] = {"24h": 24, "3d": 72, "7d": 168, "30d": 720}
"""The windows on offer, in hours."""

RANKED_COVERAGE = 0.9
"""Below this share of known hours a window is shown, but not ranked."""

SETTLING_SECONDS = 15 * 60
"""A payment is expected to be published by then; before, its hour belongs to no window."""


class Paid(NamedTuple):
    """One settlement as the sums need it: `rate` is the fraction paid for `interval_hours`.

    `interval_hours` is None where nothing tells it; a special payment covers zero hours.
    """

    funding_time: int
    rate: float
    interval_hours: float | None
    is_special: bool = False


class WindowAPR(NamedTuple):
    """Simple annual percentage that was paid, and the share of the window's hours behind it (0 to 1)."""

    apr_percent: float | None
    coverage: float


def window_end(now: float) -> int:
    """The end that all windows share at `now`: the full hour at or before 15 minutes ago, UTC seconds."""
    return int((now - SETTLING_SECONDS) // HOUR) * HOUR


def window_apr(
    settlements: Iterable[Paid | tuple[int, float, float | None, bool]], end: int, hours: int
) -> WindowAPR:
    """The mean rate of the settlements paid in (end - hours, end], annualised without compounding.

    Sum of rates over sum of interval hours, so that a change of interval inside the window weighs
    right. A payment of unknown interval stays outside both sums; a special one adds its rate only.
    """
    rates: list[float] = []
    known_hours: list[float] = []
    for funding_time, rate, interval_hours, is_special in settlements:
        if not end - hours * HOUR < funding_time <= end:
            continue
        if is_special:
            rates.append(rate)
        elif interval_hours is not None:
            rates.append(rate)
            known_hours.append(interval_hours)
    total = math.fsum(known_hours)
    if total <= 0:
        return WindowAPR(None, 0.0)
    return WindowAPR(apr_percent(math.fsum(rates) / total), min(1.0, total / hours))


def covered(settlements: Iterable[Paid | tuple[int, float, float | None, bool]]) -> list[Window]:
    """The time (funding_time - interval, funding_time] of each regular settlement whose interval is known."""
    return [
        Window(funding_time - round(interval_hours * HOUR), funding_time)
        for funding_time, _, interval_hours, is_special in settlements
        if not is_special and interval_hours is not None
    ]


def uncovered(
    settlements: Iterable[Paid | tuple[int, float, float | None, bool]], windows: Sequence[Window]
) -> list[Window]:
    """The parts of `windows` that no settlement covers, oldest first."""
    return without(windows, covered(settlements))
