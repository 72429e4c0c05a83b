"""However the clock is set, whatever zone it shows, however long the machine sleeps: the rows are the same.

`FUNDWATCH_TRIALS=10` multiplies the scripts, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import os
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fundwatch.exchanges.http import Http
from fundwatch.models import HOUR
from tests.rigs import oracle, second_reader
from tests.rigs.life import Life, locally
from tests.rigs.small_world import without_ballast
from tests.rigs.weather import DAY, Turn, Weather
from tests.virtual_time import run_virtually

TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "900"))
SCRIPTS = 50 * TRIALS

TICKERS: Mapping[str, str] = {
    "lighter": "BTC ETH",
    "aster": "BTCUSDT VVVUSDT MONUSDT",
    "paradex": "BTC-USD-PERP",
    "variational": "BTC HYPE",
}
SETTLED = ("lighter", "aster")

CHANGES = [
    ("Europe/Berlin", 1_774_746_000),  # 2026-03-29 01:00 UTC, forward
    ("Europe/Berlin", 1_792_890_000),  # 2026-10-25 01:00 UTC, back
    ("America/New_York", 1_772_953_200),  # 2026-03-08 07:00 UTC, forward
    ("America/New_York", 1_793_512_800),  # 2026-11-01 06:00 UTC, back
    ("Australia/Lord_Howe", 1_775_314_800),  # 2026-04-04 15:00 UTC, back by half an hour
    ("Australia/Lord_Howe", 1_791_041_400),  # 2026-10-03 15:30 UTC, forward by half an hour
    ("America/Santiago", 1_788_667_200),  # 2026-09-06 04:00 UTC, forward at midnight
    ("Pacific/Auckland", 1_790_431_200),  # 2026-09-26 14:00 UTC, forward
]
"""Zones and moments (UTC seconds) at which their clocks change."""

BEFORE_HOURS, AFTER_HOURS = 5, 10
LAST_TURN_HOURS = 4
"""So long after the change the last correction comes; the rest of the time heals."""


def script(seed: int) -> Weather:
    """A change of summer time with jumps of 1 s to 30 days, corrections, sleeps and restarts around it."""
    rng = random.Random(seed)
    zone, change = CHANGES[seed % len(CHANGES)]
    start = change - BEFORE_HOURS * HOUR
    last = change + LAST_TURN_HOURS * HOUR
    weather = Weather(start, last, 0.0)
    turns = [Turn(start + 1, "zone", zone=zone)]
    if rng.random() < 0.4:
        turns.append(Turn(rng.uniform(start, last), "zone", zone=rng.choice(CHANGES)[0]))
    for _ in range(rng.randint(1, 4)):
        ahead = rng.choice((-1, 1)) * 10 ** rng.uniform(0, 6.41)
        turns.append(Turn(rng.uniform(start, last), "clock", ahead))
    if rng.random() < 0.5:
        turns.append(Turn(rng.uniform(start, change), "sleep", rng.uniform(60, 5 * HOUR)))
    if rng.random() < 0.3:
        turns.append(Turn(rng.uniform(start, last), rng.choice(("stop", "kill")), rng.uniform(1, 600)))
    turns.append(Turn(last, "clock", 0.0))
    weather.turns = sorted(turns)
    return weather


Rows = dict[str, dict[str, list[second_reader.Row]]]


def rows_of(weather: Weather, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Rows, list[str]]:
    """What is stored in the end, and what the oracle has to say of it."""

    async def live() -> tuple[Rows, list[str]]:
        life = Life(
            folder,
            0,
            weather,
            exchanges=tuple(TICKERS),
            tickers=TICKERS,
            history_days=1,
            quotes_every="1h",
            by_itself=True,
        )
        locally(life, monkeypatch.setattr, 200)
        change = weather.start + BEFORE_HOURS * HOUR
        await life.live(change + AFTER_HOURS * HOUR)
        found = second_reader.settlements(life.database)
        wrong = oracle.missing_or_wrong(life, since=weather.start - DAY / 2)
        await life.end()
        return found, wrong

    with monkeypatch.context() as patched:
        without_ballast(patched.setattr)
        monkeypatch = patched
        return run_virtually(live())


@cache
def undisturbed(start: float) -> Rows:
    """The same hours in UTC, with nothing happening."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        found, wrong = rows_of(Weather(start, start, 0.0), Path(folder), patched)
        assert not wrong
        return found


@pytest.mark.parametrize("seed", range(SEED, SEED + SCRIPTS))
def test_the_rows_are_those_of_an_undisturbed_clock(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather = script(seed)
    found, wrong = rows_of(weather, tmp_path, monkeypatch)
    assert not wrong, f"seed {seed}: {wrong[:20]}"
    calm = undisturbed(weather.start)
    since = weather.start - DAY / 2
    for exchange in SETTLED:
        ours = {s: [row for row in rows if row.funding_time > since] for s, rows in found[exchange].items()}
        theirs = {s: [row for row in rows if row.funding_time > since] for s, rows in calm[exchange].items()}
        assert ours == theirs, f"seed {seed}: {exchange}"


def test_a_clock_that_is_trusted_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the exchanges' own time counts for nothing, rows of hours appear that have not come yet."""
    monkeypatch.setattr(Http, "ahead_seconds", lambda _: 0.0)
    _, wrong = rows_of(script(902), tmp_path, monkeypatch)
    assert wrong


def test_a_market_that_closes_while_the_clock_is_ahead_is_not_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last sight must not lie days ahead: those hours would be missing for ever."""
    start = 1_795_176_000 + 50 * HOUR
    weather = Weather(start, start + DAY, 0.0)
    weather.turns = [Turn(start + 8 * HOUR, "clock", 5.0 * DAY), Turn(start + 11.5 * HOUR, "clock", 0.0)]

    async def live() -> None:
        life = Life(tmp_path, 0, weather, exchanges=("paradex",), history_days=2)
        await life.live(start + 16 * HOUR)
        closed = [
            m.symbol
            for m in life.world.markets("paradex", start, start + DAY)
            if m.closed_hour is not None and start < m.closed_hour * HOUR < start + 14 * HOUR
        ]
        assert closed
        late = [
            sent
            for sent in life.wires["paradex"].log
            if sent.at > start + 15 * HOUR and sent.params.get("market") in closed
        ]
        await life.end()
        assert late == []

    without_ballast(monkeypatch.setattr)
    run_virtually(live())
