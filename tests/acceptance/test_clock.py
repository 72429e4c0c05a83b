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
from tests.rigs.life import Life
from tests.rigs.life_clock import locally
from tests.rigs.small_world import without_ballast
from tests.rigs.weather import DAY, Turn, Weather
from tests.virtual_time import run_virtually

TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "900"))
SCRIPTS = 50 * TRIALS

TICKERS: Mapping[str, str] = {
    "lighter": "BTC",
    "hyperliquid": "BTC",
    "binance": "BTCUSDT KAITOUSDT",
    "aster": "BTCUSDT VVVUSDT MONUSDT",
    "extended": "BTC-USD",
    "paradex": "BTC-USD-PERP",
    "variational": "BTC HYPE",
}
SETTLED = ("lighter", "hyperliquid", "binance", "aster", "extended")
AT_ONCE = 2 if TRIALS == 1 else 3
"""So many exchanges go through one script, each time others."""

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

COMPARED = 2 if TRIALS == 1 else len(CHANGES)
"""Of so many changes the rows are also held, one by one, against a life in which nothing happened; the oracle
holds all of them against the truth."""

BEFORE_HOURS, AFTER_HOURS = 4, 9
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
        turns.append(Turn(rng.uniform(start, change), "sleep", rng.uniform(60, BEFORE_HOURS * HOUR)))
    if rng.random() < 0.3:
        turns.append(Turn(rng.uniform(start, last), rng.choice(("stop", "kill")), rng.uniform(1, 600)))
    turns.append(Turn(last, "clock", 0.0))
    weather.turns = sorted(turns)
    return weather


Rows = dict[str, dict[str, list[second_reader.Row]]]


def some(seed: int) -> tuple[str, ...]:
    """The exchanges of a script: over the scripts all come equally often, and beside different others."""
    names = list(TICKERS)
    return tuple(names[(seed + seed // 7 % 3 * number + number) % 7] for number in range(AT_ONCE))


def rows_of(
    weather: Weather, folder: Path, monkeypatch: pytest.MonkeyPatch, exchanges: tuple[str, ...]
) -> tuple[Rows, list[str]]:
    """What is stored in the end, and what the oracle has to say of it."""

    async def live() -> tuple[Rows, list[str]]:
        life = Life(
            folder,
            0,
            weather,
            exchanges=exchanges,
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
        found, wrong = rows_of(Weather(start, start, 0.0), Path(folder), patched, SETTLED)
        assert not wrong
        return found


@pytest.mark.parametrize("seed", range(SEED, SEED + SCRIPTS))
def test_the_rows_are_those_of_an_undisturbed_clock(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather = script(seed)
    exchanges = some(seed)
    found, wrong = rows_of(weather, tmp_path, monkeypatch, exchanges)
    assert not wrong, f"seed {seed}: {wrong[:20]}"
    if seed % len(CHANGES) >= COMPARED:
        return
    calm = undisturbed(weather.start)
    since = weather.start - DAY / 2
    for exchange in set(SETTLED).intersection(exchanges):
        ours, theirs = (_since(found[exchange], since), _since(calm[exchange], since))
        assert ours.keys() == theirs.keys(), f"seed {seed}: {exchange}"
        for symbol, rows in ours.items():
            # Whether quotes told the interval of a newborn's first payment depends on the clock.
            if rows and rows[0].interval_hours is None:
                rows[0] = rows[0]._replace(interval_hours=theirs[symbol][0].interval_hours)
            assert rows == theirs[symbol], f"seed {seed}: {exchange} {symbol}"


def _since(rows: Mapping[str, list[second_reader.Row]], since: float) -> dict[str, list[second_reader.Row]]:
    return {symbol: [row for row in own if row.funding_time > since] for symbol, own in rows.items()}


def test_a_clock_that_is_trusted_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the exchanges' own time counts for nothing, rows of hours appear that have not come yet."""
    monkeypatch.setattr(Http, "ahead_seconds", lambda _: 0.0)
    _, wrong = rows_of(script(902), tmp_path, monkeypatch, ("lighter", "aster"))
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


def test_what_was_paid_in_a_sleep_does_not_take_the_interval_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five days in which nobody looked: an interval has changed, and unreadable rows part the others.

    Found in 90 days at 5 %, seed 100.
    """
    change = 1_798_848_000  # 2027-01-02 00:00 UTC
    asleep = change - 9 * HOUR
    woken = asleep + 121 * HOUR
    weather = Weather(change - 20 * HOUR, change + 5 * DAY, 0.0)
    for hour in (-1, 0):
        weather.hours["aster", int(woken // HOUR) + hour] = "nan"
    weather.turns = [Turn(asleep, "sleep", woken - asleep - 300)]
    assert _wrong_of_aster(tmp_path, weather, woken + 10 * HOUR, monkeypatch) == []


def test_a_payment_lost_at_a_change_does_not_lend_its_interval_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four hours end at midnight, hourly payments follow; nobody answers then, and later without that row.

    Found in 90 days at 50 %, seed 300.
    """
    change = 1_797_552_000  # 2026-12-18 00:00 UTC
    weather = Weather(change - 20 * HOUR, change + 4 * HOUR, 0.0)
    for hour, fault in enumerate(("500", "missing-rows", "502", "empty")):
        weather.hours["aster", change // HOUR + hour] = fault
    assert _wrong_of_aster(tmp_path, weather, change + 9 * HOUR, monkeypatch) == []


def _wrong_of_aster(
    folder: Path, weather: Weather, until: float, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    async def live() -> list[str]:
        life = Life(folder, 7, weather, exchanges=("aster",), history_days=10, quotes_every="1h")
        await life.live(until)
        wrong = oracle.missing_or_wrong(life, since=weather.start)
        await life.end()
        return wrong

    without_ballast(monkeypatch.setattr)
    return run_virtually(live())
