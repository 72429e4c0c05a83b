"""How each exchange writes its markets' names: for a market that no list of its exchange tells about.

A market that was delisted years ago is known from files only. Its exchange's list, once it has the
market, overrides what is read from the name here.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fundwatch.assets import identify
from fundwatch.exchanges import variational
from fundwatch.exchanges.hyperliquid_answers import asset_of
from fundwatch.models import Market


class _Style(NamedTuple):
    """`pattern` has the base as its only group; `example` shows a person what is meant."""

    pattern: re.Pattern[str]
    example: str


# A name without a quote currency: nothing that ends like one of the other styles.
_BARE = r"(?!.+(?:USDT|USDC|BUSD|-USD|-PERP|_PERP)$)"
_DOLLARS = "(?:USDT|USDC|USD1|FDUSD|BUSD|U)"

_FAPI = _Style(re.compile(rf"([^\W_a-z]+){_DOLLARS}"), "BTCUSDT")
_STYLES: Mapping[str, _Style] = {
    "binance": _FAPI,
    "aster": _FAPI,
    "extended": _Style(re.compile(r"(.+)-USD"), "BTC-USD"),
    "paradex": _Style(re.compile(r"([^-]+)-USD-PERP"), "BTC-USD-PERP"),
    "hyperliquid": _Style(
        re.compile(rf"{_BARE}((?:[a-z0-9]+:)?[^\W_-]+)"), "BTC, or xyz:TSLA on a builder's dex"
    ),
    "lighter": _Style(re.compile(rf"{_BARE}([^:/]+)"), "BTC"),
    "variational": _Style(re.compile(rf"{_BARE}([^:/]+)"), "BTC"),
}


def _coin_of_dex(exchange: str, symbol: str, _: str) -> Market:
    dex, _, base = symbol.rpartition(":")
    return Market(exchange, symbol, asset_of(base, dex), group=dex)


def _listing_of(exchange: str, symbol: str, base: str) -> Market:
    return Market(exchange, symbol, identify(variational.TICKERS.get(base, base)))


_OWN_WAYS: Mapping[str, Callable[[str, str, str], Market]] = {
    "hyperliquid": _coin_of_dex,
    "variational": _listing_of,
}


def market_named(exchange: str, symbol: str) -> Market | None:
    """The market that `symbol` must be on `exchange`; None where no market there is written like that."""
    found = _STYLES[exchange].pattern.fullmatch(symbol)
    if found is None:
        return None
    make = _OWN_WAYS.get(exchange)
    return make(exchange, symbol, found[1]) if make else Market(exchange, symbol, identify(found[1]))


def example(exchange: str) -> str:
    """A symbol of `exchange`, to show a person how they are written there."""
    return _STYLES[exchange].example
