"""Filling the past: behind each sweep by itself, or as a job that a person asked for."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from fundwatch.collector.events import JobEnded, Publish
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges.base import Cost, Wanted
from fundwatch.models import HOUR
from fundwatch.storage.errors import StorageError


@dataclass(frozen=True, slots=True)
class Job:
    """A backfill of the last `days`; `assets` are canonical tickers, empty for all."""

    id: int
    days: float
    exchanges: tuple[str, ...]
    assets: frozenset[str] = frozenset()


async def fill_behind(tracker: Tracker) -> Outcome | None:
    """Fills what the hourly sweeps leave missing up to the horizon; None when nothing is."""
    wanted = tracker.missing_behind()
    return await tracker.fill(wanted) if wanted else None


async def run_job(job: Job, trackers: Sequence[Tracker], publish: Publish) -> dict[str, Outcome]:
    """Fills `job` on all its exchanges side by side; hours that were answered empty are asked again."""
    cancelled = True
    outcomes: dict[str, Outcome] = {}

    async def one(tracker: Tracker) -> None:
        outcome = await tracker.know_markets()
        try:
            wanted = {} if outcome.word == "error" else wanted_by(job, tracker)
        except StorageError as error:
            outcomes[tracker.name] = Outcome("error", str(error))
            return
        outcomes[tracker.name] = await tracker.fill(wanted) if wanted else outcome

    parts = [_part(tracker, one(tracker)) for tracker in trackers]
    try:
        await _all(parts)
        for tracker in trackers:  # one that was paused meanwhile
            outcomes.setdefault(tracker.name, Outcome("cancelled", "stopped before it was complete"))
        cancelled = False
    finally:
        failed = tuple(name for name, outcome in outcomes.items() if outcome.word != "ok")
        publish(JobEnded(job.id, sum(o.inserted for o in outcomes.values()), failed, cancelled))
    return outcomes


def _part(tracker: Tracker, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A job's work on one exchange, which a pause of the exchange ends without touching the others."""
    task = asyncio.get_running_loop().create_task(work, name=f"{tracker.name} job")
    tracker.jobs.add(task)
    task.add_done_callback(tracker.jobs.discard)
    return task


async def _all(parts: Sequence[asyncio.Task[None]]) -> None:
    """Waits for all; the first bug among them is raised, and so is a cancellation from outside."""
    for ended in await asyncio.gather(*parts, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def wanted_by(job: Job, tracker: Tracker) -> Wanted:
    """What `job` has to fetch of one exchange; its market list must be known."""
    return tracker.missing(seconds_back=job.days * 24 * HOUR, assets=job.assets, again=True)


async def job_cost(job: Job, trackers: Sequence[Tracker]) -> dict[str, Cost]:
    """What `job` would take on each exchange, for a person to see before it starts."""
    for tracker in trackers:
        await tracker.know_markets()
    return {t.name: t.exchange.cost(wanted_by(job, t)) for t in trackers}
