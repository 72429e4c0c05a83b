"""What is true in the demo world: prices, premiums and funding as functions of (seed, market, hour).

Nothing depends on when or in which order it is asked, so every run and every server agrees. The funding
rule is the one that the exchanges share: rate per 8 h = premium + clamp(interest - premium, ±0.05 %),
so that a market whose premium stays near the interest rests exactly at it.
"""

from array import array
from math import pow
from typing import NamedTuple

from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import BLOCK, Noise, share
from fundwatch.demo.tickers import MAJORS

CLAMP = 0.0005
"""The widest that the interest may pull a premium, a fraction per 8 h."""

SETTLED_BEFORE_SECONDS = 360
"""So long before a payment its estimate no longer moves."""

_REGIME_HOURS = 60
_DRIFT_HOURS = 480
_SWING_HOURS = 14
_VENUE_SHARE = {
    "binance": 1.0, "hyperliquid": 0.3, "lighter": 0.2, "aster": 0.15, "variational": 0.08,
    "extended": 0.05, "paradex": 0.01,
}  # fmt: skip


class _Temper(NamedTuple):
    """How the premium of one market behaves; all amounts are fractions per 8 h."""

    centre: float
    regime: float
    unrest: float
    own_regime: float
    asset_noise: Noise
    own_noise: Noise
    hourly_noise: Noise


