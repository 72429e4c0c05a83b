"""What the collector is doing, from what it tells while it works."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fundwatch.collector.events import (
    CollectorStarted,
    CollectorStopped,
    Event,
    JobEnded,
    Progress,
    RunEnded,
    RunStarted,
    Trouble,
)
from fundwatch.text import age, clean

LOG_LINES = 500


class LogLine(NamedTuple):
    """`style` is good, warn, bad, muted or ""; `at` in UTC seconds."""

    at: float
    exchange: str
    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill that this screen started; `started` in monotonic seconds."""

    job_id: int
    days: int
    exchanges: tuple[str, ...]
    started: float


@dataclass(slots=True)
class Activity:
    """`running` is what goes on by exchange and kind, `progress` how far it is; `log` is oldest first.

    `ended_jobs` are backfills that are over, by id, `backfill` is the last one of this screen.
    `trouble` is the last word about a collector that ended, with the time; None while one works.
    `place` says in words who collects.
    """

    running: dict[tuple[str, str], RunStarted] = field(default_factory=dict)
    progress: dict[tuple[str, str], Progress] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    trouble: tuple[float, str] | None = None
    place: str = ""
    backfill: Backfill | None = None
    ended_jobs: dict[int, JobEnded] = field(default_factory=dict)

    def hear(self, event: Event, now: float) -> None:
        match event:
            case CollectorStarted():
                self.running.clear()
                self.progress.clear()
                self.trouble = None
                self._note(now, "", f"the collector started (process {event.pid})")
            case CollectorStopped():
                self.running.clear()
                self.progress.clear()
                self._note(now, "", f"the collector stopped: {clean(event.reason)}", "warn")
            case RunStarted():
                self.running[event.exchange, event.kind] = event
            case Progress():
                self.progress[event.exchange, event.kind] = event
            case RunEnded():
                self.running.pop((event.exchange, event.kind), None)
                self.progress.pop((event.exchange, event.kind), None)
                self._note(now, event.exchange, _ended(event), _STYLES.get(event.outcome, "bad"))
            case JobEnded():
                self.ended_jobs[event.job_id] = event
            case Trouble():
                if event.where == "collector":
                    self.trouble = (now, clean(event.message, 300))
                self._note(now, "", f"{clean(event.where, 40)}: {clean(event.message, 300)}", "bad")

    def words(self, exchanges: Sequence[str]) -> str:
        """What goes on in a few words, "" for nothing: `sweep 3/7`, `backfill 42 %`.

        Quotes passes, which take a second every few minutes, are not worth a word.
        """
        for kind in ("sweep", "backfill"):
            busy = [name for name, what in self.running if what == kind]
            if busy:
                break
        else:
            return ""
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


_STYLES = {"ok": "", "partial": "warn", "cancelled": "muted", "interrupted": "muted"}


def _ended(event: RunEnded) -> str:
    done = f"{event.markets - event.markets_failed:,}/{event.markets:,} markets, " if event.markets else ""
    took = f"{event.seconds:.1f} s" if event.seconds < 60 else age(event.seconds)
    stored = f"{event.inserted:,} stored, " if event.kind != "quotes" else ""
    told = f"{event.kind} {event.outcome}: {done}{stored}{event.requests:,} requests, {took}"
    return f"{told}; {clean(event.error, 300)}" if event.error else told
