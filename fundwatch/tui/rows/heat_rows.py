"""One row for each asset and one column for each exchange: where its funding differs."""

from collections.abc import Iterable, Mapping, Sequence, Set
from statistics import median
from typing import NamedTuple

from fundwatch.answers.trust import NOT_COMPARED, Trust, not_compared
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.rows.market_names import of_several_classes
from fundwatch.tui.rows.marks import IN_PARENTHESES
from fundwatch.tui.rows.places import Asset, Place, by_asset, places
from fundwatch.tui.rows.rate_rows import HUGE, STAR, WIDE, bracketed, difference_words, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.caption import Item
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import MISSING, Words, dollars

NARROWEST_CELL, WIDEST_CELL, WIDEST_CELL_HUGE = 7, 11, 14
"""Of one exchange's column; the narrowest so that seven exchanges fit into 80 cells."""
RANGE_WIDTH = 7
_ASSET_WIDTH, _CLASS_WIDTH, _EXCHANGE_WIDTH, _AMOUNT_WIDTH = 13, 9, 11, 9
SHADES_APR_PERCENT = (2.0, 5.0, 15.0, 50.0)
"""How far from its row's median a rate must lie for each shade, in percent APR."""

NOT_SAME = "not same"
NO_PRICE = "no price"
NOT_YET = "not yet"
APART, HIGHEST, LOWEST = "≠", "▴", "▾"
_EDGES = ", ".join(f"{edge:g}" for edge in SHADES_APR_PERCENT)
_TOOLTIP = (
    f"{HIGHEST} the row's highest, {LOWEST} its lowest; shade: {_EDGES} % APR or more from its median; "
    f"in parentheses: {IN_PARENTHESES[1]}; {APART} another asset by price"
)


def legend() -> list[Item]:
    """The signs and shades of the map."""
    shades = {
        side: [(f" {edge:g} ", f"{side}-{step}") for step, edge in enumerate(SHADES_APR_PERCENT, start=1)]
        for side in ("above", "below")
    }
    return [
        [(f"{HIGHEST} highest {LOWEST} lowest of the row", "muted")],
        [("above its median by ", "muted"), *shades["above"], (" % APR", "muted")],
        [("below ", "muted"), *shades["below"]],
        [(" ".join(IN_PARENTHESES), "muted")],
        [(f"{APART} other asset", "muted")],
    ]


