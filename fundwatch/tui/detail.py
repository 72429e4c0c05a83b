"""Everything about one asset: its market on each exchange, what each paid, what comes next."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen

from fundwatch.analytics.windows import window_end
from fundwatch.config import Config
from fundwatch.models import HOUR, Window
from fundwatch.storage.errors import StorageError
from fundwatch.tui.charts.chart import MEANS, RANGES, Chart
from fundwatch.tui.charts.history import History
from fundwatch.tui.charts.plotting import Series, means
from fundwatch.tui.frame.key_line import KeyLine
from fundwatch.tui.panes.base import AssetChosen
from fundwatch.tui.panes.markets import TALL
from fundwatch.tui.rows import detail_rows
from fundwatch.tui.rows.cursor_lines import market_line
from fundwatch.tui.rows.detail_rows import Statistics
from fundwatch.tui.rows.ledger import Ledger, Page
from fundwatch.tui.rows.rate_rows import difference_words
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.state import state_of
from fundwatch.tui.tables.caption import Caption
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words

USUAL_RANGE = "7d"
READING = "Reading what was paid ..."
NOTHING = "No payment is stored for this range yet."


@runtime_checkable
class Frame(Protocol):
    """What the app is to this screen: the newest snapshot and the person's words."""

    snapshot: Snapshot | None
    words: Words


def _in_unit(series: Series, words: Words) -> Series:
    return series._replace(points=[(time, words.value(apr)) for time, apr in series.points])


