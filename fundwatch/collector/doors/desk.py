"""Where commands to a collector are carried out: inside its loop, whichever door they came through."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fundwatch.clock import Clock
from fundwatch.collector import alerts
from fundwatch.collector.backfill import Job, job_cost, run_job
from fundwatch.collector.doors.door import Estimate, Refused
from fundwatch.collector.events import JobEnded, Publish
from fundwatch.collector.importing.importer import Importer
from fundwatch.collector.importing.report import Order, Report
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.tracker import LIVE_HOURS, Tracker
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.alerts import add_event

if TYPE_CHECKING:
    from fundwatch.collector.collector import Collector

JOBS_AT_ONCE = 8
JOBS_REMEMBERED = 100

Outcomes = dict[str, Outcome]


class Ended(NamedTuple):
    """How a job ended on one exchange: `word` is ok, partial, error, cancelled or interrupted."""

    word: str
    error: str | None
    inserted: int


class Desk:
    """Commands of one collector. Methods raise `Refused` for what cannot be done, and `StorageError`."""

    def __init__(self, collector: "Collector", ledger: Ledger, clock: Clock, publish: Publish) -> None:
        self._collector = collector
        self._ledger = ledger
        self._clock = clock
        self._publish = publish
        self._jobs: OrderedDict[int, asyncio.Task[Outcomes]] = OrderedDict()
        self._reports: dict[int, Report] = {}
        self._last_job = 0

    async def refresh(self, exchanges: Sequence[str]) -> None:
        """Sweeps these exchanges now (none named: all); returns when they have ended."""
        await self._collector.refresh(self._names(exchanges))

    async def estimate(
        self, days: float, exchanges: Sequence[str], assets: Sequence[str]
    ) -> dict[str, Estimate]:
        """What a backfill would take, by exchange."""
        job = Job(0, days, self._awake(exchanges), frozenset(assets))
        costs = await job_cost(job, self._trackers(job.exchanges))
        return {name: Estimate(cost.requests, cost.seconds) for name, cost in costs.items()}

    async def backfill(self, days: float, exchanges: Sequence[str], assets: Sequence[str]) -> int:
        """Starts a backfill; its job id."""
        names = self._awake(exchanges)

        async def work(job_id: int) -> Outcomes:
            job = Job(job_id, days, names, frozenset(assets))
            return await run_job(job, self._trackers(names), self._publish)

        return self._start(work)

    async def sweep(self, hours: int, exchanges: Sequence[str]) -> int:
        """Starts a sweep of these exchanges with settlements for the last `hours`; its job id.

        Sweeps belong to the collector: cancelling the job ends only what it fetches beyond them.
        """
        names = self._names(exchanges)

        async def work(job_id: int) -> Outcomes:
            outcomes: Outcomes = {}
            cancelled = True
            try:
                outcomes = await self._collector.refresh(names)
                good = [name for name in names if outcomes[name].word in ("ok", "partial")]
                if hours > LIVE_HOURS and good:
                    job = Job(job_id, hours / 24, tuple(good))
                    filled = await run_job(job, self._trackers(good), lambda _: None)
                    outcomes |= {n: _worse(outcomes[n], o) for n, o in filled.items()}
                cancelled = False
            finally:
                failed = tuple(name for name, outcome in outcomes.items() if outcome.word != "ok")
                inserted = sum(outcome.inserted for outcome in outcomes.values())
                self._publish(JobEnded(job_id, inserted, failed, cancelled))
            return outcomes

        return self._start(work)

    async def import_file(self, order: Order) -> int:
        """Starts the import of a file; its job id."""
        if order.exchange not in REGISTRY:
            raise Refused(f"no exchange is called {order.exchange!r}")

        async def work(job_id: int) -> Outcomes:
            report = await self.importer().run(job_id, order)
            self._reports[job_id] = report
            return {order.exchange: Outcome(report.word, report.error, inserted=report.inserted)}

        return self._start(work)

    def importer(self) -> Importer:
        """What imports files here, giving way to the sweeps."""
        collector = self._collector
        return Importer(
            self._ledger, self._clock, self._publish, collector.import_rules, lambda: collector.is_sweeping
        )

    async def imported(self, job_id: int) -> Report | None:
        """What became of a file once its job has ended; None for one that was cancelled."""
        ended = await self.outcomes(job_id)
        if ended is None:
            return None
        if job_id not in self._reports:
            raise Refused(f"job {job_id} is no import")
        return self._reports[job_id]

    async def cancel(self, job_id: int) -> bool:
        """Ends a job; whether it was running. What it stored stays."""
        task = self._jobs.get(job_id)
        return task is not None and task.cancel()

    async def outcomes(self, job_id: int) -> dict[str, Ended] | None:
        """How a job ended, by exchange, once it has; None for one that was cancelled."""
        task = self._jobs.get(job_id)
        if task is None:
            raise Refused(f"there is no job {job_id}")
        await asyncio.wait([task])
        if task.cancelled():
            return None
        found: Outcomes | None = task.result()
        if found is None:
            raise Refused("fundwatch itself failed: see the collector's log")
        return {name: Ended(o.word, o.error, o.inserted) for name, o in found.items()}

    async def pause(self, exchange: str, paused: bool) -> None:
        (name,) = self._names([exchange])
        self._collector.pause(name, paused)

    async def acknowledge(self, alert_ids: Sequence[int]) -> None:
        alerts.acknowledge(self._ledger, alert_ids, self._clock.now())

    async def note(self, kind: str, message: str) -> None:
        with self._ledger.writer.transaction():
            add_event(self._ledger.writer, kind, message, self._clock.now())

    def _start(self, work: Callable[[int], Coroutine[Any, Any, Outcomes]]) -> int:
        if sum(not task.done() for task in self._jobs.values()) >= JOBS_AT_ONCE:
            raise Refused(f"{JOBS_AT_ONCE} jobs are running already: wait for one, or cancel it")
        self._last_job += 1
        job_id = self._last_job
        self._jobs[job_id] = self._collector.start_job(job_id, partial(work, job_id))
        for old in [number for number, task in self._jobs.items() if task.done()][:-JOBS_REMEMBERED]:
            del self._jobs[old]
            self._reports.pop(old, None)
        return job_id

    def _names(self, exchanges: Sequence[str]) -> tuple[str, ...]:
        known = self._collector.trackers
        if unknown := [name for name in exchanges if name not in known]:
            raise Refused(f"the collector does not collect {', '.join(unknown)}")
        return tuple(dict.fromkeys(exchanges)) or tuple(known)

    def _awake(self, exchanges: Sequence[str]) -> tuple[str, ...]:
        """The named exchanges, none of which may be paused; all that are not where none is named."""
        paused = []
        for name in (names := self._names(exchanges)):
            state = self._ledger.state(name)
            if state is not None and state.paused:
                paused.append(name)
        if paused and (exchanges or len(paused) == len(names)):
            raise Refused(f"{', '.join(paused)}: paused; resume first")
        return tuple(name for name in names if name not in paused)

    def _trackers(self, names: Sequence[str]) -> list[Tracker]:
        return [self._collector.trackers[name] for name in names]


def _worse(sweep: Outcome, filled: Outcome) -> Outcome:
    """Of a sweep and the filling behind it the one that went wrong, with the rows of both."""
    told = filled if sweep.word == "ok" else sweep
    return Outcome(told.word, told.error, inserted=sweep.inserted + filled.inserted)
