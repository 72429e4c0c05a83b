"""Lighter as documented at apidocs.lighter.xyz: `code` in every body, unsigned percents with a direction."""

from collections.abc import Iterator
from typing import Any, ClassVar

from fundwatch.demo.listings import listing
from fundwatch.demo.markets import DemoMarket
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
_MAX_ROWS = 750
_BYBIT_SHARE = 0.9


class Lighter(Venue):
    """Serves `/fundings` at the resolution 1h, odd market ids newest first: the order is not promised."""

    name = "lighter"
    limits: ClassVar[dict[str, Window]] = {"requests": Window(60, 60)}
    quoted = (RateFields("/funding-rates", ("rate",)),)
    settled_rows = (RateFields("/fundings", ("rate", "value")),)
    stamp_key = "timestamp"

    def answer(self, request: Request, now: float) -> Reply:
        if request.method != "GET" or not request.path.startswith("/api/v1/"):
            return page(404, "Not Found")
        endpoint = request.path.removeprefix("/api/v1/")
        if endpoint in ("orderBookDetails", "orderBooks"):
            return self._books(request, now, endpoint)
        if endpoint == "funding-rates":
            return reply({"code": 200, "funding_rates": list(self._rates(now))})
        if endpoint == "fundings":
            return self._fundings(request, now)
        return reply({"code": 404, "message": "page not found"}, 404)

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        return reply({"code": 23000, "message": "Too Many Requests!"}, 429)

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        return [
            Paid(hour * 3600, self._percent(market, self.truth.settled(market, hour, 1)) / 100, 1)
            for hour, _ in market.payments(start // 3600, end // 3600)
        ]

    @staticmethod
    def _percent(market: DemoMarket, rate: float) -> float:
        """Signed percent per hour, cut to 4 decimals as the venue does."""
        return int(rate * 1e6 + (1e-7 if rate >= 0 else -1e-7)) / 1e4

    def _books(self, request: Request, now: float, endpoint: str) -> Reply:
        kind = request.params.get("filter", "all")
        if kind not in ("perp", "spot", "all"):
            return _invalid("filter")
        try:
            wanted = whole(request.params, "market_id")
        except ValueError:
            return _invalid("market_id")
        perps = [self._book(m, now) for m in self.markets(now)] if kind != "spot" else []
        spots = list(self._spots(now)) if kind != "perp" else []
        if wanted not in (None, 255):
            perps = [row for row in perps if row["market_id"] == wanted]
            spots = [row for row in spots if row["market_id"] == wanted]
        if endpoint == "orderBooks":
            brief = [{key: row[key] for key in _BRIEF} for row in (*perps, *spots)]
            return reply({"code": 200, "order_books": brief})
        return reply({"code": 200, "order_book_details": perps, "spot_order_book_details": spots})

    def _book(self, market: DemoMarket, now: float) -> Row:
        hour = now // 60 / 60
        closed = market.is_closed(hour)
        at = float(market.closed_hour or 0) if closed else hour
        mark = self.truth.mark_price(market, at)
        volume = 0.0 if closed else self.truth.volume_24h_usd(market, hour)
        return {
            "symbol": market.symbol,
            "market_id": market.venue_id,
            "market_type": "perp",
            "base_asset_id": 0,
            "quote_asset_id": 0,
            "status": "inactive" if closed else "active",
            "taker_fee": "0.0000",
            "is_taker_fee_enabled": True,
            "maker_fee": "0.0000",
            "is_maker_fee_enabled": True,
            "liquidation_fee": "1.0000",
            "min_base_amount": "0.0050",
            "min_quote_amount": "10.000000",
            "order_quote_limit": "281474976.710655",
            "supported_size_decimals": 4,
            "supported_price_decimals": 6,
            "supported_quote_decimals": 6,
            "size_decimals": 4,
            "price_decimals": 6,
            "quote_multiplier": 1,
            "default_initial_margin_fraction": 500,
            "min_initial_margin_fraction": 200,
            "maintenance_margin_fraction": 120,
            "closeout_margin_fraction": 80,
            "created_at": str(market.listed_hour * 3_600_000),
            "mark_price": price(mark),
            "index_price": price(self.truth.index_price(market, at)),
            "last_trade_price": float(price(mark)),
            "daily_trades_count": int(volume / 1100),
            "daily_base_token_volume": round(volume / mark, 4),
            "daily_quote_token_volume": round(volume, 6),
            "daily_price_low": float(price(mark * 0.98)),
            "daily_price_high": float(price(mark * 1.02)),
            "daily_price_change": -0.52,
            "open_interest": round(self.truth.open_interest_usd(market, hour) / mark, 4),
            "daily_chart": {},
            "funding_clamp_small": "0.0500",
            "funding_clamp_big": "4.0000",
            "base_interest_rate": fixed(market.interest_8h * 100, 4),
            "multiplier": "1.000000000000000000",
            "market_config": {
                "market_margin_mode": 0,
                "insurance_fund_account_index": 281_474_976_710_655,
                "liquidation_mode": 0,
                "force_reduce_only": False,
                "trading_hours": "",
                "funding_fee_discounts_enabled": False,
                "hidden": False,
                "rfq_enabled": True,
            },
            "strategy_index": 2,
        }

    def _spots(self, now: float) -> Iterator[Row]:
        for at, market in enumerate(self.listing.lasting[:6]):
            row = self._book(market, now)
            yield row | {"symbol": f"{market.symbol}/USDC", "market_id": 2048 + at, "market_type": "spot"}

    def _rates(self, now: float) -> Iterator[Row]:
        """Our own estimates and, mixed in, what other venues quote for the same assets, all per 8 hours."""
        minute = now // 60 * 60
        hour = int(minute // 3600)
        own = [m for m in self.markets(now) if m.is_open(minute / 3600)]
        for at, market in enumerate(own):
            hourly = self._percent(market, self.truth.estimate(market, minute)) / 100
            if at % 20 == 0:
                yield from self._relayed(own[at : at + 20], minute, hour)
            yield _rate(market, "lighter", hourly * 8)

    def _relayed(self, own: list[DemoMarket], minute: float, hour: int) -> Iterator[Row]:
        for venue in ("binance", "hyperliquid"):
            same = {
                m.asset.key: m for m in reversed(listing(venue).lasting) if not m.group and m.is_open(hour)
            }
            for market in own:
                if other := same.get(market.asset.key):
                    per_8h = self.truth.estimate(other, minute) * 8 / other.interval(hour)
                    yield _rate(market, venue, round(per_8h, 8))
                    if venue == "binance" and market.venue_id % 10 < 10 * _BYBIT_SHARE:
                        yield _rate(market, "bybit", round(per_8h * 1.1, 8))

    def _fundings(self, request: Request, now: float) -> Reply:
        """Start inclusive, end exclusive; `count_back` reaches further back than start where it is larger."""
        params = request.params
        if missing := [key for key in _REQUIRED if not params.get(key)]:
            return _invalid(missing[0])
        try:
            market_id, count_back = int(params["market_id"]), int(params["count_back"])
            start, end = _seconds(params["start_timestamp"]), _seconds(params["end_timestamp"])
        except ValueError:
            return _invalid("a number")
        if params["resolution"] != "1h":
            return _invalid("resolution")
        if end <= start:
            return reply(
                {"code": 22400, "message": "end timestamp must be greater than start timestamp"}, 400
            )
        market = next((m for m in self.markets(now) if m.venue_id == market_id), None)
        if market is None:
            return _invalid("market_id")
        last = min((end - 1) // 3600, int(now // 3600))
        first = min((start - 1) // 3600, last - min(count_back, _MAX_ROWS))
        rows = [self._funding(market, hour) for hour, _ in market.payments(first, last)][-_MAX_ROWS:]
        if market_id % 2:
            rows.reverse()
        return reply({"code": 200, "resolution": "1h", "fundings": rows})

    def _funding(self, market: DemoMarket, hour: int) -> Row:
        percent = self._percent(market, self.truth.settled(market, hour, 1))
        usd = abs(percent) / 100 * self.truth.index_price(market, hour)
        return {
            "timestamp": hour * 3600,
            "value": fixed(usd, 8),
            "rate": fixed(abs(percent), 4),
            "direction": "short" if percent < 0 else "long",
        }


_REQUIRED = ("market_id", "resolution", "start_timestamp", "end_timestamp", "count_back")
_BRIEF = (
    "symbol", "market_id", "market_type", "base_asset_id", "quote_asset_id", "status", "taker_fee",
    "maker_fee", "liquidation_fee", "min_base_amount", "min_quote_amount", "order_quote_limit",
    "supported_size_decimals", "supported_price_decimals", "supported_quote_decimals",
)  # fmt: skip


def _rate(market: DemoMarket, venue: str, per_8h: float) -> Row:
    return {"market_id": market.venue_id, "exchange": venue, "symbol": market.symbol, "rate": per_8h}


def _invalid(what: str) -> Reply:
    return reply({"code": 20001, "message": f"invalid param: {what}"}, 400)


def _seconds(text: str) -> int:
    """A stamp in seconds; milliseconds are taken too."""
    stamp = int(text)
    return stamp // 1000 if stamp > 10**11 else stamp
