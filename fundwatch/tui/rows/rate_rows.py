"""Every market as a row of the rates table: pure, and formatted anew only where something changed."""

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from fundwatch.analytics.windows import RANKED_COVERAGE, WINDOWS
from fundwatch.answers.trust import LOW_COVERAGE
from fundwatch.models import apr_percent
from fundwatch.text import signed
from fundwatch.tui.charts.history import SPARK_WIDTH
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.market_names import names
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import MISSING, Words, countdown, dollars, interval, short_age

if TYPE_CHECKING:
    from fundwatch.answers.trust import Trust
    from fundwatch.storage.queries import ExchangeRow, MarketRow

STAR = "★"
RATE_WIDTH = 9
WIDE, HUGE = 100, 150
"""Cells of a table from which names, and sparklines, have room."""
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
            tooltip="What was paid: ▅▆▇█ longs paid, ▁▂▃▄ shorts paid, ─ zero, · not known",
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
    coverage: float | None = getattr(market, f"coverage_{window}")
    return getattr(market, f"apr_{window}"), coverage is not None and coverage >= RANKED_COVERAGE


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


class _Made(NamedTuple):
    """What was formatted of a market, and from what; age, star, countdown and sparkline come in between."""

    market: "MarketRow"
    trust: "Trust | None"
    exchange: "ExchangeRow | None"
    left: tuple[str | Cell, ...]
    note: Cell
    amounts: tuple[str | Cell, ...]
    remarks: Cell
    sort: tuple[Any, ...]
    style: str
    searched: str


class RateRows:
    """The rows of one table, kept from snapshot to snapshot."""

    def __init__(self) -> None:
        self._words = Words()
        self._made: dict[int, _Made] = {}
        self._order: list[_Made] = []
        self._now = 0.0
        self._names: Mapping[int, str] = {}
        self._named: tuple[tuple[MarketRow, ...], int] = ((), 0)

    def take(self, snapshot: Snapshot, words: Words, at_most: int | None = None, width: int = 80) -> bool:
        """Formats what changed since the last time, `at_most` so many markets; whether that was all.

        Some 12 microseconds for a market that changed, one for another. Until all is done `rows` are
        the former ones. `width` is that of the table, in cells.
        """
        if words != self._words:
            self._words = words
            self._made = {}
        left = len(snapshot.markets) if at_most is None else at_most
        known, made = self._made, []
        for market in snapshot.markets:
            key = market.market_id
            trust, exchange = snapshot.trust.get(key), snapshot.exchanges.get(market.exchange)
            one = known.get(key)
            if one is None or one.market != market or one.trust != trust or one.exchange != exchange:
                if not left:
                    return False
                left -= 1
                one = known[key] = _made(market, trust, exchange, words)
            made.append(one)
        self._made = {one.market.market_id: one for one in made}
        self._order = made
        self._now = snapshot.taken_at
        if self._named[0] is not snapshot.markets or self._named[1] != name_width(width):
            self._named = snapshot.markets, name_width(width)
            self._names = names(*self._named)
        return True

    def rows(
        self, starred: Set[tuple[str, str]] = frozenset(), sparks: Mapping[int, str] | None = None
    ) -> list[Row]:
        """A row for each market taken; its key is the market's id."""
        now, sparks, names = self._now, sparks or {}, self._names
        ages: dict[int | None, str] = {}
        countdowns: dict[int | None, str] = {}
        star, plain = Cell(STAR, "warn"), ""
        rows = []
        for one in self._order:
            market = one.market
            key, seen, due = market.market_id, market.observed_at, market.next_funding_time
            if seen not in ages:
                ages[seen] = short_age(None if seen is None else now - seen)
            if due not in countdowns:
                countdowns[due] = countdown(due, now)
            cells = (
                star if (market.ticker, market.asset_class) in starred else plain,
                names.get(key) or market.ticker,
                *one.left,
                countdowns[due],
                ages[seen],
                one.note,
                *one.amounts,
                sparks.get(key, ""),
                market.symbol,
                one.remarks,
            )
            rows.append(Row(key, cells, one.sort, one.style))
        return rows

    def market(self, market_id: object) -> "MarketRow | None":
        """The market behind a row's key."""
        made = self._made.get(market_id) if isinstance(market_id, int) else None
        return None if made is None else made.market

    def searched(self, market_id: object) -> str:
        """The words that a filter looks into, without case."""
        made = self._made.get(market_id) if isinstance(market_id, int) else None
        return "" if made is None else made.searched


def _made(market: "MarketRow", trust: "Trust | None", exchange: "ExchangeRow | None", words: Words) -> _Made:
    sound = believed(trust)
    continuous = exchange is not None and exchange.continuous
    rates: list[Cell] = []
    ranks: list[float | None] = []
    for window in ("now", *WINDOWS):
        apr, known = rate_of(market, window)
        cell = words.rate(apr, market.interval_hours, trusted=sound and known)
        cell = cell if sound and known else bracketed(cell)
        if len(cell.text) > RATE_WIDTH:
            cell = squeezed(cell, words.value(apr, market.interval_hours), RATE_WIDTH)
        rates.append(cell)
        ranks.append(apr if sound and known else None)
    found = marks.marks(market, trust, exchange, words)
    remarks = marks.sentence(found)
    style = found[0].style if found else ""
    seen = market.observed_at
    return _Made(
        market=market,
        trust=trust,
        exchange=exchange,
        left=(
            market.asset_class,
            market.exchange,
            *rates,
            interval(market.interval_hours, continuous=continuous),
        ),
        note=Cell(marks.glyphs(found), style),
        amounts=(dollars(market.open_interest_usd), dollars(market.volume_24h_usd)),
        remarks=Cell(remarks, style),
        sort=(
            None,
            market.ticker,
            market.asset_class,
            market.exchange,
            *ranks,
            0.0 if continuous else market.interval_hours,
            market.next_funding_time,
            None if seen is None else -seen,
            len(found) or None,
            market.open_interest_usd,
            market.volume_24h_usd,
            None,
            market.symbol,
            None,
        ),
        style="" if sound else "stale",
        searched="\n".join(
            (market.ticker, market.asset_class, market.exchange, market.symbol, remarks)
        ).casefold(),
    )
