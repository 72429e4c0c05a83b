"""A line of words above or below a table."""

import re
from collections.abc import Sequence

from rich.cells import cell_len

from fundwatch.text import printable
from fundwatch.tui.charts.bars import Drawing, Span, fitted

Item = Sequence[Span]
"""Spans that belong together: shown whole or not at all, since part of a number is another number."""

GAP = "  "
"""Between two items."""


_SENTENCE = 30
"""Items of more cells may end early, at a blank."""

_MORE: Item = [(" …", "muted")]


def laid_out(items: Sequence[Item], width: int, height: int) -> list[list[Span]]:
    """As many whole items as fit into `height` lines of `width` cells, the first ones first.

    Only a sentence may end early, between two words, and a name longer than a line; ` …` says that
    something is left out.
    """
    lines, whole = _packed(items, width, height)
    if not whole:
        lines, _ = _packed(items, width, height, _size(_MORE))
        lines[-1] += _MORE
    return [fitted(line, width) for line in lines]


def _packed(
    items: Sequence[Item], width: int, height: int, reserved: int = 0
) -> tuple[list[list[Span]], bool]:
    """The lines, `reserved` cells of the last one free, and whether they hold everything."""
    lines: list[list[Span]] = [[]]
    used, whole = 0, True
    for item in filter(None, items):
        size, before = _size(item), len(GAP) if used else 0
        if used + before + size > width and used and len(lines) < height:
            lines.append([])
            used = before = 0
        room = width - used - before - (reserved if len(lines) == height else 0)
        if size > room:
            whole = False
            if size <= _SENTENCE and used:
                continue
            item = _shortened(item, room) or ([] if used else fitted(item, room))
            size = _size(item)
        if size:
            lines[-1] += [(" " * before, ""), *item]
            used += before + size
    return lines, whole


def _size(item: Item) -> int:
    return sum(cell_len(text) for text, _ in item)


def _shortened(item: Item, room: int) -> Item:
    """As many whole words as fit."""
    kept: list[Span] = []
    words = [(word, style) for text, style in item for word in re.split(r"(?= )", text)]
    for word, style in words:
        room -= cell_len(word)
        if room < 0:
            break
        kept.append((word, style))
    return kept


class Caption(Drawing):
    """Items of text, as many as there is room for."""

    DEFAULT_CSS = "Caption { height: 1; padding: 0 1; background: $surface; }"

    items: Sequence[Item] = ()

    def show(self, *spans: Span) -> None:
        """One item, which ends in an ellipsis where there is no room."""
        self.show_items([spans])

    def show_items(self, items: Sequence[Item]) -> None:
        """The weightiest item first: the last ones are left out where there is no room."""
        shown = [[(printable(text), style) for text, style in item] for item in items]
        if shown != self.items:
            self.items = shown
            self.redraw()
            if self.styles.is_auto_height:
                self.refresh(layout=True)

    @property
    def text(self) -> str:
        """The words, also those that do not fit."""
        return GAP.join("".join(text for text, _ in item) for item in self.items if item)

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return laid_out(self.items, width, height)
