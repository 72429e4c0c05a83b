"""Which pairs earn the most: one asset, long on one exchange and short on another."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fundwatch.analytics.spreads import (
    Cost,
    Leg,
    Pair,
    best_pairs,
    break_even_hours,
    hourly_rates,
    net_apr_percent,
    price_gap_percent,
    round_trip_percent,
    share_positive,
)
from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.answers.trust import (
    NO_PRICE,
    NOT_SAME_ASSET,
    REASONS,
    RECORDED,
    Trust,
    failed_units,
    market_trust,
)
from fundwatch.config import Config
from fundwatch.models import HOUR, Source, Window, apr_percent
from fundwatch.storage import queries, summary
from fundwatch.storage.database import Database
from fundwatch.storage.queries import MarketRow

SHARE_OF_NOW_HOURS = WINDOWS["7d"]
"""How far `share_positive` looks back where the spread itself is the estimate of now."""

HOLD_HOURS = 168.0


class Spread(msgspec.Struct, frozen=True):
    """One pair. The short leg receives the rate where it is highest, the long leg pays where it is lowest.

    `spread_apr_percent` is signed and before costs, `net_apr_percent` after one round trip spread over
    the time held, null where a cost is not known. `share_positive` (0 to 1) is over the hours in which
    both legs settled, in the window (7 days for `now`); `coverage` (0 to 1, null for `now`) that of the
    leg with less. `price_gap_percent` is positive when the short leg is dearer, which is the good side.
    """

    asset: str
    asset_class: str
    long_exchange: str
    long_symbol: str
    short_exchange: str
    short_symbol: str
    window: str
    spread_apr_percent: float
    net_apr_percent: float | None
    break_even_hours: float | None
    share_positive: float | None
    coverage: float | None
    price_gap_percent: float | None
    min_open_interest_usd: float | None
    oldest_leg_seconds: int | None
    trusted: bool
    reason: str | None


def spreads(
    db: Database,
    config: Config,
    now: float,
    *,
    window: str = "now",
    limit: int | None = 20,
    hold_hours: float = HOLD_HOURS,
    min_oi: float | None = None,
    current: Iterable[MarketRow] | None = None,
) -> list[Spread]:
    """The best pair of each asset: trusted pairs first, then, inside `limit`, the others with a reason.

    Among equals in trust the highest net APR comes first; pairs whose costs are not known follow by
    their gross spread, since a cost left out must not win. Markets whose open interest is known to be
    below `min_oi` (USD) take no part. `current` are all markets with their windows, where they were
    read already.
    """
    if current is None:
        current = summary.current(db, queries.market_rows(db), window_end(now))
    markets = {
        market.market_id: market
        for market in current
        if min_oi is None or market.open_interest_usd is None or market.open_interest_usd >= min_oi
    }
    failed = failed_units(queries.unit_checks(db))
    stale_after = config.collector.stale_after_seconds
    trust = {key: market_trust(m, window, failed, now, stale_after) for key, m in markets.items()}
    costs = _costs(db, config, markets.values())

    def trip(pair: Pair) -> float | None:
        return round_trip_percent(costs[pair.long.market_id], costs[pair.short.market_id])

    def place(pair: Pair) -> tuple[bool, bool, float, float, tuple[str, str]]:
        gross = pair.spread_apr_percent
        net = net_apr_percent(gross, trip(pair), hold_hours)
        return (not pair.ranked, net is None, -(net or 0.0), -gross, pair.long.asset)

    pairs = sorted(best_pairs(_legs(markets.values(), trust, window)), key=place)[:limit]
    earned = _earned(db, pairs, now, window)
    return [
        _spread(
            pair,
            long=markets[pair.long.market_id],
            short=markets[pair.short.market_id],
            window=window,
            trip=trip(pair),
            hold_hours=hold_hours,
            share=share,
            reason=_reason(pair, trust, recorded=recorded),
            now=now,
        )
        for pair, (share, recorded) in zip(pairs, earned, strict=True)
    ]


def _costs(db: Database, config: Config, markets: Iterable[MarketRow]) -> dict[int, Cost]:
    """What each market costs; the fee is the configured one, else the venue's.

    Where a venue publishes its quoted spreads, a market without one has a cost that is not known.
    """
    rows = list(markets)
    quoting = {m.exchange for m in rows if m.quoted_spread_percent is not None}
    fees = {name: row.taker_fee_percent for name, row in queries.exchanges(db).items()}
    for name, section in config.exchanges.items():
        if section.taker_fee_percent is not None:
            fees[name] = section.taker_fee_percent
    return {
        m.market_id: Cost(fees.get(m.exchange), m.quoted_spread_percent if m.exchange in quoting else 0.0)
        for m in rows
    }


def _legs(markets: Iterable[MarketRow], trust: dict[int, Trust], window: str) -> Iterator[Leg]:
    for market in markets:
        if window == "now":
            apr = None if market.hourly_rate is None else apr_percent(market.hourly_rate)
        else:
            apr = getattr(market, f"apr_{window}")
        if apr is not None:
            yield Leg(
                market.market_id,
                market.exchange,
                market.symbol,
                (market.ticker, market.asset_class),
                market.same_as_group,
                apr,
                market.volume_24h_usd,
                trust[market.market_id].trusted,
            )


def _earned(
    db: Database, pairs: Sequence[Pair], now: float, window: str
) -> Iterator[tuple[float | None, bool]]:
    """For each pair its share of positive hours, and whether recorded estimates have a part in it."""
    end = window_end(now)
    span = Window(end - WINDOWS.get(window, SHARE_OF_NOW_HOURS) * HOUR, end)
    paid: dict[int, list[tuple[int, float, float | None, bool]]] = {
        leg.market_id: [] for pair in pairs for leg in (pair.long, pair.short)
    }
    recorded = set()
    for row in queries.settlements(db, paid, *span):
        paid[row.market_id].append((row.funding_time, row.rate, row.interval_hours, bool(row.kind)))
        if row.source == Source.RECORDED:
            recorded.add(row.market_id)
    rates = {market_id: hourly_rates(rows, span) for market_id, rows in paid.items()}
    for long, short, _ in pairs:
        share = share_positive(rates[long.market_id], rates[short.market_id])
        yield share, share is not None and not recorded.isdisjoint((long.market_id, short.market_id))


def _reason(pair: Pair, trust: dict[int, Trust], *, recorded: bool) -> str | None:
    """The worst that is to be said of either leg or of the two together."""
    said = {trust[pair.long.market_id].reason, trust[pair.short.market_id].reason}
    if pair.long.cluster is None or pair.short.cluster is None:
        said.add(NO_PRICE)
    elif not pair.same_cluster:
        said.add(NOT_SAME_ASSET)
    if recorded:
        said.add(RECORDED)
    return next((reason for reason in REASONS if reason in said), None)


def _spread(
    pair: Pair,
    *,
    long: MarketRow,
    short: MarketRow,
    window: str,
    trip: float | None,
    hold_hours: float,
    share: float | None,
    reason: str | None,
    now: float,
) -> Spread:
    gross = pair.spread_apr_percent
    coverages = None if window == "now" else [getattr(m, f"coverage_{window}") for m in (long, short)]
    return Spread(
        asset=long.ticker,
        asset_class=long.asset_class,
        long_exchange=long.exchange,
        long_symbol=long.symbol,
        short_exchange=short.exchange,
        short_symbol=short.symbol,
        window=window,
        spread_apr_percent=gross,
        net_apr_percent=net_apr_percent(gross, trip, hold_hours),
        break_even_hours=break_even_hours(gross, trip),
        share_positive=share,
        coverage=_smaller(*coverages) if coverages else None,
        price_gap_percent=price_gap_percent(_price(long), _price(short)),
        min_open_interest_usd=_smaller(long.open_interest_usd, short.open_interest_usd),
        oldest_leg_seconds=_age(_smaller(long.observed_at, short.observed_at), now),
        trusted=pair.ranked,
        reason=reason,
    )


def _price(market: MarketRow) -> float | None:
    """USD per asset."""
    return None if market.mark_price is None else market.mark_price / market.multiplier


def _smaller(one: float | None, other: float | None) -> float | None:
    """The smaller of two, unknown when either is."""
    return None if one is None or other is None else min(one, other)


def _age(observed_at: float | None, now: float) -> int | None:
    return None if observed_at is None else max(0, int(now - observed_at))
