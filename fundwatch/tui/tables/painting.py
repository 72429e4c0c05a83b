"""Table lines as strips of styled text: composed once, then taken from a cache."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from fundwatch.text import printable
from fundwatch.tui.tables.columns import GAP, MARGIN, Cells, Column, Layout, fit

_KEPT_STRIPS = 120
"""Two screens full, so that a step back draws nothing anew; each takes 5 to 10 kB, and ages outdate them."""


class Look(StrEnum):
    """How a line stands out, with the name of its style: under the mouse, under the cursor, under the cursor
    of the table with focus."""

    PLAIN = ""
    HOVER = "hover"
    CURSOR = "cursor"
    FOCUSED_CURSOR = "cursor-focused"


class Heading(NamedTuple):
    """The sorted column by number, and its direction."""

    sorted_by: int | None
    descending: bool


class Painter:
    """Draws lines for one layout with one set of styles; `style_of` resolves the name of a style."""

    def __init__(
        self, columns: Sequence[Column], fixed: int, layout: Layout, style_of: Callable[[str], Style]
    ) -> None:
        self.layout = layout
        self._columns = columns
        self._fixed = fixed
        self._style_of = style_of
        self._strips: LRUCache[tuple[Cells, str, Look], Strip] = LRUCache(_KEPT_STRIPS)
        self._composed: dict[tuple[str, str, Look, bool], Style] = {}

    def row(self, cells: Cells, row_style: str, look: Look) -> Strip:
        key = (cells, row_style, look)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._row(cells, row_style, look)
        return strip

    def blank(self) -> Strip:
        return Strip.blank(self.layout.width, self._style_of(""))

    def message(self, text: str) -> Strip:
        """One line of plain words, such as why there are no rows."""
        return self._strip([(" " * MARGIN + printable(text), self._compose("muted", "", Look.PLAIN, False))])

    def heading(self, heading: Heading) -> Strip:
        plain = self._style_of("") + self._style_of("header")
        marked = plain + self._style_of("header-sorted")
        runs = [("‹" if self.layout.more_left else " ", plain)]
        for index, _, width in self.layout.placed:
            column = self._columns[index]
            words = printable(column.heading)
            is_sorted = index == heading.sorted_by
            arrow = ("▼" if heading.descending else "▲") if is_sorted else ""
            style = marked if is_sorted else plain
            if cell_len(words) > width:
                runs += [(fit(words, width), style), (arrow or " ", plain)]
            elif column.align == "left":
                blank = " " * (width + GAP - cell_len(words) - len(arrow))
                runs += [(words, style), (arrow + blank, plain)]
            else:
                blank = " " * (width - cell_len(words))
                runs += [(blank, plain), (words, style), (arrow or " ", plain)]
        strip = self._strip(runs)
        if not self.layout.more_right:
            return strip
        return Strip.join([strip.crop(0, self.layout.width - 1), Strip([Segment("›", plain)], 1)])

    def _row(self, cells: Cells, row_style: str, look: Look) -> Strip:
        around = self._compose("", row_style, look, False)
        # The cursor is a character too: a terminal without colours shows no more of it.
        runs = [(">" if look is Look.FOCUSED_CURSOR else " ", around)]
        for index, _, width in self.layout.placed:
            column, cell = self._columns[index], cells[index]
            text, names = (cell, "") if isinstance(cell, str) else cell
            if column.style:
                own = column.style if isinstance(column.style, str) else column.style(text)
                names = f"{own} {names}" if names else own
            style = self._compose(names, row_style, look, index < self._fixed)
            runs += [(fit(text, width, column.align), style), (" " * GAP, around)]
        return self._strip(runs)

    def _strip(self, runs: Sequence[tuple[str, Style]]) -> Strip:
        """The whole width of the line, ending in the style it began with.

        Neighbours of one style become one segment: a plain row is one write to the terminal.
        """
        missing = self.layout.width - sum(cell_len(text) for text, _ in runs)
        segments: list[Segment] = []
        text, style = runs[0]
        for more, its_style in (*runs[1:], (" " * missing, runs[0][1])):
            if its_style is style or its_style == style:
                text += more
            else:
                segments.append(Segment(text, style))
                text, style = more, its_style
        segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.layout.width, style)

    def _compose(self, names: str, row_names: str, look: Look, fixed: bool) -> Style:
        """Later ones win: a stale row is grey whatever its cells say, and the cursor's bar is unbroken."""
        key = (names, row_names, look, fixed)
        style = self._composed.get(key)
        if style is None:
            style = self._style_of("")
            for name in ("fixed" if fixed else "", *names.split(), *row_names.split()):
                if name:
                    style += self._style_of(name)
            if look is not Look.PLAIN:
                style += self._style_of(look.value)
            self._composed[key] = style
        return style
