"""A door to a fault server, with a clock whose pauses cost no time."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fundwatch.clock import Clock
from fundwatch.exchanges.bans import BanBook, MemoryBans
from fundwatch.exchanges.errors import ExchangeError
from fundwatch.exchanges.http import Http, Limit
from tests.fault_server import Behaviour, FaultServer
from tests.virtual_time import VirtualClock

SPEND = {"weight": 1.0}
AMPLE = Limit(100_000, 60)
DEADLINE = 0.25
GOOD = b'{"rate":"0.0000125"}'
COMPRESSED = gzip.compress(b"[" + b",".join([GOOD] * 50) + b"]")


@asynccontextmanager
async def door(
    url: str,
    *,
    clock: Clock | None = None,
    bans: BanBook | None = None,
    deadline_seconds: float = 5.0,
    limit: Limit = AMPLE,
    proxy: str = "",
    hint: str = "",
) -> AsyncIterator[Http]:
    http = Http(
        name="venue",
        base_url=url,
        limits={"weight": limit},
        clock=clock or VirtualClock(),
        bans=MemoryBans() if bans is None else bans,
        deadline_seconds=deadline_seconds,
        proxy=proxy,
        blocked_hint=hint,
    )
    try:
        yield http
    finally:
        await http.aclose()


async def outcome(*script: Behaviour, deadline_seconds: float = 5.0) -> bytes | ExchangeError:
    async with FaultServer(*script) as server, door(server.url, deadline_seconds=deadline_seconds) as http:
        try:
            return await http.get("/markets", {"limit": 5}, spend=SPEND)
        except ExchangeError as error:
            return error


async def until(true: Callable[[], bool]) -> None:
    """Waits for what a busy machine may need a while for."""
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)
