"""The two axes of a chart: values to rows of dots, times to columns."""

import math
from typing import NamedTuple

from fundwatch.models import HOUR, Window
from fundwatch.text import signed, utc
from fundwatch.tui.charts.bars import Span

_TICK_HOURS = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 8760)
_MONDAY = 4 * 24 * HOUR
"""1970-01-05, from which the ticks of whole weeks are counted."""


class Scale(NamedTuple):
    """Values to dots: ticks lie `step` and `tick_rows` whole rows apart, so that labels sit on their dots."""

    step: float
    tick_rows: int
    zero: int
    rows: int

    def dot(self, value: float) -> int:
        """Dots above the bottom of the plot."""
        return self.zero + round(value / self.step * self.tick_rows * 4)

    def row(self, value: float) -> int:
        return self.rows - 1 - self.dot(value) // 4

    def labels(self) -> dict[int, str]:
        """What the value axis says, by row."""
        decimals = next((d for d in range(15) if math.isclose(round(self.step, d), self.step)), 15)
        first = -(self.zero // (4 * self.tick_rows))
        last = (4 * self.rows - 1 - self.zero) // (4 * self.tick_rows)
        values = [n * self.step for n in range(first, last + 1)]
        return {self.row(value): signed(value, decimals) for value in values}


def fitting_scale(low: float, high: float, rows: int) -> Scale:
    """The finest scale with round ticks that holds zero, `low` and `high`."""
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-9:
        high = 1.0
    exponent = math.floor(math.log10((high - low) / rows))
    best: tuple[float, Scale] | None = None
    for step in (nice * 10.0**power for power in range(exponent, exponent + 4) for nice in (1, 2, 2.5, 5)):
        for tick_rows in range(2, max(2, min(6, rows // 2)) + 1):
            per_dot = step / (4 * tick_rows)
            above, below = math.ceil(high / per_dot - 1e-9), math.ceil(-low / per_dot - 1e-9)
            spare = 4 * rows - 1 - above - below
            cost = per_dot * (1 + 0.06 * abs(tick_rows - 3))
            if spare >= 0 and (best is None or cost < best[0]):
                best = cost, Scale(step, tick_rows, below + spare // 2, rows)
    assert best is not None
    return best[1]


def time_axis(window: Window, indent: int, columns: int) -> list[list[Span]]:
    """The axis and its labels; a midnight among hours says its date."""
    seconds = max(1, window.end - window.start)
    hours = next((h for h in _TICK_HOURS if h * HOUR / seconds * columns >= 8), _TICK_HOURS[-1])
    step, origin = hours * HOUR, _MONDAY if hours % 168 == 0 else 0
    axis, labels = ["─"] * columns, list("UTC".ljust(indent + 1 + columns))
    time = origin - (origin - window.start) // step * step
    while time <= window.end:
        column = (time - window.start) * (2 * columns - 1) // seconds // 2
        text = utc(time, "%d %b" if hours >= 24 or time % (24 * HOUR) == 0 else "%H:%M")
        first = indent + 1 + column - len(text) // 2
        axis[column] = "┬"
        if first >= 4 and first + len(text) <= len(labels):
            labels[first : first + len(text)] = text
        time += step
    return [[(" " * indent + "└" + "".join(axis), "muted")], [("".join(labels), "muted")]]
