"""The documented limits of one demo exchange, enforced in rolling windows."""

from collections import deque
from collections.abc import Mapping

from fundwatch.demo.venues.base import Window

_PATIENCE = 5
_BAN_SECONDS = 120


class Limiter:
    """Counts weight by limit name; `scale` multiplies every limit.

    Where `bans` is set, going on after refusals ends in a ban, as Binance documents it.
    """

    def __init__(self, limits: Mapping[str, Window], scale: float, *, bans: bool = False) -> None:
        self._limits = {name: Window(w.weight * scale, w.seconds) for name, w in limits.items()}
        self._spent: dict[str, deque[tuple[float, float]]] = {name: deque() for name in limits}
        self._used = dict.fromkeys(limits, 0.0)
        self._bans = bans
        self._ignored = 0
        self._refused_until = 0.0
        self.banned_until = 0.0

    def admit(self, weights: Mapping[str, float], now: float) -> float:
        """0 when the request may be answered (and is counted), else seconds until there is room."""
        if now < self.banned_until:
            return self.banned_until - now
        wait = max((self._wait(name, weight, now) for name, weight in weights.items()), default=0.0)
        if wait <= 0:
            self._ignored = 0
            self.add(weights, now)
            return 0.0
        self._ignored = self._ignored + 1 if now < self._refused_until else 1
        self._refused_until = now + wait
        if self._bans and self._ignored > _PATIENCE:
            self.banned_until = now + _BAN_SECONDS
            self._ignored = 0
            return float(_BAN_SECONDS)
        return wait

    def add(self, weights: Mapping[str, float], now: float) -> None:
        for name, weight in weights.items():
            self._spent[name].append((now, weight))
            self._used[name] += weight

    def used(self, name: str, now: float) -> float:
        """The weight spent in the window that ends now."""
        spent = self._spent[name]
        while spent and spent[0][0] <= now - self._limits[name].seconds:
            self._used[name] -= spent.popleft()[1]
        return self._used[name]

    def _wait(self, name: str, weight: float, now: float) -> float:
        limit = self._limits[name]
        used = self.used(name, now)
        over = used + weight - limit.weight
        if over <= 0 or not used:
            return 0.0
        for at, spent in self._spent[name]:
            over -= spent
            if over <= 1e-9:
                return at + limit.seconds - now
        return limit.seconds
