"""The collector: one asyncio loop, one set of trackers, and the only writer.

`schedule` only ticks; what is due is asked of the UTC clock and the database (see `due`).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import schedule

from fundwatch.clock import Clock, local_now
from fundwatch.collector import alerts, derive, due, second_source
from fundwatch.collector.backfill import Job, fill_behind, run_job
from fundwatch.collector.doors.desk import Desk
from fundwatch.collector.events import CollectorStarted, CollectorStopped, Publish, Trouble, unfailing
from fundwatch.collector.importing.importer import Rules
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.tracker import Tracker
from fundwatch.models import HOUR
from fundwatch.storage.blame import trouble_with
from fundwatch.storage.trackers import TrackerState
from fundwatch.text import clean

HEARTBEAT_SECONDS = 20
STOP_SECONDS = 8.0
LONGEST_WAIT_SECONDS = HOUR
"""A stored "not before" further away, without a ban that explains it, means that the clock was wrong."""

_TICK_SECONDS = 2
"""How late a sweep may begin: what is due is looked up in the database."""


class Collector:
    """Sweeps every tracker on its own clock until stopped. Lives in one asyncio loop.

    One exchange's failure, slowness or ban never touches another: each pass is a task of its own.
    """

    def __init__(
        self,
        trackers: Mapping[str, Tracker],
        ledger: Ledger,
        clock: Clock,
        publish: Publish,
        *,
        quotes_every_seconds: int,
        minutes: Mapping[str, int],
        pid: int,
        stale_after_seconds: int = 2 * HOUR,
        import_rules: Rules | None = None,
    ) -> None:
        self.trackers = dict(trackers)
        self._ledger = ledger
        self._clock = clock
        self._publish = unfailing(publish)
        self._quotes_every = quotes_every_seconds
        self._stale_after = stale_after_seconds
        self._minutes = dict(minutes)
        self._pid = pid
        self._tasks: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._slot: int | None = None
        self._attempts: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        """Monotonic seconds, for an exchange whose "not before" could not be stored."""
        self._stopping = asyncio.Event()
        self._has_derived = False
        self.import_rules = import_rules or Rules()
        self.desk = Desk(self, ledger, clock, self._publish)

    async def run(self) -> None:
        """Collects until `stop`; leaves no run behind that says "running"."""
        self._publish(CollectorStarted(self._pid, tuple(self.trackers)))
        ticks = schedule.Scheduler()
        ticks.every(_TICK_SECONDS).seconds.do(self._guarded, "the clock tick", self.tick)
        ticks.every(HEARTBEAT_SECONDS).seconds.do(self._guarded, "the heartbeat", self.beat)
        self._guarded("the heartbeat", self.beat)
        self._guarded("the clock tick", self.tick)
        try:
            while not self._stopping.is_set():
                _reanchor(ticks)
                ticks.run_pending()
                await self._nap()
        finally:
            await self.drain()
            self._publish(CollectorStopped("stopped"))

    def stop(self) -> None:
        self._stopping.set()

    async def drain(self) -> None:
        """Cancels what runs and waits until each run has written how it ended, but not for ever."""
        tasks, self._tasks = self._tasks, {}
        for task in tasks.values():
            task.cancel()
        if tasks:
            _, hanging = await asyncio.wait(tasks.values(), timeout=STOP_SECONDS)
            for task in hanging:
                self._publish(Trouble(task.get_name(), f"it did not stop within {STOP_SECONDS:g} s"))
        self._guarded("the last word", self._ledger.stopped)

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _guarded(self, where: str, work: Callable[[], object]) -> bool:
        """Whether `work` went well. An exception must not reach `schedule`: it would drop the job."""
        try:
            work()
        except Exception as error:  # the last door of the loop
            self._tell(where, error)
            return False
        return True

    def _tell(self, where: str, error: Exception) -> None:
        trouble = trouble_with(self._ledger.writer, error)
        if trouble is not None:
            self._publish(Trouble("database", str(trouble)))
        else:
            self._publish(Trouble(where, clean(repr(error))))

    # What a tick starts

    def beat(self) -> None:
        self._ledger.beat(self._pid)
        if self._has_derived:  # a start after a rest is no alarm: the first quotes are under way
            self._guarded("alerts", self._keep_alerts)

    def _keep_alerts(self) -> None:
        alerts.keep(
            self._ledger,
            tuple(self.trackers),
            quotes_every_seconds=self._quotes_every,
            stale_after_seconds=self._stale_after,
            now=self._clock.now(),
        )

    def tick(self) -> None:
        """Starts what is due now. Safe to call at any time, as often as one likes."""
        now = self._clock.now()
        self._tasks = {key: task for key, task in self._tasks.items() if not task.done()}
        slot = due.quotes_slot(now, self._quotes_every)
        new_slot, self._slot = slot != self._slot, slot
        if new_slot and ("all", "derived") not in self._tasks:
            self._start("all", "derived", self._derive)
        states = self._ledger.states()
        for name, tracker in self.trackers.items():
            state = states.get(name)
            if state is None or state.paused:
                continue
            hour = due.sweep_hour(now, self._minutes[name])
            if state.last_sweep_hour != hour and self._may_sweep(tracker, state, now):
                self._start(name, "sweep", partial(self._sweep, tracker, hour))
            elif new_slot and (name, "quotes") not in self._tasks:
                self._start(name, "quotes", tracker.quotes_pass)
            if new_slot and (name, "spare") not in self._tasks:
                self._start(name, "spare", tracker.use_spare_budget)

    def _may_sweep(self, tracker: Tracker, state: TrackerState, now: float) -> bool:
        if (tracker.name, "sweep") in self._tasks:
            return False
        if self._clock.monotonic() < self._not_before.get(tracker.name, 0.0):
            return False
        if state.next_try is None or now >= state.next_try:
            return True
        return state.next_try > now + LONGEST_WAIT_SECONDS and tracker.exchange.http.ban() is None

    def _start(self, name: str, kind: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        async def watched() -> Any:
            try:
                return await work()
            except Exception as error:  # the last door of a task
                self._tell(f"{name} {kind}", error)
                self._not_before[name] = self._clock.monotonic() + due.FIRST_RETRY_SECONDS
                return None

        task = asyncio.get_running_loop().create_task(watched(), name=f"{name} {kind}")
        self._tasks[name, kind] = task
        return task

    async def _sweep(self, tracker: Tracker, hour: int) -> Outcome:
        """One hourly sweep; what stays open is tried again within the hour, what is old is filled behind."""
        outcome = await tracker.sweep()
        now = self._clock.now()
        if outcome.word != "error" and (tracker.name, "backfill") not in self._tasks:
            self._start(tracker.name, "backfill", partial(fill_behind, tracker))
        if outcome.word == "ok" and not outcome.open_hours:
            self._attempts.pop(tracker.name, None)
            self._ledger.swept(tracker.name, hour, next_try=None)
            return outcome
        attempts = self._attempts[tracker.name] = self._attempts.get(tracker.name, 0) + 1
        later = max(now + due.retry_delay(attempts), outcome.retry_at or 0)
        given_up = later >= due.next_sweep(now, self._minutes[tracker.name])
        if given_up:
            self._attempts.pop(tracker.name, None)
        next_try = outcome.retry_at if given_up else later
        self._ledger.swept(tracker.name, hour if given_up else None, next_try=next_try)
        return outcome

    async def _derive(self) -> None:
        """Once a quotes slot, after the quotes: which markets are the same asset, and the windows."""
        settled_after = min(45.0, self._quotes_every / 3)
        if not self._has_derived:  # the first quotes come with whole sweeps: look early, and once more
            await self._clock.sleep(settled_after / 9)
            self._derive_now()
        await self._clock.sleep(settled_after)
        self._derive_now()
        self._has_derived = True
        self._guarded("alerts", self._keep_alerts)
        self._guarded("housekeeping", partial(derive.tidy, self._ledger, self._clock.now()))

    def _derive_now(self) -> None:
        now = self._clock.now()
        for name, tracker in self.trackers.items():
            compare = partial(second_source.compare, self._ledger, name, tracker.relayed, now)
            self._guarded("second source", compare)
        self._guarded("identity", partial(derive.refresh_identity, self._ledger, now))
        self._guarded("window summaries", partial(derive.refresh_summaries, self._ledger, now))

    # Commands, in this loop

    async def refresh(self, names: Sequence[str]) -> dict[str, Outcome]:
        """Sweeps `names` now, whatever the clock says; joins a sweep that is under way.

        A ban is still obeyed, and a paused exchange is asked nothing.
        """
        tasks = {}
        for name in names:
            state = self._ledger.state(name)
            if state is not None and state.paused:
                continue
            running = self._tasks.get((name, "sweep"))
            if running is None or running.done():
                hour = due.sweep_hour(self._clock.now(), self._minutes[name])
                running = self._start(name, "sweep", partial(self._sweep, self.trackers[name], hour))
            tasks[name] = running
        if tasks:
            await asyncio.wait(tasks.values())
        return {name: _outcome_of(tasks.get(name)) for name in names}

    async def once(self, *, hours: int, limit: int | None) -> dict[str, Outcome]:
        """One sweep of every tracker with settlements for the last `hours`."""
        outcomes = await asyncio.gather(*(t.sweep(hours=hours, limit=limit) for t in self.trackers.values()))
        self._derive_now()
        return dict(zip(self.trackers, outcomes, strict=True))

    async def backfill(self, job: Job) -> dict[str, Outcome]:
        return await run_job(job, [self.trackers[name] for name in job.exchanges], self._publish)

    def start_job(self, job_id: int, work: Callable[[], Coroutine[Any, Any, Any]]) -> asyncio.Task[Any]:
        """Runs what a person asked for beside the sweeps; it ends with the collector."""
        return self._start("job", str(job_id), work)

    @property
    def is_sweeping(self) -> bool:
        """Whether a sweep or quotes of any exchange are under way: what must not wait for long."""
        return any(kind in ("sweep", "quotes") and not task.done() for (_, kind), task in self._tasks.items())

    def pause(self, name: str, paused: bool) -> None:
        """A paused exchange is asked nothing until resumed, also after a restart."""
        self._ledger.pause(name, paused)
        if paused:
            for (owner, _), task in self._tasks.items():
                if owner == name:
                    task.cancel()
            for job in self.trackers[name].jobs:
                job.cancel()


def _reanchor(ticks: schedule.Scheduler) -> None:
    """`schedule` plans in naive local time: after the clock went back a job would wait for hours."""
    now = local_now()
    for job in ticks.jobs:
        if job.next_run is not None and job.next_run - now > timedelta(seconds=job.interval):
            job.next_run = now


def _outcome_of(sweep: asyncio.Task[Any] | None) -> Outcome:
    """What a sweep that has ended came to; None is that of a paused exchange."""
    if sweep is None:
        return Outcome("cancelled", "it is paused: resume it first")
    if sweep.cancelled():
        return Outcome("interrupted", "stopped before it was complete")
    outcome: Outcome | None = sweep.result()
    return outcome or Outcome("error", "fundwatch itself failed: see the log")
