"""Does somebody collect, and does the screen itself keep up: watched from here, second by second."""

from typing import TYPE_CHECKING

from fundwatch.text import age
from fundwatch.tui.charts.bars import Span
from fundwatch.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from fundwatch.answers.status import CollectorState

SILENT_SECONDS = 45.0
"""A collector gives a sign of life every 20 seconds, which the screen sees up to 10 seconds later."""

BEHIND_SECONDS = 30.0
"""A snapshot comes every 10 seconds and takes less than one."""

NOBODY_SECONDS = 5.0
"""While a screen opens, nobody collects for a moment."""


_MINUTE, _HOUR = 60, 3600


def lasting(seconds: float) -> str:
    """A time that goes on, with its seconds as long as they can be watched: `42 s`, `1 min 12 s`, `2 h`."""
    whole = max(0, int(seconds))
    if _MINUTE <= whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return age(whole)


class Pulse:
    """How long nothing has changed, by a clock that no correction and no sleep of the machine moves.

    A heartbeat is old for a moment after every sleep, without anybody being to blame; so silence counts
    only from when this screen first saw that heartbeat.
    """

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._state: CollectorState | None = None
        self._snapshot_came = self._state_came = self._now = 0.0

    def feel(self, snapshot: Snapshot | None, monotonic: float) -> None:
        """To be called each second, with what the screen shows now."""
        self._now = monotonic
        if snapshot is not self._snapshot:
            self._snapshot, self._snapshot_came = snapshot, monotonic
        state = None if snapshot is None else snapshot.status.collector
        if state != self._state:
            self._state, self._state_came = state, monotonic

    @property
    def behind_seconds(self) -> float | None:
        """How long the screen has had nothing new; None while it keeps up."""
        if self._snapshot is None:
            return None
        waited = self._now - self._snapshot_came
        return waited if waited > BEHIND_SECONDS else None

    @property
    def silent(self) -> "CollectorState | None":
        """A collector that holds its place and gives no sign of life; None where none is known."""
        state = self._state
        if state is None or not state.running or self.behind_seconds is not None:
            return None
        return state if self._now - self._state_came > SILENT_SECONDS else None

    def words(self, now: float) -> tuple[Span, ...]:
        """What the status line says of it at `now` (UTC seconds); nothing while all is as it should be."""
        state = self._state
        if state is None:
            return ()
        if (behind := self.behind_seconds) is not None:
            return ((f"screen {lasting(behind)} behind", "bad"),)
        if state.running:
            if self.silent is not None and state.heartbeat is not None:
                return ((f"collector silent {lasting(now - state.heartbeat)}", "bad"),)
            if state.role not in (None, "collector"):
                return ((f"only a {state.role} runs", "warn"),)
            return ()
        if state.heartbeat is not None:
            return ((f"collector DEAD {lasting(now - state.heartbeat)}", "bad"),)
        return (("nobody collects", "warn"),) if self._now - self._state_came > NOBODY_SECONDS else ()
