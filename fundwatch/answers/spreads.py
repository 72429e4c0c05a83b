"""Which pairs earn the most: one asset, long on one exchange and short on another."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from fundwatch.analytics.spreads import (
    Cost,
    Leg,
    Pair,
    best_pairs,
    break_even_hours,
    net_apr_percent,
    price_gap_percent,
    round_trip_percent,
)
from fundwatch.answers.earned import earned
from fundwatch.answers.memo import Memo
from fundwatch.answers.trust import (
    NOT_SAME_ASSET,
    REASONS,
    RECORDED,
    Trust,
    failed_units,
    not_compared,
    trusts,
)
from fundwatch.config import Config
from fundwatch.models import apr_percent
from fundwatch.storage import queries
from fundwatch.storage.database import Database
from fundwatch.storage.rates import RateRow, rate_rows

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
    current: Iterable[RateRow] | None = None,
    memo: Memo | None = None,
) -> list[Spread]:
    """The best pair of each asset: trusted pairs first, then, inside `limit`, the others with a reason.

    Among equals in trust the highest net APR comes first; pairs whose costs are not known follow by
    their gross spread, since a cost left out must not win. Markets whose open interest is known to be
    below `min_oi` (USD) take no part. `current` are the rates of all markets over `window`, where they
    were read already; who asks again and again keeps a `memo`.
    """
    if current is None:
        current = rate_rows(db, now, window)
    markets = {
        market.market_id: market
        for market in current
        if min_oi is None or market.open_interest_usd is None or market.open_interest_usd >= min_oi
    }
    failed = failed_units(queries.unit_checks(db))
    stale_after = config.collector.stale_after_seconds
    trust = trusts(markets.values(), window, failed, now, stale_after)
    cost = _costs(db, config, markets.values())

    def trip(pair: Pair) -> float | None:
        return round_trip_percent(*(cost(markets[leg.market_id]) for leg in (pair.long, pair.short)))

    def place(pair: Pair) -> tuple[bool, bool, float, float, tuple[str, str]]:
        gross = pair.spread_apr_percent
        net = net_apr_percent(gross, trip(pair), hold_hours)
        return (not pair.ranked, net is None, -(net or 0.0), -gross, pair.long.asset)

    pairs = sorted(best_pairs(_legs(markets.values(), trust, window)), key=place)[:limit]
    paid = earned(db, pairs, markets, now, window, memo or Memo())
    return [
        _spread(
            pair,
            long=markets[pair.long.market_id],
            short=markets[pair.short.market_id],
            window=window,
            trip=trip(pair),
            hold_hours=hold_hours,
            share=share,
            reason=_reason(pair, trust, markets, recorded=recorded),
            now=now,
        )
        for pair, (share, recorded) in zip(pairs, paid, strict=True)
    ]


def _costs(db: Database, config: Config, markets: Iterable[RateRow]) -> Callable[[RateRow], Cost]:
    """Tells what a market costs; the fee is the configured one, else the venue's.

    Where a venue publishes its quoted spreads, a market without one has a cost that is not known.
    """
    quoting = {m.exchange for m in markets if m.quoted_spread_percent is not None}
    fees = {name: row.taker_fee_percent for name, row in queries.exchanges(db).items()}
    for name, section in config.exchanges.items():
        if section.taker_fee_percent is not None:
            fees[name] = section.taker_fee_percent

    def cost(market: RateRow) -> Cost:
        spread = market.quoted_spread_percent if market.exchange in quoting else 0.0
        return Cost(fees.get(market.exchange), spread)

    return cost


def _legs(markets: Iterable[RateRow], trust: Mapping[int, Trust], window: str) -> Iterator[Leg]:
    for market in markets:
        if window == "now":
            apr = None if market.hourly_rate is None else apr_percent(market.hourly_rate)
        else:
            apr = market.apr
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


def _reason(
    pair: Pair, trust: Mapping[int, Trust], markets: Mapping[int, RateRow], *, recorded: bool
) -> str | None:
    """The worst that is to be said of either leg or of the two together."""
    said = {trust[pair.long.market_id].reason, trust[pair.short.market_id].reason}
    apart = [markets[leg.market_id] for leg in (pair.long, pair.short) if leg.cluster is None]
    said |= {not_compared(market.mark_price) for market in apart}
    if not apart and not pair.same_cluster:
        said.add(NOT_SAME_ASSET)
    if recorded:
        said.add(RECORDED)
    return next((reason for reason in REASONS if reason in said), None)


def _spread(
    pair: Pair,
    *,
    long: RateRow,
    short: RateRow,
    window: str,
    trip: float | None,
    hold_hours: float,
    share: float | None,
    reason: str | None,
    now: float,
) -> Spread:
    gross = pair.spread_apr_percent
    coverage = None if window == "now" else _smaller(long.coverage, short.coverage)
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
        coverage=coverage,
        price_gap_percent=price_gap_percent(_price(long), _price(short)),
        min_open_interest_usd=_smaller(long.open_interest_usd, short.open_interest_usd),
        oldest_leg_seconds=_age(_smaller(long.observed_at, short.observed_at), now),
        trusted=pair.ranked,
        reason=reason,
    )


def _price(market: RateRow) -> float | None:
    """USD per asset."""
    return None if market.mark_price is None else market.mark_price / market.multiplier


def _smaller(one: float | None, other: float | None) -> float | None:
    """The smaller of two, unknown when either is."""
    return None if one is None or other is None else min(one, other)


def _age(observed_at: float | None, now: float) -> int | None:
    return None if observed_at is None else max(0, int(now - observed_at))