class LegTable(LineTable):
    """A line table whose Enter means the chart."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "choose", "Alone", tooltip="Draw this market alone, or all again", id="table.choose"
        ),
    ]


class AssetScreen(Screen[None]):
    """Stands on the snapshot it was opened with, and follows those of the app while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Back", tooltip="Back to where you came from", id="asset.close"),
        Binding("left_square_bracket", "range(-1)", "Shorter", tooltip="A shorter range", id="asset.shorter"),
        Binding("right_square_bracket", "range(1)", "Longer", tooltip="A longer range", id="asset.longer"),
        Binding(
            "u", "words('unit')", "Unit", tooltip="APR, per payment, per 8 h, or dollars", id="asset.unit"
        ),
        Binding(
            "t", "words('local_time')", "Zone", show=False, tooltip="Times in UTC or local", id="asset.zone"
        ),
    ]
    DEFAULT_CSS = """
    AssetScreen {
        #asset-title { background: $panel; }
        LineTable { height: 8; background: $background; }
        #apart { display: none; }
        #lower { height: 1fr; }
        Chart { width: 1fr; }
        &.-tall #cursor-line { height: 2; }
    }
    AssetScreen.-wide Ledger, AssetScreen.-huge Ledger { width: 58; }
    """

    class PaidRead(Message):
        """What the markets paid in a range; `failed` says why that is not known."""

        def __init__(
            self,
            asked: tuple[str, Window],
            figures: Mapping[int, Statistics],
            lines: Mapping[int, Series],
            failed: str = "",
        ) -> None:
            self.asked = asked
            self.figures = figures
            self.lines = lines
            self.failed = failed
            super().__init__()

    def __init__(
        self,
        database: Path,
        world: str,
        config: Config,
        chosen: AssetChosen,
        snapshot: Snapshot | None,
        words: Words,
    ) -> None:
        super().__init__()
        self._history = History(database, world)
        self._every_column = config.display.columns == "all"
        self._chosen = chosen
        self._snapshot = snapshot
        self._words = words
        self._asset = detail_rows.Asset()
        self._hues: Mapping[str, int] = {}
        self._range = USUAL_RANGE
        self._figures: Mapping[int, Statistics] = {}
        self._lines: Mapping[int, Series] = {}
        self._window = Window(0, 0)
        self._drawn_range = USUAL_RANGE
        self._empty = READING
        self._alone: int | None = None
        self._asked: tuple[str, Window] | None = None
        self._headings: object = None
        self._token: object = None

    def compose(self) -> ComposeResult:
        yield Caption(id="asset-title")
        yield LegTable(detail_rows.columns(self._words, self._range), empty="No market of this name is left.")
        yield Caption(id="apart")
        yield Caption(id="cursor-line")
        with Horizontal(id="lower"):
            yield Chart()
            yield Ledger()
        yield KeyLine()

    def on_mount(self) -> None:
        table = self.query_one(LineTable)
        table.show_all_columns(self._every_column)
        table.sort_by("exchange")
        table.focus()
        self._draw()
        if self._snapshot is not None:
            self.show(self._snapshot)
            if self._chosen.market_id is not None:
                table.move_cursor(self._chosen.market_id)
        self.set_interval(1.0, self._follow)

    def show(self, snapshot: Snapshot) -> None:
        """Bring it up to date."""
        self._snapshot = snapshot
        chosen = self._chosen
        self._hues = {name: at for at, name in enumerate(snapshot.exchanges)}
        self._asset = detail_rows.asset(snapshot, chosen.ticker, chosen.asset_class, chosen.market_id)
        self._update()
        self._read()

    def _follow(self) -> None:
        """What the app knows by now."""
        if not isinstance(self.app, Frame):
            return
        changed = self.app.words != self._words
        self._words = self.app.words
        if changed:
            self._draw()
        if self.app.snapshot is not None and self.app.snapshot is not self._snapshot:
            self.show(self.app.snapshot)
        elif changed:
            self._update()

    def _update(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        table = self.query_one(LineTable)
        rows = detail_rows.rows(self._asset, snapshot, self._words, self._figures)
        if self._headings == (self._words, self._range):
            table.show(rows)
        else:
            self._headings = (self._words, self._range)
            table.set_columns(detail_rows.columns(self._words, self._range), rows)
        table.styles.height = 1 + max(1, min(len(rows), self.size.height // 3))
        apart = detail_rows.set_aside(self._asset, self._words)
        self.query_one("#apart", Caption).show_items(apart)
        self.query_one("#apart").display = bool(apart)
        payments = detail_rows.payments(self._asset, snapshot)
        gaps = detail_rows.gaps(self._asset, snapshot, self._figures)
        self.query_one(Ledger).show(Page(payments, gaps, self._words, self._range, snapshot.taken_at))
        self._tell()

    def _tell(self) -> None:
        snapshot, name = self._snapshot, (self._chosen.ticker, self._chosen.asset_class)
        starred = name in state_of(self.app).state.starred
        title = detail_rows.title(name, self._asset, self._words, tuple(RANGES), self._range, starred=starred)
        self.query_one("#asset-title", Caption).show_items(title)
        key = self.query_one(LineTable).cursor_key
        market = next((m for m in self._asset.markets if m.market_id == key), None)
        if market is None or snapshot is None:
            self.query_one("#cursor-line", Caption).show()
        else:
            trust, exchange = snapshot.trust.get(market.market_id), snapshot.exchanges.get(market.exchange)
            about = market_line(market, trust, exchange, self._words, snapshot.taken_at)
            self.query_one("#cursor-line", Caption).show_items(about)

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._tell()

    def on_resize(self) -> None:
        self.set_class(self.size.height >= TALL, "-tall")
        self._update()

    # What was paid

    def _read(self) -> None:
        if self._snapshot is None:
            return
        end = window_end(self._snapshot.taken_at)
        window = Window(end - RANGES[self._range] * HOUR, end)
        shown = tuple(
            (m.market_id, m.apr_24h, m.coverage_24h, m.apr_30d, m.coverage_30d) for m in self._asset.markets
        )
        # Of what is older than 30 days the figures of a market tell nothing.
        stored = self._snapshot.fingerprint if RANGES[self._range] > 30 * 24 else ()
        if (self._range, window, shown, stored) == self._token:
            return  # nothing was paid since
        self._token = (self._range, window, shown, stored)
        self._asked = (self._range, window)
        self._read_paid(self._asked, self._asset)

    @work(thread=True, group="paid", exclusive=True)
    def _read_paid(self, asked: tuple[str, Window], found: detail_rows.Asset) -> None:
        window = asked[1]
        try:
            paid = self._history.settlements([market.market_id for market in found.markets], window)
        except StorageError as error:
            self.post_message(self.PaidRead(asked, {}, {}, str(error)))
            return
        figures = {
            market.market_id: detail_rows.statistics(paid.get(market.market_id, ()), window)
            for market in found.markets
        }
        lines = {
            m.market_id: detail_rows.series(m, paid.get(m.market_id, ()), self._hues.get(m.exchange))
            for m in found.markets
        }
        self.post_message(self.PaidRead(asked, figures, lines))

    def on_asset_screen_paid_read(self, message: PaidRead) -> None:
        message.stop()
        if message.asked != self._asked:
            return  # another range was asked for since
        self._figures, self._lines = message.figures, message.lines
        self._drawn_range, self._window = message.asked
        self._empty = message.failed or NOTHING
        if message.failed:
            self._token = None  # the next snapshot tries again
        self._draw()
        self._update()

    def _draw(self) -> None:
        """The chart: the market that stands for each exchange, or one alone."""
        shown = (
            [self._alone] if self._alone is not None else [m.market_id for m in self._asset.places.values()]
        )
        words = difference_words(self._words)
        lines = [_in_unit(self._lines[market_id], words) for market_id in shown if market_id in self._lines]
        hours = MEANS.get(self._drawn_range, 1) if len(lines) > 1 else 1
        if hours > 1:
            lines = [means(line, hours * HOUR) for line in lines]
        heading = f"{words.heading} by the hour" if hours == 1 else f"{words.heading}, means of {hours} h"
        self.query_one(Chart).show(lines, self._window, heading, self._empty, words.decimals)

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        if isinstance(message.key, int):
            self._alone = None if message.key == self._alone else message.key
            self._draw()

    # Keys

    def action_range(self, step: int) -> None:
        names = list(RANGES)
        at = names.index(self._range) + step
        if 0 <= at < len(names):
            self._range = names[at]
            self._figures = {}
            self._update()
            self._read()

    async def action_words(self, what: str) -> None:
        """The app keeps the words; this screen shows them at once."""
        await self.run_action(f"app.{what}")
        self._follow()

    def action_close(self) -> None:
        self.dismiss()
