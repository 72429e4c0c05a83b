"""A simulated life: a real collector over a small world, in a loop whose days pass in seconds.

Between the virtual clock and the wires everything is the product's own: adapters, HTTP rules, budgets,
trackers, the collector's schedule, the database file. Requests take time, clocks go wrong, machines sleep,
processes die, disks fill up; what happened is written down for the oracle.
"""

import asyncio
import datetime
import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from fundwatch.answers.memo import Memo
from fundwatch.answers.status import Status, status
from fundwatch.collector import alerts
from fundwatch.collector.build import build_collector
from fundwatch.collector.collector import Collector
from fundwatch.collector.events import Event, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.tracker import Tracker
from fundwatch.config import Config
from fundwatch.config import ExchangeSection as Section
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from fundwatch.storage.database import reader
from fundwatch.storage.errors import StorageError
from tests.rigs.life_clock import LifeClock
from tests.rigs.small_world import TICKERS, Run, SmallWorld, Wire, current_run
from tests.rigs.weather import Turn, Weather

STEP_SECONDS = 600
STEP_OFFSET_SECONDS = 545
"""Five seconds after the slots of the quotes begin, a minute before the round times."""

KEEPS_SECONDS = {"extended": 3 * 24 * HOUR}
"""How far back a venue serves settlements here, where that is not for ever."""


class Note(NamedTuple):
    """What a database was told of its runs, once it had taken it: `run` has "begun" or "closed" with the
    `word` and `error` of its end; a process "opened" it."""

    what: Literal["begun", "closed", "opened"]
    run: Run | None = None
    word: str = ""
    error: str | None = None


