"""One row for each asset and one column for each exchange: where its funding differs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from statistics import median
from typing import NamedTuple

from fundwatch.answers.trust import Trust
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.columns import Cell, Column, Row
from fundwatch.tui.rate_rows import STAR, believed, bracketed, difference_words, rate_of, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import MISSING, Words

Asset = tuple[str, str]
"""Ticker and class: the key of a row."""

CELL_WIDTH, RANGE_WIDTH = 8, 7
"""So that seven exchanges fit into 80 cells."""
SHADES_APR_PERCENT = (2.0, 5.0, 15.0, 50.0)
"""How far from its row's median a rate must lie for each shade, in percent APR."""

NOT_SAME = "not same"
NO_PRICE = "no price"
APART = "≠"
LEGEND = (
    "shade: how far from the row's median (2, 5, 15, 50 % APR); in parentheses: stale, not trusted, or less "
    f"than 90 % known; {APART} another price, so another asset"
)
_SHORT = {"hyperliquid": "hyperl.", "variational": "variat."}


class Place(NamedTuple):
    """The market that stands for an asset on one exchange. `apr_percent` None: not known; `ranked`:
    sound and known well enough; `apart`: its price is not that of the others."""

    market: MarketRow
    apr_percent: float | None
    ranked: bool
    apart: bool


def columns(exchanges: Sequence[str], words: Words, window: str, width: int = 80) -> list[Column]:
    """`width` is that of the table, in cells: what it can spare goes to the names of assets."""
    spare = width - 3 - 6 - len(exchanges) * (CELL_WIDTH + 1) - RANGE_WIDTH - 1
    what = "the running estimate" if window == "now" else f"what was paid over {window}"
    tooltip = f"{what}, {words.unit_name}; {LEGEND}"
    return [
        Column("asset", "asset", 6 + max(0, min(6, spare)), sort_key=str.casefold),
        Column("class", "class", 9, priority=2),
        *(
            Column(name, _SHORT.get(name, name), CELL_WIDTH, "right", tooltip=f"{name}: {tooltip}")
            for name in exchanges
        ),
        Column(
            "range",
            "max-min" if difference_words(words) == words else "APR dif",
            RANGE_WIDTH,
            "right",
            tooltip=f"The widest difference between exchanges, {difference_words(words).unit_name}",
        ),
    ]


def by_asset(markets: Iterable[MarketRow]) -> dict[Asset, list[MarketRow]]:
    found: defaultdict[Asset, list[MarketRow]] = defaultdict(list)
    for market in markets:
        found[market.ticker, market.asset_class].append(market)
    return found


def places(markets: Sequence[MarketRow], snapshot: Snapshot) -> dict[str, Place]:
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


def main_cluster(markets: Sequence[MarketRow]) -> int | None:
    if len(markets) == 1:
        return markets[0].same_as_group
    exchanges: defaultdict[int, set[str]] = defaultdict(set)
    for market in markets:
        if market.same_as_group is not None:
            exchanges[market.same_as_group].add(market.exchange)
    return min(exchanges, key=lambda cluster: (-len(exchanges[cluster]), cluster), default=None)


class Kept(NamedTuple):
    """What was made of an asset, and from what."""

    markets: list[MarketRow]
    trust: list[Trust | None]
    starred: bool
    places: dict[str, Place]
    row: Row


class HeatRows:
    """The rows of one table; an asset of which nothing changed is not looked at again."""

    def __init__(self) -> None:
        self._kept: dict[Asset, Kept] = {}
        self._for: tuple[object, ...] = ()

    def rows(
        self, snapshot: Snapshot, exchanges: Sequence[str], words: Words, starred: Set[Asset] = frozenset()
    ) -> list[Row]:
        """A row for each asset by ticker and class, with a cell for each of `exchanges`."""
        made_for = (snapshot.question.window, tuple(exchanges), words)
        former = self._kept if made_for == self._for else {}
        self._for, self._kept = made_for, {}
        for asset, markets in by_asset(snapshot.markets).items():
            trust = [snapshot.trust.get(market.market_id) for market in markets]
            kept = former.get(asset)
            if kept is None or kept[:3] != (markets, trust, asset in starred):
                found = places(markets, snapshot)
                row = _row(asset, found, exchanges, words, asset in starred)
                kept = Kept(markets, trust, asset in starred, found, row)
            self._kept[asset] = kept
        return [kept.row for kept in self._kept.values()]

    def places(self, asset: Asset) -> Mapping[str, Place]:
        """By exchange, the market that stands for the asset."""
        kept = self._kept.get(asset)
        return {} if kept is None else kept.places

    def markets(self, asset: Asset) -> Sequence[MarketRow]:
        kept = self._kept.get(asset)
        return () if kept is None else kept.markets


def _row(
    key: Asset, found: Mapping[str, Place], exchanges: Sequence[str], words: Words, starred: bool
) -> Row:
    ranked = {
        name: place.apr_percent
        for name, place in found.items()
        if place.ranked and not place.apart and place.apr_percent is not None
    }
    middle = median(ranked.values()) if len(ranked) > 1 else None
    cells = [_cell(found.get(name), middle, words) for name in exchanges]
    widest = max(ranked.values()) - min(ranked.values()) if middle is not None else None
    ticker, asset_class = key
    return Row(
        key,
        (
            Cell(f"{STAR}{ticker}", "bold") if starred else ticker,
            asset_class,
            *cells,
            _range(widest, found, words),
        ),
        (ticker, asset_class, *(ranked.get(name) for name in exchanges), widest),
    )


def _cell(place: Place | None, middle: float | None, words: Words) -> Cell:
    if place is None or place.apr_percent is None:
        return MISSING
    hours = place.market.interval_hours
    cell = words.rate(place.apr_percent, hours, trusted=place.ranked)
    if cell == MISSING:
        return cell
    value = words.value(place.apr_percent, hours)
    if place.apart:
        text = squeezed(Cell(cell.text), value, CELL_WIDTH - 1).text
        return Cell(APART + text, "muted")
    if not place.ranked:
        return squeezed(bracketed(cell), value, CELL_WIDTH)
    shade = "" if middle is None else _shade(place.apr_percent - middle)
    return squeezed(Cell(cell.text, shade or cell.style), value, CELL_WIDTH)


def _shade(distance: float) -> str:
    step = sum(abs(distance) >= edge for edge in SHADES_APR_PERCENT)
    return f"{'above' if distance > 0 else 'below'}-{step}" if step else ""


def _range(widest: float | None, found: Mapping[str, Place], words: Words) -> Cell:
    if widest is not None:
        value = difference_words(words).value(widest)
        cell = difference_words(words).rate(widest)
        return squeezed(Cell(cell.text.lstrip("+")), value, RANGE_WIDTH)
    if not any(place.apart for place in found.values()):
        return MISSING
    priced = any(place.market.same_as_group is not None for place in found.values())
    return Cell(NOT_SAME if priced else NO_PRICE, "muted")
