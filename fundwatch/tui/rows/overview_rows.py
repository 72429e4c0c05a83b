"""The overview's two tables: the highest rates and the best pairs, as rows."""

import heapq
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.trust import Trust
from fundwatch.tui.charts.sparks import LEGEND as SPARK_LEGEND
from fundwatch.tui.charts.sparks import MISSING as NO_HOUR
from fundwatch.tui.charts.week_sparks import WIDTH as SPARK_WIDTH
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.rate_rows import RATE_WIDTH, believed, bracketed, difference_words, rate_of, squeezed
from fundwatch.tui.rows.spread_rows import Key, Legs, held, pair_marks
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Cells, Column, Row
from fundwatch.tui.words import MISSING, Words, countdown, dollars, interval, share, short_age

if TYPE_CHECKING:
    from fundwatch.storage.queries import MarketRow

TOP = 100
"""How many of the highest rates the overview has; pane 2 has all."""

NAME_WIDTH = 12
"""Cells for what a market is called."""

RATES = ("now", *WINDOWS)
_UNKNOWN = Trust(False, None)


def highest(snapshot: Snapshot, words: Words, needle: str) -> "tuple[list[MarketRow], int]":
    """The markets with the largest rate in the chosen unit, sound ones first, and how many have one.

    Of those only in which all words of `needle` occur.
    """
    window = snapshot.question.window
    wanted = needle.casefold().split()
    sized = []
    for market in snapshot.markets:
        if wanted:
            text = f"{market.ticker} {market.asset_class} {market.exchange} {market.symbol}".casefold()
            if not all(word in text for word in wanted):
                continue
        apr, known = rate_of(market, window)
        value = words.value(apr, market.interval_hours)
        if value is not None:
            sound = known and believed(snapshot.trust.get(market.market_id, _UNKNOWN))
            sized.append((sound, abs(value), -market.market_id, market))
    return [found[-1] for found in heapq.nlargest(TOP, sized)], len(sized)


def top_columns(words: Words, window: str) -> list[Column]:
    def rate(key: str, priority: int) -> Column:
        heading = words.heading if key == "now" else f"{key} {words.sign}"
        told = "the running estimate" if key == "now" else f"what was paid in the last {key}"
        return Column(
            key,
            heading,
            RATE_WIDTH,
            "right",
            sort_key=abs,
            tooltip=f"{words.unit_name}; {told}; positive: longs pay; in parentheses: not to be relied on",
            priority=0 if key == window else priority,
        )

    return [
        Column("asset", "asset", NAME_WIDTH, grow=True, sort_key=str.casefold),
        Column("exchange", "exchange", 11),
        rate("now", 0),
        rate("24h", 1),
        rate("3d", 9),
        rate("7d", 2),
        rate("30d", 6),
        Column(
            "pays", "pays", 4, "right", priority=4, tooltip="Hours that one payment covers", descending=False
        ),
        Column("next", "next", 6, "right", priority=1, tooltip="Until the next payment", descending=False),
        Column("interest", "OI $m", 7, "right", priority=3, tooltip="Open interest, millions of US dollars"),
        Column("age", "age", 6, "right", priority=7, descending=False, tooltip="How old the estimate is"),
        Column("note", "note", 4, priority=5, sortable=False, tooltip=marks.LEGEND),
        Column(
            "spark",
            "7 days",
            SPARK_WIDTH,
            sortable=False,
            priority=6,
            tooltip=SPARK_LEGEND,
        ),
    ]


def top_row(
    market: "MarketRow", snapshot: Snapshot, words: Words, names: Mapping[int, str], spark: str
) -> Row:
    """A market; `names` has those that need more than their ticker to be told from others."""
    trust = snapshot.trust.get(market.market_id, _UNKNOWN)
    exchange = snapshot.exchanges.get(market.exchange)
    sound, hours, seen = believed(trust), market.interval_hours, market.observed_at
    rates = [rate_of(market, window) for window in RATES]
    old = None if seen is None else snapshot.taken_at - seen

    def cells() -> Cells:
        found = marks.marks(market, trust, exchange, words)
        return (
            names.get(market.market_id, market.ticker),
            market.exchange,
            *(_number(words, apr, known=sound and known, hours=hours) for apr, known in rates),
            interval(hours, continuous=exchange is not None and exchange.continuous),
            countdown(market.next_funding_time, snapshot.taken_at),
            dollars(market.open_interest_usd),
            short_age(old),
            Cell(marks.glyphs(found), found[0].style if found else ""),
            Cell(spark if spark.strip(NO_HOUR) else MISSING.text if spark else "", "faint"),
        )

    return Row(
        market.market_id,
        cells,
        (
            market.ticker,
            market.exchange,
            *(words.value(apr, hours) if sound and known else None for apr, known in rates),
            hours,
            market.next_funding_time,
            market.open_interest_usd,
            old,
            None,
            None,
        ),
        style="" if sound else "stale",
    )


