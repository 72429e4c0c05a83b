"""What the line under a table says of the row under the cursor: all that its columns leave out."""

import math
from collections.abc import Mapping

from fundwatch.analytics.windows import RANKED_COVERAGE, WINDOWS
from fundwatch.answers.trust import Trust
from fundwatch.models import apr_percent
from fundwatch.storage.queries import ExchangeRow, MarketRow
from fundwatch.text import age, signed
from fundwatch.tui import marks
from fundwatch.tui.bars import Span
from fundwatch.tui.heat_rows import Place
from fundwatch.tui.rate_rows import difference_words, rate_of
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.spread_rows import Legs, remark
from fundwatch.tui.words import Words, dollars, short_age


def market_line(
    market: MarketRow, trust: Trust | None, exchange: ExchangeRow | None, words: Words, now: float
) -> list[Span]:
    """The market's own name, its marks in words, and the numbers for which there was no column."""
    spans: list[Span] = [(market.symbol, "accent"), (f" {market.exchange} {market.asset_class}", "muted")]
    for mark in marks.marks(market, trust, exchange, words):
        spans += [("  ", ""), (mark.words, mark.style)]
    if market.failure is not None and market.failures:
        spans += [("  ", ""), (market.failure, "bad")]
    for window in WINDOWS:
        coverage = getattr(market, f"coverage_{window}")
        if coverage is not None and 0 < coverage < RANKED_COVERAGE:
            spans.append((f"  {window} known to {coverage * 100:.0f} %", "muted"))
    for what, text in (
        ("OI $m", dollars(market.open_interest_usd).text),
        ("vol $m", dollars(market.volume_24h_usd).text),
        ("mark", price(market.mark_price)),
        ("index", price(market.index_price)),
        (
            "cap %",
            "-" if market.hourly_rate_cap is None else signed(apr_percent(market.hourly_rate_cap), 0)[1:],
        ),
        ("age", age(None if market.observed_at is None else now - market.observed_at)),
    ):
        if text != "-":
            spans += [(f"  {what} ", "muted"), (text, "")]
    return spans


def asset_line(ticker: str, asset_class: str, places: Mapping[str, Place], snapshot: Snapshot) -> list[Span]:
    """For each exchange the market that stands for the asset and its age, those in trouble first."""
    spans: list[Span] = [(ticker, "accent"), (f" {asset_class}", "muted")]
    calm: list[Span] = []
    for name, (market, apr, ranked, apart) in places.items():
        seen = market.observed_at
        old = short_age(None if seen is None else snapshot.taken_at - seen)
        if apart:
            spans.append((f"  {name}: {market.identity_reason or 'no price to compare'}", "bad"))
        elif not ranked or apr is None:
            trust = snapshot.trust.get(market.market_id)
            why = (trust and trust.reason) or ("no rate" if apr is None else "part of its hours is missing")
            spans.append((f"  {name}: {why}, {old}", "bad"))
        else:
            calm += [(f"  {name} ", "muted"), (f"{market.symbol} ", ""), (old, "muted")]
    return spans + calm


def pair_line(legs: Legs, snapshot: Snapshot, words: Words) -> list[Span]:
    """Both legs with the rates behind the spread, and what is to be known of the pair."""
    window, words = snapshot.question.window, difference_words(words)
    spread = legs.spread
    spans: list[Span] = [(spread.asset, "accent"), (f" {spread.asset_class}", "muted")]
    for side, exchange, symbol, market in (
        ("long", spread.long_exchange, spread.long_symbol, legs.long),
        ("short", spread.short_exchange, spread.short_symbol, legs.short),
    ):
        spans += [(f"  {side} ", "muted"), (f"{exchange} {symbol}", "")]
        if market is not None:
            rate = words.rate(rate_of(market, window)[0], market.interval_hours)
            spans += [(" ", ""), (rate.text, "" if rate.style == "muted" else rate.style)]
    if note := remark(legs, snapshot):
        spans += [("  ", ""), (note, "muted" if spread.trusted else "bad")]
    return spans


def price(usd: float | None) -> str:
    """A price with five significant digits, and at least two decimals."""
    if usd is None or not math.isfinite(usd) or usd <= 0:
        return "-"
    decimals = min(12, max(2, 4 - math.floor(math.log10(usd))))
    return f"{usd:,.{decimals}f}"
