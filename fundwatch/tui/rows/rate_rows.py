"""Every market as a row of the rates table: pure, and formatted only where somebody looks."""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from fundwatch.analytics.windows import RANKED_COVERAGE, WINDOWS
from fundwatch.answers.trust import LOW_COVERAGE
from fundwatch.models import apr_percent
from fundwatch.text import signed
from fundwatch.tui.charts.history import SPARK_WIDTH
from fundwatch.tui.charts.sparks import LEGEND as SPARK_LEGEND
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.market_names import names
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Cells, Column, Row
from fundwatch.tui.words import MISSING, Words, countdown, dollars, interval, short_age

if TYPE_CHECKING:
    from fundwatch.answers.trust import Trust
    from fundwatch.storage.queries import ExchangeRow, MarketRow

STAR = "★"
RATE_WIDTH = 9
WIDE, HUGE = 100, 150
"""Cells of a table from which names, and sparklines, have room."""
_RATES = ("now", *WINDOWS)
_PAID = {window: attrgetter(f"apr_{window}", f"coverage_{window}") for window in WINDOWS}
_NAME_WIDTHS = (9, 14)
_SPARK_WIDTHS = (14, SPARK_WIDTH)
_COVERAGE_TIP = "; in parentheses where less than 90 % of its hours are known, and then not ranked"


def name_width(width: int) -> int:
    """What a table of `width` cells has for the name of an asset."""
    return _NAME_WIDTHS[width >= WIDE]


def spark_width(width: int) -> int:
    """What a table of `width` cells has for a sparkline: two or three characters a day."""
    return _SPARK_WIDTHS[width >= HUGE]


def columns(words: Words, width: int = 80) -> list[Column]:
    """The columns for one unit in a table of `width` cells; the rows of `RateRows` match them."""
    return [
        Column("star", "", 1, sortable=False, tooltip=f"{STAR} starred: press * to star or unstar an asset"),
        Column(
            "asset",
            "asset",
            name_width(width),
            sort_key=str.casefold,
            tooltip="With what tells markets apart where an exchange has several of one asset",
        ),
        Column("class", "class", 9, priority=6),
        Column("exchange", "exchange", 11),
        _rate("now", words.heading, f"The running estimate, {words.unit_name}; positive: longs pay", 0),
        _rate("24h", f"24h {words.sign}", _paid("24 hours", words), 0),
        _rate("3d", f"3d {words.sign}", _paid("3 days", words), 7),
        _rate("7d", f"7d {words.sign}", _paid("7 days", words), 0),
        _rate("30d", f"30d {words.sign}", _paid("30 days", words), 4),
        Column(
            "pays",
            "pays",
            4,
            "right",
            descending=False,
            priority=2,
            tooltip="How many hours one payment covers; cont: funding accrues all the time",
        ),
        Column("next", "next", 6, "right", descending=False, priority=1, tooltip="Time to the next payment"),
        Column("age", "age", 6, "right", tooltip="How old the estimate is"),
        Column("note", "note", 4, tooltip=marks.LEGEND),
        Column("oi", "OI $m", 8, "right", priority=3, tooltip="Open interest, millions of US dollars"),
        Column("volume", "vol $m", 8, "right", priority=5, tooltip="24 h volume, millions of US dollars"),
        Column(
            "spark",
            "7 days",
            spark_width(width),
            style="muted",
            sortable=False,
            priority=3,
            tooltip=SPARK_LEGEND,
        ),
        Column("symbol", "symbol", 14, priority=8, sort_key=str.casefold, tooltip="The exchange's own name"),
        Column("remarks", "remarks", 26, sortable=False, priority=9, grow=True, tooltip=marks.LEGEND),
    ]


def _rate(key: str, heading: str, tooltip: str, priority: int) -> Column:
    return Column(key, heading, RATE_WIDTH, "right", priority=priority, tooltip=tooltip)


def _paid(length: str, words: Words) -> str:
    return f"What was paid over {length}, {words.unit_name}{_COVERAGE_TIP}"


