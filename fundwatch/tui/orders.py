"""What a person asks of the collector, and its answers in words."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from typing import Any

from fundwatch.collector.doors.door import Door, DoorClosed, Refused
from fundwatch.storage.errors import StorageError
from fundwatch.text import clean
from fundwatch.tui.panes.base import Severity

Say = Callable[[str, Severity], object]

NOBODY = "No collector to ask yet."


def reason_of(error: BaseException) -> str:
    """Why an order came to nothing."""
    if isinstance(error, CancelledError):
        return "cancelled"
    if isinstance(error, DoorClosed | Refused | StorageError):
        return clean(str(error), 300)
    return clean(f"{type(error).__name__}: {error}", 300)


class Orders:
    """Passes orders through the door; nothing here waits.

    `say`, and `done` after each order that was carried out, are called from the door's thread or from
    the caller's.
    """

    def __init__(self, say: Say, done: Callable[[], object]) -> None:
        self._say, self._done = say, done
        self.door: Door | None = None

    def refresh(self, exchanges: Sequence[str], what: str) -> None:
        """Sweeps exchanges now; `what` names them in the answer."""
        self._order(lambda door: door.refresh(exchanges), f"Sweeping {what} now.", "")

    def pause(self, exchange: str, paused: bool) -> None:
        done = f"{exchange} is paused until the same key resumes it." if paused else f"{exchange} goes on."
        self._order(lambda door: door.pause(exchange, paused), "", done)

    def acknowledge(self, alert_ids: Sequence[int]) -> None:
        if alert_ids and self.door is not None:
            self._order(lambda door: door.acknowledge(alert_ids), "", "")

    def _order(self, give: Callable[[Door], "Future[Any]"], at_once: str, done: str) -> None:
        if self.door is None:
            self._say(NOBODY, "warning")
            return
        if at_once:
            self._say(at_once, "information")

        def answered(answer: "Future[Any]") -> None:
            try:
                answer.result()
            except BaseException as error:
                self._say(f"The collector did not do it: {reason_of(error)}", "error")
            else:
                self._done()
                if done:
                    self._say(done, "information")

        give(self.door).add_done_callback(answered)
