"""Hyperliquid's answers: what its fields mean, and the rows made of them.

Sources: hyperliquid.gitbook.io (info endpoint: perpetuals; funding), recorded answers of 2023-07 to 2026-07.
"""

from typing import Any, NamedTuple

import msgspec

from fundwatch.assets import identify, listed_class
from fundwatch.exchanges.decode import (
    BadNumber,
    bounded,
    envelope,
    notional,
    number,
    positive,
    rows,
)
from fundwatch.exchanges.errors import Drift
from fundwatch.models import (
    HOUR,
    Asset,
    AssetClass,
    Market,
    Quote,
    Refusal,
    Settlement,
    Window,
    settlement_hour,
)
from fundwatch.text import clean, is_symbol

NAME = "hyperliquid"
_COIN_DEXES = frozenset({"", "hyna"})
HOURLY_RATE_CAP = 0.04
HOURLY_SINCE = 1686182400
"""2023-06-08 00:00 UTC, the last payment for 8 hours; hourly since (recorded `fundingHistory` of BTC)."""


def context_hourly_rate(funding: object) -> float:
    """`funding` of an asset context: the signed fraction per hour of the hour in progress.

    A builder's multiplier and interest are already in it (info endpoint; recorded xyz "0.00000625").
    """
    return bounded(number(funding, "funding"))


def settled_rate(funding_rate: object, funding_time: int) -> tuple[float, float]:
    """`fundingRate` of a `fundingHistory` row: the signed fraction paid, and for how many hours.

    Per hour, and per 8 hours up to `HOURLY_SINCE`.
    """
    rate = number(funding_rate, "fundingRate")
    hours = 1.0 if funding_time > HOURLY_SINCE else 8.0
    bounded(rate / hours)
    return rate, hours


class DexAnswer(NamedTuple):
    """What `metaAndAssetCtxs` says of one dex."""

    markets: tuple[Market, ...]
    closed: frozenset[str]
    quotes: tuple[Quote, ...]
    refused: tuple[Refusal, ...]


class _Dex(msgspec.Struct):
    name: str


class _Meta(msgspec.Struct):
    universe: list[msgspec.Raw]


class _Asset(msgspec.Struct):
    name: str
    is_delisted: bool | None = msgspec.field(name="isDelisted", default=None)


class _Context(msgspec.Struct):
    funding: Any = None
    open_interest: Any = msgspec.field(name="openInterest", default=None)
    mark_price: Any = msgspec.field(name="markPx", default=None)
    oracle_price: Any = msgspec.field(name="oraclePx", default=None)
    volume: Any = msgspec.field(name="dayNtlVlm", default=None)


class _Row(msgspec.Struct):
    coin: str
    rate: Any = msgspec.field(name="fundingRate", default=None)
    time: Any = None


def parse_dexes(body: bytes) -> tuple[str, ...]:
    """The builder dexes of a `perpDexs` answer; null stands for the main dex."""
    dexes = envelope(body, list[_Dex | None])
    return tuple(dict.fromkeys(d.name for d in dexes if d and is_symbol(d.name) and ":" not in d.name))


def asset_of(base: str, dex: str) -> Asset:
    """What a coin of a dex is about. The venue states no class.

    The main dex and hyna list coins; the other builders list shares, commodities and indices, so a
    name of theirs in no table (BB, QNT) must not pass for the coin of that name. On xyz (trade.xyz:
    "perpetuals on stocks") it is a share, elsewhere it stays unknown.
    """
    if dex in _COIN_DEXES or listed_class(base):
        return identify(base)
    return identify(base, asset_class=AssetClass.EQUITY if dex == "xyz" else AssetClass.UNKNOWN)


