"""What venues paid, served again over a real socket and collected into a real database."""

import asyncio
import json
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from fundwatch.collector.build import build_collector
from fundwatch.collector.collector import Collector
from fundwatch.collector.ledger import Ledger
from fundwatch.config import Config, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.database import Database, reader
from tests.virtual_time import VirtualClock

Venue = Callable[[httpx.Request], httpx.Response]
MAX_ROWS = 500
"""Of one `fundingHistory` answer (gitbook, info endpoint)."""


class Paid(NamedTuple):
    """A row of `fundingHistory`: the stamp to the millisecond, and the rate as the venue's text."""

    time_ms: int
    rate: str


class Hyperliquid:
    """Answers `/info` as documented.

    Payments come from `startTime` to `endTime`, both inclusive, ascending, 500 at most.
    """

    def __init__(self, history: Mapping[str, Sequence[Paid]]) -> None:
        self.history = {coin: sorted(rows) for coin, rows in history.items()}
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        question = json.loads(request.content)
        self.asked.append(question)
        if question["type"] == "perpDexs":
            return httpx.Response(200, json=[None])
        if question["type"] == "metaAndAssetCtxs":
            universe = [{"name": coin, "szDecimals": 2, "maxLeverage": 10} for coin in self.history]
            contexts = [self._context(rows[-1]) for rows in self.history.values()]
            return httpx.Response(200, json=[{"universe": universe}, contexts])
        if question["type"] != "fundingHistory":
            return httpx.Response(422, text="Failed to deserialize the JSON body into the target type")
        rows = self.history.get(question["coin"])
        if rows is None:
            return httpx.Response(200, json=None)
        first = bisect_left(rows, question["startTime"], key=lambda row: row.time_ms)
        last = bisect_right(rows, question.get("endTime", 2**62), key=lambda row: row.time_ms)
        return httpx.Response(
            200,
            json=[
                {"coin": question["coin"], "fundingRate": row.rate, "premium": "0.0", "time": row.time_ms}
                for row in rows[first:last][:MAX_ROWS]
            ],
        )

    @staticmethod
    def _context(last: Paid) -> dict[str, Any]:
        return {"funding": last.rate, "openInterest": "10.0", "oraclePx": "100.0", "markPx": "100.0"}


class Collected(NamedTuple):
    """A collector over one venue."""

    collector: Collector
    ledger: Ledger
    clock: VirtualClock
    config: Config

    @property
    def path(self) -> Path:
        return self.ledger.writer.path

    def stored(self, symbol: str) -> dict[int, tuple[float, float | None]]:
        """(rate, interval hours) by funding time."""
        return {
            time: (rate, hours)
            for time, rate, hours in self.ledger.writer.rows(
                "SELECT s.funding_time, s.rate, s.interval_hours FROM settlement s"
                " JOIN market m ON m.id = s.market_id WHERE m.symbol = ? ORDER BY 1",
                symbol,
            )
        }

    def read(self) -> AbstractContextManager[Database]:
        return reader(self.path)


@asynccontextmanager
async def collected(folder: Path, name: str, venue: Venue, now: float) -> AsyncIterator[Collected]:
    """A collector of the exchange `name` alone, at `now` (UTC seconds), with `venue` at its address."""
    clock = VirtualClock(now)
    async with served(venue) as url:
        sections = {other: ExchangeSection(enabled=False) for other in REGISTRY}
        sections[name] = ExchangeSection(base_url=url, budget_scale=1000)
        config = Config(exchanges=sections)
        ledger = Ledger.open(
            folder / "replay.db", world="real", role="collector", clock=clock, exchanges=REGISTRY
        )
        collector = build_collector(config, ledger, lambda _: None, clock)
        try:
            yield Collected(collector, ledger, clock, config)
        finally:
            for tracker in collector.trackers.values():
                await tracker.exchange.http.aclose()
            ledger.close()


@asynccontextmanager
async def served(venue: Venue) -> AsyncIterator[str]:
    """The address of a server on 127.0.0.1 that gives each request to `venue`."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while request := await _request(reader, f"http://127.0.0.1:{port}"):
                writer.write(_raw(venue(request)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _request(reader: asyncio.StreamReader, origin: str) -> httpx.Request | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = [(name, value) for name, found, value in (line.partition(": ") for line in lines) if found]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return httpx.Request(method, origin + target, headers=headers, content=await reader.readexactly(length))


def _raw(response: httpx.Response) -> bytes:
    return (
        f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(response.content)}\r\n\r\n"
    ).encode() + response.content
