"""The seven demo exchanges with few markets, reached without sockets: what they are asked is written down.

Answers come from the very handlers of the demo servers, limits and faults included. A `Wire` is an
httpx transport, so that everything above the socket is the product's own code.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Protocol
from urllib.parse import parse_qsl

import httpx

from fundwatch.demo.faults import TRANSPORT, Fault
from fundwatch.demo.listings import listing
from fundwatch.demo.markets import DemoMarket, Listing
from fundwatch.demo.server import Server
from fundwatch.demo.truth import Truth
from fundwatch.demo.venues.base import Paid, Reply, Request, Venue
from fundwatch.demo.venues.fapi import Fapi
from fundwatch.demo.world import VENUES
from fundwatch.models import HOUR

TICKERS = {
    "lighter": "BTC ETH SOL HYPE 1000PEPE LINK",
    "hyperliquid": "BTC ETH kPEPE LINK xyz:GOLD xyz:CL",
    "binance": "BTCUSDT ETHUSDT KAITOUSDT VVVUSDT TSLAUSDT LINKUSDT",
    "aster": "BTCUSDT ETHUSDT VVVUSDT BERAUSDT MONUSDT BTCUSD1",
    "extended": "BTC-USD ETH-USD SOL-USD LINK-USD HYPE-USD 1000PEPE-USD",
    "paradex": "BTC-USD-PERP ETH-USD-PERP HYPE-USD-PERP LINK-USD-PERP",
    "variational": "BTC ETH KAITO SOL LINK HYPE",
}
"""A few markets of each, those whose interval changes among them."""

FEW = {
    "lighter": "BTC 1000PEPE",
    "hyperliquid": "BTC xyz:GOLD",
    "binance": "BTCUSDT KAITOUSDT TSLAUSDT",
    "aster": "BTCUSDT BERAUSDT",
    "extended": "BTC-USD HYPE-USD",
    "paradex": "BTC-USD-PERP",
    "variational": "BTC KAITO",
}
"""Still fewer, where a life must be cheap."""


class Clock(Protocol):
    def true(self) -> float: ...

    def monotonic(self) -> float: ...


class Run:
    """One pass of a tracker, as the rig saw it; times are true ones, `wall` that of our clock."""

    def __init__(self, exchange: str, kind: str, started: float, wall: float) -> None:
        self.exchange = exchange
        self.kind = kind
        self.started = started
        self.wall = wall
        self.ended: float | None = None
        self.word: str | None = None
        self.error: str | None = None
        self.sent: list[Sent] = []
        self.banned = False
        self.begun = False
        """Whether the database took it; a full disk may not."""
        self.id = 0
        self.calm = True
        """No restart, wrong clock, ban or full disk came near it."""


@dataclass(slots=True)
class Sent:
    """One request. `fault` is "" for a true and whole answer, None while there is none yet.

    `weight` is what it cost by limit name; `away_until` (true time) what the answer demands.
    """

    at: float
    monotonic: float
    wall: float
    path: str
    params: Mapping[str, str]
    weight: Mapping[str, float]
    process: int
    fault: str | None = None
    status: int | None = None
    answered: float | None = None
    away_until: float | None = None
    whole: bool = field(default=False)


current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)


def small(exchange: str, names: str) -> Listing:
    """The listing of an exchange cut down to `names`, launches and all."""
    whole = listing(exchange)
    lasting = {market.symbol: market for market in whole.lasting}
    return Listing(
        tuple(lasting[name] for name in names.split()), whole._pattern, whole._format, whole._first_launch_id
    )


class Wire(httpx.AsyncBaseTransport):
    """The way to one exchange. `weather` says which fault a request meets, "" for none.

    A fault reads as in `fundwatch.demo.faults`, or `refused`, `dns` or `unreachable` for no connection.
    `keeps_seconds` is how far back its settlements are served, None for all of them.
    """

    def __init__(
        self,
        venue: Venue,
        clock: Clock,
        wall: Callable[[], float],
        weather: Callable[[str, str], str],
        rng: random.Random,
        keeps_seconds: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self.venue = venue
        self.log: list[Sent] = []
        self.process = 0
        self._server = Server(venue, clock.true, scale)
        self._clock = clock
        self._wall = wall
        self._weather = weather
        self._rng = rng
        self._keeps_seconds = keeps_seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, clock = request.url, self._clock
        asked = Request(
            request.method,
            url.path,
            dict(parse_qsl(url.query.decode(), keep_blank_values=True)),
            {name.lower(): value for name, value in request.headers.items()},
            await request.aread(),
        )
        sent = Sent(
            clock.true(),
            clock.monotonic(),
            self._wall(),
            asked.path,
            asked.params,
            self.venue.weight(asked),
            self.process,
        )
        self.log.append(sent)
        if run := current_run.get():
            run.sent.append(sent)
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        kind = self._weather(self.venue.name, asked.path)
        if kind in ("refused", "dns", "unreachable"):
            sent.fault = kind
            raise httpx.ConnectError(kind)
        fault = Fault.parse(kind) if kind else None
        if fault and fault.kind in TRANSPORT:
            sent.fault = kind
            if fault.kind in ("hang", "drip"):
                await asyncio.sleep(1e7)
            raise (
                httpx.ReadError("reset") if fault.kind == "reset" else httpx.RemoteProtocolError("broke off")
            )
        reply = self._server._answer(self._served(asked), [fault] if fault else [])
        sent.answered, sent.status = clock.true(), reply.status
        sent.weight = {name: sent.weight.get(name, 0) + reply.extra.get(name, 0) for name in
                       sent.weight.keys() | reply.extra.keys()}  # fmt: skip
        sent.fault = kind if kind else "" if reply.status == 200 else str(reply.status)
        sent.whole = sent.fault == ""
        if reply.status in (429, 418):
            wait = float(dict(reply.headers).get("Retry-After", 0))
            sent.away_until = sent.answered + wait
        return self._response(reply)

    def _served(self, asked: Request) -> Request:
        """The request as a venue that keeps only so much answers it."""
        if self._keeps_seconds is None or "startTime" not in asked.params:
            return asked
        oldest = int((self._clock.true() - self._keeps_seconds) * 1000)
        params = dict(asked.params)
        params["startTime"] = str(max(oldest, int(params["startTime"])))
        return asked._replace(params=params)

    def _response(self, reply: Reply) -> httpx.Response:
        headers = [
            ("Date", formatdate(self._clock.true(), usegmt=True)),
            ("Content-Type", reply.content_type),
        ]
        headers += reply.headers
        if isinstance(self.venue, Fapi):
            used = self._server._limiter.used("weight", self._clock.true())
            headers.append((self.venue.usage_header, str(int(used))))
        return httpx.Response(reply.status, headers=headers, stream=_Body(reply.body))

    def delivered(self, since: int, path: str) -> list[Sent]:
        """The true and whole answers to `path` from place `since` of the log on."""
        return [sent for sent in self.log[since:] if sent.whole and path in sent.path]


class _Body(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


class SmallWorld:
    """The exchanges and what is true of them."""

    def __init__(self, seed: int, exchanges: tuple[str, ...], tickers: Mapping[str, str] = TICKERS) -> None:
        truth = Truth(seed)
        self.venues: dict[str, Venue] = {}
        for kind in VENUES:
            if kind.name in exchanges:
                venue = kind(truth)
                venue.listing = small(kind.name, tickers[kind.name])
                self.venues[kind.name] = venue

    def markets(self, exchange: str, start: float, end: float) -> list[DemoMarket]:
        """Every market that was open for a while between two true times."""
        found = {market.symbol: market for hour in range(int(start // HOUR), int(end // HOUR) + 1, 24)
                 for market in self.venues[exchange].listing.at(hour)}  # fmt: skip
        found |= {m.symbol: m for m in self.venues[exchange].markets(end)}
        return [
            m
            for m in found.values()
            if m.listed_hour * HOUR < end and (m.closed_hour is None or m.closed_hour * HOUR > start)
        ]

    def has_closed(self, exchange: str, start: float, end: float) -> bool:
        """Whether a market ended in [start, end]: then a list of before it still has it."""
        found = (market.closed_hour for market in self.venues[exchange].markets(end))
        return any(hour is not None and start <= hour * HOUR <= end for hour in found)

    def paid(self, exchange: str, market: DemoMarket, start: int, end: int) -> list[Paid]:
        return self.venues[exchange].settled(market, start, end)


def without_ballast(set_attribute: Callable[[object, str, object], None]) -> None:
    """Drops from the demo's lists what costs time and tests nothing here."""
    from fundwatch.demo.venues import binance, paradex

    set_attribute(binance, "_SETTLING", 3)
    set_attribute(paradex, "_OPTIONS", paradex._OPTIONS[:4])
