"""Time that our own code took, on a machine that others use too."""

import asyncio
import time
from types import TracebackType
from typing import Self

_BEAT_SECONDS = 0.05


class Stopwatch:
    """Measures in a loop, without the time in which the process was kept from running.

    A beat that comes late, though the process used no processor meanwhile, came late for the machine's
    sake; what our own code kept busy with, or waited for, counts.
    """

    async def __aenter__(self) -> Self:
        self._began = time.monotonic()
        self._kept = 0.0
        self._mark()
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)

    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self._began - self._kept - self._late()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            self._kept += self._late()
            self._mark()

    def _mark(self) -> None:
        self._last, self._busy = time.monotonic(), time.process_time()

    def _late(self) -> float:
        """How long the beat at hand is overdue, though nothing of ours was in its way."""
        busy = time.process_time() - self._busy
        return max(0.0, time.monotonic() - self._last - _BEAT_SECONDS - busy)
