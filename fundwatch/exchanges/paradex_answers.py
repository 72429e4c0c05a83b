"""Paradex's answers: what its fields mean, and the rows made of them.

Sources: docs.paradex.trade (REST reference 1.127; risk: funding mechanism), WebSocket frames recorded
on 2025-10-07 and 2026-02-07 (funding_data has the rows of GET /v1/funding/data).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from fundwatch.assets import identify
from fundwatch.exchanges.decode import (
    BadNumber,
    bounded,
    envelope,
    notional,
    number,
    optional,
    positive,
    rows,
    time_from_ms,
)
from fundwatch.models import HOUR, Market, Quote, Refusal, Settlement
from fundwatch.text import clean, is_symbol

NAME = "paradex"
OLDEST_INDEX_SECONDS = 600
"""A boundary's index is the newest row at or before it, not older than this."""

_TINY_RATE = 1e-8
"""Rates have 14 decimals: below this, premium / rate no longer gives the spot price to 1e-6."""

_LONGEST_PERIOD_HOURS = 24.0


def hourly_rate(funding_rate: object, period_hours: float) -> float:
    """`funding_rate` of a summary or of a funding row: the signed fraction for the market's own period.

    "Raw funding rate corresponds to the actual funding period of the instrument itself" (REST
    reference), so it is divided by `funding_period_hours`, whatever it is. The funding multiplier
    (0.5 on TradFi) is already in it.
    """
    return bounded(number(funding_rate, "funding_rate") / period_hours)


def window_rate(start_index: float, end_index: float, spot_price: float, hours: float) -> float:
    """The fraction paid between two values of `funding_index` (USDC a base unit, since launch).

    Funding is minus size times the difference of the index (funding mechanism), so that the
    difference over the spot price is the fraction of the notional that longs paid.
    """
    rate = (end_index - start_index) / spot_price
    bounded(rate / hours)
    return rate


def hourly_rate_cap(max_funding_rate: object, period_hours: float | None) -> float | None:
    """`max_funding_rate` as a fraction per hour, for the usual period of 8 hours.

    For other periods the documents say both "per funding period" and "per 8 hours": None.
    """
    cap = positive(max_funding_rate)
    return cap / 8 if cap is not None and period_hours == 8 else None


class Perp(NamedTuple):
    """A listed perpetual. `period_hours` is None where the list does not say what rates are per."""

    market: Market
    period_hours: float | None
    hourly_rate_cap: float | None


class Perps(NamedTuple):
    perps: dict[str, Perp]
    refused: tuple[Refusal, ...]


class FundingIndex(NamedTuple):
    """The funding index at `time` (UTC seconds); `spot_price` in USDC where the row gives it."""

    time: float
    funding_index: float
    spot_price: float | None


class _Results(msgspec.Struct):
    results: list[msgspec.Raw]


class _Market(msgspec.Struct):
    symbol: str
    asset_kind: str
    base_currency: str = ""
    funding_period_hours: Any = None
    max_funding_rate: Any = None
    open_at: Any = None


class _Summary(msgspec.Struct):
    symbol: str
    funding_rate: Any = None
    mark_price: Any = None
    underlying_price: Any = None
    open_interest: Any = None
    volume_24h: Any = None


class _Funding(msgspec.Struct):
    market: str
    funding_index: Any = None
    funding_premium: Any = None
    funding_rate: Any = None
    created_at: Any = None


def parse_markets(body: bytes) -> Perps:
    """The perpetuals of a `/v1/markets` answer; options, their perpetual kin and spot are left out."""
    perps: dict[str, Perp] = {}
    refused: list[Refusal] = []
    for place, row in enumerate(rows(envelope(body, _Results).results, _Market)):
        if isinstance(row, str):
            refused.append(Refusal(f"#{place}", row))
        elif row.asset_kind != "PERP":
            continue
        elif not is_symbol(row.symbol) or not is_symbol(row.base_currency):
            refused.append(Refusal(clean(row.symbol, 64), "not a symbol and base that can be taken"))
        elif row.symbol in perps:
            refused.append(Refusal(row.symbol, "listed twice"))
        else:
            perps[row.symbol] = _perp(row)
    return Perps(perps, tuple(refused))


def _perp(row: _Market) -> Perp:
    period = positive(row.funding_period_hours)
    if period is not None and period > _LONGEST_PERIOD_HOURS:
        period = None
    listed = time_from_ms(row.open_at)
    market = Market(NAME, row.symbol, identify(row.base_currency), listed_time=listed)
    return Perp(market, period, hourly_rate_cap(row.max_funding_rate, period))


