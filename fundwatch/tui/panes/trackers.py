"""Pane 4: how each exchange is collected, what is missing, and what the collector does right now."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.worker import get_current_worker

from fundwatch.answers.status import ExchangeStatus
from fundwatch.storage.errors import StorageError
from fundwatch.tui.charts.bars import HOLE_MAP_GLYPHS, STYLES, Drawing, Span, legend
from fundwatch.tui.charts.hole_loader import EAGER_SECONDS, EVERY_SECONDS, Holes, read_holes
from fundwatch.tui.charts.hole_maps import HoleMaps
from fundwatch.tui.frame.activity import Activity
from fundwatch.tui.frame.run_log import RunLog
from fundwatch.tui.frame.status_line import HEALTH_STYLES, health_word
from fundwatch.tui.panes.base import Pane, no_match
from fundwatch.tui.rows import tracker_rows
from fundwatch.tui.rows.run_words import counted
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.table import LineTable

if TYPE_CHECKING:
    from fundwatch.tui.app import FundwatchApp


_FOR_DETAIL = 3
"""Lines that the tracker under the cursor needs; with fewer the map of hours gives it its room."""


class HolesRead(Message):
    """What is stored of the last days."""

    def __init__(self, holes: Holes) -> None:
        self.holes = holes
        super().__init__()


class TrackerDetail(Drawing):
    """Everything about the tracker under the cursor."""

    DEFAULT_CSS = "TrackerDetail { height: 1fr; }"

    class Drawn(Message):
        """How many lines there was no room for."""

        def __init__(self, left_out: int) -> None:
            self.left_out = left_out
            super().__init__()

    _pane: "TrackersPane | None" = None

    def show(self, pane: "TrackersPane") -> None:
        self._pane = pane
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        pane = self._pane
        if pane is None or pane.snapshot is None or (one := pane.focused_tracker) is None:
            return []
        snapshot = pane.snapshot
        row, runs = snapshot.exchanges.get(one.exchange), snapshot.runs.get(one.exchange, ())
        lines = tracker_rows.described(one, row, runs, pane.words, snapshot.taken_at, width)
        self.post_message(self.Drawn(max(0, len(lines) - height)))
        return lines[:height]


class TrackersPane(Pane):
    title = "Trackers"
    digit = "4"
    live = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "p",
            "pause",
            "Pause",
            tooltip="Ask this exchange nothing, or go on with it",
            id="trackers.pause",
        ),
        Binding(
            "l",
            "log",
            "Log",
            tooltip="The log of runs instead of the map of hours",
            id="trackers.log",
        ),
    ]

    def compose(self) -> ComposeResult:
        self._table = LineTable(tracker_rows.COLUMNS, empty="No exchange is enabled.", id="tracker-table")
        yield self._table
        holes = Container(HoleMaps(), id="holes", classes="section")
        holes.border_title = f"Payments stored: {legend(HOLE_MAP_GLYPHS)}"
        yield holes
        detail = Vertical(TrackerDetail(), id="detail", classes="section")
        yield detail
        log = Container(RunLog(), id="log", classes="section")
        log.border_title = "What the collector does"
        yield log

    def on_resize(self) -> None:
        self._share_out()

    def _share_out(self) -> None:
        """Table and map have a line for each exchange besides one and two of their own."""
        exchanges = self._table.total_count
        self.set_class(self.room.height < 2 * exchanges + 3 + _FOR_DETAIL, "-flat")

    def on_mount(self) -> None:
        self._read_at = float("-inf")
        self._read_of: object = None
        self._left_out = 0
        self._table.show_all_columns(self.show_all_columns)

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        rows = tracker_rows.rows(snapshot)
        self._table.styles.height = len(rows) + 1
        self._table.show(rows)
        self._share_out()
        app = cast("FundwatchApp", self.app)
        self.query_one(HoleMaps).show(snapshot, self.words, app.config.collector.history_days)
        self._show_detail()
        wait = EVERY_SECONDS if snapshot.fingerprint == self._read_of else EAGER_SECONDS
        if snapshot.markets and snapshot.taken_at - self._read_at >= wait:
            self._read_at, self._read_of = snapshot.taken_at, snapshot.fingerprint
            self._read_holes(snapshot.taken_at)

    def hear(self, activity: Activity, now: float) -> None:
        runs = {} if self.snapshot is None else self.snapshot.runs
        self.query_one(RunLog).show(activity, runs, self.words, now)

    @work(thread=True, exclusive=True, group="holes", exit_on_error=False)
    def _read_holes(self, now: float) -> None:
        app = cast("FundwatchApp", self.app)
        try:
            holes = read_holes(app.database, app.world, now)
        except StorageError:  # the banner tells of a database that cannot be read
            return
        if not get_current_worker().is_cancelled:
            self.post_message(HolesRead(holes))

    def on_holes_read(self, message: HolesRead) -> None:
        message.stop()
        self.query_one(HoleMaps).show_holes(message.holes)

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._show_detail()

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        """All the room for the tracker under the cursor, or back to map and log."""
        message.stop()
        self.toggle_class("-full")

    def _show_detail(self) -> None:
        self.query_one(TrackerDetail).show(self)
        self._entitle()

    def on_tracker_detail_drawn(self, message: TrackerDetail.Drawn) -> None:
        message.stop()
        if message.left_out != self._left_out:
            self._left_out = message.left_out
            self._entitle()

    def _entitle(self) -> None:
        """The name above the detail, and how to read what it leaves out."""
        one = self.focused_tracker
        if one is None:
            self.query_one("#detail").border_title = None
            return
        more = f"  {counted(self._left_out, 'line')} more: Enter" if self._left_out else ""
        style = STYLES[HEALTH_STYLES.get(one.health, "warn")]
        self.query_one("#detail").border_title = Content.assemble(
            one.exchange, "  ", (health_word(one), style), (more, "$text-muted")
        )

    @property
    def focused_exchange(self) -> str | None:
        key = self._table.cursor_key
        return None if key is None else str(key)

    @property
    def focused_tracker(self) -> ExchangeStatus | None:
        """What is known of the exchange under the cursor."""
        name = self.focused_exchange
        known = () if self.snapshot is None else self.snapshot.status.exchanges
        return next((one for one in known if one.exchange == name), None)

    def action_pause(self) -> None:
        """Pauses the exchange under the cursor, or lets it go on."""
        if (one := self.focused_tracker) is not None:
            cast("FundwatchApp", self.app).orders.pause(one.exchange, one.health != "paused")

    def action_log(self) -> None:
        self.toggle_class("-log")

    def filter(self, text: str) -> None:
        def matches(row: Row) -> bool:
            return text.casefold() in str(row.key)

        self._table.say(no_match=no_match(text))
        self._table.filter_by(matches if text else None)
