"""How much may be asked of one host: exact rolling windows, shared by everything that asks it."""

from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from typing import NamedTuple

from fundwatch.clock import Clock

PACE = 0.8
"""The share of a documented limit that we use."""

BACKGROUND_SHARE = 0.9
"""The share of our own pace open to background work, so that live requests find room."""

_YIELD_SECONDS = 0.05

in_background: ContextVar[bool] = ContextVar("in_background", default=False)
"""Set in the tasks of a backfill: their requests give way to those of the live sweep."""


class Limit(NamedTuple):
    """`weight` in any `seconds`, as documented; `usage_header` is where the venue tells our usage."""

    weight: float
    seconds: float
    usage_header: str | None = None


class _Meter:
    """One rolling window: what was spent when, and how long until there is room."""

    def __init__(self, limit: Limit, scale: float) -> None:
        self.seconds = limit.seconds
        self.weight = max(1.0, limit.weight * PACE * scale)
        self.usage_header = limit.usage_header
        self._spent: deque[tuple[float, float]] = deque()
        self.used = 0.0

    def forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - self.seconds:
            self.used -= self._spent.popleft()[1]

    def add(self, now: float, weight: float) -> None:
        self._spent.append((now, weight))
        self.used += weight

    def wait(self, now: float, weight: float, share: float) -> float:
        """Seconds until `weight` fits; a single request above the whole window waits for an empty one."""
        self.forget(now)
        over = self.used + weight - max(self.weight * share, weight)
        if over <= 0:
            return 0.0
        for spent_at, spent in self._spent:
            over -= spent
            if over <= 1e-9:
                return spent_at + self.seconds - now
        return self.seconds


class Budget:
    """Named limits of one exchange. `scale` multiplies our pace (premium plans, the demo world)."""

    def __init__(self, limits: Mapping[str, Limit], clock: Clock, scale: float = 1.0) -> None:
        self._meters = {name: _Meter(limit, scale) for name, limit in limits.items()}
        self._clock = clock
        self._urgent_waiting = 0

    async def take(self, spend: Mapping[str, float]) -> None:
        """Waits until `spend` (weight by limit name) fits every limit, then counts it as spent."""
        urgent = not in_background.get()
        share = 1.0 if urgent else BACKGROUND_SHARE
        self._urgent_waiting += urgent
        try:
            while wait := self._wait(spend, urgent, share):
                await self._clock.sleep(wait)
        finally:
            self._urgent_waiting -= urgent
        now = self._clock.monotonic()
        for name, weight in spend.items():
            self._meters[name].add(now, weight)

    def _wait(self, spend: Mapping[str, float], urgent: bool, share: float) -> float:
        now = self._clock.monotonic()
        waits = [self._meters[name].wait(now, weight, share) for name, weight in spend.items()]
        if not urgent and self._urgent_waiting:
            waits.append(_YIELD_SECONDS)
        return max(waits, default=0.0)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes over the venue's own count where it is higher: others may share our address."""
        now = self._clock.monotonic()
        for meter in self._meters.values():
            told = headers.get(meter.usage_header, "") if meter.usage_header else ""
            if told.isascii() and told.isdigit() and len(told) < 10:
                meter.forget(now)
                if (unseen := int(told) - meter.used) > 0:
                    meter.add(now, unseen)

    def seconds_for(self, spend: Mapping[str, float]) -> float:
        """How long a long row of background requests of `spend` in all takes at our pace."""
        return max(
            (
                w / (self._meters[n].weight * BACKGROUND_SHARE) * self._meters[n].seconds
                for n, w in spend.items()
            ),
            default=0.0,
        )

    def used_share(self) -> float:
        """The fullest window now, as a share of our own pace (0 to 1 and a little above)."""
        now = self._clock.monotonic()
        for meter in self._meters.values():
            meter.forget(now)
        return max((m.used / m.weight for m in self._meters.values()), default=0.0)
