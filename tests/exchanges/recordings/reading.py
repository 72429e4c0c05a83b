"""What an exchange module makes of a recorded file, in the numbers that the table expects."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from fundwatch.models import Market, Quote, Refusal, Settlement
from tests.exchanges.recordings.raw import Values, at

_QUOTED = (
    "interval_hours",
    "next_funding_time",
    "mark_price",
    "index_price",
    "open_interest_usd",
    "volume_24h_usd",
    "quoted_spread_percent",
)


class Reading(NamedTuple):
    """What our module makes of a file.

    `rates` are fractions per hour, by symbol for quotes and by "symbol time" for payments, None where
    nothing tells the interval. `figures` are all other numbers by "symbol name".
    """

    rates: Values
    figures: Values
    markets: int = 0
    closed: int = 0
    refused: tuple[str, ...] = ()

    @property
    def values(self) -> Values:
        return {**self.figures, **self.rates}


Reader = Callable[[bytes], Reading]


def reasons(refused: Iterable[Refusal]) -> tuple[str, ...]:
    return tuple(refusal.reason for refusal in refused)


def of_markets(markets: Iterable[Market]) -> Values:
    figures: Values = {}
    for market in markets:
        figures[f"{market.symbol} listed_time"] = market.listed_time
        figures[f"{market.symbol} multiplier"] = market.asset.multiplier
    return figures


def of_quotes(quotes: Iterable[Quote]) -> tuple[Values, Values]:
    rates: Values = {}
    figures: Values = {}
    for quote in quotes:
        rates[quote.symbol] = quote.hourly_rate
        figures |= {f"{quote.symbol} {name}": getattr(quote, name) for name in _QUOTED}
    return rates, figures


def of_payments(payments: Iterable[Settlement]) -> tuple[Values, Values]:
    rates: Values = {}
    figures: Values = {}
    for row in payments:
        key = at(row.symbol, row.funding_time)
        rates[key] = row.rate / row.interval_hours if row.interval_hours else None
        figures[f"{key} paid"] = row.rate
        figures[f"{key} hours"] = row.interval_hours
        figures[f"{key} payment_usd"] = row.payment_usd
    return rates, figures
