"""The table of all markets: it leaves `g` to its pane, and says when other rows came into view."""

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from fundwatch.tui.tables import table_keys
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.table import LineTable


class MarketTable(LineTable, inherit_bindings=False):
    """A line table whose first row is reached by Home alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        replace(binding, key="home")
        if isinstance(binding, Binding) and binding.id == "table.first"
        else binding
        for binding in table_keys.BINDINGS
    ]

    class ViewMoved(Message):
        """Perhaps other rows are in view."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, MarketTable.ViewMoved)

    @property
    def cursor_was_put(self) -> bool:
        """Whether a person has put the cursor on a row; until then it rests on the first line."""
        return self._cursor.placed

    @property
    def in_view(self) -> list[Row]:
        return self._model.visible[self._top : self._top + self._page]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.ViewMoved())

    def on_resize(self) -> None:
        super().on_resize()
        self.post_message(self.ViewMoved())
