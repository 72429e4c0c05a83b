"""Who pays the most: every market by the size of its rate, now or over a window."""

from operator import itemgetter

import msgspec

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.trust import Trust, failed_units, market_trust
from fundwatch.models import apr_percent, hourly_rate
from fundwatch.storage import queries
from fundwatch.storage.database import Database
from fundwatch.storage.rates import RateRow, rate_rows


class Rate(msgspec.Struct, frozen=True, gc=False):
    """One market. For a window `hourly_rate` and `apr_percent` are the mean that was paid.

    Rates are signed, positive when longs pay; `coverage` is 0 to 1, null for the estimate of now.
    """

    exchange: str
    symbol: str
    asset: str
    asset_class: str
    apr_percent: float
    hourly_rate: float
    interval_hours: float | None
    window: str
    coverage: float | None
    mark_price: float | None
    open_interest_usd: float | None
    volume_24h_usd: float | None
    next_funding_time: int | None
    observed_at: int | None
    trusted: bool
    reason: str | None


def top(
    db: Database,
    now: float,
    *,
    window: str = "now",
    exchange: str | None = None,
    asset_class: str | None = None,
    limit: int | None = 20,
    stale_after_seconds: float,
) -> list[Rate]:
    """The highest |APR| first: trusted rates, then, inside `limit`, the others with their reason."""
    failed = failed_units(queries.unit_checks(db))
    ranked = []
    for market in rate_rows(db, now, window, exchange, asset_class):
        apr, hourly = _rates(market, window)
        if apr is not None and hourly is not None:
            trust = market_trust(market, window, failed, now, stale_after_seconds)
            place = (not trust.trusted, -abs(apr), market.exchange, market.symbol)
            ranked.append((place, market, trust, apr, hourly))
    ranked.sort(key=itemgetter(0))
    return [_rate(market, trust, apr, hourly, window) for _, market, trust, apr, hourly in ranked[:limit]]


def _rates(market: RateRow, window: str) -> tuple[float | None, float | None]:
    """APR in percent and rate per hour."""
    if window == "now":
        return None if market.hourly_rate is None else apr_percent(market.hourly_rate), market.hourly_rate
    return market.apr, None if market.apr is None else hourly_rate(market.apr)


def _rate(market: RateRow, trust: Trust, apr: float, hourly: float, window: str) -> Rate:
    # By position, in the order of the fields: three times as fast as by name.
    return Rate(
        market.exchange,
        market.symbol,
        market.ticker,
        market.asset_class,
        apr,
        hourly,
        market.interval_hours,
        window,
        market.coverage,
        market.mark_price,
        market.open_interest_usd,
        market.volume_24h_usd,
        market.next_funding_time,
        market.observed_at,
        trust.trusted,
        trust.reason,
    )


__all__ = ["WINDOWS", "Rate", "top"]
