"""What is wrong now and not yet acknowledged, for the banner."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fundwatch.answers.status import Status
from fundwatch.text import age
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.status_line import newest_quote
from fundwatch.tui.words import Words

Key = tuple[str, str]

_ADVICE = {
    "collector": "start fundwatch again",
    "offline": "online?",
    "unit check": "see 4",
    "partial": "see 4",
    "stale": "see 4",
    "error": "see 4",
}
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


class Concerns:
    """Remembers what a person has acknowledged, until it has ended: then it may speak up again."""

    def __init__(self) -> None:
        self._seen: set[Key] = set()
        self._all: list[Concern] = []

    def update(
        self, snapshot: Snapshot | None, own: Iterable[Concern], now: float, words: Words
    ) -> list[Concern]:
        """What is to be shown, newest first; `own` are those that the database does not know of."""
        own = list(own)
        noted: set[Key] = set()
        found: list[Concern] = []
        if snapshot is not None:
            found = _of_status(snapshot.status, now, words)
            noted = {
                (a.exchange or "", a.kind)
                for a in snapshot.alerts
                if a.until is None and a.acknowledged is not None
            }
        if any(concern.kind == "collector" for concern in own):
            found = [concern for concern in found if concern.kind != "collector"]
        self._all = [*own, *sorted(found, key=lambda c: -(c.since or 0))]
        self._seen &= {concern.key for concern in self._all}
        return [c for c in self._all if c.key not in self._seen and c.key not in noted]

    def acknowledge(self, shown: Sequence[Concern]) -> None:
        self._seen |= {concern.key for concern in shown}

    @property
    def count(self) -> int:
        """All that is wrong, acknowledged or not."""
        return len(self._all)


def ids_of(shown: Sequence[Concern], snapshot: Snapshot) -> list[int]:
    """The stored alerts behind what is shown."""
    keys = {concern.key for concern in shown}
    return [
        alert.id
        for alert in snapshot.alerts
        if alert.until is None and alert.acknowledged is None and (alert.exchange or "", alert.kind) in keys
    ]


def _of_status(status: Status, now: float, words: Words) -> list[Concern]:
    asked = [one for one in status.counted if one.health not in ("paused", "never")]
    if len(asked) > 1 and all(one.health in _SILENT for one in asked):
        newest = newest_quote(status)
        told = f"No exchange reachable since {words.clock(newest)} {words.zone}"
        if newest is not None:
            told += f"; showing data {age(now - newest)} old"
        return [Concern("", "offline", told, None, _ADVICE["offline"])]
    return [
        Concern(a.exchange or "", a.kind, a.message, a.since, _ADVICE.get(a.kind, "see 5"))
        for a in status.alerts
    ]
