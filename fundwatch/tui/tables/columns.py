"""Columns, rows and cells of a table, and where each column stands on a screen of a given width."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rich.cells import cell_len, set_cell_size

from fundwatch.text import printable

Align = Literal["left", "right"]

MARGIN = 1
"""Cells at the left edge, for the cursor's mark."""

GAP = 1
"""Cells after every column; the sorted column's heading puts its arrow there."""

_NARROWEST = 6
"""Words cut to fewer cells than this are not worth showing at the edge."""


class Cell(NamedTuple):
    """Text with the names of its styles: `Cell("-27.16", "bad")`, `Cell("10.95", "bold above-2")`."""

    text: str
    style: str = ""


Cells = tuple[str | Cell, ...]


class Row:
    """One line of a table.

    `cells` are formatted text, one for each column; a function instead of them makes them when somebody
    first looks, as of thousands of rows only some dozens are ever seen. `sort` has one sortable value for
    each column, or tells it of a column's number, or is empty for rows that keep the order they came in;
    `None` and NaN are unknown and sort last in either direction. `style` names styles for the whole line,
    such as `stale`.
    """

    __slots__ = ("_made", "_make", "key", "sort", "style")

    def __init__(
        self,
        key: Hashable,
        cells: Cells | Callable[[], Cells],
        sort: tuple[Any, ...] | Callable[[int], Any] = (),
        style: str = "",
    ) -> None:
        self.key, self.sort, self.style = key, sort, style
        self._make = cells if callable(cells) else lambda: cells
        self._made = None if callable(cells) else cells

    @property
    def cells(self) -> Cells:
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def count(self) -> int | None:
        """How many cells there are; None while they are not made."""
        return None if self._made is None else len(self._made)

    def value(self, column: int) -> Any:
        """What the row sorts by in a column of this number."""
        if callable(self.sort):
            return self.sort(column)
        return self.sort[column] if self.sort else None

    def forget(self) -> None:
        """The cells are to be made anew, as what they tell has changed."""
        self._made = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self.key, self.cells, self.sort, self.style) == (
            other.key,
            other.cells,
            other.sort,
            other.style,
        )

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class Column:
    """How one column looks and sorts; `width` is in terminal cells.

    `style`: style names for its cells, or a function from a cell's text to style names.
    `sort_key`: applied to a row's sort value before comparing, such as `abs` or `str.casefold`.
    `descending`: the direction when first sorted by; by default numbers (right aligned) start descending.
    `priority`: 0 stays on every screen; the higher, the earlier it is left out of a narrow one.
    `grow`: takes the width that a wide screen has to spare (the first such column does).
    """

    key: str
    heading: str
    width: int
    align: Align = "left"
    style: str | Callable[[str], str] = ""
    sort_key: Callable[[Any], Any] | None = None
    sortable: bool = True
    descending: bool | None = None
    tooltip: str = ""
    priority: int = 0
    grow: bool = False

    @property
    def starts_descending(self) -> bool:
        return self.align == "right" if self.descending is None else self.descending


class Placed(NamedTuple):
    """Column number `column` drawn from cell `x` on, `width` cells wide; its gap follows."""

    column: int
    x: int
    width: int


class Layout(NamedTuple):
    """What of a table's columns fits into `width` cells.

    `hidden` are the columns left out for their priority, `first` is how many scrolling columns are
    scrolled past, `last_first` the most that makes sense; `more_left` and `more_right` say that
    columns wait beyond that edge.
    """

    width: int
    placed: tuple[Placed, ...]
    hidden: tuple[int, ...]
    first: int
    last_first: int
    more_left: bool
    more_right: bool

    def column_at(self, x: int) -> int | None:
        """The number of the column drawn at cell `x`, its gap included."""
        return next((p.column for p in self.placed if p.x <= x < p.x + p.width + GAP), None)


def fit(text: str, width: int, align: Align = "left") -> str:
    """`text` in exactly `width` terminal cells.

    Words too long end in an ellipsis. Part of a number is another number, so a number too long for
    a right-aligned column becomes `####`.
    """
    text = printable(text)
    size = len(text) if text.isascii() else cell_len(text)
    if size <= width:
        blank = " " * (width - size)
        return text + blank if align == "left" else blank + text
    if width <= 0:
        return ""
    if align == "right" and any(c.isdigit() for c in text):
        return "#" * width
    return set_cell_size(text, width - 1) + "…"


def lay_out(
    columns: Sequence[Column],
    width: int,
    *,
    fixed: int = 1,
    first: int = 0,
    keep: str | None = None,
    hide: bool = True,
) -> Layout:
    """Choose and place columns for `width` cells.

    The first `fixed` columns always stand at the left. While the rest does not fit, columns are left
    out by priority (not `keep`, the sorted one; none when `hide` is false); what is still too much
    scrolls by whole columns, `first` of them scrolled past, so that no number is ever cut by an edge.
    """
    shown = list(range(len(columns)))
    if hide:
        droppable = sorted(i for i in shown[fixed:] if columns[i].priority > 0 and columns[i].key != keep)
        droppable.sort(key=lambda i: (columns[i].priority, i))
        while droppable and _needed(columns, shown) > width:
            shown.remove(droppable.pop())
    hidden = tuple(i for i in range(len(columns)) if i not in shown)
    spare = width - _needed(columns, shown)
    if spare >= 0:
        return Layout(width, _spread(columns, shown, spare), hidden, 0, 0, False, False)

    end = width - 1 - GAP  # the last cell of the heading marks that more follows
    placed, x = _place(columns, shown[:fixed], MARGIN, end)
    moving = shown[fixed:]
    last_first = _last_first(columns, moving, end - x)
    first = max(0, min(first, last_first))
    rest, _ = _place(columns, moving[first:], x, end)
    if not rest and first < len(moving) and x < end:
        rest = [Placed(moving[first], x, end - x)]
    whole = len(rest) == len(moving) - first and all(p.width == columns[p.column].width for p in rest)
    return Layout(width, (*placed, *rest), hidden, first, last_first, first > 0, not whole)


def _needed(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return MARGIN + sum(columns[i].width + GAP for i in shown)


def _spread(columns: Sequence[Column], shown: Sequence[int], spare: int) -> tuple[Placed, ...]:
    placed, x = [], MARGIN
    for i in shown:
        width = columns[i].width
        if columns[i].grow:
            width, spare = width + spare, 0
        placed.append(Placed(i, x, width))
        x += width + GAP
    return tuple(placed)


def _place(columns: Sequence[Column], chosen: Sequence[int], x: int, end: int) -> tuple[list[Placed], int]:
    """As many of `chosen` as fit whole between `x` and `end`, then perhaps a left-aligned one cut short."""
    placed = []
    for i in chosen:
        width = columns[i].width
        if x + width > end:
            if columns[i].align == "left" and end - x >= _NARROWEST:
                placed.append(Placed(i, x, end - x))
                x = end
            break
        placed.append(Placed(i, x, width))
        x += width + GAP
    return placed, x


def _last_first(columns: Sequence[Column], moving: Sequence[int], room: int) -> int:
    """How many columns to scroll past until the last one is seen whole."""
    used = -GAP
    for taken, i in enumerate(reversed(moving)):
        used += columns[i].width + GAP
        if used > room:
            return len(moving) - max(1, taken)
    return 0
