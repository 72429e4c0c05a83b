"""The best pairs as rows: what `answers.spreads` found, in words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.memo import Memo
from fundwatch.answers.trust import NO_PRICE, NOT_COMPARED, NOT_SAME_ASSET, RECORDED
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.market_names import of_several_classes
from fundwatch.tui.rows.marks import Mark
from fundwatch.tui.rows.rate_rows import STAR, WIDE, bracketed, difference_words, rate_of, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Cells, Column, Row
from fundwatch.tui.words import MISSING, Words, dollars, percent, share, short_age

if TYPE_CHECKING:
    from fundwatch.answers.spreads import Spread
    from fundwatch.storage.queries import MarketRow

LOW, HALF = "▾", 0.5
"""What marks a share of hours below one half."""
HOLDS = (24.0, 72.0, 168.0, 720.0)
"""The times held that are offered, in hours."""


class Legs(NamedTuple):
    """One pair and its two markets; a market that the snapshot has no longer is None."""

    spread: "Spread"
    long: "MarketRow | None"
    short: "MarketRow | None"


Key = tuple[str, str, int]
"""Ticker, class, and which of the pairs of this asset: the key of a row."""


class Widths(NamedTuple):
    """Of the columns whose widths differ from screen to screen, in cells."""

    asset: int
    rate: int
    even: int
    interest: int


NARROW, ROOMY = Widths(8, 8, 6, 6), Widths(14, 9, 7, 8)


def widths(width: int) -> Widths:
    """For a table of `width` cells."""
    return ROOMY if width >= WIDE else NARROW


def columns(words: Words, window: str, hold_hours: float, width: int = 80) -> list[Column]:
    """For a table of `width` cells; `rows` with the same `width` match them."""
    words = difference_words(words)
    what = "now" if window == "now" else f"over {window}"
    sizes = widths(width)

    def rate(key: str, heading: str, tooltip: str, priority: int = 0) -> Column:
        tooltip = f"{tooltip}; {words.unit_name}"
        return Column(key, heading, sizes.rate, "right", priority=priority, tooltip=tooltip)

    def number(key: str, heading: str, size: int, priority: int, tooltip: str) -> Column:
        return Column(key, heading, size, "right", priority=priority, tooltip=tooltip)

    return [
        Column("star", "", 1, sortable=False, tooltip=f"{STAR} starred: press * to star or unstar an asset"),
        Column("asset", "asset", sizes.asset, sort_key=str.casefold),
        Column("long", "long", 11, tooltip="Where to be long: the lower rate"),
        Column("short", "short", 11, tooltip="Where to be short: the higher rate"),
        rate("spread", words.heading, f"Rate of the short leg minus that of the long leg, {what}"),
        rate("net", f"net {words.sign}", f"After one round trip, held {held(hold_hours)}"),
        replace(
            number(
                "even", "even", sizes.even, 1, "Break-even: hours, or days, until the round trip is earned"
            ),
            descending=False,
        ),
        number("positive", "pos %", 5, 1, f"Share of hours in which the pair earned; {LOW} less than half"),
        number(
            "coverage",
            "cov %",
            5,
            15 if window == "now" else 4,
            "Share of the window's hours that are known of both legs",
        ),
        number("oi", "OI $m", sizes.interest, 3, "Open interest of the smaller leg, millions of US dollars"),
        number("age", "age", 6, 4, "Age of the older of the two estimates"),
        number("gap", "gap %", 7, 4, "How much dearer the short leg is; minus costs entering"),
        Column("note", "note", 4, priority=2, sort_key=_mark_count, tooltip=marks.LEGEND),
        *(
            rate(f"of_{name}", f"{name} {words.sign}", f"What this pair was paid over {name}", priority)
            for name, priority in _priorities(window).items()
        ),
        Column(
            "remarks",
            "remarks",
            26,
            priority=11,
            sortable=False,
            grow=True,
            tooltip="What is to be known of the pair, such as why it is not ranked",
        ),
    ]


def _priorities(window: str) -> dict[str, int]:
    """Of the windows' columns: that of the window asked about would repeat the spread."""
    rest = [name for name in ("7d", "24h", "30d", "3d") if name != window]
    return {name: 14 if name == window else 7 + rest.index(name) for name in WINDOWS}


def held(hours: float) -> str:
    return f"{hours / 24:g} days" if hours > 24 else f"{hours:g} h"


def pairable(markets: "Iterable[MarketRow]") -> int:
    """How many assets have a rate on two exchanges or more."""
    on: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for market in markets:
        if market.hourly_rate is not None:
            on[market.ticker, market.asset_class].add(market.exchange)
    return sum(len(exchanges) > 1 for exchanges in on.values())


def pairs(snapshot: Snapshot, memo: Memo | None = None, limit: int | None = None) -> dict[Key, Legs]:
    """The best pairs by the key of their row, best first. The key stays with an asset while its legs change.

    Who asks again and again keeps a `memo`.
    """
    best = snapshot.spreads[:limit]
    names = {(spread.long_exchange, spread.long_symbol) for spread in best}
    names |= {(spread.short_exchange, spread.short_symbol) for spread in best}
    markets = (memo or Memo()).keep(
        "legs",
        (snapshot.markets, names),
        lambda: {name: m for m in snapshot.markets if (name := (m.exchange, m.symbol)) in names},
    )
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, Legs] = {}
    for spread in best:
        asset = (spread.asset, spread.asset_class)
        found[*asset, seen[asset]] = Legs(
            spread,
            markets.get((spread.long_exchange, spread.long_symbol)),
            markets.get((spread.short_exchange, spread.short_symbol)),
        )
        seen[asset] += 1
    return found


