"""The only place that asks for the time."""

import time
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Wall clock, UTC seconds; may jump when it is corrected."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward, for durations."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio  # by then it is there; one who only asks for the time need not load it

        await asyncio.sleep(seconds)


def pause(seconds: float) -> None:
    """Blocks this thread: for moments so short that no loop notices."""
    time.sleep(seconds)


def local_now() -> datetime:
    """Naive local time: the idea of now that `schedule` has, and only for talking to it."""
    return datetime.now()  # noqa: DTZ005
