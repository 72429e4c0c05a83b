"""Binance USD-M as documented at developers.binance.com, with its specials, dated and settling contracts."""

from datetime import UTC, datetime
from typing import ClassVar

from fundwatch.demo.assets import CRYPTO
from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import pick, share
from fundwatch.demo.venues.base import Paid, RateFields, Window, fixed, price
from fundwatch.demo.venues.fapi import FOR_EVER_MS, Fapi, Row, standard_limits

_SPECIAL_EVERY_HOURS = 720
_SETTLING = 124
_KINDS = {"crypto": "COIN", "index": "INDEX", "commodity": "COMMODITY", "prelaunch": "PREMARKET"}
_KOREAN = {"SMSN", "SKHX", "HYUNDAI", "KORU"}
_HONG_KONG = {"TENCENT", "XIAOMI", "BYD", "ZHIPU", "MINIMAX"}


class Binance(Fapi):
    name = "binance"
    limits = standard_limits(funding=Window(500, 300))
    weights: ClassVar[dict[str, dict[str, float]]] = {
        "exchangeInfo": {"weight": 1},
        "premiumIndex": {"weight": 10},
        "fundingInfo": {"funding": 1},
        "fundingRate": {"funding": 1},
        "openInterest": {"weight": 1},
        "ticker/24hr": {"weight": 40},
    }
    quoted = (RateFields("premiumIndex", ("lastFundingRate",)),)
    settled_rows = (RateFields("fundingRate", ("fundingRate",)),)

    def exchange_info(self, now: float) -> Row:
        symbols = [self._symbol(m, now) for m in self.markets(now)]
        symbols += [_contract(symbol, "BTC", kind, delivery) for symbol, kind, delivery in _dated(now)]
        symbols += [_settled_symbol(base) for base in _settling()]
        return {
            "timezone": "UTC",
            "serverTime": int(now * 1000),
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400},
                {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
            ],
            "exchangeFilters": [],
            "assets": [{"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "-10000"}],
            "symbols": symbols,
        }

    def _symbol(self, market: DemoMarket, now: float) -> Row:
        asset = market.asset
        tradfi = asset.asset_class in ("equity", "etf", "commodity", "prelaunch")
        kind = "TRADIFI_PERPETUAL" if tradfi else "PERPETUAL"
        base = market.symbol.removesuffix(market.quote)
        row = _contract(market.symbol, base, kind, self.delivery_ms(market, now), market.quote)
        underlying = _KINDS.get(asset.asset_class, "EQUITY")
        if underlying == "EQUITY" and asset.ticker in _KOREAN | _HONG_KONG:
            underlying = "KR_EQUITY" if asset.ticker in _KOREAN else "HK_EQUITY"
        return row | {
            "status": self.status(market, now),
            "onboardDate": market.listed_hour * 3_600_000,
            "underlyingType": underlying,
            "underlyingSubType": ["TradFi"] if tradfi else [],
        }

    def funding_info(self, now: float) -> list[Row]:
        """Only symbols whose settings were adjusted; one that is absent pays every 8 hours."""
        rows = []
        for market in self.markets(now):
            hours = market.interval(int(now // 3600))
            if hours != 8 or len(market.intervals) > 1 or pick(0, 4, "adjusted", market.symbol) < 3:
                rows.append(
                    {
                        "symbol": market.symbol,
                        "adjustedFundingRateCap": "0.02000000",
                        "adjustedFundingRateFloor": "-0.02000000",
                        "fundingIntervalHours": hours,
                        "disclaimer": False,
                    }
                )
        return rows

    def premiums(self, now: float) -> list[Row]:
        rows = super().premiums(now)
        for symbol, _, _ in _dated(now):
            rows.append(
                rows[0] | {"symbol": symbol, "lastFundingRate": "", "interestRate": "", "nextFundingTime": 0}
            )
        for at, base in enumerate(_settling()):
            stale = {"symbol": base + "USDT", "lastFundingRate": fixed(0.0001 * (at % 7), 8)}
            rows.append(rows[at] | stale)
        return rows

    def paid_at(self, market: DemoMarket, hour: int) -> tuple[Paid, ...]:
        """The regular payment and, on some stocks once in 30 days, a dividend-like special one beside it."""
        regular = super().paid_at(market, hour)
        if not regular or market.asset.asset_class != "equity" or hour % 8:
            return regular
        number, at = divmod(hour, _SPECIAL_EVERY_HOURS)
        chance = share(0, "special", market.symbol, str(number))
        if chance > 0.2 or at != 8 * int(chance / 0.2 * 89):
            return regular
        return (*regular, Paid(hour * 3600, float(fixed(-0.0005 - 0.015 * chance, 8)), 0, "special"))

    def settled_row(self, symbol: str, market: DemoMarket, hour: int, stamp: int, paid: Paid) -> Row:
        return {
            "symbol": symbol,
            "fundingTime": stamp,
            "fundingRate": fixed(paid.rate, 8),
            "markPrice": price(self.truth.index_price(market, hour)),
            "rateType": paid.kind.title(),
        }


def _contract(symbol: str, base: str, kind: str, delivery_ms: int, quote: str = "USDT") -> Row:
    return {
        "symbol": symbol,
        "pair": base + quote,
        "contractType": kind,
        "deliveryDate": delivery_ms,
        "onboardDate": 1_672_531_200_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "pricePrecision": 6,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"}
        ],
        "orderTypes": ["LIMIT", "MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _dated(now: float) -> list[tuple[str, str, int]]:
    """(symbol, contract type, delivery in ms) of the dated contracts: the ends of the next two quarters."""
    year, month = datetime.fromtimestamp(now, UTC).year, datetime.fromtimestamp(now, UTC).month
    contracts = []
    for ahead, kind in enumerate(("CURRENT_QUARTER", "NEXT_QUARTER"), start=1):
        quarter = (month - 1) // 3 + ahead
        end = datetime(year + quarter // 4, quarter % 4 * 3 + 1, 1, 8, tzinfo=UTC)
        contracts.append((f"BTCUSDT_{end:%y%m%d}", kind, int(end.timestamp()) * 1000))
    return contracts


def _settling() -> list[str]:
    """Coins delisted long ago that stay in the answers with a stale rate."""
    return [f"OLD{asset.ticker}" for asset in CRYPTO[-_SETTLING:]]


def _settled_symbol(base: str) -> Row:
    return _contract(base + "USDT", base, "PERPETUAL", FOR_EVER_MS - 1) | {
        "status": "SETTLING",
        "deliveryDate": 1_735_722_000_000,
    }
