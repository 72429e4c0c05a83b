"""Funding that accrues all the time, in closed form: what a Paradex market has paid up to any moment.

Premium P(t), in USDC per contract unit and 8 h, is a level with two waves on it; the index is its exact
integral, so any window's payment is known to the last digit.
"""

from math import cos, pi, sin
from typing import NamedTuple

from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import share
from fundwatch.demo.truth import Truth

_PERIOD_SECONDS = 8 * 3600


class Accrual(NamedTuple):
    """`start` is when the index was zero (UTC seconds); `waves` hold amplitude, radians per second, phase."""

    start: int
    level: float
    waves: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, truth: Truth, market: DemoMarket) -> "Accrual":
        typical = truth.rate(market, truth.typical_premium(market), 8)
        unit_usdc = market.asset.price_usd * market.multiplier
        waves = []
        for name, days, depth in (("slow", 6.5, 0.45), ("fast", 0.6, 0.25)):
            phase = 2 * pi * share(truth.seed, name, market.symbol)
            amplitude = depth * (abs(typical) + 0.00002) * unit_usdc
            waves.append((amplitude, 2 * pi / (days * 86_400), phase))
        return cls(market.listed_hour * 3600, typical * unit_usdc, tuple(waves))

    def premium_usdc(self, seconds: float) -> float:
        """USDC per contract unit and 8 h at `seconds`; positive when longs pay."""
        t = seconds - self.start
        return self.level + sum(a * sin(w * t + phase) for a, w, phase in self.waves)

    def paid_usdc(self, seconds: float) -> float:
        """USDC that one contract unit held long has paid from the start to `seconds`."""
        t = seconds - self.start
        paid = self.level * t - sum(a / w * (cos(w * t + phase) - cos(phase)) for a, w, phase in self.waves)
        return paid / _PERIOD_SECONDS