class Life:
    """`check` is called after every step, with nothing under way inside the database.

    The steps tick the collector; `by_itself` it runs its own loop instead, whose `schedule` lives in the
    local time of `zone` (see `locally`).
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        weather: Weather,
        *,
        exchanges: tuple[str, ...] = tuple(REGISTRY),
        history_days: int = 10,
        quotes_every: str = "30m",
        check: "Callable[[Life], None] | None" = None,
        scale: float = 1.0,
        tickers: Mapping[str, str] = TICKERS,
        by_itself: bool = False,
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.weather = weather
        self.exchanges = exchanges
        self.clock = LifeClock(weather.start)
        self.world = SmallWorld(7, exchanges, tickers)
        self.by_itself = by_itself
        self.zone = "UTC"
        self._running: asyncio.Task[None] | None = None
        self.history_days = history_days
        self.config = Config(
            exchanges={
                name: Section(enabled=name in exchanges, dexes=("xyz",), budget_scale=scale)
                for name in REGISTRY
            },
            collector=msgspec.structs.replace(
                Config().collector, history_days=history_days, quotes_every=quotes_every
            ),
        )
        self.wires = {
            name: Wire(
                venue,
                self.clock,
                self.clock.now,
                lambda exchange, _: self.weather.of(exchange, self.clock.true()),
                random.Random(f"{seed} {name}"),
                KEEPS_SECONDS.get(name),
                scale,
            )
            for name, venue in self.world.venues.items()
        }
        self.runs: list[Run] = []
        self.notes: list[Note] = []
        self.events: list[Event] = []
        self.lives = 0
        self.steps = 0
        self.disk_is_full = False
        self.disturbed = weather.start
        """When (true time) our own machine last did something odd: slept, was set, restarted, filled up."""
        self._check = check
        self._memo = Memo()
        self._turns = list(weather.turns)
        self.collector: Collector | None = None
        self._open(folder / "life0.db")

    # The machine

    def _open(self, database: Path) -> None:
        self.database = database
        self.ledger = Ledger.open(
            database, world="demo:7", role="collector", clock=self.clock, exchanges=REGISTRY
        )
        self.ledger.writer.connection().execute("PRAGMA synchronous = OFF")  # the plug is pulled elsewhere
        self.notes.append(Note("opened"))
        self._note_ends(self.ledger)
        alerts.note_outage(self.ledger, self.clock.now())
        self.collector = build_collector(self.config, self.ledger, self.events.append, self.clock)
        self.lives += 1
        for name, tracker in self.collector.trackers.items():
            self.wires[name].process = self.lives
            tracker.exchange.http._client._transport = self.wires[name]
            self._trace(tracker)
        if self.disk_is_full:
            self.fill_disk()
        if self.by_itself:
            self._running = asyncio.get_running_loop().create_task(self.collector.run())

    def _note_ends(self, ledger: Ledger) -> None:
        real = ledger.end

        def noted(run_id: int, exchange: str, *, outcome: Any, error: str | None, **more: Any) -> None:
            real(run_id, exchange, outcome=outcome, error=error, **more)
            self.notes.append(Note("closed", self._open_runs.pop(run_id), outcome, error))

        self._open_runs: dict[int, Run] = {}
        ledger.end = noted  # type: ignore[method-assign]

    def _trace(self, tracker: Tracker) -> None:
        """Lets every request of a run know its run."""
        real = tracker._runs.run

        async def traced(kind: Any, work: Any) -> Outcome:
            run = Run(tracker.name, kind, self.clock.true(), self.clock.now())
            run.calm = not self.disk_is_full and not self.clock.ahead
            run.banned = tracker.exchange.http.ban() is not None
            self.runs.append(run)
            token = current_run.set(run)

            async def begun(run_id: int, outcome: Outcome) -> None:
                run.begun, run.id = True, run_id
                self._open_runs[run_id] = run
                self.notes.append(Note("begun", run))
                await work(run_id, outcome)

            try:
                outcome = await real(kind, begun)
                run.word, run.error = outcome.word, outcome.error
                return outcome
            finally:
                current_run.reset(token)
                run.ended = self.clock.true()
                if self.disturbed >= run.started or self.clock.ahead or self.disk_is_full:
                    run.calm = False

        tracker._runs.run = traced  # type: ignore[method-assign]

    async def _shut(self) -> None:
        assert self.collector is not None
        collector, self.collector = self.collector, None
        if self._running is not None:
            collector.stop()
            await self._running
        else:
            await collector.drain()
        for tracker in collector.trackers.values():
            await tracker.exchange.http.aclose()
        self.ledger.close()

    async def stop(self) -> None:
        """A clean end."""
        await self._shut()

    async def kill(self) -> None:
        """What `kill -9` leaves: the files as they are this instant; nothing written after it counts."""
        image = self.folder / f"life{self.lives}.db"
        for suffix in ("", "-wal"):
            source = self.database.with_name(self.database.name + suffix)
            if source.exists():
                shutil.copyfile(source, image.with_name(image.name + suffix))
        known, told = len(self.runs), len(self.notes)
        underway = [run for run in self.runs if run.ended is None]
        sent = {name: len(wire.log) for name, wire in self.wires.items()}
        old = self.database
        await self._shut()
        for run in underway:
            run.word, run.error = "killed", None
        del self.runs[known:], self.notes[told:]
        for name, wire in self.wires.items():
            assert len(wire.log) == sent[name], f"{name} was asked by a dead process"
        for suffix in ("", "-wal", "-shm", ".lock"):
            old.with_name(old.name + suffix).unlink(missing_ok=True)
        self.database = image

    def fill_disk(self) -> None:
        """The database file cannot grow any more; what fits into free pages still does."""
        self.disk_is_full = True
        if self.collector is not None:
            connection = self.ledger.writer.connection()
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

    def make_room(self) -> None:
        self.disk_is_full = False
        if self.collector is not None:
            self.ledger.writer.connection().execute("PRAGMA max_page_count = 1073741823")

    # Time

    async def live(self, until: float) -> None:
        """Passes the true time up to `until`, step by step, with the turns that lie on the way."""
        while self.clock.true() < until:
            at = self.clock.true()
            next_step = (int((at - STEP_OFFSET_SECONDS) // STEP_SECONDS) + 1) * STEP_SECONDS
            next_step += STEP_OFFSET_SECONDS
            if self._turns and self._turns[0].at <= next_step:
                turn = self._turns.pop(0)
                await self._pass(turn.at)
                await self._take(turn)
                continue
            await self._pass(min(next_step, until))
            if self.collector is not None and not self.by_itself:
                self._tick(self.collector)
            await asyncio.sleep(4)  # the answers of a pass with nothing to wait for
            self.steps += 1
            if self._check is not None:
                self._check(self)

    async def _pass(self, until: float) -> None:
        left = until - self.clock.true()
        if left > 0:
            await asyncio.sleep(left)

    def _tick(self, collector: Collector) -> None:
        try:
            collector.beat()
        except StorageError as error:
            self.events.append(Trouble("database", str(error)))
        try:
            collector.tick()
        except StorageError as error:
            self.events.append(Trouble("database", str(error)))

    async def _take(self, turn: Turn) -> None:
        self.disturbed = self.clock.true()
        if turn.what == "sleep":
            self.clock.asleep += turn.seconds
        elif turn.what == "clock":
            self.clock.ahead = turn.seconds
        elif turn.what == "zone":
            self.zone = turn.zone
        elif turn.what == "full":
            self.fill_disk()
        elif turn.what == "room":
            self.make_room()
        elif self.collector is not None:
            await (self.kill() if turn.what == "kill" else self.stop())
            if self._check is not None:
                self._check(self)
            await asyncio.sleep(turn.seconds)
            self._open(self.database)
        self.disturbed = self.clock.true()

    async def end(self) -> None:
        if self.collector is not None:
            await self._shut()

    def local(self, zone: datetime.tzinfo | None = None) -> datetime.datetime:
        """Naive local time, as the machine would tell it."""
        there = datetime.datetime.fromtimestamp(self.clock.now(), ZoneInfo(self.zone))
        return there.replace(tzinfo=None)

    # What a person sees

    def status(self) -> Status:
        with reader(self.database) as db:
            return status(db, self.config, self.clock.now(), self._memo)
