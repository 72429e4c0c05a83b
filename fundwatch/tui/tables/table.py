"""The table of every pane: thousands of rows of which only the visible lines are ever drawn."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message

from fundwatch.text import printable
from fundwatch.tui.tables import table_keys
from fundwatch.tui.tables.anchoring import shift
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.tables.lines import LineView
from fundwatch.tui.tables.model import RowFilter


class LineTable(LineView, can_focus=True):
    """Rows of formatted text under a fixed heading, with a cursor that belongs to a row, not to a line.

    Once a person has put the cursor on a row it stays there through refresh, sort and filter; until
    then it rests on the first line. A view that is scrolled down moves with the majority of its rows.
    """

    BINDINGS: ClassVar[list[BindingType]] = table_keys.BINDINGS

    class TableMessage(Message):
        """What all messages of a table share."""

        def __init__(self, table: "LineTable") -> None:
            self.table = table
            super().__init__()

        @property
        def control(self) -> "LineTable":
            return self.table

    class RowChosen(TableMessage):
        """Enter or a double click on the row with `key`."""

        def __init__(self, table: "LineTable", key: Hashable) -> None:
            self.key = key
            super().__init__(table)

    class CursorMoved(TableMessage):
        """The cursor is on another row now; `key` is None when no row is left."""

        def __init__(self, table: "LineTable", key: Hashable | None) -> None:
            self.key = key
            super().__init__(table)

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LineTable.CursorMoved) and message.table is self.table

    class SortChanged(TableMessage):
        """Rows are ordered by another column or in the other direction; None is the order they came in."""

        def __init__(self, table: "LineTable", column: str | None, descending: bool) -> None:
            self.column = column
            self.descending = descending
            super().__init__(table)

    @property
    def row_count(self) -> int:
        """Rows that pass the filter."""
        return len(self._model.visible)

    @property
    def total_count(self) -> int:
        """All rows, those too that the filter hides."""
        return len(self._model.rows)

    @property
    def rows(self) -> Sequence[Row]:
        """The rows that pass the filter, in the order shown."""
        return tuple(self._model.visible)

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor."""
        return None if self._cursor.line is None else self._model.visible[self._cursor.line]

    @property
    def cursor_key(self) -> Hashable | None:
        """The key of the row under the cursor."""
        row = self.cursor_row
        return None if row is None else row.key

    @property
    def sorted_by(self) -> str | None:
        """The key of the sorted column; None for the order in which rows come."""
        return self._model.sorted_by

    @property
    def descending(self) -> bool:
        return self._model.descending

    @property
    def hidden_columns(self) -> tuple[str, ...]:
        """Keys of the columns that this width leaves out."""
        return tuple(self._model.columns[i].key for i in self._layout.hidden)

    def show(self, rows: Sequence[Row]) -> None:
        """Take `rows` instead of all the former ones; cursor and view stay with their rows.

        The very list that is shown already has the same rows in the same order, perhaps with other cells.
        """
        if rows is self._model.rows:
            self._refresh_changed()
            return
        self._model.replace(rows)
        self._rearrange(keep_view=True)

    def amend(self, column: str, cells: Mapping[Hashable, str | Cell]) -> None:
        """Other cells, by row key, in a column that neither filter nor sort looks at: no row moves."""
        self._model.amend(column, cells)
        self._refresh_changed()

    def set_columns(self, columns: Sequence[Column], rows: Sequence[Row] = ()) -> None:
        """Other columns, and rows that match them; the sort stays if its column does."""
        self._model.set_columns(columns)
        self._first_column = 0
        self._forget_layout()
        self.show(rows)

    def show_all_columns(self, every: bool = True) -> None:
        """Reach every column by scrolling, instead of leaving some out of a narrow screen."""
        self._hide_columns = not every
        self._forget_layout()

    def say(self, *, empty: str | None = None, no_match: str | None = None) -> None:
        """Change the sentences that stand in for rows: when there are none, when the filter hides all."""
        empty = self._empty if empty is None else empty
        no_match = self._no_match if no_match is None else no_match
        if (empty, no_match) != (self._empty, self._no_match):
            self._empty, self._no_match = empty, no_match
            self._refresh_changed()

    def sort_by(self, column: str | None, descending: bool | None = None) -> None:
        """Order by a column's key, or by None as rows come; KeyError where there is no such column.

        Without `descending` a column starts in its own direction.
        """
        model = self._model
        index = None if column is None else model.index(column)
        if descending is None:
            descending = index is not None and model.columns[index].starts_descending
        if (column, descending) == (model.sorted_by, model.descending):
            return
        model.sorted_by, model.descending = column, descending
        self._forget_layout()
        if index is not None:
            self._reveal_column(index)
        self._rearrange(keep_view=False)
        self.post_message(self.SortChanged(self, column, descending))

    def filter_by(self, what: RowFilter) -> None:
        """Show only the rows that match; see `RowFilter`."""
        self._model.filter = what
        self._rearrange(keep_view=False)

    def rank_by(self, rank: Callable[[Row], int] | None) -> None:
        """Rows of a lower rank come first whatever the sort: starred 0, others 1, untrusted 2."""
        self._model.rank = rank
        self._rearrange(keep_view=False)

    def move_cursor(self, key: Hashable) -> bool:
        """Put the cursor on the row with `key` and bring it into view; False where it is not visible."""
        line = self._model.position(key)
        if line is not None:
            self._put_cursor(line)
        return line is not None

    def _rearrange(self, *, keep_view: bool) -> None:
        """Order the rows anew and find cursor and view again.

        With `keep_view` the view moves with its rows; else with the cursor, or to the top without one.
        """
        model, cursor = self._model, self._cursor
        before, was, key, top, page = model.visible, cursor.line, self.cursor_key, self._top, self._page
        model.arrange()
        cursor.follow(before, model)
        new_top = top + shift(before, top, page, model) if keep_view and top else 0
        if cursor.placed and cursor.line is not None and (was is None or top <= was < top + page):
            if not keep_view and was is not None:
                new_top = cursor.line - (was - top)
            new_top = self._top_showing(cursor.line, new_top)
        self.virtual_size = Size(0, len(model.visible) + 1)
        self._scroll_to_line(new_top)
        self._refresh_changed()
        self._tell_cursor(key)

    def _top_showing(self, line: int, top: int) -> int:
        return max(line - self._page + 1, min(top, line))

    def _scroll_to_line(self, top: int, *, at_once: bool = False) -> None:
        """`at_once` only where as many rows are to be seen as before; else the new size comes first."""
        if top != self._top:
            self.scroll_to(y=top, animate=False, force=True, immediate=at_once)

    def _tell_cursor(self, former: Hashable | None) -> None:
        if self.cursor_key != former:
            self.post_message(self.CursorMoved(self, self.cursor_key))

    def _put_cursor(self, line: int, scroll: int = 0) -> None:
        """The cursor on row number `line` or the nearest there is, after scrolling by `scroll` lines."""
        visible = self._model.visible
        if not visible:
            return
        former = self.cursor_key
        line = max(0, min(line, len(visible) - 1))
        self._cursor.put(line, visible[line].key)
        self._scroll_to_line(self._top_showing(line, self._top + scroll), at_once=True)
        self._refresh_changed()
        self._tell_cursor(former)

    def action_cursor_by(self, lines: int) -> None:
        self._put_cursor((self._cursor.line or 0) + lines)

    def action_cursor_by_pages(self, pages: float) -> None:
        lines = int(self._page * pages) or (1 if pages > 0 else -1)
        self._put_cursor((self._cursor.line or 0) + lines, scroll=lines)

    def action_cursor_first(self) -> None:
        self._put_cursor(0)

    def action_cursor_last(self) -> None:
        self._put_cursor(len(self._model.visible) - 1)

    def action_choose(self) -> None:
        if self._cursor.line is not None:
            self._put_cursor(self._cursor.line)
            self.post_message(self.RowChosen(self, self.cursor_key))

    def action_reverse(self) -> None:
        if self._model.sorted_by is not None:
            self.sort_by(self._model.sorted_by, not self._model.descending)

    def action_sort_next(self, step: int) -> None:
        """Sort by the next (1) or previous (-1) column on this screen, round and round."""
        hidden = self._layout.hidden
        keys = [c.key for i, c in enumerate(self._model.columns) if c.sortable and i not in hidden]
        if not keys:
            return
        now = self._model.sorted_by
        self.sort_by(
            keys[(keys.index(now) + step) % len(keys)] if now in keys else keys[0 if step > 0 else -1]
        )

    def action_columns_by(self, columns: int) -> None:
        """Scroll sideways by whole columns."""
        layout = self._layout
        first = max(0, min(layout.first + columns, layout.last_first))
        if first != layout.first:
            self._first_column = first
            self._forget_layout()

    def _reveal_column(self, index: int) -> None:
        for first in (self._first_column, *range(self._layout.last_first + 1)):
            self._first_column = first
            self._painter = None
            if any(p.column == index for p in self._layout.placed):
                return

    def on_resize(self) -> None:
        if self._cursor.placed and self._cursor.line is not None:
            self._scroll_to_line(self._top_showing(self._cursor.line, self._top))

    def on_click(self, event: events.Click) -> None:
        where = event.get_content_offset(self)
        if where is None or event.button != 1:
            return
        line = self._top + where.y - 1
        if where.y == 0:
            self._click_heading(self._layout.column_at(where.x))
        elif line < len(self._model.visible):
            # A row can slip away between two clicks: only the one clicked first is chosen.
            same = self._model.visible[line].key == self.cursor_key
            self._put_cursor(line)
            if event.chain == 2 and same:
                self.action_choose()

    def _click_heading(self, index: int | None) -> None:
        if index is None or not self._model.columns[index].sortable:
            return
        if self._model.columns[index].key == self._model.sorted_by:
            self.action_reverse()
        else:
            self.sort_by(self._model.columns[index].key)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        where = event.get_content_offset(self)
        self._hover(None if where is None else where.y)
        index = self._layout.column_at(where.x) if where is not None and where.y == 0 else None
        words = "" if index is None else self._model.columns[index].tooltip
        tooltip = Content(printable(words)) if words else None
        if tooltip != self.tooltip:
            self.tooltip = tooltip

    def on_leave(self) -> None:
        self._hover(None)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        if event.shift or event.ctrl:
            self.action_columns_by(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        if event.shift or event.ctrl:
            self.action_columns_by(-1)

    def on_mouse_scroll_right(self) -> None:
        self.action_columns_by(1)

    def on_mouse_scroll_left(self) -> None:
        self.action_columns_by(-1)
