"""Settlements of an exchange that publishes none: our own last estimate before each payment."""

from collections.abc import Iterable

from fundwatch.models import Settlement
from fundwatch.storage.queries import MarketRow

RECORDED_WITHIN_SECONDS = 300
"""The estimate must have been taken in the last 5 minutes before the payment."""


def recorded(markets: Iterable[MarketRow], now: float) -> list[Settlement]:
    """The last stored estimates before payments that have come due by `now`, as settlements."""
    return [
        Settlement(
            market.symbol,
            market.next_funding_time,
            market.hourly_rate * market.interval_hours,
            market.interval_hours,
        )
        for market in markets
        if market.hourly_rate is not None
        and market.interval_hours
        and market.next_funding_time is not None
        and market.observed_at is not None
        and 0 <= market.next_funding_time - market.observed_at <= RECORDED_WITHIN_SECONDS
        and market.next_funding_time <= now
    ]
