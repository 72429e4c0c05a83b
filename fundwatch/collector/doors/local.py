"""The door to a collector in a thread of the own process, and the fan-out of its events."""

import os
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any

from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.door import DoorClosed, Estimate, Listener
from fundwatch.collector.events import Event
from fundwatch.collector.thread import CollectorThread


class Fanout:
    """Tells every event to each of its listeners; to be used as a collector's `publish`.

    Listeners are called in the thread where the event happens, so they must return at once; what one
    of them raises touches neither the others nor the collector. Safe to use from any thread.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[object, Listener] = {object(): listener for listener in listeners}

    def __call__(self, event: Event) -> None:
        with self._lock:
            listeners = tuple(self._listeners.values())
        for listener in listeners:
            with suppress(Exception):
                listener(event)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Every event from now on goes to `listener`; returns how to stop."""
        ticket = object()
        with self._lock:
            self._listeners[ticket] = listener

        def stop() -> None:
            with self._lock:
                self._listeners.pop(ticket, None)

        return stop


class LocalDoor:
    """Commands to the collector of a `CollectorThread` that has started.

    `fanout` is what the thread publishes to. A `JobEnded` may come before the future with its job id.
    Closing the door leaves the collector running.
    """

    def __init__(self, thread: CollectorThread, collector: Collector, fanout: Fanout) -> None:
        self.pid = os.getpid()
        self._thread = thread
        self._desk = collector.desk
        self._fanout = fanout
        self._lock = threading.Lock()
        self._waiting: set[Future[Any]] = set()
        self._is_closed = False
        thread.done.add_done_callback(lambda _: self.close())

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._fanout.listen(listener)

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        return self._ask(partial(self._desk.refresh, exchanges))

    def estimate(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        return self._ask(partial(self._desk.estimate, days, exchanges, assets))

    def backfill(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        return self._ask(partial(self._desk.backfill, days, exchanges, assets))

    def cancel(self, job_id: int) -> "Future[bool]":
        return self._ask(partial(self._desk.cancel, job_id))

    def pause(self, exchange: str, paused: bool) -> "Future[None]":
        return self._ask(partial(self._desk.pause, exchange, paused))

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]":
        return self._ask(partial(self._desk.acknowledge, alert_ids))

    def note(self, kind: str, message: str) -> "Future[None]":
        """Keeps something that happened among the stored events."""
        return self._ask(partial(self._desk.note, kind, message))

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, set()
        for answer in waiting:
            answer.set_exception(_gone())

    def _ask(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> "Future[Any]":
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._waiting.add(answer)
        if is_closed:
            answer.set_exception(_gone())
            return answer
        try:
            inner = self._thread.submit(work)
        except RuntimeError:  # its loop has ended
            self._settle(answer, error=_gone())
        else:
            inner.add_done_callback(partial(self._pass_on, answer))
        return answer

    def _pass_on(self, answer: "Future[Any]", inner: "Future[Any]") -> None:
        try:
            self._settle(answer, inner.result())
        except CancelledError:
            self._settle(answer, error=_gone())
        except Exception as error:
            self._settle(answer, error=error)

    def _settle(self, answer: "Future[Any]", value: Any = None, error: Exception | None = None) -> None:
        with self._lock:
            if answer not in self._waiting:
                return
            self._waiting.discard(answer)
        if error is None:
            answer.set_result(value)
        else:
            answer.set_exception(error)


def _gone() -> DoorClosed:
    return DoorClosed("the collector has stopped")
