"""A laptop's week, accelerated: in the end nothing is missing that could be had, and nobody was told a lie.

Lid closed at night and over lunch, trains without a network or with half of one, a hotel's page in the place
of every answer, a clock that is wrong and corrected in both directions, a journey through two time zones over
the end of summer time, restarts, `kill -9`, a full disk and room again.
`FUNDWATCH_TRIALS=10` multiplies the weeks, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import os
import random
from pathlib import Path

import pytest
from msgspec import structs

from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from tests.rigs import etiquette, oracle, second_reader
from tests.rigs.gapkeeper import Gapkeeper, said
from tests.rigs.life import Life
from tests.rigs.life_clock import locally
from tests.rigs.small_world import FEW, without_ballast
from tests.rigs.weather import DAY, Turn, Weather
from tests.rigs.witness import Witness
from tests.virtual_time import run_virtually

MONDAY = 1_792_972_800
"""2026-10-26 00:00 UTC. Summer time ends in Europe on the day before at 01:00 UTC, in the United States on
2026-11-01 at 06:00 UTC."""

TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "500"))


def week(seed: int) -> Weather:
    """From Saturday night to the Sunday of the week after, then a day at rest."""
    rng = random.Random(seed)
    start = MONDAY - 26 * HOUR
    weather = Weather(start, MONDAY + 6.8 * DAY, 0.0, rng=rng)
    turns: list[Turn] = []
    forward = rng.choice((0, 1))
    for day in range(7):
        morning = MONDAY + day * DAY + 8 * HOUR
        turns.append(Turn(morning - rng.uniform(9, 10) * HOUR, "sleep", rng.uniform(7, 8.5) * HOUR))
        turns.append(Turn(morning + rng.uniform(4, 5) * HOUR, "sleep", rng.uniform(300, 5000)))
        on_the_train = morning + rng.uniform(0, 1) * HOUR
        kind = rng.choice(("dns", "unreachable", "reset", "hang"))
        weather.networks.append((on_the_train, on_the_train + rng.uniform(120, 3600), kind))
        ahead = (1 if day % 2 == forward else -1) * rng.choice(
            (2.0, 45.0, 400.0, 2 * HOUR, 7.5 * HOUR, 3 * DAY, 25 * DAY)
        )
        wrong = morning + rng.uniform(1.5, 3.5) * HOUR
        turns += [Turn(wrong, "clock", ahead), Turn(wrong + rng.uniform(60, 5000), "clock", 0.0)]
        turns.append(
            Turn(morning + rng.uniform(6, 7) * HOUR, "kill" if day % 3 else "stop", rng.uniform(2, 900))
        )
        turns.append(Turn(morning + rng.uniform(10, 11) * HOUR, "kill", rng.uniform(2, 60)))
    # A flight on Thursday; summer time ends here on the first day and there on the last.
    turns += [
        Turn(start + 1, "zone", zone="Europe/Berlin"),
        Turn(MONDAY + 3.3 * DAY, "zone", zone="America/New_York"),
    ]
    landed = MONDAY + 3.3 * DAY + rng.uniform(0, 2) * HOUR
    weather.networks.append((landed, landed + rng.uniform(300, 2000), "html"))  # the hotel's own page first
    full = MONDAY + 2.5 * DAY + rng.uniform(0, 3) * HOUR
    turns += [Turn(full, "full"), Turn(full + rng.uniform(1, 5) * HOUR, "room")]
    weather.outages["lighter"] = [(MONDAY + 3.4 * DAY, MONDAY + 4.2 * DAY)]
    weather.hours["binance", int((MONDAY + 4.6 * DAY) // HOUR)] = "418:5000"
    weather.turns = sorted(turn for turn in turns if turn.at > start)
    return weather


@pytest.mark.parametrize("seed", [SEED + trial for trial in range(TRIALS)])
def test_a_laptops_week_leaves_no_hole_that_could_have_been_filled(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)

    async def live() -> None:
        # The trackers' rows are looked at after every step; by hand, `status` and `gaps` in every fifth week.
        asked_every = 0.0 if TRIALS > 1 and seed % 5 == 0 else HOUR
        witness, keeper = Witness(asked_every), Gapkeeper(asked_every)

        def check(life: Life) -> None:
            witness(life)
            keeper(life)

        life = Life(
            tmp_path,
            seed,
            week(seed),
            history_days=9,
            quotes_every="1h",
            check=check,
            tickers=FEW,
            by_itself=True,
        )
        locally(life, monkeypatch.setattr, 100)
        await life.live(life.weather.end + 1.1 * DAY)
        wrong = oracle.missing_or_wrong(life, since=MONDAY - 6 * DAY)
        rude = [told for name, wire in life.wires.items() for told in etiquette.complaints(name, wire.log)]
        at_rest = said(life)
        life.disturbed = life.clock.true()
        await life.end()
        assert not wrong, oracle.told(wrong, life)
        assert not witness.complaints, oracle.told(witness.complaints, life)
        assert not keeper.complaints, oracle.told(keeper.complaints, life)
        assert not rude, oracle.told(rude, life)
        assert {one.exchange: one.missing_hours for one in at_rest.exchanges} == dict.fromkeys(REGISTRY, 0)
        assert keeper.looked > 130
        assert witness.rows > 7 * 800
        assert witness.looked > 7 * 130
        assert {"ok", "error"} <= witness.words.keys()
        assert second_reader.complaint(life.database) == "ok"

    run_virtually(live())


def test_the_gapkeeper_sees_what_gaps_would_hide_or_invent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)
    weather = Weather(MONDAY, MONDAY + DAY, 0.0)
    weather.outages["lighter"] = [(MONDAY + 8 * HOUR, MONDAY + DAY)]

    async def live() -> None:
        life = Life(tmp_path, 0, weather, exchanges=("lighter", "binance"), history_days=2)
        await life.live(MONDAY + 12 * HOUR)
        answer = said(life)
        keeper = Gapkeeper()
        own, other = (
            next(one for one in answer.exchanges if one.exchange == name) for name in ("lighter", "binance")
        )
        assert own.missing_hours > 20
        assert list(keeper.untrue(life, answer)) == []
        [first, *rest] = answer.gaps
        assert first.exchange == "lighter"
        lies = {
            "more is stored": structs.replace(
                answer, exchanges=[structs.replace(other, stored_hours=other.stored_hours + 1)]
            ),
            "less is missing": structs.replace(
                answer, exchanges=[structs.replace(own, missing_hours=own.missing_hours - 1)]
            ),
            "a gap is hidden": structs.replace(answer, gaps=rest),
            "a market that never was": structs.replace(
                answer, gaps=[*answer.gaps, structs.replace(first, symbol="NEVER")]
            ),
            "stored and missing": structs.replace(
                answer, gaps=[structs.replace(first, start=first.start - HOUR, hours=first.hours + 1), *rest]
            ),
            "given up": structs.replace(answer, gaps=[structs.replace(first, state="gone"), *rest]),
        }
        assert [lie for lie, told in lies.items() if not list(keeper.untrue(life, told))] == []
        await life.end()

    run_virtually(live())
