"""Pane 4: how each exchange is collected, what is missing, and what the collector does right now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.worker import get_current_worker

from fundwatch.answers.status import ExchangeStatus
from fundwatch.storage.errors import StorageError
from fundwatch.tui import tracker_rows
from fundwatch.tui.activity import Activity
from fundwatch.tui.bars import HOLE_MAP_LEGEND, Drawing, Span, fitted, hole_map
from fundwatch.tui.columns import Row
from fundwatch.tui.hole_loader import EVERY_SECONDS, HOURS, Holes, read_holes
from fundwatch.tui.panes.base import Pane, no_match
from fundwatch.tui.run_log import RunLog
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.table import LineTable

if TYPE_CHECKING:
    from fundwatch.tui.app import FundwatchApp


class HolesRead(Message):
    """The holes of the last two days, by exchange."""

    def __init__(self, holes: Holes) -> None:
        self.holes = holes
        super().__init__()


class HoleMaps(Drawing):
    """One line of hours for each exchange."""

    DEFAULT_CSS = "HoleMaps { height: auto; }"

    _exchanges: Sequence[ExchangeStatus] = ()
    _holes: Holes | None = None
    _recorded: frozenset[str] = frozenset()

    def show(self, snapshot: Snapshot) -> None:
        changed = len(self._exchanges) != len(snapshot.status.counted)
        self._exchanges = snapshot.status.counted
        self._recorded = frozenset(
            name for name, row in snapshot.exchanges.items() if tracker_rows.publishes_none(row)
        )
        self.redraw()
        if changed:
            self.refresh(layout=True)

    def show_holes(self, holes: Holes) -> None:
        self._holes = holes
        self.redraw()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(self._exchanges))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        lines = []
        for one in self._exchanges[:height]:
            spans: list[Span] = [(f" {one.exchange:<11} ", "")]
            if self._holes is None:
                spans.append(("reading ...", "muted"))
            else:
                spans += hole_map(self._holes.get(one.exchange, ()), HOURS)
                spans.append((f"  {self._told(one)}", "muted"))
            lines.append(fitted(spans, width))
        return lines

    def _told(self, one: ExchangeStatus) -> str:
        if one.exchange in self._recorded:
            return "recorded only"
        if not one.markets and not one.total_runs:
            return "not collected yet"
        return f"{one.gaps_open:,} gaps" if one.gaps_open else "no gaps"


class TrackerDetail(Drawing):
    """Everything about the tracker under the cursor."""

    DEFAULT_CSS = "TrackerDetail { height: 1fr; }"

    _pane: "TrackersPane | None" = None

    def show(self, pane: "TrackersPane") -> None:
        self._pane = pane
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        pane = self._pane
        if pane is None or pane.snapshot is None or (name := pane.focused_exchange) is None:
            return []
        snapshot = pane.snapshot
        one = next(one for one in snapshot.status.exchanges if one.exchange == name)
        row, runs = snapshot.exchanges.get(name), snapshot.runs.get(name, ())
        lines = tracker_rows.described(one, row, runs, pane.words, snapshot.taken_at, width)
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
            tooltip="Ask the exchange under the cursor nothing, until resumed",
            id="trackers.pause",
        ),
        Binding(
            "l",
            "log",
            "Log",
            tooltip="What the collector does right now, instead of the map of hours",
            id="trackers.log",
        ),
    ]

    def compose(self) -> ComposeResult:
        self._table = LineTable(tracker_rows.COLUMNS, empty="No exchange is enabled.", id="tracker-table")
        yield self._table
        holes = Container(HoleMaps(), id="holes", classes="section")
        holes.border_title = f"Last {HOURS} hours: {HOLE_MAP_LEGEND}"
        yield holes
        detail = Vertical(TrackerDetail(), id="detail", classes="section")
        detail.border_title = "Under the cursor"
        yield detail
        log = Container(RunLog(), id="log", classes="section")
        log.border_title = "What the collector does"
        yield log

    def on_mount(self) -> None:
        self._read_at = float("-inf")
        self._table.show_all_columns(self.show_all_columns)

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        rows = tracker_rows.rows(snapshot)
        self._table.styles.height = len(rows) + 1
        self._table.show(rows)
        self.query_one(HoleMaps).show(snapshot)
        self._show_detail()
        if snapshot.markets and snapshot.taken_at - self._read_at >= EVERY_SECONDS:
            self._read_at = snapshot.taken_at
            self._read_holes(snapshot.taken_at)

    def hear(self, activity: Activity, now: float) -> None:
        self.query_one(RunLog).show(activity, self.words, now)

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

    @property
    def focused_exchange(self) -> str | None:
        key = self._table.cursor_key
        return None if key is None else str(key)

    def action_pause(self) -> None:
        """Pauses the exchange under the cursor, or lets it go on."""
        name = self.focused_exchange
        if name is None or self.snapshot is None:
            return
        one = next(one for one in self.snapshot.status.exchanges if one.exchange == name)
        cast("FundwatchApp", self.app).orders.pause(name, one.health != "paused")

    def action_log(self) -> None:
        self.toggle_class("-log")

    def filter(self, text: str) -> None:
        def matches(row: Row) -> bool:
            return text.casefold() in str(row.key)

        self._table.say(no_match=no_match(text))
        self._table.filter_by(matches if text else None)
