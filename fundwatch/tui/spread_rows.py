"""The best pairs as rows: what `answers.spreads` found, in words."""

from collections import Counter
from collections.abc import Mapping, Set
from typing import NamedTuple

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.spreads import Spread
from fundwatch.storage.queries import MarketRow
from fundwatch.tui import marks
from fundwatch.tui.columns import Cell, Column, Row
from fundwatch.tui.rate_rows import STAR, bracketed, difference_words, rate_of, squeezed
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import MISSING, Words, dollars, percent, share, short_age

WIDTH = 9
HOLDS = (24.0, 72.0, 168.0, 720.0)
"""The times held that are offered, in hours."""


class Legs(NamedTuple):
    """One pair and its two markets; a market that the snapshot has no longer is None."""

    spread: Spread
    long: MarketRow | None
    short: MarketRow | None


Key = tuple[str, str, int]
"""Ticker, class, and which of the pairs of this asset: the key of a row."""


def columns(words: Words, window: str, hold_hours: float) -> list[Column]:
    words = difference_words(words)
    what = "now" if window == "now" else f"over {window}"
    return [
        Column("star", "", 1, sortable=False, tooltip=f"{STAR} starred: press * to star or unstar an asset"),
        Column("asset", "asset", 9, sort_key=str.casefold),
        Column("long", "long", 11, tooltip="Where to be long: the lower rate"),
        Column("short", "short", 11, tooltip="Where to be short: the higher rate"),
        _rate(
            "spread",
            words.heading,
            f"Rate of the short leg minus that of the long leg, {what}",
            words,
            0,
        ),
        _rate("net", f"net {words.sign}", f"After one round trip, held {held(hold_hours)}", words, 0),
        Column(
            "even", "even h", 7, "right", descending=False, priority=1, tooltip="Hours until costs are earned"
        ),
        Column(
            "positive", "pos %", 5, "right", priority=2, tooltip="Share of the hours in which the pair earned"
        ),
        Column(
            "coverage", "cov %", 5, "right", priority=5, tooltip="Share of the window's hours that are known"
        ),
        Column(
            "oi",
            "OI $m",
            7,
            "right",
            priority=3,
            tooltip="Open interest of the smaller leg, millions of US $",
        ),
        Column("age", "age", 6, "right", priority=3, tooltip="Age of the older of the two estimates"),
        Column(
            "gap",
            "gap %",
            7,
            "right",
            priority=4,
            tooltip="How much dearer the short leg is; minus costs entering",
        ),
        *(
            _rate(f"of_{name}", f"of {name}", f"What this pair was paid over {name}", words, 6 + place)
            for place, name in enumerate(WINDOWS)
        ),
        Column(
            "note",
            "note",
            26,
            priority=3,
            sortable=False,
            grow=True,
            tooltip="Why a pair is not to be trusted",
        ),
    ]


def _rate(key: str, heading: str, tooltip: str, words: Words, priority: int) -> Column:
    return Column(key, heading, WIDTH, "right", priority=priority, tooltip=f"{tooltip}; {words.unit_name}")


def held(hours: float) -> str:
    return f"{hours / 24:g} days" if hours > 24 else f"{hours:g} h"


def pairs(snapshot: Snapshot) -> dict[Key, Legs]:
    """The pairs by the key of their row, best first. The key stays with an asset while its legs change."""
    markets = {(m.exchange, m.symbol): m for m in snapshot.markets}
    seen: Counter[tuple[str, str]] = Counter()
    found: dict[Key, Legs] = {}
    for spread in snapshot.spreads:
        asset = (spread.asset, spread.asset_class)
        found[*asset, seen[asset]] = Legs(
            spread,
            markets.get((spread.long_exchange, spread.long_symbol)),
            markets.get((spread.short_exchange, spread.short_symbol)),
        )
        seen[asset] += 1
    return found


def rows(
    found: Mapping[Key, Legs], snapshot: Snapshot, words: Words, starred: Set[tuple[str, str]] = frozenset()
) -> list[Row]:
    words = difference_words(words)
    return [_row(key, legs, snapshot, words, key[:2] in starred) for key, legs in found.items()]


def _row(key: Key, legs: Legs, snapshot: Snapshot, words: Words, starred: bool) -> Row:
    spread = legs.spread
    trusted = spread.trusted
    even = spread.break_even_hours
    coverage = spread.coverage
    paid = [_paid(legs, window) for window in WINDOWS]
    note = remark(legs, snapshot)

    def rate(apr: float | None, known: bool = True) -> Cell:
        cell = words.rate(apr, trusted=trusted and known)
        return squeezed(cell if known else bracketed(cell), words.value(apr), WIDTH)

    return Row(
        key,
        (
            Cell(STAR, "warn") if starred else "",
            spread.asset,
            spread.long_exchange,
            spread.short_exchange,
            rate(spread.spread_apr_percent, trusted),
            rate(spread.net_apr_percent, trusted),
            MISSING if even is None else f"{even:,.1f}",
            share(spread.share_positive),
            share(coverage),
            dollars(spread.min_open_interest_usd),
            short_age(spread.oldest_leg_seconds),
            percent(spread.price_gap_percent),
            *(rate(apr, known) for apr, known in paid),
            Cell(note, "muted" if trusted else "bad"),
        ),
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
            *(apr if known else None for apr, known in paid),
            None,
        ),
        "" if trusted else "stale",
    )


def _paid(legs: Legs, window: str) -> tuple[float | None, bool]:
    """What the pair was paid over a window, in percent APR, and whether enough of both legs is known."""
    if legs.long is None or legs.short is None:
        return None, False
    long, long_known = rate_of(legs.long, window)
    short, short_known = rate_of(legs.short, window)
    if long is None or short is None:
        return None, False
    return short - long, long_known and short_known


def remark(legs: Legs, snapshot: Snapshot) -> str:
    """Why the pair is not to be trusted, or what to know of it all the same."""
    spread = legs.spread
    said = [spread.reason] if spread.reason else []
    steps = [
        step
        for name in (spread.long_exchange, spread.short_exchange)
        if (step := marks.step_apr_percent(snapshot.exchanges.get(name)))
    ]
    if steps and abs(spread.spread_apr_percent) <= max(steps):
        said.append(f"within the rounding of {max(steps):.2f} % APR")
    if any(leg is not None and leg.session_open == 0 for leg in (legs.long, legs.short)):
        said.append("session closed")
    if any(leg is not None and leg.delisting_time is not None for leg in (legs.long, legs.short)):
        said.append("delisting scheduled")
    return ", ".join(said)


def untrusted_last(row: Row) -> int:
    return 1 if row.style == "stale" else 0
