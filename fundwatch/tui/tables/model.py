"""What a table shows of its rows and in which order: filter, rank and sort, without a screen."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from fundwatch.tui.tables.columns import Cell, Column, Row

RowFilter = str | Callable[[Row], bool] | None
"""Words that must all occur in a row's left-aligned columns (any case), or a function; None for all rows."""


class TableModel:
    """All rows as they came, and `visible`: those that pass the filter, ordered.

    Order is by rank first (lower on top, whatever the sort: starred rows, untrusted ones), then by
    the sorted column, then as the rows came.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self.rows: Sequence[Row] = ()
        self.visible: list[Row] = []
        self.filter: RowFilter = None
        self.rank: Callable[[Row], int] | None = None
        self.sorted_by: str | None = None
        self.descending = False
        self._positions: dict[Hashable, int] = {}

    def position(self, key: Hashable) -> int | None:
        """Where the row with `key` stands among the visible ones."""
        return self._positions.get(key)

    def holds(self, key: Hashable) -> bool:
        """Whether a row with `key` exists, visible or not."""
        return key in self._positions or any(row.key == key for row in self.rows)

    def index(self, column_key: str) -> int:
        """The number of a column; KeyError where there is none of that key."""
        for i, column in enumerate(self.columns):
            if column.key == column_key:
                return i
        raise KeyError(column_key)

    def replace(self, rows: Sequence[Row]) -> None:
        """Take `rows` instead of what was held; ValueError where one does not match the columns."""
        expected = len(self.columns)
        if wrong := {row.count for row in rows if row.count is not None} - {expected}:
            raise ValueError(f"rows with {sorted(wrong)} cells in a table of {expected} columns")
        self.rows = rows

    def amend(self, column_key: str, cells: Mapping[Hashable, str | Cell]) -> None:
        """Put `cells`, by row key, into a column that neither filter nor sort looks at.

        KeyError where there is no such column; keys without a row are left aside.
        """
        index = self.index(column_key)

        def amended(row: Row) -> Row:
            made = (*row.cells[:index], cells[row.key], *row.cells[index + 1 :])
            return Row(row.key, made, row.sort, row.style)

        self.rows = [amended(row) if row.key in cells else row for row in self.rows]
        self.visible = [amended(row) if row.key in cells else row for row in self.visible]

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Take other columns; their rows are still to come."""
        self.columns = tuple(columns)
        self.rows = ()
        if self.sorted_by not in {column.key for column in columns}:
            self.sorted_by, self.descending = None, False

    def arrange(self) -> None:
        """Bring `visible` up to date."""
        chosen = self._matching()
        if self.sorted_by is not None:
            chosen = self._sorted(chosen, self.index(self.sorted_by))
        if self.rank is not None:
            chosen.sort(key=self.rank)
        self.visible = chosen
        # Of two rows with one key the upper one answers to it.
        self._positions = {chosen[i].key: i for i in range(len(chosen) - 1, -1, -1)}

    def _matching(self) -> list[Row]:
        if self.filter is None:
            return list(self.rows)
        if not isinstance(self.filter, str):
            return list(filter(self.filter, self.rows))
        words = self.filter.casefold().split()
        if not words:
            return list(self.rows)
        searched = [i for i, column in enumerate(self.columns) if column.align == "left"]
        found = []
        for row in self.rows:
            text = "\n".join([_text(row.cells[i]) for i in searched]).casefold()
            if all(word in text for word in words):
                found.append(row)
        return found

    def _sorted(self, rows: list[Row], index: int) -> list[Row]:
        apply = self.columns[index].sort_key
        known: list[tuple[Any, Row]] = []
        unknown: list[Row] = []
        for row in rows:
            value = row.value(index)
            if apply is not None and value is not None:
                value = apply(value)
            if value is None or value != value:
                unknown.append(row)
            else:
                known.append((value, row))
        known.sort(key=itemgetter(0), reverse=self.descending)
        return [row for _, row in known] + unknown


def _text(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.text
