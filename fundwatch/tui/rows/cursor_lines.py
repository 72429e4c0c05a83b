"""What the line under a table says of the row under the cursor: all that its columns leave out."""

import math
from collections.abc import Mapping

from fundwatch.analytics.windows import RANKED_COVERAGE, WINDOWS
from fundwatch.answers.trust import Trust, not_compared
from fundwatch.models import apr_percent
from fundwatch.storage.queries import ExchangeRow, MarketRow
from fundwatch.text import age, signed
from fundwatch.tui.charts.bars import Span
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.places import Place
from fundwatch.tui.rows.rate_rows import difference_words, rate_of
from fundwatch.tui.rows.spread_rows import Legs, pair_marks
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.caption import Item
from fundwatch.tui.words import Words, dollars, short_age


def market_line(
    market: MarketRow, trust: Trust | None, exchange: ExchangeRow | None, words: Words, now: float
) -> list[Item]:
    """The market's own name, its marks in words, and the numbers for which there was no column."""
    items: list[Item] = [[(market.symbol, "accent"), (f" {market.asset_class}", "muted")]]
    items += [
        [(mark.glyph, mark.style), (f" {mark.words}", mark.style)]
        for mark in marks.marks(market, trust, exchange, words)
    ]
    if market.failure is not None and market.failures:
        items.append([(market.failure, "bad")])
    cap = None if market.hourly_rate_cap is None else apr_percent(market.hourly_rate_cap)
    for what, text in (
        ("OI $m", dollars(market.open_interest_usd).text),
        ("vol $m", dollars(market.volume_24h_usd).text),
        ("mark $", price(market.mark_price)),
        ("index $", price(market.index_price)),
        ("premium %", signed(premium_percent(market), 3)),
        ("cap % APR", "-" if cap is None else signed(cap, 0).lstrip("+")),
    ):
        if text != "-":
            items.append([(f"{what} ", "muted"), (text, "")])
    for window in WINDOWS:
        coverage = getattr(market, f"coverage_{window}")
        if coverage is not None and 0 < coverage < RANKED_COVERAGE:
            items.append([(f"{window} known to {coverage * 100:.0f} %", "muted")])
    seen = market.observed_at
    return [*items, [("estimate ", "muted"), (f"{age(None if seen is None else now - seen)} old", "")]]


def premium_percent(market: MarketRow) -> float | None:
    """How far the mark price stands above the index, in percent of the index."""
    mark, index = market.mark_price, market.index_price
    return None if mark is None or index is None or index <= 0 else (mark - index) / index * 100


def asset_line(ticker: str, asset_class: str, places: Mapping[str, Place], snapshot: Snapshot) -> list[Item]:
    """For each exchange the market that stands for the asset and its age, those in trouble first."""
    trouble: list[Item] = []
    calm: list[Item] = []
    for name, (market, apr, ranked, apart) in places.items():
        seen = market.observed_at
        old = short_age(None if seen is None else snapshot.taken_at - seen)
        if apart:
            why = market.identity_reason or not_compared(market.mark_price)
            trouble.append([(f"{name}: {market.symbol} {why}", "bad")])
        elif not ranked or apr is None:
            trust = snapshot.trust.get(market.market_id)
            reason = (trust and trust.reason) or (
                "no rate" if apr is None else "part of its hours is missing"
            )
            trouble.append([(f"{name}: {reason}, {old} old", "bad")])
        else:
            calm.append([(f"{name} ", "muted"), (f"{market.symbol} ", ""), (old, "muted")])
    return [[(ticker, "accent"), (f" {asset_class}", "muted")], *trouble, *calm]


def pair_line(legs: Legs, snapshot: Snapshot, words: Words) -> list[Item]:
    """Both legs with the rates behind the spread, and what is to be known of the pair."""
    window, words = snapshot.question.window, difference_words(words)
    spread = legs.spread
    items: list[Item] = []
    ages: list[str] = []
    for side, exchange, symbol, market in (
        ("long", spread.long_exchange, spread.long_symbol, legs.long),
        ("short", spread.short_exchange, spread.short_symbol, legs.short),
    ):
        item: list[Span] = [(f"{side} ", "muted"), (exchange, "accent"), (f" {symbol}", "")]
        if market is not None:
            seen = market.observed_at
            ages.append(short_age(None if seen is None else snapshot.taken_at - seen))
            rate = words.rate(rate_of(market, window)[0], market.interval_hours)
            item += [(" ", ""), (rate.text, "" if rate.style == "muted" else rate.style)]
        items.append(item)
    items += [[(f"{mark.glyph} {mark.words}", mark.style)] for mark in pair_marks(legs, snapshot, words)]
    for what, text in (
        ("price gap %", signed(spread.price_gap_percent, 2)),
        ("min OI $m", dollars(spread.min_open_interest_usd).text),
        ("ages", " / ".join(ages) or "-"),
    ):
        if text != "-":
            items.append([(f"{what} ", "muted"), (text, "")])
    return [*items, [(spread.asset_class, "muted")]]


def price(usd: float | None) -> str:
    """A price with five significant digits, and at least two decimals."""
    if usd is None or not math.isfinite(usd) or usd <= 0:
        return "-"
    decimals = min(12, max(2, 4 - math.floor(math.log10(usd))))
    return f"{usd:,.{decimals}f}"
