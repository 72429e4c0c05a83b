"""Binance USD-M futures.

Sources: developers.binance.com, USD-M futures, REST API: exchangeInfo, premiumIndex, fundingInfo,
fundingRate, 24hr ticker; fundingRate without a symbol seen answering for all symbols in June 2026.
Limits: 2400 weight/min by address (exchangeInfo's `rateLimits`), and 500 requests/5 min for
fundingRate and fundingInfo together, which the usage header does not count.
Taker fee: 0.05 %, regular user (VIP 0), www.binance.com/en/fee/futureFee, without the BNB discount.
Open interest is answered for one symbol at a time only, so quotes have none.
"""

from collections.abc import Collection, Mapping

from fundwatch.assets import identify
from fundwatch.clock import Clock
from fundwatch.exchanges.base import Facts, Listing, Options, Quotes
from fundwatch.exchanges.binance_interest import OpenInterest
from fundwatch.exchanges.decode import bounded, number
from fundwatch.exchanges.fapi import (
    LONGEST_INTERVAL_HOURS,
    SymbolRow,
    TermsBook,
    TermsRow,
    cap_per_hour,
    read_markets,
    read_quotes,
    read_terms,
    read_volumes,
)
from fundwatch.exchanges.fapi_exchange import FapiExchange, Weights
from fundwatch.exchanges.fapi_payments import Page, read_page
from fundwatch.exchanges.http import Http, Limit
from fundwatch.models import Asset, AssetClass

DEFAULT_INTERVAL_HOURS = 8.0
"""fundingInfo names only symbols whose interval, cap or floor was adjusted; all others pay every 8 h."""

_PERPETUAL = ("PERPETUAL", "TRADIFI_PERPETUAL")
_CLASSES = {
    "COIN": AssetClass.CRYPTO,
    "INDEX": AssetClass.INDEX,
    "COMMODITY": AssetClass.COMMODITY,
    "PREMARKET": AssetClass.PRELAUNCH,
}


def hourly_estimate(last_funding_rate: object, interval_hours: float) -> float:
    """premiumIndex `lastFundingRate`: a signed fraction per the symbol's own interval, longs pay when
    positive. Despite its name the estimate for the payment at nextFundingTime. "0.00005000" of a 4 h
    symbol is 0.0000125 per hour. Source: Mark Price documentation; it equals the stream's `r`.
    """
    return bounded(number(last_funding_rate, "lastFundingRate") / interval_hours)


def settled_rate(funding_rate: object) -> float:
    """fundingRate `fundingRate`: the signed fraction paid for the whole interval that ended at
    fundingTime, longs paid when positive. Source: Get Funding Rate History documentation.
    """
    rate = number(funding_rate, "fundingRate")
    bounded(rate / LONGEST_INTERVAL_HOURS)
    return rate


def hourly_cap(row: TermsRow, interval_hours: float) -> float | None:
    """fundingInfo `adjustedFundingRateCap` and `...Floor`: fractions per the symbol's interval.
    "0.02000000" at 4 h bounds the hourly rate by 0.005. Source: Get Funding Rate Info documentation.
    """
    return cap_per_hour(row.adjustedFundingRateCap, row.adjustedFundingRateFloor, interval_hours)


def asset_of(base: str, row: SymbolRow) -> Asset:
    """By `baseAsset` and `underlyingType` (COIN, INDEX, EQUITY, KR_EQUITY, HK_EQUITY, ...).

    A TradFi contract of a type not known here is of an unknown class, never crypto.
    """
    kind = row.underlyingType if isinstance(row.underlyingType, str) else ""
    asset_class = AssetClass.EQUITY if kind.endswith("EQUITY") else _CLASSES.get(kind)
    if row.contractType == "TRADIFI_PERPETUAL" and asset_class in (None, AssetClass.CRYPTO):
        asset_class = AssetClass.UNKNOWN
    return identify(base, asset_class=asset_class)


def parse_markets(body: bytes) -> Listing:
    return read_markets(body, exchange="binance", perpetual=_PERPETUAL, asset=asset_of)


def parse_terms(body: bytes) -> TermsBook:
    return read_terms(body, hourly_cap)


def parse_volumes(body: bytes) -> dict[str, float]:
    return read_volumes(body)


def parse_quotes(
    body: bytes,
    listed: Collection[str],
    terms: TermsBook,
    volumes: Mapping[str, float],
    now: float,
) -> Quotes:
    """premiumIndex; `now` in UTC seconds is when it came. A symbol without terms pays every 8 h, unless
    a row of the terms was unreadable: it may have been that symbol's.
    """
    return read_quotes(
        body,
        exchange="binance",
        listed=listed,
        terms=terms,
        volumes=volumes,
        now=now,
        default_hours=None if terms.unreadable else DEFAULT_INTERVAL_HOURS,
        convert=hourly_estimate,
    )


def parse_page(body: bytes, now: float) -> Page:
    """fundingRate, of one symbol or of all."""
    return read_page(body, now=now, convert=settled_rate)


class Binance(FapiExchange):
    facts = Facts(
        name="binance",
        base_url="https://fapi.binance.com",
        limits={"weight": Limit(2400, 60, "x-mbx-used-weight-1m"), "funding": Limit(500, 300)},
        minute=6,
        taker_fee_percent=0.05,
        resting_apr_percent={"": 10.95},
        blocked_hint="Binance may not serve this location: set `proxy` in [exchanges.binance]",
    )
    weights = Weights(
        markets={"weight": 1},
        premium={"weight": 10},
        terms={"funding": 1},
        ticker={"weight": 40},
        payments={"funding": 1},
    )
    typical_rows_per_hour = 160.0
    bulk_proven = True

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._interest = OpenInterest()

    def read_markets(self, body: bytes) -> Listing:
        return parse_markets(body)

    def read_terms(self, body: bytes) -> TermsBook:
        return parse_terms(body)

    def read_volumes(self, body: bytes) -> dict[str, float]:
        return parse_volumes(body)

    def read_quotes(
        self, body: bytes, listed: Collection[str], terms: TermsBook, volumes: Mapping[str, float]
    ) -> Quotes:
        now = self.clock.now()
        return self._interest.beside(parse_quotes(body, listed, terms, volumes, now), now)

    async def use_spare_budget(self) -> None:
        await self._interest.refresh(self.http, self._listed or (), self.clock.now())

    def read_page(self, body: bytes) -> Page:
        return parse_page(body, self.clock.now())
