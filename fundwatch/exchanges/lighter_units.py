"""Lighter's units: one converter for each field that it publishes a rate in.

The same rate comes as a signed fraction per 8 hours, as an unsigned percent per hour beside the side that
pays, and as a payment in USD. Sources as in `fundwatch.exchanges.lighter`.
"""

from fundwatch.exchanges.decode import BadNumber
from fundwatch.text import clean

_PAYER_SIGN = {"long": 1.0, "short": -1.0}


def hourly_rate_from_funding_rates(rate_per_8h: float) -> float:
    """Fraction per hour from `rate` of /funding-rates: a signed fraction per 8 hours.

    Source: the Hyperliquid rows that the same answer relays are 8 times Hyperliquid's own hourly
    rate, and rate / 8 x 100 equals the WebSocket's current_funding_rate, percent per hour (measured
    2026-07 and 2026-08).
    """
    return rate_per_8h / 8


def rate_from_fundings(percent: float, direction: str) -> float:
    """Fraction for one hour from `rate` and `direction` of /fundings.

    `rate` is an unsigned percent per hour and `direction` the side that pays: long is positive.
    Source: value / (rate / 100) is the market's price (recorded 2026-05: 0.02707872 at 0.0012 is
    2256.56 USD for one ETH). Raises `BadNumber` for another direction or a signed percent.
    """
    return _signed(percent / 100, "rate", direction)


def payment_from_fundings(value: float, direction: str) -> float:
    """USD that one base unit paid for the hour, signed like the rate, from `value` of /fundings."""
    return _signed(value, "value", direction)


def _signed(magnitude: float, field: str, direction: str) -> float:
    sign = _PAYER_SIGN.get(direction)
    if sign is None:
        raise BadNumber(f"direction is neither long nor short but {clean(direction, 20)!r}")
    if magnitude < 0:
        raise BadNumber(f"{field} has a sign of its own beside its direction")
    return magnitude * sign + 0.0  # no negative zero
