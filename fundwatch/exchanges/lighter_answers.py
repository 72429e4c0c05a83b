"""What Lighter's answers say: shapes, units and checks of its list, estimates and settlements.

Sources as in `fundwatch.exchanges.lighter`.
"""

from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

import msgspec

from fundwatch.assets import identify
from fundwatch.exchanges.base import Listing, Quotes
from fundwatch.exchanges.decode import (
    BadNumber,
    bounded,
    envelope,
    notional,
    number,
    optional,
    positive,
    rows,
    time_from_ms,
)
from fundwatch.exchanges.errors import Drift, Refused
from fundwatch.exchanges.hourly_history import Page, hour_of
from fundwatch.exchanges.lighter_units import (
    hourly_rate_from_funding_rates,
    payment_from_fundings,
    rate_from_fundings,
)
from fundwatch.models import HOUR, Market, Quote, Refusal, Settlement
from fundwatch.text import clean, is_symbol

NAME = "lighter"
HOURLY_RATE_CAP = 0.005

_CLOSED = frozenset({"inactive", "in-settlement", "waiting-for-settlement", "settled"})

_CHECKED_PERCENT = 0.0010
_CHECKED_ROWS = 24
_PRICE_FACTOR = 5.0
_OLD_PRICE_FACTOR = 50.0
_OLD_SECONDS = 30 * 86400


class _Envelope(msgspec.Struct):
    code: object = None
    message: object = None
    order_book_details: list[msgspec.Raw] | None = None
    funding_rates: list[msgspec.Raw] | None = None
    fundings: list[msgspec.Raw] | None = None


class _Details(msgspec.Struct):
    """A row of order_book_details; open interest in base units, volume in USD, creation in ms."""

    symbol: object = None
    market_id: object = None
    market_type: object = "perp"  # rows of 2025 do not name it, and spot has a list of its own
    status: object = None
    created_at: object = None
    mark_price: object = None
    index_price: object = None
    open_interest: object = None
    daily_quote_token_volume: object = None


class _Estimate(msgspec.Struct):
    market_id: object = None
    exchange: object = None
    symbol: object = None
    rate: object = None


class _Funding(msgspec.Struct):
    timestamp: object = None
    rate: object = None
    direction: object = None
    value: object = None


class Book(NamedTuple):
    """What one orderBookDetails answer says. `ids` and `marks` hold the closed perpetuals too."""

    listing: Listing
    details: Mapping[str, _Details]
    ids: Mapping[str, int]

    def mark(self, symbol: str) -> float | None:
        details = self.details.get(symbol)
        return positive(details.mark_price) if details else None


def parse_markets(body: bytes) -> Listing:
    """The perpetuals of a GET /orderBookDetails answer."""
    return parse_book(body).listing


def parse_quotes(details: bytes, rates: bytes, observed_at: int) -> Quotes:
    """Quotes from the answers of GET /orderBookDetails and GET /funding-rates, seen at `observed_at`."""
    return quotes_of(parse_book(details), rates, observed_at)


def parse_fundings(body: bytes, symbol: str, now: float, mark_price: float | None = None) -> Page:
    """The settlements of one market from a GET /fundings answer received at `now` (UTC seconds).

    `mark_price` (USD) checks the unit: value / (rate / 100) must be about the price. Raises
    `Refused` where it is not, since then every rate of the answer would be wrong.
    """
    settlements: list[Settlement] = []
    refused: list[Refusal] = []
    hours: set[int] = set()
    prices: list[tuple[int, float]] = []
    for row in rows(_payload(body, "fundings"), _Funding):
        if isinstance(row, str):
            refused.append(Refusal(symbol, row))
            continue
        try:
            hour = hour_of(number(row.timestamp, "timestamp"), now)
            hours.add(hour)
            percent = number(row.rate, "rate")
            direction = _word(row.direction, "direction")
            rate = bounded(rate_from_fundings(percent, direction))
        except BadNumber as error:
            refused.append(Refusal(symbol, str(error)))
            continue
        value = optional(row.value)
        payment = payment_from_fundings(value, direction) if value is not None and value >= 0 else None
        settlements.append(Settlement(symbol, hour, rate, 1.0, payment_usd=payment))
        if percent >= _CHECKED_PERCENT and value is not None and value > 0:
            prices.append((hour, value / (percent / 100)))
    _check_unit(prices, mark_price, now)
    return Page(tuple(settlements), tuple(refused), frozenset(hours))


def _check_unit(prices: list[tuple[int, float]], mark_price: float | None, now: float) -> None:
    """Refuses an answer whose (hour, implied price) contradict the mark.

    Only the newest rows are looked at, since a price does move; where they are old, only a factor
    that no market makes counts.
    """
    if not prices or mark_price is None:
        return
    newest = sorted(prices, reverse=True)[:_CHECKED_ROWS]
    allowed = _OLD_PRICE_FACTOR if newest[0][0] < now - _OLD_SECONDS else _PRICE_FACTOR
    factor = median(price for _, price in newest) / mark_price
    if not 1 / allowed <= factor <= allowed:
        raise Refused(f"the unit of its rates is in doubt: they imply {factor:.4g} times the market's price")


def _payload(body: bytes, field: str) -> list[msgspec.Raw]:
    """The rows under `field`; raises `Refused` for an error inside the answer."""
    answer = envelope(body, _Envelope)
    found: list[msgspec.Raw] | None = getattr(answer, field)
    code = optional(answer.code)
    if code != 200 and not (answer.code is None and found is not None):
        words = clean(answer.message, 120) if isinstance(answer.message, str) else ""
        told = f"{code:.0f}" if code is not None else "without a number"
        raise Refused(f"answers with an error: {words or 'no reason given'} ({told})")
    if found is None:
        raise Drift(f"the answer is not in the documented shape: {field} is missing")
    return found