def parse_dex(body: bytes, observed_at: int, dex: str) -> DexAnswer:
    """A `metaAndAssetCtxs` answer of `dex` ("" is the main one); raises `Drift` where lists do not match.

    Asset and context belong together by their place alone, so they are paired before anything is left out.
    """
    meta, contexts = envelope(body, tuple[_Meta, list[msgspec.Raw]])
    if len(meta.universe) != len(contexts):
        raise Drift(f"{len(meta.universe)} assets but {len(contexts)} contexts in one answer")
    markets: dict[str, Market] = {}
    closed: set[str] = set()
    quotes: list[Quote] = []
    refused: list[Refusal] = []
    pairs = zip(rows(meta.universe, _Asset), rows(contexts, _Context), strict=True)
    for place, (asset, context) in enumerate(pairs):
        if isinstance(asset, str):
            refused.append(Refusal(f"{dex}:#{place}", asset))
            continue
        symbol = asset.name
        prefix, _, base = symbol.rpartition(":")
        if not is_symbol(symbol) or prefix != dex or not base:
            refused.append(Refusal(clean(symbol, 64), f"not a symbol of the dex {dex!r}"))
        elif symbol in markets or symbol in closed:
            refused.append(Refusal(symbol, "listed twice"))
        elif asset.is_delisted:
            closed.add(symbol)
        else:
            markets[symbol] = Market(NAME, symbol, asset_of(base, dex), group=dex)
            quote = _quote(symbol, context, observed_at)
            if isinstance(quote, Quote):
                quotes.append(quote)
            else:
                refused.append(Refusal(symbol, quote))
    return DexAnswer(tuple(markets.values()), frozenset(closed), tuple(quotes), tuple(refused))


def _quote(symbol: str, context: _Context | str, observed_at: int) -> Quote | str:
    if isinstance(context, str):
        return context
    try:
        rate = context_hourly_rate(context.funding)
    except BadNumber as error:
        return str(error)
    mark = positive(context.mark_price)
    return Quote(
        exchange=NAME,
        symbol=symbol,
        observed_at=observed_at,
        hourly_rate=rate,
        interval_hours=1.0,
        next_funding_time=(observed_at // HOUR + 1) * HOUR,
        mark_price=mark,
        index_price=positive(context.oracle_price),
        open_interest_usd=notional(context.open_interest, mark),
        volume_24h_usd=notional(context.volume, 1.0),
        hourly_rate_cap=HOURLY_RATE_CAP,
    )


class History(NamedTuple):
    """One `fundingHistory` answer. `row_count` is how many rows came; None is the venue's null."""

    settlements: tuple[Settlement, ...]
    refused: tuple[Refusal, ...]
    row_count: int | None


def parse_settlements(body: bytes, symbol: str, window: Window) -> History:
    """A `fundingHistory` answer of `symbol` asked for `window`, in ascending time."""
    if body.strip() == b"null":
        return History((), (), None)
    raw_rows = envelope(body, list[msgspec.Raw])
    kept: dict[int, Settlement] = {}
    refused: list[Refusal] = []
    for row in rows(raw_rows, _Row):
        try:
            settlement = _settlement(row, symbol, window)
        except BadNumber as error:
            refused.append(Refusal(symbol, str(error)))
            continue
        if kept.setdefault(settlement.funding_time, settlement) != settlement:
            refused.append(Refusal(symbol, f"a second rate for the hour {settlement.funding_time}"))
    return History(tuple(kept[time] for time in sorted(kept)), tuple(refused), len(raw_rows))


def _settlement(row: _Row | str, symbol: str, window: Window) -> Settlement:
    if isinstance(row, str):
        raise BadNumber(row)
    if row.coin != symbol:
        raise BadNumber(f"a row of {clean(row.coin, 64)} in the answer")
    stamp = number(row.time, "time") / 1000
    hour = settlement_hour(stamp)
    if hour is None:
        raise BadNumber(f"paid {stamp:.0f}, at no full hour")
    if not window.start < hour <= window.end:
        raise BadNumber(f"paid {stamp:.0f}, outside what was asked")
    rate, hours = settled_rate(row.rate, hour)
    return Settlement(symbol, hour, rate, hours)
