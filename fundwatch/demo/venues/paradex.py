"""Paradex as in its OpenAPI text of August 2026: an index that always accrues, options in all lists."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from typing import Any, ClassVar

from fundwatch.demo.accrual import Accrual
from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import pick
from fundwatch.demo.truth import Truth
from fundwatch.demo.venues.base import (
    Paid,
    RateFields,
    Reply,
    Request,
    Venue,
    Window,
    fixed,
    price,
    reply,
    whole,
)

Row = dict[str, Any]
_TICK_MS = 5000
_MAX_PAGE = 5000
_BARE_ROWS_AFTER_MS = 20 * 86_400_000
"""Rows older than this lack the fields that were added later."""

_OPTIONS = [
    f"{base}-USD-{expiry}-{strike}-{side}"
    for base, first, step in (("BTC", 60_000, 2000), ("ETH", 1600, 100))
    for expiry in ("25DEC26", "26MAR27", "25JUN27")
    for strike in range(first, first + 22 * step, step)
    for side in "CP"
]
_PERP_OPTIONS = [
    f"{base}-USD-{strike}-{side}" for base, strike in (("BTC", 78_000), ("ETH", 2300)) for side in "CP"
]


class Paradex(Venue):
    name = "paradex"
    limits: ClassVar[dict[str, Window]] = {"requests": Window(1500, 60)}
    quoted = (RateFields("/markets/summary", ("funding_rate",)),)
    settled_rows = (
        RateFields("/funding/data", ("funding_index", "funding_premium", "funding_rate", "funding_rate_8h")),
    )
    stamp_key = "created_at"

    def __init__(self, truth: Truth) -> None:
        super().__init__(truth)
        self._accruals: dict[str, Accrual] = {}

    def answer(self, request: Request, now: float) -> Reply:
        routes = {
            "/v1/markets": self._markets,
            "/v1/markets/summary": self._summary,
            "/v1/funding/data": self._funding_data,
            "/v1/markets/klines": self._klines,
        }
        route = routes.get(request.path)
        if route is None or request.method != "GET":
            return _error("NOT_FOUND", "the requested resource was not found", 404)
        try:
            return route(request, now)
        except ValueError as error:
            return _error("VALIDATION_ERROR", str(error))

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        return _error("RATE_LIMIT_EXCEEDED", "too many requests", 429)

    def accrual(self, market: DemoMarket) -> Accrual:
        found = self._accruals.get(market.symbol)
        if found is None:
            found = self._accruals[market.symbol] = Accrual.of(self.truth, market)
        return found

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        """One payment for the whole window: the index difference over the spot at the window's end."""
        start = max(start, market.listed_hour * 3600)
        end = end if market.closed_hour is None else min(end, market.closed_hour * 3600)
        if end <= start:
            return []
        accrual = self.accrual(market)
        paid_usdc = accrual.paid_usdc(end) - accrual.paid_usdc(start)
        return [Paid(end, paid_usdc / self.truth.index_price(market, end / 3600), (end - start) / 3600)]

    def _open(self, now: float) -> list[DemoMarket]:
        return [m for m in self.markets(now) if m.is_open(now / 3600)]

    def _markets(self, request: Request, now: float) -> Reply:
        rows = [_contract(m.symbol, "PERP", m) for m in self._open(now)]
        rows += [_contract(symbol, "OPTION") for symbol in _OPTIONS]
        rows += [_contract(symbol, "PERP_OPTION") for symbol in _PERP_OPTIONS]
        wanted = request.params.get("market")
        return reply({"results": [row for row in rows if wanted in (None, row["symbol"])]})

    def _summary(self, request: Request, now: float) -> Reply:
        wanted = request.params.get("market")
        if not wanted:
            raise ValueError("market: cannot be blank")
        rows = [self._ticker(m, now) for m in self._open(now) if wanted in ("ALL", m.symbol)]
        for at, symbol in enumerate((*_OPTIONS, *_PERP_OPTIONS)):
            if rows and wanted in ("ALL", symbol):
                rate = "0.00012" if symbol in _PERP_OPTIONS else ""
                rows.append(rows[0] | {"symbol": symbol, "funding_rate": rate, "mark_price": str(100 + at)})
        return reply({"results": rows})

    def _ticker(self, market: DemoMarket, now: float) -> Row:
        hour = now / 3600
        mark = self.truth.mark_price(market, hour)
        volume = self.truth.volume_24h_usd(market, hour)
        rate = self._premium(market, now) / self.truth.index_price(market, hour)
        return {
            "symbol": market.symbol,
            "oracle_price": price(mark),
            "mark_price": price(mark),
            "last_traded_price": price(mark),
            "bid": price(mark * 0.9995),
            "ask": price(mark * 1.0005),
            "volume_24h": fixed(volume, 12),
            "total_volume": fixed(volume * 400, 12),
            "created_at": int(now * 1000),
            "underlying_price": price(self.truth.index_price(market, hour)),
            "open_interest": fixed(self.truth.open_interest_usd(market, hour) / mark, 4),
            "funding_rate": fixed(rate, 14),
            "price_change_rate_24h": "0.012",
        }

    def _premium(self, market: DemoMarket, seconds: float) -> float:
        """USDC per contract unit and funding period."""
        return self.accrual(market).premium_usdc(seconds) * market.intervals[0] / 8

    def _funding_data(self, request: Request, now: float) -> Reply:
        """Newest first; a row every 5 seconds; `end_at` inclusive; `next` is the cursor to older rows."""
        params = request.params
        market = self._required(params.get("market"), now)
        size = whole(params, "page_size") or 100
        if not 1 <= size <= _MAX_PAGE:
            raise ValueError(f"page_size: must be between 1 and {_MAX_PAGE}")
        start, end = whole(params, "start_at") or 0, whole(params, "end_at")
        if params.get("cursor"):
            end = _uncursor(params["cursor"])
        last_ms = min(int(now * 1000), int(now * 1000) if end is None else end)
        first_ms = max(start, market.listed_hour * 3_600_000)
        if market.closed_hour is not None:
            last_ms = min(last_ms, market.closed_hour * 3_600_000)
        phase = pick(0, _TICK_MS, "phase", market.symbol)
        newest = last_ms - (last_ms - phase) % _TICK_MS
        accrual = self.accrual(market)
        stamps = range(newest, first_ms - 1, -_TICK_MS)
        rows = [self._observation(market, accrual, stamp, now) for stamp in stamps[:size]]
        older = _cursor(stamps[size]) if len(stamps) > size else None
        return reply({"next": older, "prev": None, "results": rows})

    def _observation(self, market: DemoMarket, accrual: Accrual, stamp_ms: int, now: float) -> Row:
        seconds = stamp_ms / 1000
        period = market.intervals[0]
        premium = accrual.premium_usdc(seconds) * period / 8
        rate = premium / self.truth.index_price(market, seconds / 3600)
        bare = now * 1000 - stamp_ms > _BARE_ROWS_AFTER_MS
        return {
            "market": market.symbol,
            "funding_index": fixed(accrual.paid_usdc(seconds), 18),
            "funding_premium": fixed(premium, 24),
            "funding_rate": fixed(rate, 14),
            "funding_rate_8h": "" if bare else fixed(rate * 8 / period, 8),
            "funding_period_hours": 0 if bare else period,
            "created_at": stamp_ms,
        }

    def _klines(self, request: Request, now: float) -> Reply:
        params = request.params
        market = self._required(params.get("symbol"), now, "symbol")
        minutes, start, end = (whole(params, key) for key in ("resolution", "start_at", "end_at"))
        if minutes not in (1, 3, 5, 15, 30, 60):
            raise ValueError("resolution: must be one of 1, 3, 5, 15, 30, 60")
        if start is None or end is None:
            raise ValueError("start_at, end_at: cannot be blank")
        if params.get("price_kind", "last") not in ("last", "mark", "underlying"):
            raise ValueError("price_kind: must be a valid value")
        step = minutes * 60_000
        opens = range(-(-start // step) * step, min(end, int(now * 1000)) + 1, step)
        return reply({"results": [self._kline(market, opened, step) for opened in opens[:_MAX_PAGE]]})

    def _kline(self, market: DemoMarket, opened_ms: int, step_ms: int) -> list[float]:
        first = self.truth.index_price(market, opened_ms / 3_600_000)
        last = self.truth.index_price(market, (opened_ms + step_ms) / 3_600_000)
        return [opened_ms, first, max(first, last), min(first, last), last, 0]

    def _required(self, symbol: str | None, now: float, field: str = "market") -> DemoMarket:
        if not symbol:
            raise ValueError(f"{field}: cannot be blank")
        market = self.find(symbol, now)
        if market is None:
            raise ValueError(f"{field}: no such market")
        return market


def _contract(symbol: str, kind: str, market: DemoMarket | None = None) -> Row:
    period: int | str = market.intervals[0] if market else 8
    return {
        "symbol": symbol,
        "base_currency": symbol.split("-")[0],
        "quote_currency": "USD",
        "settlement_currency": "USDC",
        "order_size_increment": "0.001",
        "price_tick_size": "0.1",
        "min_notional": "10",
        "open_at": market.listed_hour * 3_600_000 if market else 1_758_000_000_000,
        "expiry_at": 1_798_000_000_000 if kind == "OPTION" else 0,
        "asset_kind": kind,
        "position_limit": "60",
        "price_bands_width": "0.05",
        "max_open_orders": 100,
        "max_funding_rate": "0.02",
        "funding_period_hours": str(period) if market and market.asset.ticker == "MET" else period,
        "funding_multiplier": market.factor if market else 1,
        "delta1_cross_margin_params": {
            "imf_base": "0.02",
            "imf_shift": "180000",
            "imf_factor": "0.00007",
            "mmf_factor": "0.5",
        },
        "price_feed_id": f"feed-{symbol}",
        "oracle_ewma_factor": "0.20000046249626113",
        "max_order_size": "100",
        "max_funding_rate_change": "0.0002",
        "max_tob_spread": "0.1",
        "tags": [market.asset.asset_class.upper()] if market else [],
    }


def _error(code: str, message: str, status: int = 400) -> Reply:
    return reply({"error": code, "message": message, "data": None}, status)


def _cursor(stamp_ms: int) -> str:
    return urlsafe_b64encode(str(stamp_ms).encode()).decode()


def _uncursor(text: str) -> int:
    try:
        return int(urlsafe_b64decode(text.encode()))
    except (Base64Error, ValueError):
        raise ValueError("cursor: is not valid") from None
