"""Pane 2: every market with what it pays now and what it paid, or a map of all exchanges."""

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.storage.errors import StorageError
from fundwatch.tui.charts.history import History, history_of
from fundwatch.tui.choices import exchanges_of
from fundwatch.tui.panes.base import AssetChosen, Said
from fundwatch.tui.panes.markets import MarketPane
from fundwatch.tui.rows import heat_rows, marks, rate_rows
from fundwatch.tui.rows.cursor_lines import asset_line, market_line
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.state import Asset, Sort, StateFile
from fundwatch.tui.tables.caption import Caption, Item
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.legend import Legend
from fundwatch.tui.tables.market_table import MarketTable
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words

_RATES = ("now", *WINDOWS)

Token = tuple[int, float | None, float | None, int]
"""What a sparkline shows: the window's end, the APR and coverage that its payments made, its characters."""


class RatesPane(MarketPane):
    """Two tables of which one is shown; the cursor stays with its asset from one to the other."""

    title = "Rates"
    digit = "2"
    NOTHING = "Reading the markets ..."
    SORTS: ClassVar[Mapping[str, Sort]] = {"rates": Sort("now", True), "heat": Sort("range", True)}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "g", "heat_map", "Map", tooltip="All exchanges side by side, or every market", id="rates.map"
        ),
        *MarketPane.BINDINGS,
    ]

    class SparksRead(Message):
        """Sparklines by market id with what they show; `failed` says why there are none."""

        def __init__(self, sparks: Mapping[int, tuple[Token, str]], failed: str = "") -> None:
            self.sparks = sparks
            self.failed = failed
            super().__init__()

    def __init__(
        self, *, history: History | None = None, state: StateFile | None = None, id: str | None = None
    ) -> None:
        """Without a `history` of its own the pane shows that of the app's database."""
        super().__init__(state=state, id=id)
        self._history = history
        self._rows = rate_rows.RateRows()
        self._map = heat_rows.HeatRows()
        self._sparks: dict[int, tuple[Token, str]] = {}
        self._failed = ""
        self._reading = False
        self._heading: object = None
        self._window = "now"
        self._width = 0

    def compose(self) -> ComposeResult:
        yield Caption(id="choices")
        self._list = MarketTable(rate_rows.columns(Words()), fixed=2, empty=self.NOTHING, name="rates")
        self._heat = MarketTable(heat_rows.columns([], Words(), "now"), empty=self.NOTHING, name="heat")
        yield self._list
        yield self._heat
        yield Caption(id="cursor-line")
        yield Legend()

    def on_mount(self) -> None:
        self._history = self._history or history_of(self.app)
        self.restore_sort(self._list)
        self._switch()

    @property
    def heat_map(self) -> bool:
        return self.state_file.state.heat_map

    @property
    def main_table(self) -> LineTable | None:
        return self._heat if self.heat_map else self._list

    @property
    def focused_exchange(self) -> str | None:
        market = None if self.heat_map else self._rows.market(self._list.cursor_key)
        return None if market is None else market.exchange

    def update(self) -> None:
        if self.snapshot is None:
            return
        self._width = self.room.width
        if self.heat_map:
            self._show_heat(self.snapshot)
        else:
            self._show_list(self.snapshot)

    def _show_list(self, snapshot: Snapshot) -> None:
        self._rows.take(snapshot, self.words, self.room.width)
        columns = rate_rows.columns(self.words, self.room.width)
        width = rate_rows.spark_width(self.room.width)
        sparks = {key: spark for key, (token, spark) in self._sparks.items() if token[-1] == width}
        rows = self._rows.rows(self.starred, sparks)
        if self._list.columns == tuple(columns):
            self._list.show(rows)
        else:
            self._list.set_columns(columns, rows)
        self._follow_window(snapshot.question.window)
        self.tell()
        self._want_sparks()

    def _follow_window(self, window: str) -> None:
        """Sort by the window that is looked at, where the sort was by a rate."""
        if window != self._window:
            self._window = window
            if self._list.sorted_by in _RATES:
                self._list.sort_by(window, self._list.descending)

    def _show_heat(self, snapshot: Snapshot) -> None:
        exchanges, window = exchanges_of(snapshot), snapshot.question.window
        rows = self._map.rows(snapshot, exchanges, self.words, self.starred, self.room.width)
        heading = (exchanges, self.words, window, self.room.width)
        if self._heading == heading:
            self._heat.show(rows)
        else:
            self._heading = heading
            self._heat.set_columns(heat_rows.columns(*heading), rows)
            if self._heat.sorted_by is None:
                self.restore_sort(self._heat)
        self.tell()

    def takes(self, row: Row) -> bool:
        if (market := self._rows.market(row.key)) is not None:
            return self.choice.takes(self._rows.searched(row.key), market.asset_class, (market.exchange,))
        asset = self.asset_of(row)
        markets = self._map.markets(asset) if asset else ()
        searched = "\n".join((*(asset or ()), *(market.symbol for market in markets))).casefold()
        return self.choice.takes(searched, asset[1] if asset else "", {market.exchange for market in markets})

    def asset_of(self, row: Row) -> Asset | None:
        if isinstance(row.key, tuple):
            return row.key[0], row.key[1]
        market = self._rows.market(row.key)
        return None if market is None else (market.ticker, market.asset_class)

    def about(self, row: Row) -> list[Item]:
        snapshot = self.snapshot
        if snapshot is None:
            return []
        if (market := self._rows.market(row.key)) is not None:
            trust, exchange = snapshot.trust.get(market.market_id), snapshot.exchanges.get(market.exchange)
            return market_line(market, trust, exchange, self.words, snapshot.taken_at)
        asset = self.asset_of(row)
        return [] if asset is None else asset_line(*asset, self._map.places(asset), snapshot)

    def legend(self) -> list[Item]:
        return heat_rows.legend() if self.heat_map else marks.legend()

    @property
    def legend_shown(self) -> bool:
        """The map does not explain itself."""
        return super().legend_shown or (self.heat_map and self.state_file.state.legend is None)

    def caption(self) -> list[Item]:
        shown = "every exchange" if self.heat_map else "every market"
        count, of = self.matches
        what = "assets" if self.heat_map else "markets"
        found = [(f"{count:,}" if count == of else f"{count:,} of {of:,}", ""), (f" {what}", "muted")]
        return [[("g", "accent"), (" shows ", "muted"), (shown, "")], found if of else [], *super().caption()]

    def action_heat_map(self) -> None:
        table = self._heat if self.heat_map else self._list
        row = table.cursor_row if table.cursor_was_put else None
        asset = None if row is None else self.asset_of(row)
        self.keep(heat_map=not self.heat_map)
        self.update()
        self._switch()
        if asset is not None:
            self._put_cursor(asset)

    def _switch(self) -> None:
        had_focus = self._list.has_focus or self._heat.has_focus
        self._list.display, self._heat.display = not self.heat_map, self.heat_map
        if had_focus:
            self.screen.set_focus(self.main_table)  # at once: the next key may be there already
        if self.snapshot is not None:
            self.tell()

    def _put_cursor(self, asset: Asset) -> None:
        """On the asset in the table shown now; a cursor on one of its markets already stays there."""
        if self.heat_map:
            self._heat.move_cursor(asset)
        elif (row := self._list.cursor_row) is None or self.asset_of(row) != asset:
            first = next((row for row in self._list.rows if self.asset_of(row) == asset), None)
            if first is not None:
                self._list.move_cursor(first.key)

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        row = message.table.cursor_row
        asset = None if row is None else self.asset_of(row)
        if asset is not None:
            market_id = message.key if isinstance(message.key, int) else None
            self.post_message(AssetChosen(*asset, market_id))

    # Sparklines, read for the rows in view only

    def on_market_table_view_moved(self, message: MarketTable.ViewMoved) -> None:
        message.stop()
        self._want_sparks()

    def on_resize(self) -> None:
        """Also called whenever the pane comes up, mostly with the width that it had."""
        if self.room.width != self._width:
            self.update()

    def _want_sparks(self) -> None:
        if self._reading or self.heat_map or self._history is None or self.snapshot is None:
            return
        if "spark" in self._list.hidden_columns:
            return
        end, width = window_end(self.snapshot.taken_at), rate_rows.spark_width(self.room.width)
        wanted: dict[int, Token] = {}
        for row in self._list.in_view:
            if (market := self._rows.market(row.key)) is not None:
                token = (end, market.apr_7d, market.coverage_7d, width)
                if self._sparks.get(market.market_id, (None,))[0] != token:
                    wanted[market.market_id] = token
        if wanted:
            self._reading = True
            self._read_sparks(self._history, wanted, end, width)

    @work(thread=True, group="sparks")
    def _read_sparks(self, history: History, wanted: Mapping[int, Token], end: int, width: int) -> None:
        try:
            weeks = history.weeks(wanted, end, width)
        except StorageError as error:
            self.post_message(self.SparksRead({}, str(error)))
        else:
            self.post_message(self.SparksRead({key: (token, weeks[key]) for key, token in wanted.items()}))

    def on_rates_pane_sparks_read(self, message: SparksRead) -> None:
        message.stop()
        self._reading = False
        self._sparks.update(message.sparks)
        if message.failed:
            if message.failed != self._failed:
                self.post_message(Said(f"No sparklines: {message.failed}", "warning"))
            self._failed = message.failed
        else:
            self._failed = ""
            self._list.amend("spark", {key: spark for key, (_, spark) in message.sparks.items()})
            self._want_sparks()
