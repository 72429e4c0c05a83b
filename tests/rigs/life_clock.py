"""The time of a simulated life: the true one, what our machine believes, and what its zone makes of it."""

import asyncio
import datetime
from collections.abc import Callable
from types import SimpleNamespace
from typing import Protocol

import schedule

from fundwatch.collector import collector as collector_module


class LifeClock:
    """The true time, our wall clock that may be `ahead` of it, and a monotonic one that stops in a suspend.

    The loop's own time passes only while the machine is awake.
    """

    def __init__(self, start: float) -> None:
        self._origin = start - self.monotonic()
        self.asleep = 0.0
        self.ahead = 0.0

    def true(self) -> float:
        return self._origin + self.monotonic() + self.asleep

    def now(self) -> float:
        return self.true() + self.ahead

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Local(Protocol):
    """Somebody with a local time, naive."""

    def local(self, zone: datetime.tzinfo | None = None) -> datetime.datetime: ...


def locally(life: Local, set_attribute: Callable[[object, str, object], None], tick_seconds: float) -> None:
    """Lets `schedule` and the collector's loop see the life's local time, and look every `tick_seconds`."""

    class Moved(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Moved":
            told = life.local()
            return cls(told.year, told.month, told.day, told.hour, told.minute, told.second, told.microsecond)

    told = SimpleNamespace(datetime=Moved, timedelta=datetime.timedelta, time=datetime.time)
    set_attribute(schedule, "datetime", told)
    set_attribute(collector_module, "local_now", Moved.now)
    set_attribute(collector_module, "_TICK_SECONDS", tick_seconds)
