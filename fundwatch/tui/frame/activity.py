"""What the collector is doing, from what it tells while it works."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from fundwatch.collector.events import (
    CollectorStarted,
    CollectorStopped,
    Event,
    ImportProgress,
    JobEnded,
    Progress,
    RunEnded,
    RunStarted,
    Trouble,
)
from fundwatch.text import clean
from fundwatch.tui.rows import run_words

LOG_LINES = 500

_STORING = ("ok", "partial")
"""A run that ends so has stored what it got."""


class LogLine(NamedTuple):
    """`style` is good, warn, bad, muted or ""; `at` in UTC seconds; `run_id` where it tells of a run."""

    at: float
    exchange: str
    text: str
    style: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill that this screen started; `started` in monotonic seconds. Of the exchanges in
    `complete` nothing was missing."""

    job_id: int
    days: int
    exchanges: tuple[str, ...]
    started: float
    complete: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why nothing is collected, or stored; `at` and `again_at`, when it is tried again, in UTC seconds."""

    at: float
    reason: str
    again_at: float | None = None


@dataclass(slots=True)
class Activity:
    """`running` is what goes on by exchange and kind, `progress` how far it is, `importing` how far files
    are that are read or stored, by exchange; `log` is oldest first.

    `ended_jobs` are backfills that are over, by id, `backfill` is the last one of this screen, and
    `filled` how it ended so far, by exchange.
    `trouble` is about a collector that ended or cannot start, `disk` about a database that takes
    nothing; both are None again as soon as work goes on.
    `place` says in words who collects.
    """

    running: dict[tuple[str, str], RunStarted] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    importing: dict[str, ImportProgress] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    trouble: Fault | None = None
    disk: Fault | None = None
    place: str = ""
    backfill: Backfill | None = None
    filled: dict[str, RunEnded] = field(default_factory=dict)
    ended_jobs: dict[int, JobEnded] = field(default_factory=dict)

    def hear(self, event: Event, now: float) -> None:
        match event:
            case CollectorStarted():
                self.forget_work()
                self.trouble = self.disk = None
                self._note(now, "", f"the collector started (process {event.pid})")
            case CollectorStopped():
                self.forget_work()
                self._note(now, "", f"the collector stopped: {clean(event.reason)}", "warn")
            case RunStarted():
                self.trouble = None
                self.running[event.exchange, event.kind] = event
            case Progress():
                what = event.exchange, event.kind
                self.progress[what] = event
                if what not in self.running:  # it began before anybody listened here
                    self.running[what] = RunStarted(event.exchange, event.kind, event.run_id)
            case ImportProgress():
                self.importing[event.exchange] = event
            case RunEnded():
                if event.outcome in _STORING:
                    self.disk = None
                if event.kind == "backfill":
                    self.filled[event.exchange] = event
                if event.kind == "import":
                    self.importing.pop(event.exchange, None)
                self.running.pop((event.exchange, event.kind), None)
                self.progress.pop((event.exchange, event.kind), None)
                told, style = run_words.ended(event), run_words.style(event.outcome)
                self.log.append(LogLine(now, event.exchange, told, style, event.run_id))
            case JobEnded():
                self.ended_jobs[event.job_id] = event
            case Trouble():
                again_at = None if event.again_seconds is None else now + event.again_seconds
                fault = Fault(now, clean(event.message, 300), again_at)
                if event.where == "collector":
                    self.trouble = fault
                elif event.where == "database":
                    self.disk = replace(fault, at=self.disk.at) if self.disk else fault
                self._note(now, "", f"{clean(event.where, 40)}: {fault.reason}", "bad")

    def forget_work(self) -> None:
        """A collector's work ends with it, and the next one numbers its backfills from 1 again."""
        self.running.clear()
        self.progress.clear()
        self.importing.clear()
        self.ended_jobs.clear()
        self.backfill = None

    def words(self, exchanges: Sequence[str]) -> str:
        """What goes on in a few words, "" for nothing: `sweep 3/7`, `backfill 42 %`, `import binance 42 %`.

        Quotes passes, which take a second every few minutes, are not worth a word.
        """
        for kind in ("sweep", "backfill"):
            busy = [name for name, what in self.running if what == kind]
            if busy:
                break
        else:
            return next((_import_words(one) for one in self.importing.values()), "")
        share = self.share(kind)
        if kind == "backfill" and share is not None:
            return f"backfill {int(share * 100)} %"
        if len(busy) == 1:
            return f"{kind} {busy[0]}"
        return f"{kind} {len(exchanges) - len(busy)}/{len(exchanges)}"

    def share(self, kind: str) -> float | None:
        """How much of all running work of a kind is done, 0 to 1, by market-hours."""
        found = [p for (_, what), p in self.progress.items() if what == kind]
        wanted = sum(p.hours_wanted for p in found)
        return sum(min(p.hours_done, p.hours_wanted) for p in found) / wanted if wanted else None

    def is_busy(self, exchange: str) -> str | None:
        """The kind of the sweep or backfill of an exchange that goes on."""
        return next((kind for name, kind in self.running if name == exchange and kind != "quotes"), None)

    def _note(self, now: float, exchange: str, text: str, style: str = "") -> None:
        self.log.append(LogLine(now, exchange, text, style))


def _import_words(one: ImportProgress) -> str:
    """A file is read to its end before anything of it is stored."""
    doing = "import" if one.stage == "storing" else "reading"
    return f"{doing} {one.exchange} {int(one.share * 100)} %"
