"""Aster, perpetuals of the order book ("Pro"); those of its Shield mode are left out.

Sources: github.com/asterdex/api-docs, Futures API (exchangeInfo, premiumIndex, fundingInfo,
fundingRate, 24hr ticker), where `symbol` of fundingRate is optional without a word on what its
absence brings: it is tried, and asked market by market where the answer is not for all.
Limits: 2400 weight/min by address (exchangeInfo's `rateLimits`).
Taker fee: 0.04 % for USDT perpetuals (USD1 and stock contracts pay less, a few new listings more),
docs.asterdex.com/trading/perpetuals/fees-and-specs/fees, read by third parties 2026-07 to 2026-09.
There is no open interest in the public interface.
"""

from collections.abc import Collection, Mapping

from fundwatch.assets import identify
from fundwatch.exchanges.base import Facts, Listing, Quotes
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
from fundwatch.exchanges.http import Limit
from fundwatch.models import Asset, AssetClass
from fundwatch.text import clean

OWN_RECORD_SINCE = 1_704_067_200
"""2024-01-01: payments before are Binance's, which Aster's history repeats."""

_SUBTYPES = (
    ("pre-launch", AssetClass.PRELAUNCH),
    ("STOCK", AssetClass.EQUITY),
    ("ETF", AssetClass.EQUITY),
    ("Semiconductor", AssetClass.EQUITY),
    ("Commodities", AssetClass.COMMODITY),
    ("USD1-RWA", AssetClass.UNKNOWN),
)
_TYPES = {"INDEX": AssetClass.INDEX, "COMMODITY": AssetClass.COMMODITY, "PREMARKET": AssetClass.PRELAUNCH}


def hourly_estimate(last_funding_rate: object, interval_hours: float) -> float:
    """premiumIndex `lastFundingRate`: a signed fraction per the symbol's own interval, longs pay when
    positive; the estimate for the payment at nextFundingTime. "-0.00000578" of a 4 h symbol is
    -0.000001445 per hour. Source: Futures API, Mark Price; markets of 1 h rest at "0.00001250".
    """
    return bounded(number(last_funding_rate, "lastFundingRate") / interval_hours)


def settled_rate(funding_rate: object) -> float:
    """fundingRate `fundingRate`: the signed fraction paid for the whole interval that ended at
    fundingTime, longs paid when positive. Source: Futures API, Get Funding Rate History.
    """
    rate = number(funding_rate, "fundingRate")
    bounded(rate / LONGEST_INTERVAL_HOURS)
    return rate


def hourly_cap(row: TermsRow, interval_hours: float) -> float | None:
    """fundingInfo `fundingFeeCap` and `fundingFeeFloor`: numbers, fractions per the symbol's interval.
    0.03 at 8 h bounds the hourly rate by 0.00375. Source: Futures API, Get Funding Rate Config.
    """
    return cap_per_hour(row.fundingFeeCap, row.fundingFeeFloor, interval_hours)


def asset_of(base: str, row: SymbolRow) -> Asset:
    """By `baseAsset`, `name` and the venue's `underlyingSubType`.

    `underlyingType` says COIN of stocks too (NVDAUSDT: COIN, ["STOCK", "Semiconductor"], 2026-10), so
    COIN says nothing.
    """
    told = row.underlyingSubType if isinstance(row.underlyingSubType, list) else ()
    asset_class = next((known for subtype, known in _SUBTYPES if subtype in told), None)
    if asset_class is None and isinstance(row.underlyingType, str):
        asset_class = _TYPES.get(row.underlyingType)
        if row.underlyingType.endswith("EQUITY"):
            asset_class = AssetClass.EQUITY
    name = clean(row.name, 80) if isinstance(row.name, str) else ""
    return identify(base, asset_class=asset_class, name=name)


def parse_markets(body: bytes) -> Listing:
    """exchangeInfo; the symbols of Shield mode, whose positions are another product, are left out."""
    return read_markets(
        body, exchange="aster", perpetual=("PERPETUAL",), asset=asset_of, without_prefix="SHIELD"
    )


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
    """premiumIndex; `now` in UTC seconds is when it came. A symbol without terms has no interval."""
    return read_quotes(
        body,
        exchange="aster",
        listed=listed,
        terms=terms,
        volumes=volumes,
        now=now,
        default_hours=None,
        convert=hourly_estimate,
    )


def parse_page(body: bytes, now: float) -> Page:
    """fundingRate, of one symbol or of all."""
    return read_page(body, now=now, convert=settled_rate, since=OWN_RECORD_SINCE)


class Aster(FapiExchange):
    facts = Facts(
        name="aster",
        base_url="https://fapi.asterdex.com",
        limits={"weight": Limit(2400, 60, "x-mbx-used-weight-1m")},
        minute=9,
        taker_fee_percent=0.04,
        resting_apr_percent={"": 10.95},
        blocked_hint="Aster may not serve this location: set `proxy` in [exchanges.aster]",
    )
    weights = Weights(
        markets={"weight": 1},
        premium={"weight": 1},
        terms={"weight": 1},
        ticker={"weight": 40},
        payments={"weight": 1},
    )
    typical_rows_per_hour = 225.0
    bulk_proven = False
    ends_single_requests = False

    def read_markets(self, body: bytes) -> Listing:
        return parse_markets(body)

    def read_terms(self, body: bytes) -> TermsBook:
        return parse_terms(body)

    def read_volumes(self, body: bytes) -> dict[str, float]:
        return parse_volumes(body)

    def read_quotes(
        self, body: bytes, listed: Collection[str], terms: TermsBook, volumes: Mapping[str, float]
    ) -> Quotes:
        return parse_quotes(body, listed, terms, volumes, self.clock.now())

    def read_page(self, body: bytes) -> Page:
        return parse_page(body, self.clock.now())
