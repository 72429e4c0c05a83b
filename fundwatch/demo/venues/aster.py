"""Aster as documented at github.com/asterdex/api-docs: Binance's format with its own details."""

from typing import ClassVar

from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.venues.base import Paid, RateFields, fixed
from fundwatch.demo.venues.fapi import FOR_EVER_MS, Fapi, Row, standard_limits

_NOT_TRADABLE = ("APXUSDT", "MKRUSDT", "GNSUSD", "EGL1USD", "BTCUSD")
_SHIELDED = ("AMZN", "AAPL", "NVDA", "TSLA", "BTC", "ETH", "SOL", "XAU", "META", "MSFT", "GOOGL", "COIN")
_SUBTYPES = {"equity": ["STOCK"], "etf": ["STOCK", "ETF"], "commodity": ["Commodities"]}


class Aster(Fapi):
    name = "aster"
    limits = standard_limits()
    newest_rows = 1000
    prefixes = ("/fapi/v1/", "/fapi/v3/")
    weights: ClassVar[dict[str, dict[str, float]]] = {
        "exchangeInfo": {"weight": 1},
        "premiumIndex": {"weight": 1},
        "fundingInfo": {"weight": 1},
        "fundingRate": {"weight": 1},
        "ticker/24hr": {"weight": 40},
    }
    quoted = (RateFields("premiumIndex", ("lastFundingRate",)),)
    settled_rows = (RateFields("fundingRate", ("fundingRate",)),)

    def exchange_info(self, now: float) -> Row:
        symbols = [self._symbol(m, now) for m in self.markets(now)]
        symbols += [_shielded(ticker) for ticker in _SHIELDED]
        return {
            "exchangeFilters": [],
            "rateLimits": [
                {"interval": "MINUTE", "intervalNum": 1, "limit": 2400, "rateLimitType": "REQUEST_WEIGHT"},
                {"interval": "MINUTE", "intervalNum": 1, "limit": 1200, "rateLimitType": "ORDERS"},
            ],
            "serverTime": int(now * 1000),
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": 0}],
            "symbols": symbols,
            "timezone": "UTC",
        }

    def _symbol(self, market: DemoMarket, now: float) -> Row:
        return _contract(market.symbol, market.symbol.removesuffix(market.quote), market.quote) | {
            "deliveryDate": self.delivery_ms(market, now),
            "onboardDate": market.listed_hour * 3_600_000,
            "status": self.status(market, now),
            "underlyingSubType": _SUBTYPES.get(market.asset.asset_class, []),
        }

    def funding_info(self, now: float) -> list[Row]:
        """Every symbol, and one row without: the venue has such rows."""
        rows: list[Row] = [
            {
                "symbol": market.symbol,
                "interestRate": "0.00010000",
                "time": int(now // 60) * 60_000,
                "fundingIntervalHours": market.interval(int(now // 3600)),
                "fundingFeeCap": 0.03,
                "fundingFeeFloor": -0.03,
            }
            for market in self.markets(now)
        ]
        return [*rows, rows[-1] | {"symbol": None}]

    def premiums(self, now: float) -> list[Row]:
        rows = super().premiums(now)
        idle = {"lastFundingRate": "0", "markPrice": "0.00000000", "indexPrice": "0.00000000"}
        rows += [rows[0] | idle | {"symbol": symbol} for symbol in _NOT_TRADABLE]
        rows += [rows[at] | {"symbol": f"SHIELD{ticker}USDT"} for at, ticker in enumerate(_SHIELDED)]
        return rows

    def settled_row(self, symbol: str, market: DemoMarket, hour: int, stamp: int, paid: Paid) -> Row:
        return {"symbol": symbol, "fundingTime": stamp, "fundingRate": fixed(paid.rate, 8)}


def _shielded(ticker: str) -> Row:
    return _contract(f"SHIELD{ticker}USDT", f"SHIELD{ticker}", "USDT")


def _contract(symbol: str, base: str, quote: str) -> Row:
    return {
        "symbol": symbol,
        "pair": symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": FOR_EVER_MS,
        "onboardDate": 1_704_067_200_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "pricePrecision": 5,
        "quantityPrecision": 0,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.15",
        "filters": [
            {"filterType": "PRICE_FILTER", "maxPrice": "300", "minPrice": "0.0001", "tickSize": "0.0001"}
        ],
        "orderTypes": ["LIMIT", "MARKET", "STOP"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        "liquidationFee": "0.010000",
        "marketTakeBound": "0.30",
    }