def rate_of(market: "MarketRow", window: str) -> tuple[float | None, bool]:
    """The APR in percent over `window`, and whether enough of its hours are known to rank it."""
    if window == "now":
        return (None if market.hourly_rate is None else apr_percent(market.hourly_rate)), True
    apr, coverage = _PAID[window](market)
    return apr, coverage is not None and coverage >= RANKED_COVERAGE


def difference_words(words: Words) -> Words:
    """The words for a difference of two rates: it has no payment of its own, so its unit is APR then."""
    return replace(words, unit="apr") if words.unit == "payment" else words


def believed(trust: "Trust | None") -> bool:
    """Whether the market is sound, whatever may be missing of one window."""
    return trust is None or trust.trusted or trust.reason == LOW_COVERAGE


def bracketed(cell: Cell) -> Cell:
    """A number that is shown, but not ranked."""
    return cell if cell == MISSING else Cell(f"({cell.text})", "stale")


def squeezed(cell: Cell, value: float | None, width: int) -> Cell:
    """`cell` in at most `width` cells: what does not fit loses decimals, then commas, then becomes
    thousands."""
    if len(cell.text) <= width or value is None:
        return cell
    opening, closing = ("(", ")") if cell.text.startswith("(") else ("", "")
    decimals_now = len(cell.text.rstrip(")").partition(".")[2])
    for decimals in reversed(range(decimals_now)):
        text = f"{opening}{signed(value, decimals)}{closing}"
        if len(text) <= width:
            return Cell(text, cell.style)
    text = text.replace(",", "")
    return Cell(text if len(text) <= width else f"{opening}{signed(value / 1000, 0)}k{closing}", cell.style)


class _Held(NamedTuple):
    """A market with what is said of it."""

    market: "MarketRow"
    trust: "Trust | None"
    exchange: "ExchangeRow | None"

    @property
    def sound(self) -> bool:
        return believed(self.trust)

    @property
    def continuous(self) -> bool:
        return self.exchange is not None and self.exchange.continuous

    def marks(self, words: Words) -> tuple[marks.Mark, ...]:
        return marks.marks(self.market, self.trust, self.exchange, words)

    def ranked(self, window: str) -> float | None:
        """The APR in percent, None where it is not to be relied on."""
        apr, known = rate_of(self.market, window)
        return apr if known and self.sound else None

    def value(self, column: int) -> Any:
        """What its row sorts by in a column of this number."""
        return _VALUES[column](self)


def _nothing(_: _Held) -> None:
    return None


_VALUES: tuple[Callable[[_Held], Any], ...] = (
    _nothing,
    lambda held: held.market.ticker,
    lambda held: held.market.asset_class,
    lambda held: held.market.exchange,
    *(partial(lambda window, held: held.ranked(window), window) for window in _RATES),
    lambda held: 0.0 if held.continuous else held.market.interval_hours,
    lambda held: held.market.next_funding_time,
    lambda held: None if held.market.observed_at is None else -held.market.observed_at,
    lambda held: len(held.marks(Words())) or None,
    lambda held: held.market.open_interest_usd,
    lambda held: held.market.volume_24h_usd,
    _nothing,
    lambda held: held.market.symbol,
    _nothing,
)
"""For each of `columns` what it sorts by."""


class _Look:
    """What all rows share, and the numbers of those whose cells were made with it."""

    __slots__ = ("made", "names", "now", "sparks", "starred", "words")

    def __init__(
        self,
        now: float,
        words: Words,
        names: Mapping[int, str],
        starred: Set[tuple[str, str]],
        sparks: Mapping[int, str],
    ) -> None:
        self.now, self.words, self.names, self.starred, self.sparks = now, words, names, starred, sparks
        self.made: list[int] = []

    def cells(self, number: int, held: _Held) -> Cells:
        self.made.append(number)
        return _cells(held, self)


