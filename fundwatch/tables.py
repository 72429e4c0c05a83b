"""Plain tables for a terminal: aligned columns, units in the headings."""

from collections.abc import Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """`right` is for numbers; text in other columns is cut at `widest`."""

    heading: str
    right: bool = False
    widest: int = 60


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """The table as lines; columns are as wide as what they hold."""
    cells = [[_cut(text, column.widest) for text, column in zip(row, columns, strict=True)] for row in rows]
    widths = [
        max(len(column.heading), *(len(row[i]) for row in cells)) if cells else len(column.heading)
        for i, column in enumerate(columns)
    ]
    lines = [_line([column.heading for column in columns], columns, widths)]
    lines += [_line(row, columns, widths) for row in cells]
    return "\n".join(lines)


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = [
        text.rjust(width) if column.right else text.ljust(width)
        for text, column, width in zip(cells, columns, widths, strict=True)
    ]
    return "  ".join(parts).rstrip()


def _cut(text: str, widest: int) -> str:
    return text if len(text) <= widest else text[: widest - 1] + "…"
