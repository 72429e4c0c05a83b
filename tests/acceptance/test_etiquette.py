"""Never a request inside a ban, never more than promised in any rolling window: also over restarts and kills.

The simulated lives of `test_life` are held to the same; here there is so much to fetch that budgets bind, and
processes die in the middle of it. `FUNDWATCH_TRIALS=10` multiplies the days, `FUNDWATCH_SEED` moves them;
a failure names its seed.
"""

import os
import random
from pathlib import Path

import pytest

from fundwatch.demo.listings import listing
from fundwatch.exchanges import load
from fundwatch.exchanges.budget import PACE
from fundwatch.models import HOUR
from tests.rigs import etiquette, oracle
from tests.rigs.life import Life
from tests.rigs.life_clock import locally
from tests.rigs.small_world import Wire, without_ballast
from tests.rigs.weather import Turn, Weather
from tests.virtual_time import run_virtually

START = 1_795_176_000
TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "300"))

SIZES = {
    "lighter": 100, "hyperliquid": 100, "binance": 40, "aster": 40, "extended": 40, "paradex": 6,
    "variational": 12,
}  # fmt: skip
BANS = ("429", "429:90", "429:1200", "429:4000", "418", "418:1800", "403", "451", "html")
HOURS = 3


def crowds() -> dict[str, str]:
    """The largest markets of each exchange: enough that its budget binds."""
    return {
        name: " ".join([m.symbol for m in listing(name).lasting if m.group in ("", "xyz")][:size])
        for name, size in SIZES.items()
    }


def hectic(seed: int, restarts_an_hour: float) -> Weather:
    """Hours in which venues turn us away now and then, and we die often."""
    rng = random.Random(seed)
    weather = Weather(START, START + HOURS * HOUR, 0.0, rng=rng)
    at = START + 20.0
    while at < START + HOURS * HOUR:
        weather.turns.append(Turn(at, rng.choice(("kill", "kill", "stop")), rng.uniform(0.5, 90)))
        at += rng.expovariate(restarts_an_hour / HOUR) + 5
    for name in SIZES:
        for hour in range(1, HOURS):
            if rng.random() < 0.5:
                weather.hours[name, START // HOUR + hour] = rng.choice(BANS)
    return weather


def most_used(wire: Wire) -> float:
    """The fullest rolling window of a wire, as a share of what is promised."""
    fullest = 0.0
    for name, limit in load(wire.venue.name).facts.limits.items():
        spent = [(sent.at, sent.weight.get(name, 0.0)) for sent in wire.log]
        first, used = 0, 0.0
        for at, weight in spent:
            used += weight
            while spent[first][0] <= at - limit.seconds:
                used -= spent[first][1]
                first += 1
            fullest = max(fullest, used / (limit.weight * PACE))
    return fullest


@pytest.mark.parametrize("seed", [SEED + trial for trial in range(TRIALS)])
def test_budgets_and_bans_are_kept_over_restarts_and_kills(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)

    async def live() -> None:
        life = Life(
            tmp_path,
            seed,
            hectic(seed, restarts_an_hour=30),
            exchanges=tuple(SIZES),
            tickers=crowds(),
            history_days=30,
            by_itself=True,
        )
        locally(life, monkeypatch.setattr, 5)
        await life.live(START + HOURS * HOUR)
        rude = [told for name, wire in life.wires.items() for told in etiquette.complaints(name, wire.log)]
        requests = sum(len(wire.log) for wire in life.wires.values())
        bans = sum(
            etiquette.away_until(sent) is not None for wire in life.wires.values() for sent in wire.log
        )
        fullest = {name: most_used(wire) for name, wire in life.wires.items()}
        lives = life.lives
        await life.end()
        assert not rude, oracle.told(rude, life)
        assert requests > 600, requests
        assert bans > 1
        assert lives > 40
        assert max(fullest["lighter"], fullest["hyperliquid"]) > 0.9, f"no budget was ever used up: {fullest}"

    run_virtually(live())
