"""One asset on all exchanges: its markets with what they paid, the payments that come next, and how far
its rates lie apart."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from statistics import pstdev
from typing import NamedTuple

from fundwatch.analytics.spreads import SAME_RATE
from fundwatch.analytics.windows import RANKED_COVERAGE, WINDOWS, Paid, window_apr
from fundwatch.models import HOUR, Window, apr_percent
from fundwatch.storage.queries import MarketRow, SettlementRow
from fundwatch.tui.charts.history import paid_by_hour
from fundwatch.tui.charts.plotting import Point, Series
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.places import main_cluster, places
from fundwatch.tui.rows.rate_rows import RATE_WIDTH, believed, bracketed, rate_of, squeezed
from fundwatch.tui.rows.run_words import counted
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.caption import Item
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import POSITION_USD, Words, countdown, dollars, interval, share, short_age


class Asset(NamedTuple):
    """The markets that are one thing, those under the same name that are another, and by exchange the
    market that stands for the asset there."""

    markets: tuple[MarketRow, ...] = ()
    apart: tuple[MarketRow, ...] = ()
    places: Mapping[str, MarketRow] = {}


def asset(snapshot: Snapshot, ticker: str, asset_class: str, market_id: int | None = None) -> Asset:
    """The asset that `market_id` is about; without one, what most exchanges mean by the name."""
    named = [m for m in snapshot.markets if (m.ticker, m.asset_class) == (ticker, asset_class)]
    named.sort(key=lambda m: (-(m.volume_24h_usd or 0.0), m.exchange, m.symbol))
    chosen = next((m for m in named if m.market_id == market_id), None)
    group = main_cluster(named) if chosen is None else chosen.same_as_group
    markets = tuple(m for m in named if m.same_as_group == group)
    apart = tuple(m for m in named if m.same_as_group != group)
    stand = {name: place.market for name, place in places(markets, snapshot).items()}
    return Asset(markets, apart, stand)


class Statistics(NamedTuple):
    """What a market paid over a range: mean, lowest and highest hour and their standard deviation as APR
    in percent, and the shares (0 to 1) of hours in which longs paid and of hours that are known."""

    mean: float | None = None
    lowest: float | None = None
    highest: float | None = None
    deviation: float | None = None
    positive: float | None = None
    coverage: float = 0.0


def statistics(rows: Collection[SettlementRow], window: Window) -> Statistics:
    paid = (Paid(row.funding_time, row.rate, row.interval_hours, bool(row.kind)) for row in rows)
    mean, coverage = window_apr(paid, window.end, int(window.hours))
    rates = paid_by_hour(rows, window).values()
    if not rates:
        return Statistics(mean, coverage=coverage)
    return Statistics(
        mean,
        apr_percent(min(rates)),
        apr_percent(max(rates)),
        apr_percent(pstdev(rates)),
        sum(rate > SAME_RATE for rate in rates) / len(rates),
        coverage,
    )


def series(market: MarketRow, rows: Iterable[SettlementRow], hue: int | None = None) -> Series:
    """The hourly rate behind each regular payment, as APR in percent, under the name of the exchange."""
    points: list[Point] = [
        (row.funding_time, apr_percent(row.rate / row.interval_hours))
        for row in rows
        if row.interval_hours and not row.kind
    ]
    return Series(market.exchange, points, hue=hue)


def columns(words: Words, over: str) -> list[Column]:
    """`over` names the range of the statistics: `7d`."""

    def rate(key: str, heading: str, tooltip: str, priority: int = 0) -> Column:
        tooltip = f"{tooltip}; {words.unit_name}, positive: longs pay"
        return Column(key, heading, RATE_WIDTH, "right", tooltip=tooltip, priority=priority)

    return [
        Column("exchange", "exchange", 11),
        Column("symbol", "symbol", 13, grow=True),
        rate("now", words.heading, "The running estimate"),
        rate("mean", f"{over} {words.sign}", f"What was paid over {over}"),
        rate("lowest", "lowest", f"The lowest hour of {over}"),
        rate("highest", "highest", f"The highest hour of {over}"),
        rate(
            "deviation", "st dev", f"How far the hours of {over} lie around their mean: standard deviation", 3
        ),
        Column("positive", "pos %", 5, "right", tooltip="Share of the hours in which longs paid"),
        Column("coverage", "cov %", 5, "right", priority=1, tooltip="Share of the hours that are known"),
        *(
            rate(f"window_{name}", f"{name} {words.sign}", f"What was paid over {name}", 4)
            for name in WINDOWS
        ),
        Column(
            "pays", "pays", 4, "right", descending=False, priority=2, tooltip="Hours that one payment covers"
        ),
        Column("next", "next", 6, "right", descending=False, priority=1, tooltip="Until the next payment"),
        Column("note", "note", 4, tooltip=marks.LEGEND),
        Column("age", "age", 6, "right", priority=2, tooltip="How old the estimate is"),
        Column("oi", "OI $m", 8, "right", priority=2, tooltip="Open interest, millions of US dollars"),
        Column("volume", "vol $m", 8, "right", priority=3, tooltip="24 h volume, millions of US dollars"),
    ]


def rows(
    found: Asset, snapshot: Snapshot, words: Words, figures: Mapping[int, Statistics] | None = None
) -> list[Row]:
    """A row for each market of the asset by its id; `figures` are missing while they are read."""
    return [
        _row(market, snapshot, words, (figures or {}).get(market.market_id, Statistics()))
        for market in found.markets
    ]


def _row(market: MarketRow, snapshot: Snapshot, words: Words, paid: Statistics) -> Row:
    trust, exchange = snapshot.trust.get(market.market_id), snapshot.exchanges.get(market.exchange)
    sound = believed(trust)
    hours, seen = market.interval_hours, market.observed_at
    found = marks.marks(market, trust, exchange, words)
    windows = [rate_of(market, window) for window in WINDOWS]

    def rate(apr: float | None, known: bool = True) -> Cell:
        cell = words.rate(apr, hours, trusted=sound and known)
        return squeezed(cell if sound and known else bracketed(cell), words.value(apr, hours), RATE_WIDTH)

    now = rate_of(market, "now")[0]
    return Row(
        market.market_id,
        (
            market.exchange,
            market.symbol,
            rate(now),
            rate(paid.mean, paid.coverage >= RANKED_COVERAGE),
            rate(paid.lowest),
            rate(paid.highest),
            Cell(rate(paid.deviation).text.replace("+", "")),
            share(paid.positive),
            share(paid.coverage),
            *(rate(apr, known) for apr, known in windows),
            interval(hours, continuous=exchange is not None and exchange.continuous),
            countdown(market.next_funding_time, snapshot.taken_at),
            Cell(marks.glyphs(found), found[0].style if found else ""),
            short_age(None if seen is None else snapshot.taken_at - seen),
            dollars(market.open_interest_usd),
            dollars(market.volume_24h_usd),
        ),
        (
            market.exchange,
            market.symbol,
            now,
            *paid,
            *(apr if known else None for apr, known in windows),
            hours,
            market.next_funding_time,
            len(found) or None,
            None if seen is None else -seen,
            market.open_interest_usd,
            market.volume_24h_usd,
        ),
        "" if sound else "stale",
    )


class Payment(NamedTuple):
    """The payment to come on one exchange, at the rate of now: `amount_usd` for a long of `POSITION_USD`,
    positive when it pays. `time` (UTC seconds) is None where funding accrues all the time."""

    time: int | None
    exchange: str
    hours: float
    amount_usd: float
    sound: bool

    @property
    def eight_hours_usd(self) -> float:
        """The same for 8 hours, so that exchanges with different clocks compare."""
        return self.amount_usd / self.hours * 8


def payments(found: Asset, snapshot: Snapshot) -> list[Payment]:
    """The next one of each exchange, the first to come on top; those without a clock come last."""
    coming: list[Payment] = []
    for name, market in found.places.items():
        if market.hourly_rate is None or not market.interval_hours:
            continue
        hours, time = market.interval_hours, market.next_funding_time
        exchange = snapshot.exchanges.get(name)
        if exchange is not None and exchange.continuous:
            time = None
        elif time is None:
            continue
        else:
            time = _next(time, hours, snapshot.taken_at)
        amount = market.hourly_rate * hours * POSITION_USD
        coming.append(Payment(time, name, hours, amount, believed(snapshot.trust.get(market.market_id))))
    return sorted(coming, key=lambda one: (one.time is None, one.time or 0, one.exchange))


def _next(time: int, hours: float, now: float) -> int:
    """A payment that is due already, as an old quote has it, has been followed by others."""
    step = max(1, round(hours * HOUR))
    return time if time > now else time + (int(now - time) // step + 1) * step


LEAST_APR_PERCENT = 0.005
"""Rates that lie less apart are shown alike."""


class Gap(NamedTuple):
    """Two exchanges and what a pair over them earns before costs, APR in percent: at the estimates of now,
    and what it was paid over a range, None where too little of that is known."""

    long: str
    short: str
    now: float
    paid: float | None


def gaps(found: Asset, snapshot: Snapshot, figures: Mapping[int, Statistics]) -> list[Gap]:
    """Every two exchanges whose rates are sound, each on the side that earns now, the widest first."""
    rates: list[tuple[float, str, float | None]] = []
    for name, market in found.places.items():
        now = rate_of(market, "now")[0]
        if now is not None and believed(snapshot.trust.get(market.market_id)):
            paid = figures.get(market.market_id, Statistics())
            rates.append((now, name, paid.mean if paid.coverage >= RANKED_COVERAGE else None))
    rates.sort(key=lambda rate: rate[:2])
    pairs = [
        Gap(long, short, high - low, None if before is None or after is None else after - before)
        for (low, long, before), (high, short, after) in combinations(rates, 2)
        if high - low >= LEAST_APR_PERCENT
    ]
    return sorted(pairs, key=lambda pair: (-pair.now, pair.long, pair.short))


def title(
    name: tuple[str, str], found: Asset, words: Words, ranges: Sequence[str], chosen: str, *, starred: bool
) -> list[Item]:
    """The asset's name and class, where it is traded, and which of the `ranges` is looked at."""
    ticker, asset_class = name
    choices = [("paid over", "muted")]
    for one in ranges:
        here = one == chosen
        choices += [
            (" [" if here else "  ", "accent"),
            (one, "" if here else "muted"),
            ("]" if here else "", "accent"),
        ]
    return [
        [("★ " if starred else "", "warn"), (ticker, "accent"), (f" {asset_class}", "muted")],
        [(f"{counted(len(found.markets), 'market')} on {counted(len(found.places), 'exchange')}", "")],
        choices,
        [(words.unit_name, "muted")],
    ]


def set_aside(found: Asset, words: Words) -> list[Item]:
    """The markets under the same name that are another thing, with the reason."""
    items: list[Item] = [[("set aside", "muted")]] if found.apart else []
    for market in found.apart:
        rate = words.rate(rate_of(market, "now")[0], market.interval_hours)
        reason = market.identity_reason or "its price is another"
        items.append(
            [(f"{market.exchange} {market.symbol} ", ""), (f"{rate.text} ", "muted"), (reason, "bad")]
        )
    return items
