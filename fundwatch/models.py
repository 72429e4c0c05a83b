"""The words of the house: what travels from an exchange to a screen.

Rates are signed fractions of notional, positive when longs pay shorts. Times are UTC seconds.
What is not known is `None`, never 0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

HOUR = 3600
HOURS_PER_YEAR = 8760
MAX_HOURLY_RATE = 0.1
"""A rate beyond ±10 % per hour is not a market, it is a unit error: the row is refused."""


class AssetClass(StrEnum):
    CRYPTO = "crypto"
    EQUITY = "equity"
    INDEX = "index"
    COMMODITY = "commodity"
    FX = "fx"
    PRELAUNCH = "prelaunch"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """`special` adds its rate and covers zero hours (Binance's dividend-type payment)."""

    REGULAR = "regular"
    SPECIAL = "special"


class Source(IntEnum):
    """Where a settlement comes from; the number is its rank of truth."""

    RECORDED = 1
    IMPORT = 2
    EXCHANGE = 3


class Asset(NamedTuple):
    """What a market is about, the same on every exchange.

    `multiplier` is how many assets one contract unit holds (kPEPE: 1000); it matters for
    price and size, never for the rate.
    """

    ticker: str
    asset_class: AssetClass
    multiplier: float = 1.0


class Window(NamedTuple):
    """The time (start, end], UTC seconds on full hours; `start` itself lies outside."""

    start: int
    end: int

    @property
    def hours(self) -> float:
        return (self.end - self.start) / HOUR


@dataclass(frozen=True, slots=True)
class Market:
    """One perpetual contract on one exchange, by the exchange's own `symbol`.

    `venue_id` is the exchange's own number where it has one (Lighter). `group` names the
    markets of an exchange that rest at one level (Hyperliquid's dex; "" elsewhere).
    `delisting_time` is a delisting that the venue itself has announced.
    """

    exchange: str
    symbol: str
    asset: Asset
    venue_id: int | None = None
    group: str = ""
    listed_time: int | None = None
    delisting_time: int | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What an exchange says now of one market.

    `hourly_rate` is the running estimate of the interval in progress (fraction per hour),
    `interval_hours` the hours one payment covers. `quoted_spread_percent` is the full width of
    the venue's own quote for about 1,000 USD (Variational). `hourly_rate_cap` bounds |hourly_rate|
    by the venue's rule. `session_open` is False while the underlying's market is closed.
    """

    exchange: str
    symbol: str
    observed_at: int
    hourly_rate: float | None
    interval_hours: float | None
    next_funding_time: int | None = None
    mark_price: float | None = None
    index_price: float | None = None
    open_interest_usd: float | None = None
    volume_24h_usd: float | None = None
    quoted_spread_percent: float | None = None
    hourly_rate_cap: float | None = None
    session_open: bool | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """One payment that happened on market `symbol` of the exchange at hand.

    `funding_time` is the end of the interval on the full hour; `rate` the fraction paid for the
    whole interval; `interval_hours` is None where the row does not say and spacing must tell;
    `payment_usd` what one base unit paid, signed like the rate, where the exchange says it.
    """

    symbol: str
    funding_time: int
    rate: float
    interval_hours: float | None
    kind: Kind = Kind.REGULAR
    payment_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row or a market that was not taken, and why, in words for a person."""

    symbol: str
    reason: str


def apr_percent(hourly_rate: float) -> float:
    """Simple annual percentage of a rate per hour: 0.0000125 -> 10.95."""
    return hourly_rate * HOURS_PER_YEAR * 100


def hourly_rate(apr: float) -> float:
    """The rate per hour behind a simple annual percentage: 10.95 -> 0.0000125."""
    return apr / 100 / HOURS_PER_YEAR


EARLY_STAMP_SECONDS = 60
LATE_STAMP_SECONDS = 15 * 60


def settlement_hour(stamp_seconds: float) -> int | None:
    """The full UTC hour that a venue's stamp means, or None when it means none.

    Venues stamp a payment from a few milliseconds to minutes after the hour (Extended up to
    559 s); accepted from 60 s before to 15 min after it.
    """
    hour = int((stamp_seconds + EARLY_STAMP_SECONDS) // HOUR) * HOUR
    return hour if stamp_seconds - hour <= LATE_STAMP_SECONDS else None


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same time as `windows`, as few windows as possible, oldest first."""
    result: list[Window] = []
    for window in sorted(w for w in windows if w.start < w.end):
        if result and window.start <= result[-1].end:
            result[-1] = Window(result[-1].start, max(result[-1].end, window.end))
        else:
            result.append(window)
    return result


def without(windows: Iterable[Window], covered: Iterable[Window]) -> list[Window]:
    """What is left of `windows` after taking `covered` away, oldest first."""
    left: list[Window] = []
    taken = merged(covered)
    for window in merged(windows):
        start = window.start
        for hole in taken:
            if hole.end <= start or hole.start >= window.end:
                continue
            if hole.start > start:
                left.append(Window(start, hole.start))
            start = max(start, hole.end)
        if start < window.end:
            left.append(Window(start, window.end))
    return left
