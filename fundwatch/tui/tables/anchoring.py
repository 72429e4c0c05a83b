"""How a cursor and a view stay with their rows while the rows around them change places."""

from collections.abc import Hashable, Iterator, Sequence

from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.model import TableModel


class Cursor:
    """A line number that belongs to a row.

    Until a person has put it on a row it rests on the first line. From then on it follows that row;
    while a filter hides the row it stands nearby and returns; when the row is gone for good it
    belongs to the nearest one that remained.
    """

    def __init__(self) -> None:
        self.line: int | None = None
        self.placed = False
        self._key: Hashable | None = None

    def put(self, line: int, key: Hashable) -> None:
        self.line, self._key, self.placed = line, key, True

    def follow(self, before: Sequence[Row], model: TableModel) -> None:
        """Find the line anew after `model` changed what was visible from `before`."""
        if not model.visible:
            self.line = None
        elif not self.placed:
            self.line = 0
        elif (found := model.position(self._key)) is not None:
            self.line = found
        else:
            self.line = _nearest(before, self.line or 0, model)
            if not model.holds(self._key):
                self._key = model.visible[self.line].key


def _nearest(before: Sequence[Row], line: int, model: TableModel) -> int:
    """Where the row that was at `line` stands, or else the first below it, else above it, that remained."""
    for row in _outward(before, line):
        if (found := model.position(row.key)) is not None:
            return found
    return min(line, len(model.visible) - 1)


def _outward(rows: Sequence[Row], line: int) -> Iterator[Row]:
    yield from (rows[i] for i in range(line, len(rows)))
    yield from (rows[i] for i in range(min(line, len(rows)) - 1, -1, -1))


def shift(before: Sequence[Row], top: int, lines: int, model: TableModel) -> int:
    """How many lines the rows that were in view have moved down, by the median of them.

    The median, so that one row that leaps across the table does not take the view along.
    """
    moves = [
        found - i
        for i in range(top, min(top + lines, len(before)))
        if (found := model.position(before[i].key)) is not None
    ]
    return sorted(moves)[(len(moves) - 1) // 2] if moves else 0