class Truth:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._tempers: dict[tuple[str, str], _Temper] = {}
        self._premiums: dict[tuple[str, str], dict[int, array[float]]] = {}
        self._noises: dict[tuple[str, ...], Noise] = {}

    def noise(self, *key: str) -> Noise:
        found = self._noises.get(key)
        if found is None:
            found = self._noises[key] = Noise(self.seed, *key)
        return found

    def index_price(self, market: DemoMarket, hour: float) -> float:
        """USD per contract unit at `hour` (hours since 1970, with a part): the same on every exchange."""
        asset = market.asset
        wide, narrow = (0.2, 0.03) if asset.asset_class in ("crypto", "prelaunch") else (0.05, 0.008)
        move = wide * self.noise("drift", asset.key).curve(hour / _DRIFT_HOURS)
        move += narrow * self.noise("swing", asset.key).curve(hour / _SWING_HOURS)
        return asset.price_usd * market.multiplier * (1 + move)

    def mark_price(self, market: DemoMarket, hour: float) -> float:
        """The exchange's own mark: the index moved by at most half a percent of premium."""
        premium = self.premium(market, int(hour // 1))
        return self.index_price(market, hour) * (1 + max(-0.005, min(0.005, premium)))

    def volume_24h_usd(self, market: DemoMarket, hour: float) -> float:
        size = 2.4e10 * pow(market.asset.rank + 1.6, -1.35) * _VENUE_SHARE[market.exchange] * market.size
        return size * (1 + 0.5 * self.noise("volume", market.exchange, market.symbol).curve(hour / 24))

    def open_interest_usd(self, market: DemoMarket, hour: float) -> float:
        noise = self.noise("interest", market.exchange, market.symbol)
        size = 1.1e10 * pow(market.asset.rank + 1.6, -1.3) * _VENUE_SHARE[market.exchange] * market.size
        return size * (1 + 0.4 * noise.curve(hour / 90))

    def premium(self, market: DemoMarket, hour: int) -> float:
        """The mean premium over (hour, hour + 1], a fraction per 8 h."""
        return self._block(market, hour // BLOCK)[hour % BLOCK]

    def typical_premium(self, market: DemoMarket) -> float:
        """What the premium of a market moves around, a fraction per 8 h."""
        return self._temper(market).centre

    def _block(self, market: DemoMarket, number: int) -> "array[float]":
        key = (market.exchange, market.symbol)
        blocks = self._premiums.get(key)
        if blocks is None:
            blocks = self._premiums[key] = {}
        block = blocks.get(number)
        if block is None:
            t = self._temper(market)
            first = number * BLOCK
            here = self._level(t, first)
            step = (self._level(t, first + BLOCK) - here) / BLOCK
            noise = t.hourly_noise.block(number)
            unrest = t.unrest
            block = array("d", [here + step * i + unrest * v for i, v in enumerate(noise)])
            blocks[number] = block
        return block

    @staticmethod
    def _level(t: _Temper, hour: int) -> float:
        position = hour / _REGIME_HOURS
        level = t.centre + t.regime * t.asset_noise.curve(position)
        return level + t.own_regime * t.own_noise.curve(position) if t.own_regime else level

    def rate(self, market: DemoMarket, premium: float, hours: int) -> float:
        """The fraction paid for `hours` at a mean `premium`, not yet rounded as the exchange rounds."""
        pull = market.interest_8h - premium
        if pull > CLAMP:
            pull = CLAMP
        elif pull < -CLAMP:
            pull = -CLAMP
        else:
            return market.interest_8h * market.factor * hours / 8
        return (premium + pull) * market.factor * hours / 8

    def settled(self, market: DemoMarket, hour: int, interval: int) -> float:
        """The fraction paid at `hour` for the `interval` hours before it."""
        if interval == 1:
            return self.rate(market, self.premium(market, hour - 1), 1)
        mean = sum(self.premium(market, h) for h in range(hour - interval, hour)) / interval
        return self.rate(market, mean, interval)

    def estimate(self, market: DemoMarket, seconds: float, quantum: int = 60) -> float:
        """The running fraction for the interval in progress; recomputed every `quantum` seconds."""
        hour = int(seconds // 3600)
        interval = market.interval(hour)
        start = hour - hour % interval
        mean = sum(self.premium(market, h) for h in range(start, hour + 1)) / (hour + 1 - start)
        tick = int(seconds // quantum)
        left = (start + interval) * 3600 - tick * quantum - SETTLED_BEFORE_SECONDS
        if left > 0:
            unrest = self.noise("running", market.exchange, market.symbol).at(tick)
            mean += 0.0001 * unrest * left / (interval * 3600)
        return self.rate(market, mean, interval)

    def _temper(self, market: DemoMarket) -> _Temper:
        key = (market.exchange, market.symbol)
        found = self._tempers.get(key)
        if found is None:
            found = self._tempers[key] = self._new_temper(market)
        return found

    def _new_temper(self, market: DemoMarket) -> _Temper:
        asset = market.asset
        mood = share(self.seed, "mood", asset.key)
        strength = share(self.seed, "strength", asset.key)
        if asset.asset_class != "crypto" or asset.rank < MAJORS:
            mood *= 0.8
        centre, regime, unrest = market.interest_8h, 0.00012, 0.0002
        if 0.35 <= mood < 0.66:
            centre, regime, unrest = centre + 0.001 * (strength - 0.5), 0.0007, 0.0003
        elif 0.66 <= mood < 0.82:
            centre, regime, unrest = 0.0009 + 0.0012 * strength, 0.0006, 0.0003
        elif 0.82 <= mood < 0.972:
            centre, regime, unrest = -0.0008 - 0.0014 * strength, 0.0007, 0.0003
        elif mood >= 0.972:
            centre = (0.0025 + 0.0125 * strength**2) * (1 if mood > 0.986 else -1)
            regime, unrest = 0.6 * abs(centre), 0.0008
        own_regime = 0.0
        unlike = share(self.seed, "unlike", market.exchange, market.symbol) * (
            4 if asset.rank < MAJORS else 1
        )
        if unlike < 0.16:
            centre += 0.0005 + 0.009 * unlike if unlike < 0.08 else -0.0005 - 0.009 * (unlike - 0.08)
            own_regime = 0.0004
        return _Temper(
            centre,
            regime,
            unrest,
            own_regime,
            self.noise("regime", asset.key),
            self.noise("own", market.exchange, market.symbol),
            self.noise("hourly", market.exchange, market.symbol),
        )
