"""A collector that does what a test says."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from fundwatch.collector.doors.door import DoorClosed, Estimate, Listener
from fundwatch.collector.events import Event


class ScriptedDoor:
    """Writes down what it is asked, answers at once, and tells what it is made to tell."""

    def __init__(self) -> None:
        self.pid = 4711
        self.asked: list[tuple[str, Any]] = []
        self.listeners: list[Listener] = []
        self.costs: dict[str, Estimate] = {}
        self.trouble: Exception | None = None
        self.job_id = 7

    def tell(self, event: Event) -> None:
        for listener in list(self.listeners):
            listener(event)

    def gone(self) -> None:
        self.trouble = DoorClosed("the collector has stopped")

    def listen(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        return self._answer("refresh", tuple(exchanges), None)

    def estimate(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        return self._answer("estimate", (days, tuple(exchanges)), dict(self.costs))

    def backfill(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        return self._answer("backfill", (days, tuple(exchanges)), self.job_id)

    def cancel(self, job_id: int) -> "Future[bool]":
        return self._answer("cancel", job_id, True)

    def pause(self, exchange: str, paused: bool) -> "Future[None]":
        return self._answer("pause", (exchange, paused), None)

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]":
        return self._answer("acknowledge", tuple(alert_ids), None)

    def close(self) -> None:
        self.asked.append(("close", None))

    def _answer(self, what: str, words: Any, value: Any) -> "Future[Any]":
        self.asked.append((what, words))
        answer: Future[Any] = Future()
        if self.trouble is None:
            answer.set_result(value)
        else:
            answer.set_exception(self.trouble)
        return answer