def _word(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise BadNumber(f"{field} is missing" if value is None else f"{field} is not a word")
    return value


def _market_id(value: object) -> int:
    """A market's number; 0 is one (ETH)."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise BadNumber("market_id is missing" if value is None else "market_id is not a market's number")
    return value


def parse_book(body: bytes) -> Book:
    markets: list[Market] = []
    closed: set[str] = set()
    refused: list[Refusal] = []
    details: dict[str, _Details] = {}
    ids: dict[str, int] = {}
    taken: set[int] = set()
    for row in rows(_payload(body, "order_book_details"), _Details):
        if isinstance(row, str):
            refused.append(Refusal("?", row))
            continue
        symbol = row.symbol if isinstance(row.symbol, str) and is_symbol(row.symbol) else None
        try:
            if _word(row.market_type, "market_type") != "perp":
                continue
            if symbol is None:
                raise BadNumber("symbol is missing" if row.symbol is None else "symbol cannot be taken")
            market_id = _market_id(row.market_id)
            status = _word(row.status, "status")
            if status not in _CLOSED and status != "active":
                raise BadNumber(f"status is not a documented one but {clean(status, 20)!r}")
            if market_id in taken or (symbol in ids and symbol not in closed and status == "active"):
                raise BadNumber("listed twice")
        except BadNumber as error:
            refused.append(Refusal(symbol or clean(str(row.symbol), 64), str(error)))
            continue
        taken.add(market_id)
        if status != "active":
            if symbol not in ids:
                closed.add(symbol)
                ids[symbol], details[symbol] = market_id, row
            continue
        closed.discard(symbol)
        ids[symbol], details[symbol] = market_id, row
        markets.append(
            Market(
                NAME, symbol, identify(symbol), venue_id=market_id, listed_time=time_from_ms(row.created_at)
            )
        )
    return Book(Listing(tuple(markets), frozenset(closed), tuple(refused)), details, ids)


def _estimates(body: bytes, listed: frozenset[int]) -> tuple[dict[int, float], dict[int, Refusal]]:
    """Hourly rates and refusals by market_id; unreadable rows have negative ones.

    The answer relays the rates of other exchanges too: only Lighter's own rows are read.
    """
    found: dict[int, float] = {}
    refused: dict[int, Refusal] = {}
    for nameless, row in enumerate(rows(_payload(body, "funding_rates"), _Estimate), start=1):
        if isinstance(row, str):
            refused[-nameless] = Refusal("?", row)
            continue
        if row.exchange != NAME:
            continue
        market_id = -nameless
        try:
            market_id = _market_id(row.market_id)
            if market_id not in listed:
                continue
            hourly_rate = bounded(hourly_rate_from_funding_rates(number(row.rate, "rate")))
            if found.setdefault(market_id, hourly_rate) != hourly_rate:
                raise BadNumber("two different rates")
        except BadNumber as error:
            symbol = row.symbol if isinstance(row.symbol, str) and is_symbol(row.symbol) else "?"
            refused[market_id] = Refusal(symbol, str(error))
    if listed and not found and not refused:
        raise Drift("the answer of funding-rates holds no rate of Lighter itself")
    return found, refused


def without_error(rates: bytes) -> bytes:
    """The answer of funding-rates, not read yet; raises `Refused` for an error inside it."""
    _payload(rates, "funding_rates")
    return rates


def parse_relayed(body: bytes) -> dict[str, dict[str, float]]:
    """What funding-rates says of other exchanges: exchange -> ticker -> hourly rate (signed fraction).

    In the same unit as Lighter's own rows: Hyperliquid's equal 8 times its hourly rate (measured
    2026-07-17). Rows that do not fit are left out: this is a second opinion, not data.
    """
    found: dict[str, dict[str, float]] = {}
    for row in rows(_payload(body, "funding_rates"), _Estimate):
        if isinstance(row, str) or not isinstance(row.exchange, str) or row.exchange == NAME:
            continue
        if not isinstance(row.symbol, str) or not is_symbol(row.symbol) or not is_symbol(row.exchange):
            continue
        try:
            hourly_rate = bounded(hourly_rate_from_funding_rates(number(row.rate, "rate")))
        except BadNumber:
            continue
        found.setdefault(row.exchange, {})[identify(row.symbol).ticker] = hourly_rate
    return found


def quotes_of(book: Book, rates: bytes, observed_at: int) -> Quotes:
    listed = frozenset(book.ids[market.symbol] for market in book.listing.markets)
    estimates, refused = _estimates(rates, listed)
    quotes = []
    for market in book.listing.markets:
        market_id = book.ids[market.symbol]
        if market_id in refused:
            continue
        details = book.details[market.symbol]
        mark_price = book.mark(market.symbol)
        quotes.append(
            Quote(
                NAME,
                market.symbol,
                observed_at,
                estimates.get(market_id),
                1.0,
                next_funding_time=(observed_at // HOUR + 1) * HOUR,
                mark_price=mark_price,
                index_price=positive(details.index_price),
                open_interest_usd=notional(details.open_interest, mark_price),
                volume_24h_usd=notional(details.daily_quote_token_volume, 1.0),
                hourly_rate_cap=HOURLY_RATE_CAP,
            )
        )
    return Quotes(tuple(quotes), (*book.listing.refused, *refused.values()), parse_relayed(rates))
