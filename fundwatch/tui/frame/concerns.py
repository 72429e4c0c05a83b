"""What is wrong now and not yet acknowledged, for the banner and the pane of alerts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fundwatch.text import age
from fundwatch.tui.frame.activity import Activity, Fault
from fundwatch.tui.frame.pulse import Pulse, lasting
from fundwatch.tui.frame.status_line import newest_quote
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import Words

if TYPE_CHECKING:
    from fundwatch.answers.status import ExchangeStatus, Status

Key = tuple[str, str]

_GRAVEST_FIRST = ("unit check", "database", "screen", "collector", "offline", "error", "stale", "partial")
"""Wrong numbers first, then none at all, then old ones."""

_SILENT = frozenset({"error", "stale"})


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing that is wrong; `since` in UTC seconds, `exchange` "" for the program as a whole."""

    exchange: str
    kind: str
    message: str
    since: float | None
    advice: str

    @property
    def key(self) -> Key:
        return self.exchange, self.kind

    @property
    def order(self) -> tuple[int, float]:
        """The gravest first, and of those alike the newest."""
        rank = _GRAVEST_FIRST.index(self.kind) if self.kind in _GRAVEST_FIRST else len(_GRAVEST_FIRST)
        return rank, -(self.since or 0)


class Concerns:
    """Remembers what a person has acknowledged, until it has ended: then it may speak up again."""

    def __init__(self) -> None:
        self._seen: set[Key] = set()
        self._all: list[Concern] = []
        self.own: list[Concern] = []
        """Those of now that the database does not know of."""
        self.count = 0
        """All that is wrong, acknowledged or not."""

    def update(
        self, snapshot: Snapshot | None, own: Iterable[Concern], now: float, words: Words
    ) -> list[Concern]:
        """What is to be shown, the gravest first; `own` are those that the database does not know of."""
        self.own = list(own)
        noted: set[Key] = set()
        found: list[Concern] = []
        if snapshot is not None:
            found = _of_snapshot(snapshot, now, words)
            noted = {
                (a.exchange or "", a.kind)
                for a in snapshot.alerts
                if a.until is None and a.acknowledged is not None
            }
        if any(concern.kind == "collector" for concern in self.own):
            found = [concern for concern in found if concern.kind != "collector"]
        self._all = sorted([*self.own, *found], key=lambda concern: concern.order)
        self.count = _count(snapshot, self.own)
        self._seen &= {concern.key for concern in self._all}
        return [c for c in self._all if c.key not in self._seen and c.key not in noted]

    def acknowledge(self, shown: Sequence[Concern]) -> None:
        self._seen |= {concern.key for concern in shown}

    def is_seen(self, key: Key) -> bool:
        """Whether a person has acknowledged it on this screen."""
        return key in self._seen


@runtime_checkable
class HasConcerns(Protocol):
    """What the app is to one who shows what is wrong."""

    concerns: Concerns


def concerns_of(app: object) -> Concerns:
    """The app's concerns; none where the app has no such thing."""
    return app.concerns if isinstance(app, HasConcerns) else Concerns()


def ids_of(shown: Sequence[Concern], snapshot: Snapshot) -> list[int]:
    """The stored alerts behind what is shown."""
    keys = {concern.key for concern in shown}
    return [
        alert.id
        for alert in snapshot.alerts
        if alert.until is None and alert.acknowledged is None and (alert.exchange or "", alert.kind) in keys
    ]


def own_concerns(
    activity: Activity, unreadable: tuple[str, float] | None, pulse: Pulse, now: float
) -> list[Concern]:
    """What the database cannot tell; `unreadable` is why it cannot be read, and since when."""
    found = []
    if activity.trouble is not None:
        found.append(Concern("", "collector", _stopped(activity.trouble, now), activity.trouble.at, "see 5"))
    elif (state := pulse.silent) is not None and state.heartbeat is not None:
        told = f"Collector silent: end process {state.pid}, then this one collects"
        told += f" (no sign of life for {lasting(now - state.heartbeat)})"
        found.append(Concern("", "collector", told, state.heartbeat, "see 5"))
    if activity.disk is not None:
        told = f"Nothing is stored: {activity.disk.reason}"
        found.append(Concern("", "database", told, activity.disk.at, "see 4"))
    if unreadable is not None:
        reason, since = unreadable
        told = f"The numbers have stood still for {age(now - since)}: {reason}"
        found.append(Concern("", "database", told, since, "see 5"))
    elif (behind := pulse.behind_seconds) is not None:
        told = f"The screen has had nothing new for {age(behind)}: its disk hangs, or start fundwatch anew"
        found.append(Concern("", "screen", told, now - behind, "see 5"))
    return found


def _stopped(fault: Fault, now: float) -> str:
    if fault.again_at is None:
        return f"The collector: {fault.reason}"
    left = fault.again_at - now
    again = f"starts in {age(left)}" if left >= 1 else "starts now"
    return f"Collector stopped {age(now - fault.at)} ago, {again}: {fault.reason}"


def _count(snapshot: Snapshot | None, own: Sequence[Concern]) -> int:
    stored = set() if snapshot is None else {(a.exchange or "", a.kind) for a in snapshot.status.alerts}
    return len(stored | {concern.key for concern in own})


def begun(snapshot: Snapshot) -> dict[Key, int]:
    """When what goes on began, UTC seconds, as a collector noted it; what is seen for the first time now
    is noted within seconds."""
    noted = {(a.exchange or "", a.kind): a.since for a in snapshot.alerts if a.until is None}
    heartbeat = snapshot.status.collector.heartbeat
    return noted if heartbeat is None else {("", "collector"): heartbeat} | noted


def _of_snapshot(snapshot: Snapshot, now: float, words: Words) -> list[Concern]:
    status, since = snapshot.status, begun(snapshot)
    asked = [one for one in status.counted if one.health not in ("paused", "never")]
    found = [
        Concern(
            a.exchange or "",
            a.kind,
            a.message,
            since.get((a.exchange or "", a.kind)),
            "see 4" if a.exchange else "see 5",
        )
        for a in status.alerts
    ]
    if len(asked) < 2 or not all(one.health in _SILENT for one in asked):
        return found
    if any(one.kind == "unit check" for one in found):  # whose numbers are wrong was reached
        return found
    rest = [one for one in found if one.kind == "collector"]
    return [*rest, _all_silent(status, asked, now, words)]


def _all_silent(status: "Status", asked: "Sequence[ExchangeStatus]", now: float, words: Words) -> Concern:
    """One concern for all exchanges: what they have in common is what matters."""
    newest = newest_quote(status)
    old = "no data" if newest is None else f"data {age(now - newest)} old"
    if not status.collector.running:
        return Concern("", "offline", f"Nobody collects; showing {old}", newest, "see 4")
    if all(one.health == "stale" for one in asked) and any(one.status == "running" for one in asked):
        return Concern("", "offline", f"Showing {old}; a sweep is under way", newest, "see 4")
    since = "ever" if newest is None else f"since {words.when(newest, now)} {words.zone}"
    return Concern("", "offline", f"No exchange reachable {since}; showing {old}", newest, "online?")
