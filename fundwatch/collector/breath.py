"""Does a collector's loop still get round to things: asked again and again, from another thread."""

from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from fundwatch.clock import Clock
from fundwatch.collector.thread import CollectorThread

SILENCE_SECONDS = 30.0
"""A collector that does not answer for so long is told of."""

BROKEN_OFF_SECONDS = 60.0
"""A collector that hangs for so long is ended, where it is Python that runs and not a call into the system."""


class Breath:
    """`silence` is to be called every few seconds."""

    def __init__(self, thread: CollectorThread, clock: Clock) -> None:
        self._thread = thread
        self._clock = clock
        self._asked = clock.monotonic()
        self._answer: Future[Any] | None = None
        self._was_broken_off = False

    def silence(self) -> float:
        """How many seconds the loop has not answered for; 0 as long as it does, and when it has ended."""
        if self._answer is None or self._answer.done():
            with suppress(RuntimeError):
                self._answer = self._thread.submit(_breathe())
            self._asked = self._clock.monotonic()
            self._was_broken_off = False
            return 0.0
        silent = self._clock.monotonic() - self._asked
        if silent >= BROKEN_OFF_SECONDS and not self._was_broken_off:
            self._was_broken_off = True
            self._thread.interrupt()
        return silent


async def _breathe() -> None:
    """Done as soon as the collector's loop gets round to it."""
