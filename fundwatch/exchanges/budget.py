"""How much may be asked of one host: exact rolling windows, shared by everything that asks it."""

import asyncio
import math
from bisect import insort
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import NamedTuple

from fundwatch.clock import Clock

PACE = 0.8
"""The share of a documented limit that we use."""

BACKGROUND_SHARE = 0.9
"""The share of our own pace open to background work, so that live requests find room."""

SLOWER = 0.5
SLOWER_SECONDS = 3600.0
"""For so long we keep to this share of our pace after the venue found us too fast."""

NOTED_AHEAD_SHARE = 0.25
"""So much of our pace is noted as spent at a time, before it is: whoever comes after a sudden death
cannot know how much of it went out."""

_ROUNDING = 1e-9

in_background: ContextVar[bool] = ContextVar("in_background", default=False)
"""Set in the tasks of a backfill: their requests give way to those of the live sweep."""


class Limit(NamedTuple):
    """`weight` in any `seconds`, as documented; `usage_header` is where the venue tells our usage."""

    weight: float
    seconds: float
    usage_header: str | None = None


class _Meter:
    """One rolling window: what was spent, when it leaves the window, how long until there is room."""

    def __init__(self, limit: Limit, scale: float) -> None:
        self.seconds = limit.seconds
        self.weight = max(1.0, limit.weight * PACE * scale)
        self.usage_header = limit.usage_header
        self.urgent_waiting = 0
        self._used = 0.0
        self._spent: deque[tuple[float, float]] = deque()

    def used(self, now: float) -> float:
        while self._spent and self._spent[0][0] <= now:
            self._used -= self._spent.popleft()[1]
        if not self._spent:
            self._used = 0.0
        return self._used

    def add(self, spent_at: float, weight: float) -> None:
        insort(self._spent, (spent_at + self.seconds, weight))
        self._used += weight

    def wait(self, now: float, weight: float, share: float) -> float:
        """Seconds until `weight` fits; a single request above the whole window waits for an empty one."""
        over = self.used(now) + weight - max(self.weight * share, weight)
        if over <= _ROUNDING:
            return 0.0
        for leaves_at, spent in self._spent:
            over -= spent
            if over <= _ROUNDING:
                return leaves_at - now
        return self.seconds


class Budget:
    """Named limits of one exchange. `scale` multiplies our pace (premium plans, the demo world).

    Requests of one urgency and one set of limits stand in one line, so that only its head ever wakes.
    `note` is told what may be spent by limit name, always before it is.
    """

    def __init__(self, limits: Mapping[str, Limit], clock: Clock, scale: float = 1.0) -> None:
        self._meters = {name: _Meter(limit, scale) for name, limit in limits.items()}
        self._clock = clock
        self._lines: dict[tuple[bool, frozenset[str]], asyncio.Lock] = {}
        self._urgent_served = asyncio.Event()
        self._slower_until = float("-inf")
        self.note: Callable[[Mapping[str, float]], None] | None = None
        self._noted_ahead: dict[str, float] = {}

    async def take(self, spend: Mapping[str, float]) -> None:
        """Waits until `spend` (weight by limit name) fits every limit, then counts it as spent.

        Background tasks also wait until no urgent one is left that waits for the same limit.
        """
        urgent = not in_background.get()
        meters = [self._meters[name] for name in spend]
        line = self._lines.setdefault((urgent, frozenset(spend)), asyncio.Lock())
        for meter in meters:
            meter.urgent_waiting += urgent
        try:
            async with line:
                await self._room(meters, spend, urgent)
                self._note_ahead(spend)
                now = self._clock.monotonic()
                for name, weight in spend.items():
                    self._meters[name].add(now, weight)
        finally:
            for meter in meters:
                meter.urgent_waiting -= urgent
            if urgent:
                self._urgent_served.set()

    async def _room(self, meters: list[_Meter], spend: Mapping[str, float], urgent: bool) -> None:
        while True:
            if not urgent and any(meter.urgent_waiting for meter in meters):
                self._urgent_served.clear()
                await self._urgent_served.wait()
                continue
            now = self._clock.monotonic()
            share = self._share(now, urgent)
            wait = max((self._meters[n].wait(now, w, share) for n, w in spend.items()), default=0.0)
            if wait <= 0:
                return
            await self._clock.sleep(wait)

    def _note_ahead(self, spend: Mapping[str, float]) -> None:
        if self.note is None:
            return
        ahead = self._noted_ahead
        if any(weight > ahead.get(name, 0.0) for name, weight in spend.items()):
            for name, meter in self._meters.items():
                ahead[name] = max(NOTED_AHEAD_SHARE * meter.weight, spend.get(name, 0.0))
            self.note(self.snapshot())
        for name, weight in spend.items():
            ahead[name] -= weight

    def _share(self, now: float, urgent: bool) -> float:
        return (1.0 if urgent else BACKGROUND_SHARE) * (SLOWER if now < self._slower_until else 1.0)

    def slow_down(self) -> None:
        """Halves our pace for an hour: the venue counts otherwise, or others share our address."""
        self._slower_until = self._clock.monotonic() + SLOWER_SECONDS

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes over the venue's own count where it is higher: others may share our address."""
        now = self._clock.monotonic()
        for meter in self._meters.values():
            told = headers.get(meter.usage_header, "") if meter.usage_header else ""
            if told.isascii() and told.isdigit() and len(told) < 10:
                unseen = int(told) - meter.used(now)
                if unseen > 0:
                    meter.add(now, unseen)

    def snapshot(self) -> dict[str, float]:
        """The weight spent inside the running window of each limit, to be kept over a restart.

        With it what is noted as spent already, and is not yet.
        """
        now = self._clock.monotonic()
        return {name: self._may_be_used(name, meter, now) for name, meter in self._meters.items()}

    def _may_be_used(self, name: str, meter: _Meter, now: float) -> float:
        used = meter.used(now)
        return max(used, min(meter.weight, used + self._noted_ahead.get(name, 0.0)))

    def restore(self, used: Mapping[str, float], seconds_ago: float = 0.0) -> None:
        """Counts `used`, a snapshot taken `seconds_ago`, as spent then; limits not known are passed over."""
        now = self._clock.monotonic()
        for name, weight in used.items():
            meter = self._meters.get(name)
            if meter and 0 < weight < math.inf and seconds_ago < meter.seconds:
                meter.add(now - max(0.0, seconds_ago), weight)

    def seconds_for(self, spend: Mapping[str, float]) -> float:
        """How long a long row of background requests of `spend` in all takes at our pace."""
        share = self._share(self._clock.monotonic(), urgent=False)
        meters = self._meters
        return max(
            (w / (meters[n].weight * share) * meters[n].seconds for n, w in spend.items()), default=0.0
        )

    def used_share(self) -> float:
        """The fullest window now, as a share of our own pace (0 to 1 and a little above)."""
        now = self._clock.monotonic()
        return max((meter.used(now) / meter.weight for meter in self._meters.values()), default=0.0)
