"""What tells markets of one asset apart where the name of the asset does not."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from fundwatch.storage.queries import MarketRow


_FEWEST = 4
"""Cells of a ticker that stay when it makes room."""


def names(markets: "Iterable[MarketRow]", width: int) -> dict[int, str]:
    """By market id, the ticker with what sets the market apart, in at most `width` cells.

    `BTC USDC` beside `BTC USDT` on one exchange, `TSLA xyz` for a market of a builder's dex, `BB equity`
    where another `BB` is of another class. Markets whose ticker says it all are left out.
    """
    together: defaultdict[tuple[str, str], list[MarketRow]] = defaultdict(list)
    for market in markets:
        together[market.exchange, market.ticker].append(market)
    ambiguous = of_several_classes(
        (one.ticker, one.asset_class) for same in together.values() for one in same
    )
    found: dict[int, str] = {}
    for (_, ticker), same in together.items():
        is_one_class = ticker not in ambiguous
        if is_one_class and len(same) == 1:
            continue
        for market in same:
            suffix = own_part(market.symbol, ticker) if len(same) > 1 else ""
            if suffix := suffix or ("" if is_one_class else market.asset_class):
                found[market.market_id] = _joined(ticker, suffix, width)
    return found


def of_several_classes(assets: Iterable[tuple[str, str]]) -> set[str]:
    """The tickers that are the name of assets of more than one class."""
    seen = Counter(ticker for ticker, _ in set(assets))
    return {ticker for ticker, classes in seen.items() if classes > 1}


def own_part(symbol: str, ticker: str) -> str:
    """What a symbol says besides its ticker: `USDC` of `BTCUSDC`, `xyz` of `xyz:TSLA`."""
    at = symbol.upper().find(ticker.upper())
    if at < 0:
        return symbol
    parts = symbol[:at].strip("-_:/. "), symbol[at + len(ticker) :].strip("-_:/. ")
    return " ".join(filter(None, parts))


def _joined(ticker: str, suffix: str, width: int) -> str:
    """Both where they fit, else the ticker gives way, for it can be guessed; the suffix cannot."""
    if cell_len(ticker) + 1 + cell_len(suffix) <= width:
        return f"{ticker} {suffix}"
    room = max(_FEWEST, width - cell_len(suffix) - 1)
    return (
        f"{set_cell_size(ticker, room).rstrip()}…{suffix}"
        if cell_len(ticker) > room
        else f"{ticker} {suffix}"
    )
