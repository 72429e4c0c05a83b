"""Where a person is: on a pane, or on a screen of its own that covers the panes; keys mean that place."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from textual.app import App
from textual.screen import Screen

from fundwatch.tui.panes.base import exported
from fundwatch.tui.tables.columns import Cell
from fundwatch.tui.tables.table import LineTable

if TYPE_CHECKING:
    from fundwatch.tui.app import FundwatchApp

_OF_PANES = frozenset({"filter", "clear_filter", "freeze", "window", "acknowledge"})
_COVER_NAME = "asset"


class Whereabouts(App[int]):
    """The part of the app that knows what the keys are about."""

    @property
    def frame(self) -> "FundwatchApp":
        return cast("FundwatchApp", self)

    @property
    def cover(self) -> Screen[Any] | None:
        """The screen of its own, such as that of an asset, that covers the panes; dialogs do not count."""
        over = [screen for screen in self.screen_stack[1:] if not screen.is_modal]
        return over[-1] if over else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is about panes alone does nothing where they cannot be seen."""
        if action in _OF_PANES and self.cover is not None:
            return False
        return super().check_action(action, parameters)

    @property
    def main_table(self) -> LineTable | None:
        """The table that is meant by what is asked of a row."""
        screen = self.cover
        return self.frame.pane.main_table if screen is None else next(iter(screen.query(LineTable)), None)

    @property
    def focused_exchange(self) -> str | None:
        """The exchange that the cursor is on; None where it is on none."""
        if self.cover is None:
            return self.frame.pane.focused_exchange
        table = self.main_table
        if table is None or table.cursor_row is None:
            return None
        for column, cell in zip(table.columns, table.cursor_row.cells, strict=True):
            if column.key == "exchange":
                return cell.text if isinstance(cell, Cell) else cell
        return None

    def exported(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """The rows that are shown, as text: a name for them, headings, rows."""
        if self.cover is None:
            pane = self.frame.pane
            return (pane.id or "table", *pane.exported())
        table = self.main_table
        return (_COVER_NAME, *(([], []) if table is None else exported(table.columns, table.rows)))
