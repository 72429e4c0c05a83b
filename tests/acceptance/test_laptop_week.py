"""A laptop's week, accelerated: in the end nothing is missing that could be had, and nobody was told a lie.

Lid closed at night and over lunch, trains without a network, names that do not resolve, a clock that is wrong
and corrected in both directions, a journey through two time zones over the end of summer time, restarts,
`kill -9`, a full disk and room again.
`FUNDWATCH_TRIALS=10` multiplies the weeks, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from fundwatch.answers.gaps import Gaps, gaps
from fundwatch.models import HOUR
from fundwatch.storage.database import reader
from tests.rigs import etiquette, oracle, second_reader
from tests.rigs.life import Life, locally
from tests.rigs.small_world import without_ballast
from tests.rigs.weather import DAY, Turn, Weather
from tests.rigs.witness import Witness
from tests.virtual_time import run_virtually

MONDAY = 1_792_972_800
"""2026-10-26 00:00 UTC. Summer time ends in Europe on the day before at 01:00 UTC, in the United States on
2026-11-01 at 06:00 UTC."""

EXCHANGES = ("lighter", "binance", "paradex", "variational")
TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "500"))


def week(seed: int) -> Weather:
    """From Saturday night to the Sunday of the week after, then a day at rest."""
    rng = random.Random(seed)
    start = MONDAY - 26 * HOUR
    weather = Weather(start, MONDAY + 6.8 * DAY, 0.0, rng=rng)
    turns: list[Turn] = []
    for day in range(7):
        morning = MONDAY + day * DAY + 8 * HOUR
        turns.append(Turn(morning - rng.uniform(9, 10) * HOUR, "sleep", rng.uniform(7, 8.5) * HOUR))
        turns.append(Turn(morning + rng.uniform(4, 5) * HOUR, "sleep", rng.uniform(300, 5000)))
        on_the_train = morning + rng.uniform(0, 1) * HOUR
        weather.networks.append((on_the_train, on_the_train + rng.uniform(120, 3600)))
        ahead = rng.choice((-1, 1)) * rng.choice((2.0, 45.0, 400.0, 2 * HOUR, 7.5 * HOUR, 3 * DAY, 25 * DAY))
        wrong = morning + rng.uniform(1.5, 3.5) * HOUR
        turns += [Turn(wrong, "clock", ahead), Turn(wrong + rng.uniform(60, 5000), "clock", 0.0)]
        turns.append(
            Turn(morning + rng.uniform(6, 7) * HOUR, rng.choice(("stop", "kill")), rng.uniform(2, 900))
        )
        turns.append(Turn(morning + rng.uniform(10, 11) * HOUR, "kill", rng.uniform(2, 60)))
    # A flight on Thursday; summer time ends here on the first day and there on the last.
    turns += [
        Turn(start + 1, "zone", zone="Europe/Berlin"),
        Turn(MONDAY + 3.3 * DAY, "zone", zone="America/New_York"),
    ]
    full = MONDAY + 2.5 * DAY + rng.uniform(0, 3) * HOUR
    turns += [Turn(full, "full"), Turn(full + rng.uniform(1, 5) * HOUR, "room")]
    weather.outages["lighter"] = [(MONDAY + 3.4 * DAY, MONDAY + 4.2 * DAY)]
    weather.hours["binance", int((MONDAY + 4.6 * DAY) // HOUR)] = "418:5000"
    weather.turns = sorted(turn for turn in turns if turn.at > start)
    return weather


class Gapkeeper:
    """A witness that also holds what `gaps` says against the truth."""

    def __init__(self) -> None:
        self.witness = Witness()
        self.complaints: list[str] = []
        self.looked = 0
        self._next = 0.0

    def __call__(self, life: Life) -> None:
        self.witness(life)
        now = life.clock.true()
        if life.clock.ahead or now < self._next:
            return
        self._next = now + HOUR
        self.looked += 1
        self.complaints += untrue(life, said(life))


def said(life: Life) -> Gaps:
    with reader(life.database) as db:
        return gaps(db, life.config, life.clock.now())


def untrue(life: Life, answer: Gaps) -> Iterator[str]:
    """Market-hours of hourly markets, as counted from the truth and the second reader."""
    stored = second_reader.settlements(life.database).get("lighter", {})
    known = second_reader.markets(life.database).get("lighter", {})
    [own] = [one for one in answer.exchanges if one.exchange == "lighter"]
    lacking: set[tuple[str, int]] = set()
    found = 0
    for market in life.world.markets("lighter", answer.since, answer.until):
        if market.symbol not in known:
            continue
        hours = {row.funding_time for row in stored.get(market.symbol, ()) if answer.since < row.funding_time}
        found += len(hours)
        first = min(hours, default=answer.until)
        due = oracle.promises(life, "lighter", market, answer.since, answer.until)
        last = oracle.last_listed(life, "lighter", market)
        lacking |= {(market.symbol, p.funding_time) for p in due if first < p.funding_time <= last} - {
            (market.symbol, hour) for hour in hours
        }
    if own.stored_hours != found:
        yield f"{life.clock.true():.0f} gaps: {own.stored_hours} h stored, truth {found}"
    told = {
        (gap.symbol, hour)
        for gap in answer.gaps
        if gap.exchange == "lighter" and gap.state == "missing"
        for hour in range(gap.start + HOUR, gap.end + 1, HOUR)
    }
    if unknown := lacking - told:
        yield f"{life.clock.true():.0f} gaps: {len(unknown)} h kept quiet, {sorted(unknown)[:3]}"
    listed = {m.symbol: m for m in life.world.markets("lighter", answer.since, answer.until)}
    invented = {
        (symbol, hour)
        for symbol, hour in told - lacking
        if symbol not in listed or not listed[symbol].pays(hour // HOUR)
    }
    if invented:
        yield f"{life.clock.true():.0f} gaps: {len(invented)} h that never were, {sorted(invented)[:3]}"


@pytest.mark.parametrize("seed", [SEED + trial for trial in range(TRIALS)])
def test_a_laptops_week_leaves_no_hole_that_could_have_been_filled(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)

    async def live() -> None:
        keeper = Gapkeeper()
        life = Life(
            tmp_path, seed, week(seed), exchanges=EXCHANGES, history_days=9, check=keeper, by_itself=True
        )
        locally(life, monkeypatch.setattr, 50)
        await life.live(life.weather.end + 1.1 * DAY)
        wrong = oracle.missing_or_wrong(life, since=MONDAY - 6 * DAY)
        rude = [told for name, wire in life.wires.items() for told in etiquette.complaints(name, wire.log)]
        at_rest = said(life)
        life.disturbed = life.clock.true()
        await life.end()
        assert not wrong, oracle.told(wrong, life)
        assert not keeper.witness.complaints, oracle.told(keeper.witness.complaints, life)
        assert not keeper.complaints, oracle.told(keeper.complaints, life)
        assert not rude, oracle.told(rude, life)
        assert [(one.exchange, one.missing_hours) for one in at_rest.exchanges if one.missing_hours] == []
        assert keeper.looked > 90
        assert {"ok", "error"} <= keeper.witness.words.keys()
        assert second_reader.complaint(life.database) == "ok"

    run_virtually(live())


def test_the_gapkeeper_sees_what_gaps_would_hide_or_invent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)
    weather = Weather(MONDAY, MONDAY + DAY, 0.0)
    weather.outages["lighter"] = [(MONDAY + 8 * HOUR, MONDAY + DAY)]

    async def live() -> None:
        life = Life(tmp_path, 0, weather, exchanges=("lighter",), history_days=2)
        await life.live(MONDAY + 12 * HOUR)
        answer = said(life)
        await life.end()
        [own] = [one for one in answer.exchanges if one.exchange == "lighter"]
        others = [one for one in answer.exchanges if one.exchange != "lighter"]
        assert own.missing_hours > 20
        assert list(untrue(life, answer)) == []
        boast = structs.replace(own, stored_hours=own.stored_hours + 1)
        assert list(untrue(life, structs.replace(answer, exchanges=[boast, *others])))
        assert list(untrue(life, structs.replace(answer, gaps=answer.gaps[1:])))
        [first, *rest] = answer.gaps
        early = structs.replace(first, symbol="NEVER")
        assert list(untrue(life, structs.replace(answer, gaps=[first, early, *rest])))

    run_virtually(live())
