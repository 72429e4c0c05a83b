"""Does a collector's loop still get round to things: asked again and again, from another thread."""

from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from fundwatch.clock import Clock
from fundwatch.collector.thread import CollectorThread

SILENCE_SECONDS = 30.0
"""A collector that does not answer for so long is told of."""

BROKEN_OFF_SECONDS = 60.0
"""A collector that hangs for so long is ended, where it runs Python and not a call into the system."""


class Breath:
    """`silence` is to be called every few seconds."""

    def __init__(self, thread: CollectorThread, clock: Clock) -> None:
        self._thread = thread
        self._clock = clock
        self._asked = clock.monotonic()
        self._answer: Future[Any] | None = None
        self._broken_off: float | None = None

    def silence(self) -> float:
        """How many seconds the loop has not answered for; 0 as long as it does, and when it has ended.

        One that was broken off is on its way to the end, and counts as silent whatever it answers there.
        """
        now = self._clock.monotonic()
        if self._broken_off is None and (self._answer is None or self._answer.done()):
            with suppress(RuntimeError):
                self._answer = self._thread.submit(_breathe)
            self._asked = now
            return 0.0
        since = self._asked if self._broken_off is None else self._broken_off
        if now - since >= BROKEN_OFF_SECONDS:  # again where the first time was lost on the way
            self._broken_off = now
            self._thread.interrupt()
        return now - self._asked


async def _breathe() -> None:
    """Done as soon as the collector's loop gets round to it."""