class RateRows:
    """The rows of one table, kept from snapshot to snapshot; each is formatted when it is looked at."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._words = Words()
        self._held: dict[int, _Held] = {}
        self._searched: dict[int, str] = {}
        self._names: Mapping[int, str] = {}
        self._named: tuple[tuple[MarketRow, ...], int] = ((), 0)
        self._look: _Look | None = None
        self._rows: list[Row] = []

    def take(self, snapshot: Snapshot, words: Words, width: int = 80) -> None:
        """A microsecond for each market; next to nothing where only time has passed. `width` is that of the
        table, in cells."""
        before, self._snapshot = self._snapshot, snapshot
        if before is None or not _same(before, snapshot) or words != self._words:
            trust, exchanges = snapshot.trust, snapshot.exchanges
            self._held = {
                market.market_id: _Held(market, trust.get(market.market_id), exchanges.get(market.exchange))
                for market in snapshot.markets
            }
            self._words, self._searched, self._look = words, {}, None
        if self._named[0] is not snapshot.markets or self._named[1] != name_width(width):
            self._named = snapshot.markets, name_width(width)
            self._names, self._look = names(*self._named), None

    def rows(
        self, starred: Set[tuple[str, str]] = frozenset(), sparks: Mapping[int, str] | None = None
    ) -> list[Row]:
        """A row for each market taken; its key is the market's id.

        The same list as before, with ages of now, where only time has passed.
        """
        now, sparks = 0.0 if self._snapshot is None else self._snapshot.taken_at, sparks or {}
        look = self._look
        if look is not None and (look.starred, look.sparks) == (starred, sparks):
            look.now = now
            while look.made:
                self._rows[look.made.pop()].forget()
            return self._rows
        self._look = look = _Look(now, self._words, self._names, starred, sparks)
        self._rows = [
            Row(key, partial(look.cells, number, one), one.value, "" if one.sound else "stale")
            for number, (key, one) in enumerate(self._held.items())
        ]
        return self._rows

    def market(self, market_id: object) -> "MarketRow | None":
        """The market behind a row's key."""
        held = self._held.get(market_id) if isinstance(market_id, int) else None
        return None if held is None else held.market

    def searched(self, market_id: object) -> str:
        """The words that a filter looks into, without case."""
        held = self._held.get(market_id) if isinstance(market_id, int) else None
        if held is None:
            return ""
        market = held.market
        found = self._searched.get(market.market_id)
        if found is None:
            remarks = marks.sentence(held.marks(self._words))
            text = "\n".join((market.ticker, market.asset_class, market.exchange, market.symbol, remarks))
            found = self._searched[market.market_id] = text.casefold()
        return found


def _same(before: Snapshot, now: Snapshot) -> bool:
    """Whether they are of the same rows, by identity: what was read again may have changed."""
    return before.markets is now.markets and before.trust is now.trust and before.exchanges is now.exchanges


def _cells(held: _Held, look: _Look) -> Cells:
    market, words, sound = held.market, look.words, held.sound
    seen = market.observed_at
    rates: list[Cell] = []
    for window in _RATES:
        apr, known = rate_of(market, window)
        cell = words.rate(apr, market.interval_hours, trusted=sound and known)
        cell = cell if sound and known else bracketed(cell)
        if len(cell.text) > RATE_WIDTH:
            cell = squeezed(cell, words.value(apr, market.interval_hours), RATE_WIDTH)
        rates.append(cell)
    found = held.marks(words)
    style = found[0].style if found else ""
    return (
        Cell(STAR, "warn") if (market.ticker, market.asset_class) in look.starred else "",
        look.names.get(market.market_id) or market.ticker,
        market.asset_class,
        market.exchange,
        *rates,
        interval(market.interval_hours, continuous=held.continuous),
        countdown(market.next_funding_time, look.now),
        short_age(None if seen is None else look.now - seen),
        Cell(marks.glyphs(found), style),
        dollars(market.open_interest_usd),
        dollars(market.volume_24h_usd),
        look.sparks.get(market.market_id, ""),
        market.symbol,
        Cell(marks.sentence(found), style),
    )
