"""Which market stands for an asset on each exchange, and which only share its name."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fundwatch.tui.rows.rate_rows import believed, rate_of
from fundwatch.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from fundwatch.storage.queries import MarketRow

Asset = tuple[str, str]
"""Ticker and class: the key of a row."""


class Place(NamedTuple):
    """The market that stands for an asset on one exchange. `apr_percent` None: not known; `ranked`:
    sound and known well enough; `apart`: its price is not that of the others."""

    market: "MarketRow"
    apr_percent: float | None
    ranked: bool
    apart: bool


def by_asset(markets: "Iterable[MarketRow]") -> "dict[Asset, list[MarketRow]]":
    found: defaultdict[Asset, list[MarketRow]] = defaultdict(list)
    for market in markets:
        found[market.ticker, market.asset_class].append(market)
    return found


def places(markets: "Sequence[MarketRow]", snapshot: Snapshot) -> dict[str, Place]:
    """By exchange, the market with the largest 24 h volume among those that are the same asset by price.

    The same asset are those that agree with most exchanges; an exchange that has none of them is
    represented by another, set apart.
    """
    same = main_cluster(markets)
    found: dict[str, Place] = {}
    standing: dict[str, tuple[bool, float, str]] = {}
    for market in markets:
        apart = len(markets) > 1 and (market.same_as_group is None or market.same_as_group != same)
        volume = market.volume_24h_usd
        rank = (apart, 1.0 if volume is None else -volume, market.symbol)
        if market.exchange in found and standing[market.exchange] < rank:
            continue
        standing[market.exchange] = rank
        apr, known = rate_of(market, snapshot.question.window)
        sound = believed(snapshot.trust.get(market.market_id))
        found[market.exchange] = Place(market, apr, known and sound, apart)
    return found


def main_cluster(markets: "Sequence[MarketRow]") -> int | None:
    if len(markets) == 1:
        return markets[0].same_as_group
    exchanges: defaultdict[int, set[str]] = defaultdict(set)
    for market in markets:
        if market.same_as_group is not None:
            exchanges[market.same_as_group].add(market.exchange)
    return min(exchanges, key=lambda cluster: (-len(exchanges[cluster]), cluster), default=None)