def _number(words: Words, apr: float | None, *, known: bool, hours: float | None = None) -> Cell:
    """A rate in its column, in parentheses where it is not to be relied on: seen without colour too."""
    cell = words.rate(apr, hours, trusted=known)
    return squeezed(cell if known else bracketed(cell), words.value(apr, hours), RATE_WIDTH)


def beside(window: str) -> str:
    """The window that stands beside the one looked at: a spread of now says little of a week."""
    return "now" if window == "7d" else "7d"


def pair_columns(words: Words, window: str, hold_hours: float) -> list[Column]:
    words = difference_words(words)
    other = beside(window)

    def rate(key: str, heading: str, told: str, priority: int = 0) -> Column:
        return Column(
            key, heading, RATE_WIDTH, "right", priority=priority, tooltip=f"{told}; {words.unit_name}"
        )

    return [
        Column("asset", "asset", 9, sort_key=str.casefold),
        Column("long", "long", 11, tooltip="Where to be long: the lower rate"),
        Column("short", "short", 11, tooltip="Where to be short: the higher rate"),
        rate("spread", _heading(window, words), f"Short leg minus long leg, {_told(window)}"),
        rate("beside", _heading(other, words), f"The same two markets, {_told(other)}", 2),
        rate("net", f"net {words.sign}", f"After the costs of one round trip, held {held(hold_hours)}"),
        Column(
            "even", "even h", 7, "right", priority=4, descending=False, tooltip="Hours until costs are earned"
        ),
        Column(
            "positive", "pos %", 5, "right", priority=3, tooltip="Share of hours in which the pair earned"
        ),
        Column("interest", "OI $m", 7, "right", priority=1, tooltip="Open interest of the smaller leg, $m"),
        Column("age", "age", 6, "right", priority=5, descending=False, tooltip="Age of the older estimate"),
        Column("note", "note", 4, priority=6, sortable=False, tooltip=marks.LEGEND),
        Column(
            "remarks",
            "remarks",
            14,
            priority=7,
            grow=True,
            sortable=False,
            tooltip="What is to be known of the pair, such as why it is not ranked",
        ),
    ]


def _heading(window: str, words: Words) -> str:
    return f"{window} {words.sign}"


def _told(window: str) -> str:
    return "estimates of now" if window == "now" else f"what was paid over {window}"


def pair_rows(found: Mapping[Key, Legs], snapshot: Snapshot, words: Words) -> list[Row]:
    """A row for each pair, with its class where that alone tells two assets apart."""
    classes = Counter(asset for asset, _ in {key[:2] for key in found})
    return [
        _pair_row(key, legs, snapshot, words, f"{key[0]} {key[1]}" if classes[key[0]] > 1 else key[0])
        for key, legs in found.items()
    ]


def _pair_row(key: Key, legs: Legs, snapshot: Snapshot, words: Words, name: str) -> Row:
    words = difference_words(words)
    spread = legs.spread
    trusted, even = spread.trusted, spread.break_even_hours
    other, other_known = _difference(legs, beside(snapshot.question.window))

    def cells() -> Cells:
        found = pair_marks(legs, snapshot, words)
        style = found[0].style if found else ""
        return (
            name,
            spread.long_exchange,
            spread.short_exchange,
            _number(words, spread.spread_apr_percent, known=trusted),
            _number(words, other, known=trusted and other_known),
            _number(words, spread.net_apr_percent, known=trusted),
            "-" if even is None else f"{even:,.0f}" if even >= 10 else f"{even:.1f}",
            share(spread.share_positive),
            dollars(spread.min_open_interest_usd),
            short_age(spread.oldest_leg_seconds),
            Cell(marks.glyphs(found), style),
            Cell(marks.sentence(found), style),
        )

    return Row(
        key,
        cells,
        (
            spread.asset,
            spread.long_exchange,
            spread.short_exchange,
            spread.spread_apr_percent,
            other if other_known else None,
            spread.net_apr_percent,
            even,
            spread.share_positive,
            spread.min_open_interest_usd,
            spread.oldest_leg_seconds,
            None,
            None,
        ),
        style="" if trusted else "stale",
    )


def _difference(legs: Legs, window: str) -> tuple[float | None, bool]:
    """What the pair paid over a window, percent APR, and whether enough of both legs is known."""
    if legs.long is None or legs.short is None:
        return None, False
    (long, long_known), (short, short_known) = rate_of(legs.long, window), rate_of(legs.short, window)
    if long is None or short is None:
        return None, False
    return short - long, long_known and short_known