def rows(
    found: Mapping[Key, Legs],
    snapshot: Snapshot,
    words: Words,
    starred: Set[tuple[str, str]] = frozenset(),
    width: int = 80,
    memo: Memo | None = None,
) -> list[Row]:
    words = difference_words(words)
    sizes = widths(width)
    ambiguous = (memo or Memo()).keep(
        "ambiguous",
        snapshot.markets,
        lambda: of_several_classes((m.ticker, m.asset_class) for m in snapshot.markets),
    )
    return [
        _row(
            key,
            legs,
            snapshot,
            words,
            key[:2] in starred,
            sizes,
            f"{key[0]} {key[1]}" if key[0] in ambiguous else key[0],
        )
        for key, legs in found.items()
    ]


def _row(
    key: Key, legs: Legs, snapshot: Snapshot, words: Words, starred: bool, sizes: Widths, name: str
) -> Row:
    spread = legs.spread
    trusted = spread.trusted
    even = spread.break_even_hours
    coverage = spread.coverage
    paid = [_paid(legs, window) for window in WINDOWS]

    def rate(apr: float | None, known: bool = True) -> Cell:
        known = known and trusted
        cell = words.rate(apr, trusted=known)
        return squeezed(cell if known else bracketed(cell), words.value(apr), sizes.rate)

    def cells() -> Cells:
        found = pair_marks(legs, snapshot, words)
        style = found[0].style if found else ""
        return (
            Cell(STAR, "warn") if starred else "",
            name,
            spread.long_exchange,
            spread.short_exchange,
            rate(spread.spread_apr_percent),
            rate(spread.net_apr_percent),
            MISSING if even is None else _even(even),
            _positive(spread.share_positive),
            share(coverage),
            _interest(spread.min_open_interest_usd, sizes.interest),
            short_age(spread.oldest_leg_seconds),
            percent(spread.price_gap_percent),
            Cell(marks.glyphs(found), style),
            *(rate(apr, known) for apr, known in paid),
            Cell(marks.sentence(found), style),
        )

    return Row(
        key,
        cells,
        (
            None,
            spread.asset,
            spread.long_exchange,
            spread.short_exchange,
            spread.spread_apr_percent,
            spread.net_apr_percent,
            even,
            spread.share_positive,
            coverage,
            spread.min_open_interest_usd,
            spread.oldest_leg_seconds,
            spread.price_gap_percent,
            (legs, snapshot),
            *(apr if known else None for apr, known in paid),
            None,
        ),
        "" if trusted else "stale",
    )


def _even(hours: float) -> Cell:
    """When costs are earned, in at most 6 cells."""
    if hours < 99.95:
        return Cell(f"{hours:.1f} h")
    return Cell(
        f"{hours:.0f} h" if hours < 9_999.5 else f"{hours / 24:.0f} d" if hours < 240_000 else "never"
    )


def _interest(usd: float | None, width: int) -> Cell:
    cell = dollars(usd)
    return cell if usd is None or len(cell.text) <= width else Cell(f"{usd / 1e6:,.0f}")


def _positive(part: float | None) -> Cell:
    """Less than half is marked: such a pair lost in most hours."""
    cell = share(part)
    return cell if part is None or part >= HALF else Cell(LOW + cell.text, "warn")


def _paid(legs: Legs, window: str) -> tuple[float | None, bool]:
    """What the pair was paid over a window, in percent APR, and whether enough of both legs is known."""
    if legs.long is None or legs.short is None:
        return None, False
    long, long_known = rate_of(legs.long, window)
    short, short_known = rate_of(legs.short, window)
    if long is None or short is None:
        return None, False
    return short - long, long_known and short_known


def pair_marks(legs: Legs, snapshot: Snapshot, words: Words) -> tuple[Mark, ...]:
    """What is to be known of a pair, the weightiest first, with the letters of a market's marks."""
    spread = legs.spread
    found = []
    if spread.reason and not spread.trusted:
        glyph = "≠" if spread.reason in (NOT_SAME_ASSET, NO_PRICE, NOT_COMPARED) else "!"
        found.append(Mark(glyph, spread.reason, "bad"))
    sides = [leg for leg in (legs.long, legs.short) if leg is not None]
    found += [Mark("^", f"{leg.exchange} at its cap", "warn") for leg in sides if marks.at_cap(leg)][:1]
    if any(leg.delisting_time is not None for leg in sides):
        times = [leg.delisting_time for leg in sides if leg.delisting_time is not None]
        found.append(Mark("D", f"delists {words.moment(min(times))} {words.zone}", "warn"))
    if any(leg.session_open == 0 for leg in sides):
        found.append(Mark("c", "session closed", "muted"))
    if spread.reason == RECORDED:
        found.append(Mark("r", "recorded by us, not published", "muted"))
    steps = [
        step
        for name in (spread.long_exchange, spread.short_exchange)
        if (step := marks.step_apr_percent(snapshot.exchanges.get(name)))
    ]
    if steps and abs(spread.spread_apr_percent) <= max(steps):
        found.append(Mark("~", f"within the rounding of {max(steps):.2f} % APR", "muted"))
    return tuple(found)


def _mark_count(of: tuple[Legs, Snapshot]) -> int | None:
    return len(pair_marks(*of, Words())) or None


def untrusted_last(row: Row) -> int:
    return 1 if row.style == "stale" else 0
