"""A table in an app of its own, and rows for it."""

from collections.abc import Iterable

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input

from fundwatch.tui.tables.columns import Column, Row
from fundwatch.tui.tables.table import LineTable

COLUMNS = [
    Column("asset", "asset", 10, tooltip="What the market is [about]"),
    Column("exchange", "exchange", 12),
    Column("apr", "APR %", 10, "right", style=lambda text: "bad" if text.startswith("-") else "good"),
    Column("day", "24h %", 10, "right"),
    Column("week", "7d %", 10, "right"),
    Column("month", "30d %", 10, "right", priority=1),
    Column("interest", "OI $m", 10, "right", priority=2),
    Column("next", "next", 8, sortable=False, priority=3),
]


def row(asset: str, apr: float | None, exchange: str = "lighter", style: str = "") -> Row:
    shown = "-" if apr is None else f"{apr:+.2f}"
    cells = (asset, exchange, shown, "+1.00", "+2.00", "+3.00", "4.0", "12:48")
    return Row(asset, cells, (asset, exchange, apr, 1.0, 2.0, 3.0, 4.0, None), style)


def rows(count: int, start: int = 0) -> list[Row]:
    """A000 with 0 %, A001 with 1 %, ..."""
    return [row(f"A{i:03}", i) for i in range(start, start + count)]


class TableApp(App[None]):
    """One table; what it says is in `heard`."""

    def __init__(self, table: LineTable | None = None) -> None:
        super().__init__()
        self.table = table or LineTable(COLUMNS)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.table
        yield Input()

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        self.heard.append(message)

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        self.heard.append(message)

    def on_line_table_sort_changed(self, message: LineTable.SortChanged) -> None:
        self.heard.append(message)

    @property
    def chosen(self) -> list[object]:
        return [m.key for m in self.heard if isinstance(m, LineTable.RowChosen)]


async def shown(pilot: Pilot[None], table: LineTable, data: Iterable[Row]) -> None:
    table.show(list(data))
    await pilot.pause()


def lines(table: LineTable) -> list[str]:
    """The table as on the screen, heading first, without blanks at the right."""
    height = table.scrollable_content_region.height
    return [table.render_line(y).text.rstrip() for y in range(height)]


def heading(table: LineTable) -> str:
    """The words of the heading line with one blank between them."""
    return " ".join(table.render_line(0).text.split())


def assets(table: LineTable) -> list[str]:
    """First words of the lines in view, without heading and mark."""
    return [line[1:].split()[0] for line in lines(table)[1:] if line.strip()]


def marked(table: LineTable) -> list[str]:
    """The asset on the line that carries the cursor's mark."""
    return [line[1:].split()[0] for line in lines(table)[1:] if line.startswith(">")]
