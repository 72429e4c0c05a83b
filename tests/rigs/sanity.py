"""What must hold of whatever an adapter makes of an answer, however wrong that is.

Written apart from the product's own checks, so that one that is lost there is missed here.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from math import isfinite

from fundwatch.exchanges.base import Answer, Listing, Quotes
from fundwatch.exchanges.errors import ExchangeError
from fundwatch.models import Kind, Quote, Refusal, Settlement

HOUR = 3600
MOST_AN_HOUR = 0.1
LONGEST_REASON = 400
_SIGNS = frozenset("._:/+-$&")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "PDF", "RLI", "LRI", "FSI", "PDI"})


def of_lists(listing: Listing, quotes: Quotes, now: float) -> Iterator[str]:
    """What is wrong with a market list and the quotes beside it."""
    for market in listing.markets:
        yield from of_name(market.symbol, "symbol")
        yield from of_name(market.asset.ticker, "ticker")
        yield from of_text(market.group, 64)
        if not isfinite(market.asset.multiplier) or market.asset.multiplier <= 0:
            yield f"{market.symbol}: multiplier {market.asset.multiplier}"
        for time in (market.listed_time, market.delisting_time):
            if time is not None and not 1.2e9 < time < 4.2e9:
                yield f"{market.symbol}: listed or delisted {time}"
    symbols = [market.symbol for market in listing.markets]
    if len(symbols) != len(set(symbols)):
        yield "a market is listed twice"
    for symbol in listing.closed:
        yield from of_name(symbol, "closed symbol")
    for quote in quotes.quotes:
        yield from _of_quote(quote, now)
    quoted = [quote.symbol for quote in quotes.quotes]
    if len(quoted) != len(set(quoted)):
        yield "a market is quoted twice"
    yield from _of_refusals((*listing.refused, *quotes.refused))
    for exchange, rates in quotes.relayed.items():
        yield from of_name(exchange, "relayed exchange")
        for ticker, rate in rates.items():
            yield from of_name(ticker, "relayed ticker")
            yield from _rate(rate, MOST_AN_HOUR, f"relayed {ticker}")


def of_answer(answer: Answer, symbols: Iterable[str], now: float) -> Iterator[str]:
    """What is wrong with settlements of `symbols`."""
    known = set(symbols)
    for row in answer.rows:
        if row.symbol not in known:
            yield f"a settlement of {row.symbol!r}, which nobody asked for"
        yield from _of_settlement(row, now)
    for symbol, window in answer.answered:
        if symbol not in known or window.start >= window.end or window.end > now + HOUR:
            yield f"answered {symbol!r} {window}"
    yield from _of_refusals((*answer.refused, *answer.failed))


def of_error(error: ExchangeError) -> Iterator[str]:
    """What is wrong with the words of an error."""
    if not error.message:
        yield "an error without a word"
    yield from of_text(error.message, LONGEST_REASON)


def _of_quote(quote: Quote, now: float) -> Iterator[str]:
    yield from of_name(quote.symbol, "quoted symbol")
    if quote.hourly_rate is not None:
        yield from _rate(quote.hourly_rate, MOST_AN_HOUR, quote.symbol)
    hours = quote.interval_hours
    if hours is not None and not 0 < hours <= 24:
        yield f"{quote.symbol}: an interval of {hours} h"
    for value in (
        quote.mark_price,
        quote.index_price,
        quote.open_interest_usd,
        quote.volume_24h_usd,
        quote.quoted_spread_percent,
        quote.hourly_rate_cap,
    ):
        if value is not None and not (isfinite(value) and value >= 0):
            yield f"{quote.symbol}: {value} among its prices, amounts and bounds"
    time = quote.next_funding_time
    if time is not None and not (now - HOUR < time < now + 25 * HOUR and time % HOUR == 0):
        yield f"{quote.symbol}: next payment {time}"
    if not 1.2e9 < quote.observed_at <= now:
        yield f"{quote.symbol}: observed {quote.observed_at}"


def _of_settlement(row: Settlement, now: float) -> Iterator[str]:
    if (
        type(row.funding_time) is not int
        or row.funding_time % HOUR
        or not 1.4e9 < row.funding_time < now + 600
    ):
        yield f"{row.symbol}: paid {row.funding_time}"
    hours = row.interval_hours
    if row.kind is Kind.REGULAR and hours is not None and not 0 < hours <= 168:
        yield f"{row.symbol}: an interval of {hours} h"
    most = 1.0 if row.kind is Kind.SPECIAL else MOST_AN_HOUR * (8 if hours is None else hours)
    yield from _rate(row.rate, most, row.symbol)
    if row.payment_usd is not None and not isfinite(row.payment_usd):
        yield f"{row.symbol}: a payment of {row.payment_usd}"


def _rate(rate: float, most: float, whose: str) -> Iterator[str]:
    if type(rate) is not float or not isfinite(rate) or abs(rate) > most:
        yield f"{whose}: a rate of {rate!r}"


def _of_refusals(refusals: Iterable[Refusal]) -> Iterator[str]:
    for refusal in refusals:
        yield from of_text(refusal.symbol, 64)
        yield from of_text(refusal.reason, LONGEST_REASON)


def of_name(text: str, what: str = "name") -> Iterator[str]:
    """A name that goes into keys: letters, digits and a few signs, written from left to right."""
    if not 0 < len(text) <= 64 or unicodedata.normalize("NFC", text) != text:
        yield f"{what} {text[:80]!r}"
    for char in text:
        strange = unicodedata.category(char)[0] not in "LN" and char not in _SIGNS
        if strange or unicodedata.bidirectional(char) in _RIGHT_TO_LEFT:
            yield f"{what} {text[:80]!r} holds {char!r}"


def of_text(text: str, longest: int = LONGEST_REASON) -> Iterator[str]:
    """Words that are only shown."""
    if len(text) > longest:
        yield f"{len(text)} characters: {text[:80]!r} ..."
    for char in text:
        if not char.isprintable() or unicodedata.bidirectional(char) in _RIGHT_TO_LEFT:
            yield f"{text[:80]!r} holds {char!r}"
