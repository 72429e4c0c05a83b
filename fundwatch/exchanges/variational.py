"""Variational (Omni): one public answer with everything it tells, and no history of what was paid.

Sources: docs.variational.io (API; funding rates; fees), recorded answers of 2026-01-06, 2026-05-09 and
2026-09-22, measurements published on 2026-09-12 and 2026-09-13.

- Limits: 10 requests in 10 s and address. The answer is cached for about a minute.
- Trading is free of fees (fees); the cost is the spread of the venue's own quotes.
- The funding rate is capped at 2 % an hour. Most markets rest at 0.00125 % an hour, 10.95 % APR.
- What was settled is never published: our last estimate before each payment is the record.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec

from fundwatch.assets import identify
from fundwatch.clock import Clock
from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Options, Quotes, Wanted
from fundwatch.exchanges.decode import (
    BadNumber,
    bounded,
    envelope,
    notional,
    number,
    optional,
    positive,
    rows,
)
from fundwatch.exchanges.errors import Drift
from fundwatch.exchanges.http import Http, Limit
from fundwatch.models import HOUR, HOURS_PER_YEAR, Market, Quote, Refusal, Source
from fundwatch.text import clean, is_symbol

NAME = "variational"
HOURLY_RATE_CAP = 0.02
_SPEND = {"requests": 1}
_LONGEST_INTERVAL_SECONDS = 24 * HOUR
_CLOCK_TRUSTED_SECONDS = 120.0
"""An estimate taken while our clock is further off than this is no record of a payment: what falls into
the last five minutes before it is not known well enough."""

TICKERS = {"OPN_OPINION": "OPN", "RE_ETH": "RE", "1NEIRO": "NEIRO", "FF0": "FF", "BTR0": "BTR"}
"""What the venue lists under a name of its own, to tell it from another asset (listings of 2026-09)."""


def hourly_rate(funding_rate: object) -> float:
    """`funding_rate` of a listing: the signed fraction per year of 365 days, whatever the interval.

    The documents only say "decimal". At rest it is 0.1095, which is the documented 0.00125 % an hour
    times 8760, on markets of every interval (measured 2026-09-12; recorded 1 h RAVE "6.836009").
    """
    return bounded(number(funding_rate, "funding_rate") / HOURS_PER_YEAR)


def interval_hours(funding_interval_s: object) -> float:
    """`funding_interval_s`: seconds between two payments; raises `BadNumber` unless full hours of a day."""
    seconds = number(funding_interval_s, "funding_interval_s")
    if not 0 < seconds <= _LONGEST_INTERVAL_SECONDS or seconds % HOUR:
        raise BadNumber(f"funding_interval_s of {seconds:g}")
    return seconds / HOUR


class Stats(NamedTuple):
    """A `/metadata/stats` answer. A market can be listed while its quote is refused."""

    markets: dict[str, Market]
    quotes: dict[str, Quote]
    refused: tuple[Refusal, ...]


class _Stats(msgspec.Struct):
    listings: list[msgspec.Raw]


class _Listing(msgspec.Struct):
    ticker: str
    name: Any = None
    funding_rate: Any = None
    funding_interval_s: Any = None
    mark_price: Any = None
    volume_24h: Any = None
    open_interest: Any = None
    base_spread_bps: Any = None
    quotes: Any = None


def parse_stats(body: bytes, observed_at: int, ahead_seconds: float = 0.0) -> Stats:
    """The perpetuals and quotes of a `/metadata/stats` answer; swaps (interval 0) are left out.

    `observed_at` is by our clock, which is `ahead_seconds` ahead of the venue's. The answer names no
    funding time: the next one is that by the venue's clock, and not known where ours is far off.
    """
    markets: dict[str, Market] = {}
    quotes: dict[str, Quote] = {}
    refused: list[Refusal] = []
    for place, row in enumerate(rows(envelope(body, _Stats).listings, _Listing)):
        if isinstance(row, str):
            refused.append(Refusal(f"#{place}", row))
        elif not is_symbol(row.ticker):
            refused.append(Refusal(clean(row.ticker, 64), "not a ticker that can be taken"))
        elif row.ticker in markets:
            refused.append(Refusal(row.ticker, "listed twice"))
        elif optional(row.funding_interval_s) != 0:
            name = clean(row.name) if isinstance(row.name, str) else ""
            asset = identify(TICKERS.get(row.ticker, row.ticker), name=name)
            markets[row.ticker] = Market(NAME, row.ticker, asset)
            try:
                quotes[row.ticker] = _quote(row, observed_at, ahead_seconds)
            except BadNumber as error:
                refused.append(Refusal(row.ticker, str(error)))
    return Stats(markets, quotes, tuple(refused))


def _quote(row: _Listing, observed_at: int, ahead_seconds: float) -> Quote:
    hours = interval_hours(row.funding_interval_s)
    seconds = int(hours * HOUR)
    there = int(observed_at - ahead_seconds)
    is_known = abs(ahead_seconds) <= _CLOCK_TRUSTED_SECONDS
    return Quote(
        exchange=NAME,
        symbol=row.ticker,
        observed_at=observed_at,
        hourly_rate=hourly_rate(row.funding_rate),
        interval_hours=hours,
        next_funding_time=(there // seconds + 1) * seconds if is_known else None,
        mark_price=positive(row.mark_price),
        open_interest_usd=_open_interest_usd(row.open_interest),
        volume_24h_usd=notional(row.volume_24h, 1.0),
        quoted_spread_percent=_quoted_spread_percent(row),
        hourly_rate_cap=HOURLY_RATE_CAP,
    )


def _field(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _open_interest_usd(open_interest: object) -> float | None:
    """Long plus short side in USD: the venue stands on the other side of each position, so that the
    sum compares with the one side that an order book counts."""
    long = optional(_field(open_interest, "long_open_interest"))
    short = optional(_field(open_interest, "short_open_interest"))
    if long is None or short is None or long < 0 or short < 0:
        return None
    return optional(long + short)


def _quoted_spread_percent(row: _Listing) -> float | None:
    """The full width of the venue's quote for 1,000 USD, or else of its base quote (`base_spread_bps`)."""
    quote = _field(row.quotes, "size_1k")
    bid, ask = positive(_field(quote, "bid")), positive(_field(quote, "ask"))
    if bid is not None and ask is not None and ask >= bid:
        return optional((ask - bid) / (ask / 2 + bid / 2) * 100)
    base = optional(row.base_spread_bps)
    return base / 100 if base is not None and base >= 0 else None


