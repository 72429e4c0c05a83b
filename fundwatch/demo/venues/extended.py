"""Extended as measured in September 2026: one large market list, 1000 settled rows newest first."""

from typing import Any, ClassVar

from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import pick
from fundwatch.demo.venues.base import (
    Paid,
    RateFields,
    Reply,
    Request,
    Venue,
    Window,
    fixed,
    page,
    price,
    reply,
    whole,
)

Row = dict[str, Any]
_MAX_ROWS = 1000
_LATE_MS = 560_000
_KINDS = {"equity": "Equity", "etf": "ETF/Index", "index": "ETF/Index", "commodity": "Commodity", "fx": "FX"}
_UI_NAMES = {"SPX500m-USD": "SPX-USD", "TECH100m-USD": "NDX-USD", "1000PEPE-USD": "kPEPE-USD"}


class Extended(Venue):
    name = "extended"
    limits: ClassVar[dict[str, Window]] = {"requests": Window(1000, 60)}
    quoted = (RateFields("/info/markets", ("fundingRate",)),)
    settled_rows = (RateFields("/funding", ("f",)),)
    stamp_key = "T"
    compresses = False

    def answer(self, request: Request, now: float) -> Reply:
        if not request.headers.get("user-agent"):
            return page(403, "Forbidden")
        if request.method != "GET" or not request.path.startswith("/api/v1/info/"):
            return page(404, "Not Found")
        parts = request.path.removeprefix("/api/v1/info/").split("/")
        if parts == ["markets"]:
            return self._markets(request, now)
        if len(parts) == 2 and parts[1] == "funding":
            return self._funding(request, parts[0], now)
        if len(parts) == 3 and parts[0] == "markets" and parts[2] == "stats":
            market = self.find(parts[1], now)
            return reply({"status": "OK", "data": self._stats(market, now)}) if market else _unknown()
        return page(404, "Not Found")

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        error = {"code": 429, "message": "Rate limit exceeded"}
        return reply({"status": "ERROR", "error": error}, 429)

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        return [
            Paid(hour * 3600, float(fixed(self.truth.settled(market, hour, 1), 6)), 1)
            for hour, _ in market.payments(start // 3600, end // 3600)
        ]

    def _markets(self, request: Request, now: float) -> Reply:
        wanted = request.params.get("market")
        rows = [self._market(m, now) for m in self.markets(now)]
        rows += [row | {"name": f"NEXT{at}-USD", "status": "PRELISTED", "active": False, "visibleOnUi": False}
                 for at, row in enumerate(rows[:12])]  # fmt: skip
        rows += [row | {"name": f"{row['assetName']}-SPOT", "type": "SPOT"} for row in rows[:3]]
        if wanted is not None:
            rows = [row for row in rows if row["name"] == wanted]
            if not rows:
                return _unknown()
        return reply({"status": "OK", "data": rows})

    def _market(self, market: DemoMarket, now: float) -> Row:
        asset = market.asset
        closed = market.is_closed(now / 3600)
        base = market.symbol.removesuffix("-USD")
        kind = _KINDS.get(asset.asset_class)
        if asset.asset_class == "prelaunch":
            kind = "Pre-market"
        return {
            "name": market.symbol,
            "type": "PERPETUAL",
            "uiName": _UI_NAMES.get(market.symbol, market.symbol.replace("_24_5", "")),
            "category": "RWA" if kind else "Crypto",
            "subCategory": kind or "L1",
            "assetName": base,
            "assetPrecision": 5,
            "collateralAssetName": "USD",
            "collateralAssetPrecision": 6,
            "description": asset.name,
            "active": not closed,
            "isRfq": pick(0, 100, "rfq", market.symbol) < 85,
            "isOffHours": False,
            "status": "DELISTED" if closed else "ACTIVE",
            "tradingHours": "CONTINUOUS",
            "marketStats": self._stats(market, now),
            "tradingConfig": {
                "minOrderSize": "0.0001",
                "minOrderSizeChange": "0.00001",
                "minPriceChange": "1",
                "maxMarketOrderValue": "3000000",
                "maxLimitOrderValue": "15000000",
                "maxPositionValue": "60000000",
                "maxLeverage": "50.00",
                "hourlyFundingRateCap": ("0.006", "0.25", "0.75", "1")[pick(0, 4, "cap", market.symbol)],
                "maxNumOrders": "200",
                "limitPriceCap": "0.05",
                "limitPriceFloor": "0.05",
                "riskFactorConfig": [],
            },
            "l2Config": {
                "type": "STARKX",
                "collateralId": "0x1",
                "syntheticId": "0x" + market.symbol.encode().hex(),
                "syntheticResolution": 1_000_000,
                "collateralResolution": 1_000_000,
            },
            "visibleOnUi": not closed,
            "referenceMarket": "null",
            "createdAt": market.listed_hour * 3_600_000,
        }

    def _stats(self, market: DemoMarket, now: float) -> Row:
        minute = now // 60 * 60
        hour = minute / 3600
        closed = market.is_closed(hour)
        mark = self.truth.mark_price(market, hour)
        volume = 0.0 if closed else self.truth.volume_24h_usd(market, hour)
        interest = 0.0 if closed else self.truth.open_interest_usd(market, hour)
        return {
            "dailyVolume": fixed(volume, 6),
            "dailyVolumeBase": fixed(volume / mark, 5),
            "dailyPriceChange": "0",
            "dailyPriceChangePercentage": "0",
            "dailyLow": price(mark * 0.98),
            "dailyHigh": price(mark * 1.02),
            "lastPrice": price(mark),
            "askPrice": price(mark * 1.0001),
            "bidPrice": price(mark * 0.9999),
            "markPrice": price(mark),
            "indexPrice": price(self.truth.index_price(market, hour)),
            "fundingRate": "0" if closed else fixed(self.truth.estimate(market, minute), 6),
            "nextFundingRate": (int(hour) + 1) * 3_600_000,
            "openInterest": fixed(interest, 6),
            "openInterestBase": fixed(interest / mark, 5),
            "deleverageLevels": {"shortPositions": [], "longPositions": []},
        }

    def _funding(self, request: Request, symbol: str, now: float) -> Reply:
        """Newest first, at most 1000 rows; `limit` and `cursor` change nothing."""
        market = self.find(symbol, now)
        if market is None:
            return _unknown()
        try:
            start, end = whole(request.params, "startTime"), whole(request.params, "endTime")
        except ValueError:
            return _error(1006, "startTime or endTime is not a number")
        if start is None or end is None:
            return _error(1006, f"{'startTime' if start is None else 'endTime'} is missing")
        end = min(end, int(now * 1000))
        rows: list[Row] = []
        for hour in range(end // 3_600_000, (start - _LATE_MS) // 3_600_000, -1):
            if hour <= market.listed_hour or len(rows) == _MAX_ROWS:
                break
            stamp = self.stamp_ms(symbol, hour)
            if market.pays(hour) and start <= stamp <= end:
                rate = fixed(self.truth.settled(market, hour, 1), 6)
                rows.append({"m": symbol, "f": rate, "T": stamp})
        return reply({"status": "OK", "data": rows})

    @staticmethod
    def stamp_ms(symbol: str, hour: int) -> int:
        """0.7 to 1.0 s after the hour, one in 200 much later."""
        at = pick(0, 60_000, "stamp", symbol, str(hour))
        late = 559_000 if at % 200 == 0 else 700 + at % 300
        return hour * 3_600_000 + late


def _unknown() -> Reply:
    return _error(1001, "Market not found")


def _error(code: int, message: str) -> Reply:
    return reply({"status": "ERROR", "error": {"code": code, "message": message}}, 400)