def parse_quotes(
    body: bytes, observed_at: int, perps: Mapping[str, Perp]
) -> tuple[tuple[Quote, ...], tuple[Refusal, ...]]:
    """The quotes of `perps` in a `/v1/markets/summary` answer, and why each other of them has none.

    Most rows are options: whatever is not in `perps` is passed over.
    """
    found: dict[str, Quote | str] = {}
    for row in rows(envelope(body, _Results).results, _Summary):
        if not isinstance(row, str) and (perp := perps.get(row.symbol)):
            twice = row.symbol in found
            found[row.symbol] = "in the answer twice" if twice else _quote(row, perp, observed_at)
    quotes = tuple(quote for quote in found.values() if isinstance(quote, Quote))
    reasons = {symbol: found.get(symbol, "not in the answer, or unreadable there") for symbol in perps}
    refused = tuple(Refusal(symbol, why) for symbol, why in reasons.items() if isinstance(why, str))
    return quotes, refused


def _quote(row: _Summary, perp: Perp, observed_at: int) -> Quote | str:
    if perp.period_hours is None:
        return "the list does not say its funding period"
    try:
        rate = hourly_rate(row.funding_rate, perp.period_hours)
    except BadNumber as error:
        return str(error)
    mark = positive(row.mark_price)
    return Quote(
        exchange=NAME,
        symbol=row.symbol,
        observed_at=observed_at,
        hourly_rate=rate,
        interval_hours=perp.period_hours,
        mark_price=mark,
        index_price=positive(row.underlying_price),
        open_interest_usd=notional(row.open_interest, mark),
        volume_24h_usd=notional(row.volume_24h, 1.0),
        hourly_rate_cap=perp.hourly_rate_cap,
    )


def parse_index(body: bytes, symbol: str, boundary: int) -> FundingIndex | None:
    """The index of `symbol` at `boundary` (UTC seconds) in a `/v1/funding/data` answer up to it.

    None when there is no row: the market did not exist yet. Raises `BadNumber` when the newest row
    does not tell the index at that time.
    """
    results = envelope(body, _Results).results
    return parse_index_row(results[0], symbol, boundary) if results else None


def parse_index_row(raw: msgspec.Raw | bytes, symbol: str, boundary: int) -> FundingIndex:
    """One row of `/v1/funding/data`, or the data of a `funding_data` frame; raises `BadNumber`."""
    [row] = rows([msgspec.Raw(raw)], _Funding)
    if isinstance(row, str):
        raise BadNumber(row)
    if row.market != symbol:
        raise BadNumber(f"a row of {clean(row.market, 64)} in the answer")
    time = number(row.created_at, "created_at") / 1000
    if not 0 <= boundary - time <= OLDEST_INDEX_SECONDS:
        raise BadNumber(f"the newest funding row is from {time:.0f}, too far from {boundary}")
    return FundingIndex(time, number(row.funding_index, "funding_index"), _spot_price(row))


def _spot_price(row: _Funding) -> float | None:
    """`funding_premium` is rate x spot price (in USDC); without a rate the row does not tell the price."""
    premium, rate = optional(row.funding_premium), optional(row.funding_rate)
    if premium is None or rate is None or abs(rate) < _TINY_RATE:
        return None
    return positive(premium / rate)


def parse_underlying_price(body: bytes, boundary: int) -> float | None:
    """The underlying's price at `boundary` in hourly klines `[ms, open, high, low, close, volume]`.

    That is the close of the hour before it, or else the open of the hour after it.
    """
    opened: float | None = None
    for row in rows(envelope(body, _Results).results, list[Any]):
        if isinstance(row, str) or len(row) < 5:
            continue
        time = optional(row[0])
        if time == (boundary - HOUR) * 1000 and (close := positive(row[4])):
            return close
        if time == boundary * 1000:
            opened = positive(row[1])
    return opened


def settlement(
    symbol: str, start: FundingIndex, end: FundingIndex, spot: float, time: int, hours: int
) -> Settlement:
    """What was paid in the `hours` up to `time`; raises `BadNumber` when that is absurd."""
    rate = window_rate(start.funding_index, end.funding_index, spot, hours)
    return Settlement(symbol, time, rate, float(hours), payment_usd=end.funding_index - start.funding_index)