class Variational(Exchange):
    facts = Facts(
        name=NAME,
        base_url="https://omni-client-api.prod.ap-northeast-1.variational.io",
        limits={"requests": Limit(10, 10)},
        minute=17,
        taker_fee_percent=0.0,
        resting_apr_percent={"": 10.95},
        source=Source.RECORDED,
        history_days=0,
        hourly_rate_step=1e-6 / HOURS_PER_YEAR,
    )

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._listed: dict[str, Market] = {}

    async def fetch_markets(self) -> Listing:
        return self._listing(await self._stats())

    async def fetch_markets_and_quotes(self) -> tuple[Listing, Quotes]:
        stats = await self._stats()
        return self._listing(stats), self._quotes(stats)

    async def fetch_quotes(self) -> Quotes:
        stats = await self._stats()
        self._listed = self._listed or stats.markets
        return self._quotes(stats)

    def _listing(self, stats: Stats) -> Listing:
        self._listed = stats.markets
        nameless = tuple(refusal for refusal in stats.refused if refusal.symbol not in stats.markets)
        return Listing(tuple(stats.markets.values()), refused=nameless)

    def _quotes(self, stats: Stats) -> Quotes:
        reasons = {refusal.symbol: refusal.reason for refusal in stats.refused}
        missing = tuple(
            Refusal(symbol, reasons.get(symbol, "not in the answer"))
            for symbol in self._listed
            if symbol not in stats.quotes
        )
        return Quotes(tuple(q for symbol, q in stats.quotes.items() if symbol in self._listed), missing)

    async def _stats(self) -> Stats:
        body = await self.http.get("/metadata/stats", spend=_SPEND)
        stats = parse_stats(body, int(self.clock.now()), self.http.ahead_seconds())
        if not stats.markets:
            raise Drift("the list holds no market")
        return stats

    async def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        """None: the venue publishes no settlements."""
        nothing: tuple[Answer, ...] = ()
        for answer in nothing:
            yield answer

    def cost(self, wanted: Wanted) -> Cost:
        return Cost(0, 0.0)
