"""The rows of a `/fapi/v1` answer, as Binance and its relatives send them.

Only shapes are shared here: what a rate means, and which source says so, stands in the module of
each exchange, which hands its converters to the readers below. A row that does not hold what it
must is refused by name; nothing here raises for a single row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from fundwatch.exchanges.base import Listing, Quotes
from fundwatch.exchanges.decode import BadNumber, envelope, number, optional, positive, rows
from fundwatch.models import (
    HOUR,
    LATE_STAMP_SECONDS,
    Asset,
    Market,
    Quote,
    Refusal,
    settlement_hour,
)
from fundwatch.text import clean, is_symbol

LONGEST_INTERVAL_HOURS = 8.0
"""No `/fapi` venue pays less often; asking this much earlier always meets the payment before."""

_FIRST_MS = 1_483_228_800_000
_NEVER_MS = 4_133_404_800_000
"""What a venue writes for "no delivery" (2100-12-25)."""

_STALE_ROW_SECONDS = 300
_FURTHEST_FUNDING_SECONDS = 86400

_DELIVERING = "PERPETUAL_DELIVERING"
_CLOSED = ("PRE_DELIVERING", "DELIVERING", "DELIVERED", "PRE_SETTLE", "SETTLING", "CLOSE")


class NamedRow(msgspec.Struct):
    """A row of any of these answers. Fields are checked one by one, hence `Any`."""

    symbol: Any = None


class SymbolRow(NamedRow):
    """exchangeInfo `symbols[]`; dates in milliseconds."""

    contractType: Any = None
    status: Any = None
    baseAsset: Any = None
    quoteAsset: Any = None
    underlyingType: Any = None
    underlyingSubType: Any = None
    name: Any = None
    onboardDate: Any = None
    deliveryDate: Any = None


class PremiumRow(NamedRow):
    """premiumIndex; `lastFundingRate` is the running estimate, times in milliseconds."""

    markPrice: Any = None
    indexPrice: Any = None
    lastFundingRate: Any = None
    nextFundingTime: Any = None
    time: Any = None


class TermsRow(NamedRow):
    """fundingInfo; the cap and floor are strings on Binance, numbers by other names on Aster."""

    fundingIntervalHours: Any = None
    adjustedFundingRateCap: Any = None
    adjustedFundingRateFloor: Any = None
    fundingFeeCap: Any = None
    fundingFeeFloor: Any = None


class TickerRow(NamedRow):
    quoteVolume: Any = None


class Terms(NamedTuple):
    """How a market pays: hours between payments (None: unknown), and the bound on |hourly rate|."""

    interval_hours: float | None
    hourly_rate_cap: float | None


_UNKNOWN = Terms(None, None)


class TermsBook(NamedTuple):
    """The terms that fundingInfo gives, and how many of its rows name no symbol."""

    by_symbol: Mapping[str, Terms]
    unreadable: int = 0


Row = TypeVar("Row", bound=NamedRow)


def named(raw_rows: list[msgspec.Raw], shape: type[Row]) -> Iterator[tuple[str, Row] | Refusal]:
    """Each row with its symbol, or why it has none that can be taken."""
    for row in rows(raw_rows, shape):
        if isinstance(row, str):
            yield Refusal("?", clean(row))
        elif isinstance(row.symbol, str) and is_symbol(row.symbol):
            yield row.symbol, row
        else:
            shown = clean(row.symbol, 64) if isinstance(row.symbol, str) else ""
            yield Refusal(shown or "?", "the symbol is missing or unreadable")


class _Info(msgspec.Struct):
    symbols: list[msgspec.Raw]


def read_markets(
    body: bytes,
    *,
    exchange: str,
    perpetual: Collection[str],
    asset: Callable[[str, SymbolRow], Asset],
    without_prefix: str | None = None,
) -> Listing:
    """exchangeInfo. `asset` gives what a market is about by its base asset.

    A market trades with status TRADING; a settled or settling one is closed; one that waits for its
    listing is neither; another status (a halt) is refused, so that it shows. Symbols that begin with
    `without_prefix` are none of ours.
    """
    markets: list[Market] = []
    traded: set[str] = set()
    closed: set[str] = set()
    refused: list[Refusal] = []
    for found in named(envelope(body, _Info).symbols, SymbolRow):
        if isinstance(found, Refusal):
            refused.append(found)
            continue
        symbol, row = found
        if without_prefix and symbol.startswith(without_prefix):
            continue
        if row.contractType not in perpetual and row.contractType != _DELIVERING:
            continue
        if row.contractType == _DELIVERING or row.status in _CLOSED:
            closed.add(symbol)
        elif row.status == "PENDING_TRADING":
            continue
        elif reason := _unusable(symbol, row) or ("listed twice" if symbol in traded else ""):
            refused.append(Refusal(symbol, reason))
        else:
            traded.add(symbol)
            listed, delisted = milliseconds(row.onboardDate), milliseconds(row.deliveryDate)
            markets.append(
                Market(
                    exchange,
                    symbol,
                    asset(row.baseAsset, row),
                    listed_time=None if listed is None else listed // 1000,
                    delisting_time=None if delisted is None else delisted // 1000,
                )
            )
    return Listing(tuple(markets), frozenset(closed), tuple(refused))


def _unusable(symbol: str, row: SymbolRow) -> str:
    """Why a perpetual that is not closed cannot be taken; "" when it can."""
    if row.status != "TRADING":
        status = clean(row.status, 40) if isinstance(row.status, str) else "missing"
        return f"neither trading nor closed: status {status}"
    base, quote = row.baseAsset, row.quoteAsset
    if not (isinstance(base, str) and isinstance(quote, str) and base and base in symbol):
        return "its base asset does not fit its symbol"
    if "USD" not in quote and quote != "U":
        return f"quoted in {clean(quote, 20)}, not in dollars"
    return ""


def read_terms(body: bytes, cap_of: Callable[[TermsRow, float], float | None]) -> TermsBook:
    """fundingInfo; a malformed interval is unknown, and so is that of a symbol with different terms.

    `cap_of` gives the hourly cap of (row, hours).
    """
    by_symbol: dict[str, Terms] = {}
    unreadable = 0
    for found in named(envelope(body, list[msgspec.Raw]), TermsRow):
        if isinstance(found, Refusal):
            unreadable += 1
            continue
        symbol, row = found
        hours = optional(row.fundingIntervalHours)
        if hours is None or not 1 <= hours <= LONGEST_INTERVAL_HOURS:
            terms = _UNKNOWN
        else:
            terms = Terms(hours, cap_of(row, hours))
        if by_symbol.setdefault(symbol, terms) != terms:
            by_symbol[symbol] = _UNKNOWN
    return TermsBook(by_symbol, unreadable)


def cap_per_hour(cap: object, floor: object, interval_hours: float) -> float | None:
    """The larger of |cap| and |floor| (fractions per interval), as a fraction per hour."""
    bounds = [abs(value) for value in (optional(cap), optional(floor)) if value]
    return max(bounds) / interval_hours if len(bounds) == 2 else None


def read_volumes(body: bytes) -> dict[str, float]:
    """ticker/24hr: USD traded in 24 h (`quoteVolume`, in dollar coins), by symbol."""
    volumes: dict[str, float] = {}
    for found in named(envelope(body, list[msgspec.Raw]), TickerRow):
        if isinstance(found, Refusal):
            continue
        symbol, row = found
        volume = optional(row.quoteVolume)
        if volume is not None and volume >= 0:
            volumes[symbol] = volume
    return volumes


def read_quotes(
    body: bytes,
    *,
    exchange: str,
    listed: Collection[str],
    terms: TermsBook,
    volumes: Mapping[str, float],
    now: float,
    default_hours: float | None,
    convert: Callable[[object, float], float],
) -> Quotes:
    """premiumIndex joined with what is listed: every listed symbol is a quote or refused, once.

    `convert` makes an hourly rate of (lastFundingRate, interval hours); `default_hours` is the
    interval of a symbol without terms. A row that lags behind the others of its answer by more than
    5 min is as old as it says.
    """
    premiums: dict[str, PremiumRow] = {}
    contradicted: set[str] = set()
    refused: list[Refusal] = []
    for found in named(envelope(body, list[msgspec.Raw]), PremiumRow):
        if isinstance(found, Refusal):
            refused.append(found)
        elif found[0] in listed and premiums.setdefault(*found) != found[1]:
            contradicted.add(found[0])
    told_times = sorted(filter(None, (milliseconds(row.time) for row in premiums.values())))
    usual_ms = told_times[len(told_times) // 2] if told_times else 0
    quotes: list[Quote] = []
    for symbol in listed:
        row = premiums.get(symbol)
        if row is None:
            refused.append(Refusal(symbol, "listed, but missing in the answer"))
            continue
        if symbol in contradicted:
            refused.append(Refusal(symbol, "twice in the answer, with different numbers"))
            continue
        observed_at = int(now)
        told_ms = milliseconds(row.time)
        if told_ms is not None and usual_ms - told_ms > _STALE_ROW_SECONDS * 1000:
            observed_at -= (usual_ms - told_ms) // 1000
        next_time = _next_funding_time(row.nextFundingTime, now)
        try:
            term = terms.by_symbol.get(symbol) or _default_terms(default_hours, next_time)
            if term.interval_hours is None:
                raise BadNumber("the funding interval is unknown")
            quotes.append(
                Quote(
                    exchange,
                    symbol,
                    observed_at,
                    hourly_rate=convert(row.lastFundingRate, term.interval_hours),
                    interval_hours=term.interval_hours,
                    next_funding_time=next_time,
                    mark_price=positive(row.markPrice),
                    index_price=positive(row.indexPrice),
                    volume_24h_usd=volumes.get(symbol),
                    hourly_rate_cap=term.hourly_rate_cap,
                )
            )
        except BadNumber as error:
            refused.append(Refusal(symbol, str(error)))
    return Quotes(tuple(quotes), tuple(refused))


def _default_terms(default_hours: float | None, next_time: int | None) -> Terms:
    """Payments fall on multiples of the interval: a next one elsewhere shows the default is not it."""
    if default_hours is None or (next_time is not None and next_time % int(default_hours * HOUR)):
        return _UNKNOWN
    return Terms(default_hours, None)


def _next_funding_time(value: object, now: float) -> int | None:
    told_ms = milliseconds(value)
    hour = None if told_ms is None else settlement_hour(told_ms / 1000)
    if hour is None or not now - LATE_STAMP_SECONDS < hour <= now + _FURTHEST_FUNDING_SECONDS:
        return None
    return hour


def milliseconds(value: object) -> int | None:
    """A time in milliseconds between 2017 and the venues' "never", or None."""
    if isinstance(value, str):
        return None
    try:
        told = number(value, "")
    except BadNumber:
        return None
    return int(told) if _FIRST_MS <= told < _NEVER_MS else None
