"""Plain tables for a terminal: aligned columns, units in the headings."""

from collections.abc import Sequence
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from fundwatch.text import printable


class Column(NamedTuple):
    """`right` is for numbers; text in other columns is cut at `widest`."""

    heading: str
    right: bool = False
    widest: int = 60


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """The table as lines; columns are as wide as what they hold."""
    cells = [
        [_cut(printable(text), column.widest) for text, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    widths = [
        max([cells_of(column.heading), *(cells_of(row[i]) for row in cells)])
        for i, column in enumerate(columns)
    ]
    lines = [_line([column.heading for column in columns], columns, widths)]
    lines += [_line(row, columns, widths) for row in cells]
    return "\n".join(lines)


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = []
    for text, column, width in zip(cells, columns, widths, strict=True):
        room = " " * (width - cells_of(text))
        parts.append(room + text if column.right else text + room)
    return "  ".join(parts).rstrip()


def cells_of(text: str) -> int:
    """How many cells of a terminal `text` takes: Chinese tickers take two each."""
    if text.isascii():
        return len(text)
    return sum((2 if east_asian_width(c) in "WF" else 1) for c in text if not combining(c))


def _cut(text: str, widest: int) -> str:
    if cells_of(text) <= widest:
        return text
    while cells_of(text) >= widest:
        text = text[:-1]
    return text + "…"
