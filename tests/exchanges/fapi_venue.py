"""A small `/fapi/v1` venue behind respx, for the tests of Binance and Aster."""

import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
import respx

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.fapi_exchange import FapiExchange
from fundwatch.exchanges.http import Http
from fundwatch.models import HOUR, Window
from tests.virtual_time import VirtualClock

NOON = 1_790_000_000 // (24 * HOUR) * 24 * HOUR + 12 * HOUR
"""12:00 UTC of a day in 2026."""

Exchange = TypeVar("Exchange", bound=FapiExchange)


class FakeVenue:
    """Answers as documented; what a test sets to something else is how the venue misbehaves.

    `bulk` is "all", or how a fundingRate without a symbol is answered instead: "one", "empty",
    "refused", "latest" (the times are ignored).
    """

    def __init__(self) -> None:
        self.symbols: list[dict[str, Any]] = []
        self.premiums: list[Any] = []
        self.terms: list[Any] = []
        self.tickers: list[Any] = []
        self.payments: list[dict[str, Any]] = []
        self._sorted: list[dict[str, Any]] = []
        self.bulk = "all"
        self.most_rows = 1000
        self.instead: dict[str, httpx.Response] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def pay(self, symbol: str, hours: Iterable[int], rate: str = "0.00010000", **more: Any) -> None:
        """`symbol` pays at these UTC seconds, each stamped some milliseconds later."""
        for hour in hours:
            row = {"symbol": symbol, "fundingTime": hour * 1000 + 7, "fundingRate": rate}
            self.payments.append(row | more)

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/fapi/v1/")
        params = dict(request.url.params)
        self.asked.append((name, params))
        if name in self.instead:
            return self.instead[name]
        if name == "exchangeInfo":
            return httpx.Response(200, json={"timezone": "UTC", "symbols": self.symbols})
        if name == "fundingRate":
            return self._payments(params)
        rows = {"premiumIndex": self.premiums, "fundingInfo": self.terms, "ticker/24hr": self.tickers}
        return httpx.Response(200, json=rows[name])

    def _in_order(self) -> list[dict[str, Any]]:
        if len(self._sorted) != len(self.payments):
            self._sorted = sorted(self.payments, key=lambda row: (row["fundingTime"], row["symbol"]))
        return self._sorted

    def _payments(self, params: dict[str, str]) -> httpx.Response:
        start, end = int(params.get("startTime", 0)), int(params.get("endTime", 2**62))
        limit = min(int(params.get("limit", 100)), self.most_rows)
        rows = self._in_order()
        if "symbol" in params:
            rows = [row for row in rows if row["symbol"] == params["symbol"]]
            if not rows:
                return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
        elif self.bulk == "refused":
            return httpx.Response(400, json={"code": -1102, "msg": "Mandatory parameter 'symbol' missing."})
        elif self.bulk == "empty":
            return httpx.Response(200, json=[])
        elif self.bulk == "one":
            rows = [row for row in rows if row["symbol"] == rows[0]["symbol"]]
        elif self.bulk == "latest":
            return httpx.Response(200, json=rows[-limit:])
        return httpx.Response(200, json=[row for row in rows if start <= row["fundingTime"] <= end][:limit])


@asynccontextmanager
async def connected(
    kind: Callable[[Http, VirtualClock], Exchange], venue: FakeVenue, now: float
) -> AsyncIterator[Exchange]:
    """An exchange on the real HTTP door, with `venue` behind it."""
    clock = VirtualClock(now)
    facts = kind.facts  # type: ignore[attr-defined]
    http = Http(name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans())
    with respx.mock(base_url=facts.base_url, assert_all_called=False) as router:
        router.route().mock(side_effect=venue.answer)
        yield kind(http, clock)
    await http.aclose()


async def all_of(exchange: FapiExchange, wanted: dict[str, list[Window]]) -> list[Answer]:
    return [answer async for answer in exchange.fetch_settlements(wanted)]


def paid(answers: Iterable[Answer]) -> dict[str, list[int]]:
    """The funding times of each symbol, ascending."""
    times: dict[str, set[int]] = {}
    for answer in answers:
        for row in answer.rows:
            times.setdefault(row.symbol, set()).add(row.funding_time)
    return {symbol: sorted(hours) for symbol, hours in times.items()}


def body(rows: Any) -> bytes:
    return json.dumps(rows).encode()
