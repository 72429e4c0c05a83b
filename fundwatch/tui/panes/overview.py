"""Pane 1: how the trackers are, who pays most, which pairs earn most, what happened."""

import heapq
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from fundwatch.analytics.windows import RANKED_COVERAGE
from fundwatch.answers.spreads import Spread
from fundwatch.answers.trust import Trust
from fundwatch.models import apr_percent
from fundwatch.storage.queries import ExchangeRow, MarketRow
from fundwatch.tui.columns import Cell, Column, Row
from fundwatch.tui.event_list import EventList, worth_telling
from fundwatch.tui.panes.base import AssetChosen, Pane, no_match
from fundwatch.tui.rate_rows import bracketed, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.sparks import spark
from fundwatch.tui.table import LineTable
from fundwatch.tui.tracker_strip import TrackerStrip
from fundwatch.tui.words import Words, countdown, dollars, interval, percent, share

TOP = 100
"""How many of the highest rates the overview has; pane 2 has all."""

WINDOWS = ("now", "24h", "3d", "7d", "30d")
_RATE_WIDTH, _PAIR_WIDTH = 10, 9
"""Cells of a rate in the two tables."""

NOTHING_YET = "Nothing collected yet: the first sweep is running."


class OverviewPane(Pane):
    title = "Overview"
    digit = "1"
    live = True
    BINDINGS: ClassVar[list[BindingType]] = []

    def compose(self) -> ComposeResult:
        with Container(id="side"):
            yield _section(TrackerStrip(), "trackers", "Trackers")
            yield _section(EventList(), "events", "Newest events")
        self._top = LineTable(_top_columns(Words(), "now"), empty=NOTHING_YET, id="top-table")
        self._pairs = LineTable(_pair_columns("now"), empty="No pair on two exchanges yet.", id="pair-table")
        yield _section(self._top, "top", "Highest APR")
        yield _section(self._pairs, "pairs", "Best spreads")

    def on_mount(self) -> None:
        self._headings: tuple[Words, str] | None = None
        self._needle = ""
        self._matches = (0, 0)
        self._pair_assets: dict[str, tuple[str, str]] = {}
        for table in (self._top, self._pairs):
            table.show_all_columns(self.show_all_columns)

    def show(self, snapshot: Snapshot) -> None:
        self.query_one(TrackerStrip).show(snapshot)
        self.query_one(EventList).show(worth_telling(snapshot.events), self.words, snapshot.taken_at)
        if self.frozen and self._headings is not None:
            return
        self.snapshot = snapshot
        self._show_top(snapshot)
        self._show_pairs(snapshot)

    def _show_top(self, snapshot: Snapshot) -> None:
        window = snapshot.question.window
        if self._headings != (self.words, window):
            self._headings = (self.words, window)
            self._top.set_columns(_top_columns(self.words, window))
            self._pairs.set_columns(_pair_columns(window))
            self._top.sort_by(window, descending=True)
            self._pairs.sort_by("net", descending=True)
        chosen, known = _highest(snapshot, self.words, self._needle)
        self._matches = len(chosen), known
        self._top.rank_by(_trusted_first)
        self._top.say(empty=no_match(self._needle) if self._needle else _why_nothing(snapshot))
        self._top.show([_top_row(m, snapshot, self.words) for m in chosen])
        of = f", {len(chosen)} of {known:,}" if known > len(chosen) else f", {known:,}" if known else ""
        self.query_one("#top").border_title = f"Highest {self.words.heading}, {window}{of}"

    def _show_pairs(self, snapshot: Snapshot) -> None:
        self._pair_assets = {f"{s.asset}/{s.asset_class}": (s.asset, s.asset_class) for s in snapshot.spreads}
        self._pairs.rank_by(_trusted_first)
        self._pairs.show([_pair_row(s) for s in snapshot.spreads])
        held = snapshot.question.hold_hours / 24
        self.query_one(
            "#pairs"
        ).border_title = f"Best spreads, {snapshot.question.window}, net of costs when held {held:g} days"

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        if message.table is self._pairs:
            if (found := self._pair_assets.get(str(message.key))) is not None:
                self.post_message(AssetChosen(*found))
        elif (market := self._market(message.key)) is not None:
            self.post_message(AssetChosen(market.ticker, market.asset_class, market.market_id))

    def filter(self, text: str) -> None:
        """The rates are searched among all markets, not only among those that the overview has."""
        self._needle = text
        self._pairs.say(no_match=no_match(text))
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

    def _market(self, key: object) -> MarketRow | None:
        markets = () if self.snapshot is None else self.snapshot.markets
        return next((m for m in markets if m.market_id == key), None)


def _section(widget: Widget, id: str, title: str) -> Container:
    section = Container(widget, id=id, classes="section")
    section.border_title = title
    return section


def _trusted_first(row: Row) -> int:
    return 1 if row.style == "stale" else 0


def _why_nothing(snapshot: Snapshot) -> str:
    status = snapshot.status
    if not any(market.observed_at is not None for market in snapshot.markets):
        done = sum(one.total_runs > 0 and one.status != "running" for one in status.counted)
        if status.collector.running:
            return f"Nothing collected yet: first sweep running, {done} of {len(status.counted)} exchanges."
        return "Nothing collected yet, and no collector runs."
    return f"No market has a rate for the window {snapshot.question.window} yet. [ and ] choose another."


def _apr(market: MarketRow, window: str) -> float | None:
    """The market's APR (percent) over a window; `now` is its estimate."""
    if window == "now":
        return None if market.hourly_rate is None else apr_percent(market.hourly_rate)
    apr: float | None = getattr(market, f"apr_{window}")
    return apr


