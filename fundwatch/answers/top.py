"""Who pays the most: every market by the size of its rate, now or over a window."""

import msgspec

from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.answers.trust import failed_units, market_trust
from fundwatch.models import apr_percent, hourly_rate
from fundwatch.storage import queries, summary
from fundwatch.storage.database import Database


class Rate(msgspec.Struct, frozen=True):
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
    rates = []
    for market in summary.current(db, queries.market_rows(db, exchange, asset_class), window_end(now)):
        coverage = None if window == "now" else getattr(market, f"coverage_{window}")
        if window == "now":
            hourly = market.hourly_rate
            apr = None if hourly is None else apr_percent(hourly)
        else:
            apr = getattr(market, f"apr_{window}")
            hourly = None if apr is None else hourly_rate(apr)
        if apr is None or hourly is None:
            continue
        trust = market_trust(market, window, failed, now, stale_after_seconds)
        rates.append(
            Rate(
                exchange=market.exchange,
                symbol=market.symbol,
                asset=market.ticker,
                asset_class=market.asset_class,
                apr_percent=apr,
                hourly_rate=hourly,
                interval_hours=market.interval_hours,
                window=window,
                coverage=coverage,
                mark_price=market.mark_price,
                open_interest_usd=market.open_interest_usd,
                volume_24h_usd=market.volume_24h_usd,
                next_funding_time=market.next_funding_time,
                observed_at=market.observed_at,
                trusted=trust.trusted,
                reason=trust.reason,
            )
        )
    rates.sort(key=lambda r: (not r.trusted, -abs(r.apr_percent), r.exchange, r.symbol))
    return rates[:limit]


__all__ = ["WINDOWS", "Rate", "top"]
