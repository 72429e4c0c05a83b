"""The demo world: all seven exchanges on loopback, misbehaving on request, with the truth at hand."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from fundwatch.clock import SystemClock
from fundwatch.demo.faults import Fault, from_mapping
from fundwatch.demo.server import Asked, Server
from fundwatch.demo.truth import Truth
from fundwatch.demo.venues.aster import Aster
from fundwatch.demo.venues.base import Paid, Venue
from fundwatch.demo.venues.binance import Binance
from fundwatch.demo.venues.extended import Extended
from fundwatch.demo.venues.hyperliquid import Hyperliquid
from fundwatch.demo.venues.lighter import Lighter
from fundwatch.demo.venues.paradex import Paradex
from fundwatch.demo.venues.variational import Variational

VENUES: tuple[type[Venue], ...] = (Lighter, Hyperliquid, Binance, Aster, Extended, Paradex, Variational)
_START_SECONDS = 30.0


class DemoWorld:
    """Serves from `async with` inside a loop, or from its own thread between `start()` and `stop()`.

    `now` is the world's clock (UTC seconds); `scale` multiplies every documented limit; `port` is the
    first of consecutive fixed ports, 0 for any free ones; `faults` as in `demo.faults`.
    """

    def __init__(
        self,
        seed: int = 7,
        now: Callable[[], float] | None = None,
        scale: float = 100.0,
        *,
        port: int = 0,
        faults: Mapping[str, str] | str = "",
        exchanges: Sequence[str] | None = None,
    ) -> None:
        self.name = f"demo:{seed}"
        self.base_urls: dict[str, str] = {}
        self._now = now = now or SystemClock().now
        self._port = port
        truth = Truth(seed)
        self._servers = {
            venue.name: Server(venue(truth), now, scale)
            for venue in VENUES
            if exchanges is None or venue.name in exchanges
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        for exchange, fault in from_mapping(faults):
            self._server(exchange).faults.add(fault)

    async def __aenter__(self) -> "DemoWorld":
        try:
            for at, (exchange, server) in enumerate(self._servers.items()):
                self.base_urls[exchange] = await server.start(self._port + at if self._port else 0)
        except OSError:
            await self._stop_servers()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_servers()

    async def _stop_servers(self) -> None:
        await asyncio.gather(*(server.stop() for server in self._servers.values()))

    def start(self) -> "DemoWorld":
        """Serves from a daemon thread; returns when all exchanges listen. Raises OSError if one cannot."""
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), name="demo-world", daemon=True)
        self._thread.start()
        started.wait(_START_SECONDS)
        if self._failure is not None:
            raise self._failure
        return self

    def stop(self) -> None:
        if self._thread is not None and self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_START_SECONDS)
        self._thread = self._loop = self._stopping = None

    def _run(self, started: threading.Event) -> None:
        try:
            asyncio.run(self._serve(started))
        except OSError as error:
            self._failure = error
        finally:
            started.set()

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        stopping = self._stopping
        async with self:
            started.set()
            await stopping.wait()

    def fault(self, exchange: str, kind: str, *, path: str = "", times: int | None = None) -> None:
        """Makes an exchange misbehave where a path holds `path`, `times` times or until healed."""
        fault = Fault.parse(kind)
        fault.path = path or fault.path
        fault.times = times if times is not None else fault.times
        self._server(exchange).faults.add(fault)

    def heal(self, exchange: str) -> None:
        self._server(exchange).faults.clear()

    def delay(self, exchange: str, seconds: float) -> None:
        """Lets every answer of an exchange take so long."""
        self._server(exchange).delay_seconds = seconds

    def log(self, exchange: str) -> list[Asked]:
        """What was asked so far, oldest first."""
        return list(self._server(exchange).log)

    def symbols(self, exchange: str) -> list[str]:
        """The perpetuals that trade now."""
        now = self._now()
        return [m.symbol for m in self._server(exchange).venue.markets(now) if m.is_open(now / 3600)]

    def truth_settlements(self, exchange: str, symbol: str, start: int, end: int) -> list[Paid]:
        """The settlements in (start, end] (UTC seconds) exactly as they must be stored.

        On Paradex one row for the whole window: its index difference over the spot at its end.
        """
        venue = self._server(exchange).venue
        market = venue.find(symbol, self._now())
        if market is None:
            raise KeyError(f"{exchange} has no market {symbol}")
        return venue.settled(market, start, end)

    def _server(self, exchange: str) -> Server:
        try:
            return self._servers[exchange]
        except KeyError:
            raise KeyError(f"no demo exchange {exchange!r}") from None
