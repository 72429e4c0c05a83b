"""The whole house over real sockets: a demo world, a collector and a database, on one clock set by hand."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from fundwatch.answers.status import ExchangeStatus, Status, status
from fundwatch.collector.build import build_collector
from fundwatch.collector.collector import Collector
from fundwatch.collector.events import Event
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Outcome
from fundwatch.config import Config
from fundwatch.config import ExchangeSection as Section
from fundwatch.demo.world import DemoWorld
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from fundwatch.storage.database import Writer, reader
from tests.virtual_time import VirtualClock

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""

DEADLINE_SECONDS = 1.5
SCALE = 1000.0


class House:
    """`world` outlives collectors: `restart` makes a new one over the same database."""

    def __init__(self, world: DemoWorld, clock: VirtualClock, database: Path, config: Config) -> None:
        self.world = world
        self.clock = clock
        self.database = database
        self.config = config
        self.events: list[Event] = []
        self._open()

    def _open(self) -> None:
        self.ledger = Ledger.open(
            self.database, world="demo:7", role="collector", clock=self.clock, exchanges=REGISTRY
        )
        try:
            self.collector: Collector = build_collector(
                self.config, self.ledger, self.events.append, self.clock, deadline_seconds=DEADLINE_SECONDS
            )
        except BaseException:
            self.ledger.close()
            raise

    async def close(self) -> None:
        for tracker in self.collector.trackers.values():
            await tracker.exchange.http.aclose()
        self.ledger.close()

    async def restart(self) -> None:
        await self.close()
        self._open()

    @property
    def writer(self) -> Writer:
        return self.ledger.writer

    async def sweep(self, *names: str, hours: int = 24) -> dict[str, Outcome]:
        """One sweep of the named exchanges, or of all."""
        trackers = [self.collector.trackers[name] for name in names or self.collector.trackers]
        return {tracker.name: await tracker.sweep(hours=hours) for tracker in trackers}

    async def sweep_all_at_once(self, hours: int = 24) -> dict[str, Outcome]:
        return await self.collector.once(hours=hours, limit=None)

    def status(self) -> Status:
        self.ledger.beat(1)
        with reader(self.database) as db:
            return status(db, self.config, self.clock.now())

    def of(self, name: str) -> ExchangeStatus:
        return next(one for one in self.status().exchanges if one.exchange == name)

    def stored(self, name: str, since: int = 0) -> dict[str, list[tuple[int, float, float | None, int]]]:
        """(funding_time, rate, interval_hours, kind) by symbol, oldest first."""
        found: dict[str, list[tuple[int, float, float | None, int]]] = {}
        for symbol, *row in self.writer.rows(
            "SELECT m.symbol, s.funding_time, s.rate, s.interval_hours, s.kind FROM settlement s"
            " JOIN market m ON m.id = s.market_id JOIN exchange e ON e.id = m.exchange_id"
            " WHERE e.name = ? AND s.funding_time > ? ORDER BY m.symbol, s.funding_time, s.kind",
            name,
            since,
        ):
            found.setdefault(symbol, []).append(tuple(row))
        return found

    def asked(self, name: str) -> int:
        """How many requests the exchange has seen."""
        return len(self.world.log(name))


@asynccontextmanager
async def house(
    folder: Path,
    *,
    exchanges: tuple[str, ...] = tuple(REGISTRY),
    now: float = NOON + 20 * 60,
    scale: float = SCALE,
    sections: Mapping[str, Section] | None = None,
    history_days: int = 30,
) -> AsyncIterator[House]:
    """A house over `exchanges`; the others are switched off."""
    clock = VirtualClock(now)
    async with DemoWorld(seed=7, now=clock.now, scale=scale, exchanges=exchanges) as world:
        config = Config(
            exchanges={
                name: msgspec.structs.replace(
                    (sections or {}).get(name, Section()),
                    base_url=world.base_urls[name],
                    budget_scale=scale,
                )
                if name in exchanges
                else Section(enabled=False)
                for name in REGISTRY
            },
            collector=msgspec.structs.replace(Config().collector, history_days=history_days),
        )
        made = House(world, clock, folder / "fundwatch.db", config)
        try:
            yield made
        finally:
            await made.close()


def hours_before(moment: float, hours: float) -> int:
    return int(moment - hours * HOUR)