def _highest(snapshot: Snapshot, words: Words, needle: str) -> tuple[list[MarketRow], int]:
    """The markets with the largest rate in the chosen unit, trusted ones first, and how many have one.

    Of those only in which all words of `needle` occur.
    """
    trust, window = snapshot.trust, snapshot.question.window
    wanted = needle.casefold().split()
    sized = []
    for market in snapshot.markets:
        if wanted:
            text = f"{market.ticker} {market.exchange} {market.symbol}".casefold()
            if not all(word in text for word in wanted):
                continue
        value = words.value(_apr(market, window), market.interval_hours)
        if value is not None:
            sized.append((trust[market.market_id].trusted, abs(value), -market.market_id, market))
    return [found[-1] for found in heapq.nlargest(TOP, sized)], len(sized)


def _top_columns(words: Words, window: str) -> list[Column]:
    def rate(key: str, priority: int) -> Column:
        heading = words.heading if key == "now" else f"{key} {words.sign}"
        tip = f"{words.unit_name}; " + (
            "the running estimate" if key == "now" else f"what was paid in the last {key}"
        )
        return Column(
            key,
            heading,
            10,
            "right",
            sort_key=abs,
            tooltip=tip + "; positive: longs pay",
            priority=0 if key == window else priority,
        )

    return [
        Column("asset", "asset", 10, grow=True),
        Column("exchange", "exchange", 11),
        rate("now", 0),
        rate("24h", 1),
        rate("3d", 7),
        rate("7d", 2),
        rate("30d", 5),
        Column(
            "pays", "pays", 4, "right", priority=4, tooltip="Hours that one payment covers", descending=False
        ),
        Column("next", "next", 6, "right", priority=3, tooltip="Until the next payment", descending=False),
        Column("interest", "OI $m", 7, "right", priority=3, tooltip="Open interest, millions of US dollars"),
        Column("trend", "trend", 5, sortable=False, priority=4, tooltip="30d, 7d, 3d, 24h, now; around zero"),
    ]


def _rate(market: MarketRow, window: str, apr: float | None, trust: Trust, words: Words) -> Cell:
    """A rate, in parentheses where it is not to be trusted or too few of the window's hours are known."""
    known = trust.trusted
    if window != "now":
        known = known and (getattr(market, f"coverage_{window}") or 0.0) >= RANKED_COVERAGE
    hours = market.interval_hours
    cell = words.rate(apr, hours, trusted=known)
    return cell if known else squeezed(bracketed(cell), words.value(apr, hours), _RATE_WIDTH)


def _top_row(market: MarketRow, snapshot: Snapshot, words: Words) -> Row:
    trust = snapshot.trust.get(market.market_id, _UNKNOWN)
    row = snapshot.exchanges.get(market.exchange)
    hours = market.interval_hours
    rates = {window: _apr(market, window) for window in WINDOWS}
    next_time = market.next_funding_time
    return Row(
        market.market_id,
        (
            market.ticker,
            market.exchange,
            *(_rate(market, window, apr, trust, words) for window, apr in rates.items()),
            interval(hours, continuous=_continuous(row)),
            countdown(next_time, snapshot.taken_at),
            dollars(market.open_interest_usd),
            Cell(spark([rates[w] for w in reversed(WINDOWS)], len(WINDOWS)), "muted"),
        ),
        (
            market.ticker.casefold(),
            market.exchange,
            *(words.value(apr, hours) for apr in rates.values()),
            hours,
            next_time,
            market.open_interest_usd,
            None,
        ),
        style="" if trust.trusted else "stale",
    )


_UNKNOWN = Trust(False, None)


def _continuous(row: ExchangeRow | None) -> bool:
    return row is not None and row.continuous


def _pair_columns(window: str) -> list[Column]:
    return [
        Column("asset", "asset", 10, grow=True),
        Column("long", "long", 11, tooltip="Where to be long: the lower rate"),
        Column("short", "short", 11, tooltip="Where to be short: the higher rate"),
        Column(
            "spread", f"{window} %", 9, "right", tooltip="APR of the short leg minus that of the long leg"
        ),
        Column("net", "net %", 10, "right", tooltip="APR after fees and quoted spreads of one round trip"),
        Column(
            "even", "even h", 7, "right", priority=2, descending=False, tooltip="Hours until costs are earned"
        ),
        Column(
            "positive", "pos %", 5, "right", priority=1, tooltip="Share of hours in which the pair earned"
        ),
        Column("interest", "OI $m", 7, "right", priority=1, tooltip="Open interest of the smaller leg, $m"),
        Column("reason", "note", 20, priority=3, sortable=False, tooltip="Why a pair is not to be trusted"),
    ]


def _pair_rate(apr: float | None, trusted: bool) -> Cell:
    """In parentheses where the pair is not to be trusted: seen without colour too."""
    cell = percent(apr)
    return cell if trusted else squeezed(bracketed(cell), apr, _PAIR_WIDTH)


def _pair_row(spread: Spread) -> Row:
    trusted = spread.trusted
    even = spread.break_even_hours
    net = _pair_rate(spread.net_apr_percent, trusted)
    gross = _pair_rate(spread.spread_apr_percent, trusted)
    return Row(
        f"{spread.asset}/{spread.asset_class}",
        (
            spread.asset,
            spread.long_exchange,
            spread.short_exchange,
            gross,
            net,
            "-" if even is None else f"{even:,.0f}" if even >= 10 else f"{even:.1f}",
            share(spread.share_positive),
            dollars(spread.min_open_interest_usd),
            Cell(spread.reason or "", "muted"),
        ),
        (
            spread.asset.casefold(),
            spread.long_exchange,
            spread.short_exchange,
            spread.spread_apr_percent,
            spread.net_apr_percent,
            even,
            spread.share_positive,
            spread.min_open_interest_usd,
            None,
        ),
        style="" if trusted else "stale",
    )
