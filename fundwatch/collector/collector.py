"""The collector: one thread, one asyncio loop, one set of trackers, and the only writer.

`schedule` only ticks; what is due is asked of the UTC clock and the database (see `due`).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import schedule

from fundwatch.clock import Clock, local_now
from fundwatch.collector import due
from fundwatch.collector.backfill import Job, fill_behind, run_job
from fundwatch.collector.events import CollectorStarted, CollectorStopped, Publish, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Outcome, Tracker
from fundwatch.storage.errors import StorageError
from fundwatch.text import clean

HEARTBEAT_SECONDS = 20
STOP_SECONDS = 8.0
LONGEST_WAIT_SECONDS = 4 * 86400
"""A stored "not before" further away than any ban means that the clock was wrong: it is ignored."""

_SLICE_SECONDS = 0.25


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
    ) -> None:
        self.trackers = dict(trackers)
        self._ledger = ledger
        self._clock = clock
        self._publish = publish
        self._quotes_every = quotes_every_seconds
        self._minutes = dict(minutes)
        self._pid = pid
        self._tasks: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._slot: int | None = None
        self._attempts: dict[str, int] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Collects until `stop`; leaves no run behind that says "running"."""
        self._publish(CollectorStarted(self._pid, tuple(self.trackers)))
        ticks = schedule.Scheduler()
        ticks.every(1).seconds.do(self._guarded, "the clock tick", self.tick)
        ticks.every(HEARTBEAT_SECONDS).seconds.do(self._guarded, "the heartbeat", self.beat)
        self._guarded("the heartbeat", self.beat)
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
        """Cancels what runs and waits until each run has written how it ended."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=STOP_SECONDS)
        self._guarded("the last word", self._ledger.stopped)

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(_SLICE_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _guarded(self, where: str, work: Callable[[], object]) -> None:
        """An exception must not reach `schedule`: it would never run the job again."""
        try:
            work()
        except StorageError as error:
            self._publish(Trouble("database", str(error)))
        except Exception as error:  # the last door of the loop
            self._publish(Trouble(where, clean(repr(error))))

    # What a tick starts

    def beat(self) -> None:
        self._ledger.beat(self._pid)

    def tick(self) -> None:
        """Starts what is due now. Safe to call at any time, as often as one likes."""
        now = self._clock.now()
        self._tasks = {key: task for key, task in self._tasks.items() if not task.done()}
        slot = due.quotes_slot(now, self._quotes_every)
        new_slot, self._slot = slot != self._slot, slot
        if new_slot:
            self._start("all", "derived", self._derive())
        for name, tracker in self.trackers.items():
            state = self._ledger.state(name)
            if state is None or state.paused:
                continue
            hour = due.sweep_hour(now, self._minutes[name])
            may_sweep = state.next_try is None or not now < state.next_try <= now + LONGEST_WAIT_SECONDS
            if may_sweep and state.last_sweep_hour != hour and (name, "sweep") not in self._tasks:
                self._start(name, "sweep", self._sweep(tracker, hour))
            elif new_slot and (name, "sweep") not in self._tasks and (name, "quotes") not in self._tasks:
                self._start(name, "quotes", tracker.quotes_pass())

    def _start(self, name: str, kind: str, work: Coroutine[Any, Any, Any]) -> None:
        self._tasks[name, kind] = asyncio.get_running_loop().create_task(work, name=f"{name} {kind}")

    async def _sweep(self, tracker: Tracker, hour: int) -> None:
        """One hourly sweep; what stays open is tried again within the hour, what is old is filled behind."""
        outcome = await tracker.sweep()
        now = self._clock.now()
        if outcome.word == "ok" and not outcome.open_hours:
            self._attempts.pop(tracker.name, None)
            self._ledger.swept(tracker.name, hour, next_try=None)
        else:
            attempts = self._attempts[tracker.name] = self._attempts.get(tracker.name, 0) + 1
            later = max(now + due.retry_delay(attempts), outcome.retry_at or 0)
            given_up = later >= due.next_sweep(now, self._minutes[tracker.name])
            if given_up:
                self._attempts.pop(tracker.name, None)
            self._ledger.swept(
                tracker.name, hour if given_up else None, next_try=outcome.retry_at if given_up else later
            )
        if outcome.word != "error" and (tracker.name, "backfill") not in self._tasks:
            self._start(tracker.name, "backfill", fill_behind(tracker))

    async def _derive(self) -> None:
        """Once a quotes slot, after the quotes: which markets are the same asset, and the windows."""
        await self._clock.sleep(min(45.0, self._quotes_every / 3))
        self._guarded("identity", self._ledger.refresh_identity)
        self._guarded("window summaries", self._ledger.refresh_summaries)
        self._guarded("housekeeping", self._ledger.tidy)

    # Commands, in this loop

    async def refresh(self, names: list[str]) -> dict[str, Outcome]:
        """Sweeps `names` now, whatever the clock says; a ban is still obeyed."""
        trackers = [self.trackers[name] for name in names]
        hours = [due.sweep_hour(self._clock.now(), self._minutes[t.name]) for t in trackers]
        outcomes = await asyncio.gather(*(t.sweep() for t in trackers))
        for tracker, hour, outcome in zip(trackers, hours, outcomes, strict=True):
            if outcome.word == "ok" and not outcome.open_hours:
                self._ledger.swept(tracker.name, hour, next_try=None)
        return {t.name: o for t, o in zip(trackers, outcomes, strict=True)}

    async def once(self, *, hours: int, limit: int | None) -> dict[str, Outcome]:
        """One sweep of every tracker with settlements for the last `hours`."""
        outcomes = await asyncio.gather(*(t.sweep(hours=hours, limit=limit) for t in self.trackers.values()))
        self._ledger.refresh_identity()
        self._ledger.refresh_summaries()
        return dict(zip(self.trackers, outcomes, strict=True))

    async def backfill(self, job: Job) -> dict[str, Outcome]:
        return await run_job(job, [self.trackers[name] for name in job.exchanges], self._publish)

    def pause(self, name: str, paused: bool) -> None:
        """A paused exchange is asked nothing until resumed, also after a restart."""
        self._ledger.pause(name, paused)
        if paused:
            for (owner, _), task in self._tasks.items():
                if owner == name:
                    task.cancel()


def _reanchor(ticks: schedule.Scheduler) -> None:
    """`schedule` plans in naive local time: after the clock went back a job would wait for hours."""
    now = local_now()
    for job in ticks.jobs:
        if job.next_run is not None and job.next_run - now > timedelta(seconds=job.interval):
            job.next_run = now


class CollectorThread:
    """A collector in a daemon thread of its own, and the door for commands from other threads.

    `build` makes the collector inside the thread's loop, since the writing connection and the HTTP
    clients belong to it; what it raises comes out of `start`. `close` undoes it.
    """

    def __init__(
        self,
        build: Callable[[], Collector],
        close: Callable[[], Coroutine[Any, Any, None]],
        work: Callable[[Collector], Coroutine[Any, Any, Any]] = lambda collector: collector.run(),
    ) -> None:
        self._build = build
        self._close = close
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self.ready: Future[Collector] = Future()
        self.done: Future[Any] = Future()
        self._thread = threading.Thread(target=self._life, name="collector", daemon=True)

    def start(self) -> Collector:
        """Starts the thread; returns once the collector is built, or raises why it could not be."""
        self._thread.start()
        return self.ready.result()

    def _life(self) -> None:
        try:
            self.done.set_result(asyncio.run(self._main_task()))
        except asyncio.CancelledError:
            self.done.set_result(None)
        except BaseException as error:
            if not self.ready.done():
                self.ready.set_exception(error)
            self.done.set_exception(error)

    async def _main_task(self) -> Any:
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        collector = self._build()
        self.ready.set_result(collector)
        try:
            return await self._work(collector)
        finally:
            await collector.drain()
            await self._close()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Runs a command in the collector's loop; the answer comes in the future."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self, timeout: float = STOP_SECONDS + 2) -> bool:
        """Ends the collector within `timeout` seconds; whether it managed to end cleanly."""
        if self._loop is not None and self._main is not None and not self.done.done():
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(timeout)
        return not self._thread.is_alive()
