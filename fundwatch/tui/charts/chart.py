"""A line chart of several series over time, as a widget."""

from collections.abc import Sequence

from fundwatch.models import Window
from fundwatch.tui.charts.bars import Drawing, Span
from fundwatch.tui.charts.plotting import EMPTY, HEADING, MIN_HEIGHT, Series, plot

RANGES = {"1d": 24, "7d": 168, "30d": 720, "90d": 2160}
"""Hours of the ranges that a chart is offered in."""


MEANS = {"30d": 8, "90d": 24}
"""Hours that are one point of a line, where several lines share a range so long."""

_HUES = (
    ("#56b4e9", "#0072b2", "ansi_bright_blue"),
    ("#f5a623", "#a85a00", "ansi_yellow"),
    ("#3fcf8e", "#00734f", "ansi_green"),
    ("#ff79b0", "#b0276c", "ansi_bright_magenta"),
    ("#f0e442", "#6f6400", "ansi_bright_yellow"),
    ("#ff6b5e", "#b81d13", "ansi_red"),
    ("#b39bff", "#5b3cc4", "ansi_magenta"),
    ("#cfd6dc", "#4a4f55", "ansi_white"),
)
"""For dark and light themes and for the terminal's own palette. Eight lines need eight colours that differ
for most eyes, and no theme has more than four; each line has its letter besides."""


class Chart(Drawing):
    """`plot` as a widget; who owns it says the series and the range."""

    DEFAULT_CSS = f"Chart {{ height: 1fr; min-height: {MIN_HEIGHT}; }}\n" + "\n".join(
        f"Chart{kind} > .drawing--series-{at} {{ color: {colour}; }}"
        for at, hue in enumerate(_HUES, start=1)
        for kind, colour in zip((":dark", ":light", ":ansi"), hue, strict=True)
    )

    _series: Sequence[Series] = ()
    _window = Window(0, 0)
    _heading = HEADING
    _empty = EMPTY
    _decimals = 2

    def show(
        self,
        series: Sequence[Series],
        window: Window,
        heading: str = HEADING,
        empty: str = EMPTY,
        decimals: int = 2,
    ) -> None:
        """See `plot`."""
        self._series, self._window, self._heading, self._empty = series, window, heading, empty
        self._decimals = decimals
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return plot(self._series, self._window, width, height, self._heading, self._empty, self._decimals)
