"""What goes wrong in a simulated life, and when: drawn from a seed before it begins.

Times are true ones (UTC seconds), apart from what our own clock believes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from fundwatch.models import HOUR

DAY = 24 * HOUR

KINDS = (
    "500", "502", "503", "429", "429:600", "429:7200", "418", "418:5400", "403", "451", "html", "404",
    "hang", "truncate", "reset", "redirect", "half", "empty", "duplicates", "drift", "nan", "nan-bare",
    "jitter", "missing-rows", "one-symbol",
)  # fmt: skip
TRANSIENT = ("500", "503", "reset", "truncate", "hang", "refused")

What = Literal["sleep", "clock", "zone", "stop", "kill", "full", "room"]


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """Something that happens to our machine at `at`.

    `sleep` for `seconds`; `clock`: ours is `seconds` ahead from now on; `zone`: local time is that of
    `zone`; `stop` and `kill`: the collector ends thus and is back after `seconds`; `full`: the disk takes
    no new page, `room`: it does again.
    """

    at: float
    what: What
    seconds: float = 0.0
    zone: str = "UTC"


@dataclass(slots=True)
class Weather:
    """`hours` hold the fault of single hours by exchange, `outages` (start, end) when it cannot be reached
    at all, `networks` (start, end, fault) when none can; `transient_share` of all other requests fail once.
    """

    start: float
    end: float
    share: float
    hours: dict[tuple[str, int], str] = field(default_factory=dict)
    outages: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    networks: list[tuple[float, float, str]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    transient_share: float = 0.0
    rng: random.Random = field(default_factory=random.Random)

    def standing(self, exchange: str, at: float) -> str:
        """The fault that every request to `exchange` meets at `at`; "" for none."""
        for start, end, kind in self.networks:
            if start <= at < end:
                return kind
        if any(start <= at < end for start, end in self.outages.get(exchange, ())):
            return "refused"
        return self.hours.get((exchange, int(at // HOUR)), "")

    def of(self, exchange: str, at: float) -> str:
        if kind := self.standing(exchange, at):
            return kind
        if at < self.end and self.rng.random() < self.transient_share:
            return self.rng.choice(TRANSIENT)
        return ""


def drawn(
    seed: int,
    share: float,
    exchanges: Sequence[str],
    start: float,
    days: float,
    *,
    longest_sleep_days: float = 1.5,
    wrong_clock: bool = True,
    kinds: Sequence[str] = KINDS,
    full_disk: bool = False,
) -> Weather:
    """`share` of the hours of each exchange have a fault; outages, sleeps, wrong clocks and restarts come
    the more often the larger it is; most sleeps are short. Nothing goes wrong after `start` + `days`."""
    rng = random.Random(seed)
    end = start + days * DAY
    weather = Weather(start, end, share, transient_share=share / 10, rng=random.Random(seed + 1))
    for exchange in exchanges:
        for hour in range(int(start // HOUR), int(end // HOUR)):
            if rng.random() < share:
                weather.hours[exchange, hour] = rng.choice(kinds)
        weather.outages[exchange] = [
            (at, min(end, at + rng.uniform(1, 48) * HOUR)) for at in _times(rng, start, end, share / 4)
        ]
    weather.networks = [
        (at, min(end, at + rng.uniform(60, 2 * HOUR)), "dns") for at in _times(rng, start, end, 2 * share)
    ]
    turns = [
        Turn(at, "sleep", (24 * longest_sleep_days) ** rng.random() * HOUR)
        for at in _times(rng, start, end - longest_sleep_days * DAY, share / 2)
    ]
    if wrong_clock:
        for at in _times(rng, start, end - DAY, share):
            ahead = rng.choice((-1, 1)) * 10 ** rng.uniform(0, 6.41)
            turns += [Turn(at, "clock", ahead), Turn(at + 10 ** rng.uniform(2, 4.8), "clock", 0.0)]
    for at in _times(rng, start, end, 3 * share):
        turns.append(Turn(at, rng.choice(("stop", "kill")), rng.uniform(1, 1800)))
    if full_disk:
        for at in _times(rng, start, end - DAY, share):
            turns += [Turn(at, "full"), Turn(at + rng.uniform(0.2, 8) * HOUR, "room")]
    turns.append(Turn(end, "clock", 0.0))
    turns.append(Turn(end, "room"))
    weather.turns = sorted(turns)
    return weather


def _times(rng: random.Random, start: float, end: float, per_day: float) -> list[float]:
    """Random moments, `per_day` on the average."""
    found = []
    at = start
    while per_day > 0:
        at += rng.expovariate(per_day / DAY)
        if at >= end:
            break
        found.append(at)
    return found
