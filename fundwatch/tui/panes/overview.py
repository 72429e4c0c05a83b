"""Pane 1: how the trackers are, who pays most, which pairs earn most, what happened."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from fundwatch.analytics.windows import window_end
from fundwatch.answers.memo import Memo
from fundwatch.storage.errors import StorageError
from fundwatch.tui.charts.history import History, history_of
from fundwatch.tui.charts.week_sparks import Token, WeekSparks, read_weeks
from fundwatch.tui.frame.activity import Activity
from fundwatch.tui.frame.tracker_strip import TrackerStrip
from fundwatch.tui.panes.base import AssetChosen, Pane, Said, no_match
from fundwatch.tui.rows import overview_rows, spread_rows
from fundwatch.tui.rows.event_list import NOBODY, EventList, Happening, happenings
from fundwatch.tui.rows.market_names import names
from fundwatch.tui.rows.spread_rows import Key, Legs
from fundwatch.tui.snapshot import FIRST_PAIRS, Question, Snapshot
from fundwatch.tui.tables.market_table import MarketTable
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words, plain

if TYPE_CHECKING:
    from fundwatch.storage.queries import MarketRow

READING = "Reading the database ..."
NO_PAIR = "No asset has a rate on two exchanges yet."
AMONG = f"Here are the best {FIRST_PAIRS}; Arbitrage has all pairs."


class OverviewPane(Pane):
    title = "Overview"
    digit = "1"
    live = True
    BINDINGS: ClassVar[list[BindingType]] = []

    class SparksRead(Message):
        """Sparklines by market id with what they show; `failed` says why there are none."""

        def __init__(self, sparks: Mapping[int, tuple[Token, str]], failed: str = "") -> None:
            self.sparks = sparks
            self.failed = failed
            super().__init__()

    def compose(self) -> ComposeResult:
        usual = Question()
        words = Words()
        self._top = MarketTable(overview_rows.top_columns(words, usual.window), empty=READING, id="top-table")
        self._pairs = MarketTable(
            overview_rows.pair_columns(words, usual.window, usual.hold_hours), empty=READING, id="pair-table"
        )
        with Container(id="side"):
            yield _section(TrackerStrip(), "trackers", "Trackers")
            yield _section(EventList(), "events", "Newest events")
        yield _section(self._top, "top", "Highest APR")
        yield _section(self._pairs, "pairs", "Best spreads")

    def on_mount(self) -> None:
        self._history = history_of(self.app)
        self._headings: tuple[Words, Question] | None = None
        self._needle = ""
        self._matches = (0, 0)
        self._found: dict[Key, Legs] = {}
        self._markets: dict[int, MarketRow] = {}
        self._memo = Memo()
        self._sparks = WeekSparks()
        self._reading = False
        self._failed = ""
        for table in (self._top, self._pairs):
            table.show_all_columns(self.show_all_columns)
            table.rank_by(spread_rows.untrusted_last)

    def show(self, snapshot: Snapshot) -> None:
        self.query_one(TrackerStrip).show(snapshot)
        self._tell_events(happenings(snapshot), snapshot)
        if self.frozen and self._headings is not None:
            return
        self.snapshot = snapshot
        self._set_headings(snapshot.question)
        self._show_top(snapshot)
        self._show_pairs(snapshot)

    def hear(self, activity: Activity, now: float) -> None:
        self.query_one(TrackerStrip).tick(now)

    def _tell_events(self, found: list[Happening], snapshot: Snapshot) -> None:
        """All that there is room for, or the newest one in a title."""
        self.query_one(EventList).show(found, self.words, snapshot.taken_at)
        title = "Trackers"
        newest = next((one for one in found if not one.goes_on), None)  # the banner has what goes on
        if newest is not None and not self.query_one("#events").display:
            when = self.words.when(newest.time, snapshot.taken_at)
            title = f"Trackers; newest event {when}, {newest.exchange or NOBODY}: {newest.text}"
        self.query_one("#trackers").border_title = plain(title)

    def _set_headings(self, question: Question) -> None:
        if self._headings == (self.words, question):
            return
        self._headings = self.words, question
        self._top.set_columns(overview_rows.top_columns(self.words, question.window))
        self._pairs.set_columns(overview_rows.pair_columns(self.words, question.window, question.hold_hours))
        self._top.sort_by(question.window, descending=True)
        self._pairs.sort_by("net", descending=True)

    def _show_top(self, snapshot: Snapshot) -> None:
        markets, words, needle = snapshot.markets, self.words, self._needle
        chosen, known = self._memo.keep(
            "highest",
            (markets, snapshot.trust, snapshot.question.window, words, needle),
            lambda: overview_rows.highest(snapshot, words, needle),
        )
        called = self._memo.keep("names", markets, lambda: names(markets, overview_rows.NAME_WIDTH))
        self._markets = {market.market_id: market for market in chosen}
        self._matches = len(chosen), known
        self._top.say(empty=no_match(self._needle) if self._needle else _why_nothing(snapshot))
        self._top.show(
            [
                overview_rows.top_row(market, snapshot, words, called, self._sparks.of(market.market_id))
                for market in chosen
            ]
        )
        of = f", {len(chosen)} of {known:,}" if known > len(chosen) else f", {known:,}" if known else ""
        self.query_one("#top").border_title = f"Highest {self.words.heading}, {snapshot.question.window}{of}"
        self._want_sparks()

    def _show_pairs(self, snapshot: Snapshot) -> None:
        question = snapshot.question
        self._found = spread_rows.pairs(snapshot, self._memo, FIRST_PAIRS)
        self._pairs.say(empty=NO_PAIR if snapshot.markets else "")
        self._pairs.show(overview_rows.pair_rows(self._found, snapshot, self.words))
        held = spread_rows.held(question.hold_hours)
        self.query_one(
            "#pairs"
        ).border_title = f"Best spreads, {question.window}, net of costs when held {held}"

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        if message.table is self._pairs:
            if (legs := self._found.get(message.key)) is not None:  # type: ignore[call-overload]
                self.post_message(AssetChosen(legs.spread.asset, legs.spread.asset_class))
        elif (market := self._market(message.key)) is not None:
            self.post_message(AssetChosen(market.ticker, market.asset_class, market.market_id))

    def filter(self, text: str) -> None:
        """The rates are searched among all markets, not only among those that the overview has."""
        self._needle = text
        self._pairs.say(
            no_match=f"{no_match(text)} {AMONG}" if len(self._found) == FIRST_PAIRS else no_match(text)
        )
        self._pairs.filter_by(text or None)
        if self.snapshot is not None:
            self._show_top(self.snapshot)

    @property
    def matches(self) -> tuple[int, int]:
        return super().matches if self._pairs.has_focus else self._matches

    @property
    def focused_exchange(self) -> str | None:
        market = self._market(self._top.cursor_key) if self._top.has_focus else None
        return None if market is None else market.exchange

    def _market(self, key: object) -> "MarketRow | None":
        return self._markets.get(key) if isinstance(key, int) else None

    # Sparklines, read for the rows in view only

    def on_market_table_view_moved(self, message: MarketTable.ViewMoved) -> None:
        message.stop()
        self._want_sparks()

    def _want_sparks(self) -> None:
        if self._reading or self._history is None or self.snapshot is None:
            return
        if "spark" in self._top.hidden_columns:
            return
        end = window_end(self.snapshot.taken_at)
        in_view = (self._market(row.key) for row in self._top.in_view)
        wanted = self._sparks.missing((market for market in in_view if market is not None), end)
        if wanted:
            self._reading = True
            self._read_sparks(self._history, wanted, end)

    @work(thread=True, group="sparks")
    def _read_sparks(self, history: History, wanted: Mapping[int, Token], end: int) -> None:
        try:
            self.post_message(self.SparksRead(read_weeks(history, wanted, end)))
        except StorageError as error:
            self.post_message(self.SparksRead({}, str(error)))

    def on_overview_pane_sparks_read(self, message: SparksRead) -> None:
        message.stop()
        self._reading = False
        self._sparks.take(message.sparks)
        if message.failed and message.failed != self._failed:
            self.post_message(Said(f"No sparklines: {message.failed}", "warning"))
        self._failed = message.failed
        if self.snapshot is not None and not message.failed:
            self._show_top(self.snapshot)


def _section(widget: Widget, id: str, title: str) -> Container:
    section = Container(widget, id=id, classes="section")
    section.border_title = title
    return section


def _why_nothing(snapshot: Snapshot) -> str:
    status = snapshot.status
    if not any(market.observed_at is not None for market in snapshot.markets):
        done = sum(one.total_runs > 0 and one.status != "running" for one in status.counted)
        if status.collector.running:
            return f"Nothing collected yet: first sweep running, {done} of {len(status.counted)} exchanges."
        return "Nothing collected yet, and no collector runs."
    return f"No market has a rate for the window {snapshot.question.window} yet. [ and ] choose another."
