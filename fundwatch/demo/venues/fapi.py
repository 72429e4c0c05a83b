"""The request format that Binance USD-M and Aster share: /fapi/v1/..., arrays of flat rows."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from zlib import crc32

from fundwatch.demo.markets import FIRST_LISTED_HOUR, DemoMarket
from fundwatch.demo.noise import pick
from fundwatch.demo.venues.base import Paid, Reply, Request, Venue, Window, fixed, page, price, reply, whole

Row = dict[str, Any]
FOR_EVER_MS = 4_133_404_800_000
"""The deliveryDate of a contract without one."""

_MAX_ROWS = 1000


class Fapi(Venue):
    """`weights` are the documented ones by endpoint; an endpoint not in it does not exist."""

    weights: ClassVar[Mapping[str, Mapping[str, float]]]
    usage_header: ClassVar[str] = "X-MBX-USED-WEIGHT-1M"
    stamp_key = "fundingTime"
    prefixes: ClassVar[tuple[str, ...]] = ("/fapi/v1/",)
    newest_rows: ClassVar[int] = 200
    """At most so many rows of the whole venue come when no start is given."""

    def endpoint(self, request: Request) -> str:
        for prefix in self.prefixes:
            if request.path.startswith(prefix):
                return request.path.removeprefix(prefix)
        return ""

    def weight(self, request: Request) -> Mapping[str, float]:
        endpoint = self.endpoint(request)
        if "symbol" in request.params and endpoint in ("premiumIndex", "ticker/24hr"):
            return {"weight": 1}
        return self.weights.get(endpoint, {"weight": 1})

    def answer(self, request: Request, now: float) -> Reply:
        endpoint = self.endpoint(request)
        if endpoint not in self.weights:
            return page(404, "Not Found")
        if request.method != "GET":
            return refused(-1100, f"Request method '{request.method}' is not supported", 405)
        symbol = request.params.get("symbol")
        market = self.find(symbol, now) if symbol is not None else None
        if symbol is not None and market is None:
            return refused(-1121, "Invalid symbol.")
        if endpoint == "exchangeInfo":
            return reply(self.exchange_info(now))
        if endpoint == "fundingInfo":
            return reply(self.funding_info(now))
        if endpoint == "fundingRate":
            return self._funding_rate(request, market, now)
        if endpoint == "openInterest":
            return self._open_interest(market, now)
        rows = self.premiums(now) if endpoint == "premiumIndex" else self.tickers(now)
        if market is not None:
            return reply(next((r for r in rows if r["symbol"] == market.symbol), {}))
        return reply(rows)

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        limit = int(self.limits["weight"].weight)
        told = f"Too many requests; current limit is {limit} request weight per 1 MINUTE."
        return Reply(429, reply({"code": -1003, "msg": told}).body)

    def exchange_info(self, now: float) -> Row:
        raise NotImplementedError

    def funding_info(self, now: float) -> list[Row]:
        raise NotImplementedError

    def settled_row(self, symbol: str, market: DemoMarket, hour: int, stamp: int, paid: Paid) -> Row:
        raise NotImplementedError

    def status(self, market: DemoMarket, now: float) -> str:
        return "SETTLING" if market.is_closed(now / 3600) else "TRADING"

    def delivery_ms(self, market: DemoMarket, now: float) -> int:
        """A closing date once it is announced, three days ahead."""
        if market.closed_hour is None or now / 3600 < market.closed_hour - 72:
            return FOR_EVER_MS
        return market.closed_hour * 3_600_000

    def premium_row(self, market: DemoMarket, now: float) -> Row:
        minute = now // 60 * 60
        hour = minute / 3600
        interval = market.interval(int(hour))
        index = self.truth.index_price(market, hour)
        return {
            "symbol": market.symbol,
            "markPrice": price(self.truth.mark_price(market, hour)),
            "indexPrice": price(index),
            "estimatedSettlePrice": price(index * 1.0002),
            "lastFundingRate": fixed(self.truth.estimate(market, minute), 8),
            "interestRate": "0.00010000",
            "nextFundingTime": (int(hour) // interval + 1) * interval * 3_600_000,
            "time": int(minute) * 1000,
        }

    def premiums(self, now: float) -> list[Row]:
        return [self.premium_row(m, now) for m in self.markets(now)]

    def tickers(self, now: float) -> list[Row]:
        return [self._ticker(m, now) for m in self.markets(now)]

    def _ticker(self, market: DemoMarket, now: float) -> Row:
        hour = now // 60 / 60
        last = self.truth.mark_price(market, hour)
        before = self.truth.mark_price(market, hour - 24)
        volume = 0.0 if market.is_closed(hour) else self.truth.volume_24h_usd(market, hour)
        close_ms = int(now * 1000)
        return {
            "symbol": market.symbol,
            "priceChange": price(last - before) if last >= before else "-" + price(before - last),
            "priceChangePercent": fixed((last / before - 1) * 100, 3),
            "weightedAvgPrice": price((last + before) / 2),
            "lastPrice": price(last),
            "lastQty": "1.000",
            "openPrice": price(before),
            "highPrice": price(max(last, before) * 1.01),
            "lowPrice": price(min(last, before) * 0.99),
            "volume": fixed(volume / last, 3),
            "quoteVolume": fixed(volume, 2),
            "openTime": close_ms - 86_400_000,
            "closeTime": close_ms,
            "firstId": 1000,
            "lastId": 1000 + int(volume / 900),
            "count": int(volume / 900),
        }

    def _open_interest(self, market: DemoMarket | None, now: float) -> Reply:
        if market is None:
            return refused(-1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        if market.is_closed(now / 3600):
            return refused(
                -4108, "Symbol is on delivering or delivered or settling or closed or pre-trading."
            )
        hour = now // 60 / 60
        base = self.truth.open_interest_usd(market, hour) / self.truth.mark_price(market, hour)
        row = {"openInterest": fixed(base, 3), "symbol": market.symbol, "time": int(now * 1000)}
        return reply(row)

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        return [
            paid
            for hour, _ in market.payments(start // 3600, end // 3600)
            for paid in self.paid_at(market, hour)
        ]

    def paid_at(self, market: DemoMarket, hour: int) -> tuple[Paid, ...]:
        """The regular payment at `hour`, if any."""
        interval = market.pays(hour)
        if not interval:
            return ()
        rate = float(f"{self.truth.settled(market, hour, interval):.8f}") + 0.0
        return (Paid(hour * 3600, rate, interval),)

    @staticmethod
    def stamp_ms(symbol: str, hour: int) -> int:
        """Payments of one hour are stamped some milliseconds after it, not all the same."""
        return hour * 3_600_000 + pick(0, 10, "stamp", str(hour)) + crc32(symbol.encode()) % 3

    def _funding_rate(self, request: Request, market: DemoMarket | None, now: float) -> Reply:
        try:
            limit = whole(request.params, "limit")
            start = whole(request.params, "startTime")
            end = whole(request.params, "endTime")
        except ValueError:
            return refused(-1102, "Mandatory parameter was not sent, was empty/null, or malformed.")
        if limit is not None and not 0 < limit <= _MAX_ROWS:
            return refused(-1130, "Data sent for parameter 'limit' is not valid.")
        if start is not None and end is not None and start > end:
            return refused(-4046, "startTime is later than endTime.")
        last_ms = min(int(now * 1000), int(now * 1000) if end is None else end)
        if start is not None:
            rows: list[Row] = []
            first = max(start // 3_600_000, FIRST_LISTED_HOUR)
            for hour in range(first, last_ms // 3_600_000 + 1):
                at = self._hour_rows(market, hour, now)
                rows += [row for row in at if start <= row["fundingTime"] <= last_ms]
                if len(rows) >= (limit or 100):
                    break
            return reply(rows[: limit or 100])
        wanted = limit or 100 if market else min(limit or self.newest_rows, self.newest_rows)
        newest: list[Row] = []
        for hour in range(last_ms // 3_600_000, FIRST_LISTED_HOUR, -1):
            at = self._hour_rows(market, hour, now)
            newest[:0] = [row for row in at if row["fundingTime"] <= last_ms]
            if len(newest) >= wanted:
                break
        return reply(newest[-wanted:])

    def _hour_rows(self, market: DemoMarket | None, hour: int, now: float) -> list[Row]:
        """All payments of one hour, or of one market in it, by stamp and then symbol."""
        rows = list(self._rows_of(market, hour)) if market else self._bulk_rows(hour, now)
        if market is None:
            rows.sort(key=lambda row: (row["fundingTime"], row["symbol"]))
        return rows

    def _bulk_rows(self, hour: int, now: float) -> list[Row]:
        return [row for market in self.listing.at(int(now // 3600)) for row in self._rows_of(market, hour)]

    def _rows_of(self, market: DemoMarket, hour: int) -> Iterator[Row]:
        for paid in self.paid_at(market, hour):
            yield self.settled_row(market.symbol, market, hour, self.stamp_ms(market.symbol, hour), paid)


def refused(code: int, message: str, status: int = 400) -> Reply:
    return reply({"code": code, "msg": message}, status)


def standard_limits(**more: Window) -> dict[str, Window]:
    return {"weight": Window(2400, 60), **more}