def cell_width(exchanges: int, width: int) -> int:
    """Of one exchange's column in a table of `width` cells."""
    spare = width - 1 - (_ASSET_WIDTH + 1) - (RANGE_WIDTH + 2)
    if width >= WIDE:
        spare -= _CLASS_WIDTH + 1
    if width >= HUGE:
        spare -= 2 * (_EXCHANGE_WIDTH + 1) + 2 * (_AMOUNT_WIDTH + 1)
    widest = WIDEST_CELL_HUGE if width >= HUGE else WIDEST_CELL
    return min(widest, max(NARROWEST_CELL, spare // max(1, exchanges) - 1))


def columns(exchanges: Sequence[str], words: Words, window: str, width: int = 80) -> list[Column]:
    """`width` is that of the table, in cells."""
    size = cell_width(len(exchanges), width)
    what = "the running estimate" if window == "now" else f"what was paid over {window}"
    tooltip = f"{what}, {words.unit_name}; {_TOOLTIP}"
    spare = width - 3 - len(exchanges) * (size + 1) - (RANGE_WIDTH + 1)
    return [
        Column("asset", "asset", max(6, min(_ASSET_WIDTH, spare)), sort_key=str.casefold),
        Column("class", "class", _CLASS_WIDTH, priority=2),
        *(
            Column(name, _short(name, size), size, "right", tooltip=f"{name}: {tooltip}")
            for name in exchanges
        ),
        Column(
            "range",
            "max-min" if difference_words(words) == words else "APR dif",
            RANGE_WIDTH,
            "right",
            tooltip=f"The widest difference between exchanges, {difference_words(words).unit_name}",
        ),
        Column(
            "oi",
            "OI $m",
            _AMOUNT_WIDTH,
            "right",
            priority=5,
            tooltip="Open interest of these markets together, millions of US dollars, as far as it is known",
        ),
        Column(
            "volume",
            "vol $m",
            _AMOUNT_WIDTH,
            "right",
            priority=6,
            tooltip="24 h volume of these markets together, millions of US dollars, as far as it is known",
        ),
        Column("lowest", "long on", _EXCHANGE_WIDTH, priority=4, tooltip="The exchange with the lowest rate"),
        Column(
            "highest", "short on", _EXCHANGE_WIDTH, priority=4, tooltip="The exchange with the highest rate"
        ),
    ]


def _short(name: str, width: int) -> str:
    return name if len(name) <= width else f"{name[: width - 1]}."


class Kept(NamedTuple):
    """What was made of an asset, and from what."""

    markets: list[MarketRow]
    trust: list[Trust | None]
    name: str
    places: dict[str, Place]
    row: Row


class HeatRows:
    """The rows of one table; an asset of which nothing changed is not looked at again."""

    def __init__(self) -> None:
        self._kept: dict[Asset, Kept] = {}
        self._for: tuple[object, ...] = ()

    def rows(
        self,
        snapshot: Snapshot,
        exchanges: Sequence[str],
        words: Words,
        starred: Set[Asset] = frozenset(),
        width: int = 80,
    ) -> list[Row]:
        """A row for each asset by ticker and class, with a cell for each of `exchanges`, in a table of
        `width` cells."""
        size = cell_width(len(exchanges), width)
        made_for = (snapshot.question.window, tuple(exchanges), words, size)
        former = self._kept if made_for == self._for else {}
        self._for, self._kept = made_for, {}
        assets = by_asset(snapshot.markets)
        ambiguous = of_several_classes(assets)
        for asset, markets in assets.items():
            trust = [snapshot.trust.get(market.market_id) for market in markets]
            kept = former.get(asset)
            name = " ".join(asset) if asset[0] in ambiguous else asset[0]
            name = STAR + name if asset in starred else name
            if kept is None or kept[:3] != (markets, trust, name):
                found = places(markets, snapshot)
                row = _row(asset, name, found, exchanges, words, size)
                kept = Kept(markets, trust, name, found, row)
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
    key: Asset, name: str, found: Mapping[str, Place], exchanges: Sequence[str], words: Words, size: int
) -> Row:
    ranked = {
        name: place.apr_percent
        for name, place in found.items()
        if place.ranked and not place.apart and place.apr_percent is not None
    }
    ends = (
        _Ends(median(ranked.values()), min(ranked.values()), max(ranked.values()))
        if len(ranked) > 1
        else None
    )
    cells = [_cell(found.get(name), ends, words, size) for name in exchanges]
    lowest, highest = _named(ranked, ends)
    markets = [place.market for place in found.values() if not place.apart]
    interest = _sum(market.open_interest_usd for market in markets)
    volume = _sum(market.volume_24h_usd for market in markets)
    widest = None if ends is None else ends.high - ends.low
    ticker, asset_class = key
    return Row(
        key,
        (
            Cell(name, "bold") if name.startswith(STAR) else name,
            asset_class,
            *cells,
            _range(widest, found, words),
            dollars(interest),
            dollars(volume),
            lowest,
            highest,
        ),
        (
            ticker,
            asset_class,
            *(ranked.get(name) for name in exchanges),
            widest,
            interest,
            volume,
            lowest or None,
            highest or None,
        ),
    )


class _Ends(NamedTuple):
    """Of the ranked rates of a row, APR in percent."""

    middle: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """Whether they differ by so much that it is worth a mark."""
        return self.high - self.low >= SHADES_APR_PERCENT[0]


def _named(ranked: Mapping[str, float], ends: _Ends | None) -> tuple[str, str]:
    """The exchanges with the lowest and the highest rate; "" where the rates do not differ."""
    if ends is None or not ends.apart:
        return "", ""
    return min(ranked, key=lambda name: ranked[name]), max(ranked, key=lambda name: ranked[name])


def _sum(amounts: Iterable[float | None]) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _cell(place: Place | None, ends: _Ends | None, words: Words, size: int) -> Cell:
    """Without the colour of the sign: it would be taken for the shade, and the sign is printed."""
    if place is None or place.apr_percent is None:
        return MISSING
    apr, hours = place.apr_percent, place.market.interval_hours
    cell = words.rate(apr, hours, trusted=place.ranked)
    if cell == MISSING:
        return cell
    value = words.value(apr, hours)
    if place.apart:
        return Cell(APART + squeezed(Cell(cell.text), value, size - 1).text, "muted")
    if not place.ranked:
        return squeezed(bracketed(cell), value, size)
    if ends is None:
        return squeezed(Cell(cell.text), value, size)
    mark = "" if not ends.apart else HIGHEST if apr == ends.high else LOWEST if apr == ends.low else ""
    text = squeezed(Cell(cell.text), value, size - len(mark)).text
    return Cell(mark + text.rjust(size - len(mark)) if mark else text, _shade(apr - ends.middle))


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
    if any(place.market.same_as_group is not None for place in found.values()):
        return Cell(NOT_SAME, "muted")
    soon = any(not_compared(place.market.mark_price) == NOT_COMPARED for place in found.values())
    return Cell(NOT_YET if soon else NO_PRICE, "muted")
