"""What every pane answers to the shell around it, and what it may ask of it."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from fundwatch.tui.frame.activity import Activity
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words

Severity = Literal["information", "warning", "error"]


class AssetChosen(Message):
    """Show everything about one asset; `market_id` is the market that the person was on, if one."""

    def __init__(self, ticker: str, asset_class: str, market_id: int | None = None) -> None:
        self.ticker = ticker
        self.asset_class = asset_class
        self.market_id = market_id
        super().__init__()


class WindowWanted(Message):
    """Rank by another window: now, 24h, 3d, 7d or 30d. The answer is a snapshot with it."""

    def __init__(self, window: str) -> None:
        self.window = window
        super().__init__()


class HoldWanted(Message):
    """Reckon the costs of pairs over another time held. The answer is a snapshot with it."""

    def __init__(self, hold_hours: float) -> None:
        self.hold_hours = hold_hours
        super().__init__()


class Said(Message):
    """One sentence for the person, shown for a few seconds; it is never read as markup."""

    def __init__(self, text: str, severity: Severity = "information") -> None:
        self.text = text
        self.severity = severity
        super().__init__()


class Backdrop(Widget):
    """A widget that shows nothing but its children, without border and padding: Textual draws it behind
    them, so that one line of it stands for all."""

    def render_lines(self, crop: Region) -> list[Strip]:
        return super().render_lines(crop._replace(height=min(1, crop.height))) * crop.height


class PaneSwitcher(Backdrop, ContentSwitcher):
    """Shows one of its panes."""


class Pane(Backdrop):
    """One of the numbered screens.

    The shell sets `words` and then calls `show`, only while the pane is visible or when it just became
    so. Rows are formatted in `show`, from the snapshot alone: nothing in a pane reads the database,
    except in a thread worker of its own. A binding of a pane has an `id` and a `tooltip`, which the
    help shows.
    """

    title: ClassVar[str] = ""
    digit: ClassVar[str] = ""
    """The key that brings the pane up."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; layout: vertical; }"

    words: Words = Words()
    snapshot: Snapshot | None = None
    """What was shown last; a pane's `show` sets it."""
    frozen: bool = False
    """The person wants tables to stand still; the shell then calls `show` only for `live` panes."""
    live: ClassVar[bool] = False
    """Whether `show` is called while frozen too, as health and alerts go on; it must heed `frozen`."""
    all_pairs: ClassVar[bool] = False
    """Whether it shows every pair of markets, which snapshots hold from then on."""
    show_all_columns: bool = False
    """From the configuration: every column within reach of the arrow keys on a narrow screen."""

    @property
    def room(self) -> Size:
        """Its size; while it is hidden and has none, the size that it will have."""
        around = self.parent
        return self.size or (around.size if isinstance(around, Widget) else self.size)

    def show(self, snapshot: Snapshot) -> None:
        """Bring all that is visible up to date; must be cheap."""
        raise NotImplementedError

    def hear(self, activity: Activity, now: float) -> None:
        """What the collector is doing; called each second and whenever it told something, while visible."""

    def filter(self, text: str) -> None:
        """Show only what matches `text`; "" shows everything."""
        if table := self.main_table:
            table.say(no_match=no_match(text))
            table.filter_by(text or None)

    @property
    def main_table(self) -> LineTable | None:
        """The table that filter, sort, copy and export mean: the focused one, else the first."""
        tables = list(self.query(LineTable))
        return next((table for table in tables if table.has_focus), tables[0] if tables else None)

    @property
    def matches(self) -> tuple[int, int]:
        """Rows that pass the filter, and all rows."""
        table = self.main_table
        return (0, 0) if table is None else (table.row_count, table.total_count)

    def exported(self) -> tuple[list[str], list[list[str]]]:
        """Headings and the rows that pass the filter, as text, for the clipboard and a file."""
        table = self.main_table
        return ([], []) if table is None else exported(table.columns, table.rows)

    def focus_first(self) -> None:
        """Put the focus where the keys of this pane work."""
        if table := self.main_table:
            table.focus()

    @property
    def focused_exchange(self) -> str | None:
        """The exchange that the cursor is on, for refresh and pause; None where it is on none."""
        return None


def no_match(text: str) -> str:
    """What stands in for the rows that a filter hides."""
    return f"Nothing matches '{text}'. Escape clears."


def exported(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table as plain text."""
    texts = [[cell.text if isinstance(cell, Cell) else cell for cell in row.cells] for row in rows]
    return [column.heading for column in columns], texts
