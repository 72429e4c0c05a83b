"""A whole collector in a loop whose hours pass in milliseconds."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fundwatch.collector.collector import Collector
from fundwatch.collector.events import Event, RunEnded, RunStarted, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.models import HOUR
from fundwatch.storage import trackers
from tests.collector.scripted import NOON, WallClock, open_ledger, scripted
from tests.virtual_time import run_virtually

FIVE_MINUTES = 300
DAY = 24 * HOUR


class Bench:
    """A collector of two scripted exchanges, swept at minutes 5 and 17, on a wall clock that can be set."""

    def __init__(self, folder: Path, now: float = NOON + 30 * 60, history_days: int = 1) -> None:
        self.folder = folder
        self.clock = WallClock(now)
        self.events: list[Event] = []
        self.history_days = history_days
        self.exchanges = {name: scripted(self.clock, 21, name=name) for name in ("aster", "lighter")}
        self.open()

    def open(self) -> None:
        self.ledger: Ledger = open_ledger(self.folder, self.clock)
        self.ledger.enable(self.exchanges, self.exchanges)
        self.collector = Collector(
            {
                name: Tracker(
                    exchange, self.ledger, self.clock, self.events.append, history_days=self.history_days
                )
                for name, exchange in self.exchanges.items()
            },
            self.ledger,
            self.clock,
            self.events.append,
            quotes_every_seconds=FIVE_MINUTES,
            minutes={"aster": 5, "lighter": 17},
            pid=77,
        )

    async def restart(self) -> None:
        await self.collector.drain()
        self.ledger.close()
        self.open()

    async def pass_time(self, seconds: float, step: float = 10.0) -> None:
        """Ticks every `step` seconds for so long."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.collector.tick()
            await self.clock.sleep(min(step, end - self.clock.monotonic()))

    def forget(self) -> None:
        self.events.clear()
        for exchange in self.exchanges.values():
            exchange.log.clear()
            exchange.asked.clear()

    def started(self, kind: str, name: str = "aster") -> list[RunStarted]:
        return [e for e in self.events if isinstance(e, RunStarted) and (e.exchange, e.kind) == (name, kind)]

    def ended(self, kind: str, name: str = "aster") -> list[str]:
        return [
            e.outcome for e in self.events if isinstance(e, RunEnded) and (e.exchange, e.kind) == (name, kind)
        ]

    def troubles(self) -> list[Trouble]:
        return [event for event in self.events if isinstance(event, Trouble)]

    def state(self, name: str = "aster") -> trackers.TrackerState:
        found = trackers.state(self.ledger.writer, name)
        assert found is not None
        return found

    def hours(self, name: str = "aster", symbol: str = "M001") -> list[int]:
        return [
            time
            for (time,) in self.ledger.writer.rows(
                "SELECT funding_time FROM settlement s JOIN market m ON m.id = s.market_id"
                " JOIN exchange e ON e.id = m.exchange_id WHERE e.name = ? AND m.symbol = ?"
                " ORDER BY funding_time",
                name,
                symbol,
            )
        ]

    def minutes_of(self, what: str, name: str = "aster") -> list[float]:
        """The minutes after the hour at which an exchange was asked."""
        return [round((at % HOUR) / 60, 1) for called, at in self.exchanges[name].log if called == what]


def on_bench(folder: Path, script: Callable[[Bench], Coroutine[Any, Any, None]], **more: Any) -> None:
    async def main() -> None:
        bench = Bench(folder, **more)
        try:
            await script(bench)
        finally:
            await bench.collector.drain()
            bench.ledger.close()

    run_virtually(main())
