"""Time for tests: a clock that is set by hand, and an event loop in which waiting costs nothing."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualClock:
    """A clock that moves only when someone sleeps on it, or sets it; sleeping returns at once."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.wall = now
        self.up = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.up

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds


class _Skipping(selectors.SelectSelector):
    """Instead of waiting for a timer, moves `time` to it."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("everything waits and nothing will ever wake it")
            self.time += timeout
        return events


class LoopClock:
    """The time of the running loop; `sleeps` counts how often someone went to sleep."""

    def __init__(self) -> None:
        self.sleeps = 0

    def now(self) -> float:
        return 1_790_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        await asyncio.sleep(seconds)


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return self._skipping.time if hasattr(self, "_skipping") else 0.0


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Runs `main` in a loop whose time jumps to the next timer: hours pass in milliseconds, in order."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(main)
