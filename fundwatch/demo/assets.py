"""The assets of the demo world, each with a class, a price to move around and a rank by size."""

from collections.abc import Iterator
from typing import NamedTuple

from fundwatch.demo import tickers


class Asset(NamedTuple):
    """`price_usd` is per asset, `rank` 0 the largest; `asset_class` as in `models.AssetClass`, or "etf"."""

    ticker: str
    asset_class: str
    price_usd: float
    rank: int
    name: str

    @property
    def key(self) -> str:
        """One ticker can be two assets (CAT, BB, QNT): the class tells them apart."""
        return f"{self.asset_class}:{self.ticker}"


def coined(number: int) -> str:
    """An invented five-letter name, another one for each number below 32,000."""
    rest = number * 2377 % 32_000
    letters = []
    for choice in ("BDFGKLMNPRSTVXZQ", "AEIOU", "BDFGKLMNPRSTVXZQ", "AEIOU", "KNXRS"):
        rest, at = divmod(rest, len(choice))
        letters.append(choice[at])
    return "".join(letters)


def _priced(text: str) -> Iterator[tuple[str, float]]:
    words = text.split()
    return zip(words[::2], map(float, words[1::2]), strict=True)


def _assets(text: str, asset_class: str, first_rank: int) -> tuple[Asset, ...]:
    names = tickers.COMPANIES if asset_class == "equity" else tickers.NAMES
    return tuple(
        Asset(ticker, asset_class, price, first_rank + i, names.get(ticker, _name(ticker, asset_class)))
        for i, (ticker, price) in enumerate(_priced(text))
    )


def _name(ticker: str, asset_class: str) -> str:
    forms = {"equity": "{} Inc.", "etf": "{} ETF", "index": "{} Index", "prelaunch": "{} (Pre-IPO)"}
    return forms.get(asset_class, "{}").format(ticker.title() if asset_class == "crypto" else ticker)


def coin(number: int, rank: int) -> Asset:
    """A small invented coin."""
    ticker = coined(number)
    price = round(10 ** ((number * 37 % 100) / 25 - 3) * 1.37, 6)
    return Asset(ticker, "crypto", price, rank, ticker.title())


_LISTED = _assets(tickers.CRYPTO, "crypto", 0)
CRYPTO = _LISTED + tuple(coin(n, len(_LISTED) + n) for n in range(tickers.COINED))
EQUITY = _assets(tickers.EQUITY, "equity", 20)
INDEX = _assets(tickers.INDEX, "index", 25)
ETF = _assets(tickers.ETF, "etf", 40)
COMMODITY = _assets(tickers.COMMODITY, "commodity", 12)
FX = _assets(tickers.FX, "fx", 60)
PRELAUNCH = _assets(tickers.PRELAUNCH, "prelaunch", 70)
BASKETS = (
    Asset("BTCDOM", "index", 4820.0, 90, "Bitcoin dominance"),
    Asset("DEFI", "index", 541.0, 120, "DeFi basket"),
    Asset("ALL", "index", 0.93, 130, "All coins"),
)
