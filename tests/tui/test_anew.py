"""Whatever way a person took to a screen, it says what a dashboard that is opened now would say."""

import random

import pytest
from textual.pilot import Pilot

from fundwatch.models import hourly_rate
from tests.answers.stage import NOW
from tests.tui.house import NARROW, WIDE, House, reload, screen

PANES = "12345"


def live_on(house: House, seconds: float) -> None:
    """What a busy hour changes: rates, runs, health, checks, markets and events."""
    stage, now = house.stage, int(NOW + seconds)
    ids = [number for (number,) in stage.writer.rows("SELECT market_id FROM quote ORDER BY market_id")]
    for number in ids[1:]:
        rate = hourly_rate(17.5 + number)
        stage.change(
            "UPDATE quote SET hourly_rate = ?, observed_at = ?, mark_price = 77 WHERE market_id = ?",
            *(rate, now - 40 - number, number),
        )
    house.market("lighter", "NEWEST", "NEWEST", 345.67, observed_at=now - 9)
    stage.sweep("binance", "error", "the list of markets came empty", started=now - 700)
    stage.sweep("aster", "partial", "1 of 1 markets failed", expected=1, failed=1, started=now - 650)
    stage.sweep("lighter", expected=3, failed=0, started=now - 600)
    stage.unit_check("paradex", "error", modal=1095.0)
    stage.change(
        "INSERT INTO event (time, exchange_id, kind, message)"
        " SELECT ?, id, 'listing', 'NEWEST is listed' FROM exchange WHERE name = 'lighter'",
        now - 500,
    )
    stage.beat(5 - seconds)
    house.clock.advance(seconds)


async def shown(pilot: Pilot[int]) -> str:
    """The screen once nothing comes any more."""
    await pilot.pause()
    before = ""
    while before != (now := screen(pilot)):
        before = now
        await pilot.pause(0.1)
    return now


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("seed", range(2))
async def test_after_any_walk_through_the_panes_each_is_as_if_opened_now(
    house: House, size: tuple[int, int], seed: int
) -> None:
    way = random.Random(seed)
    with house.stage.locked():
        async with house.open(size) as pilot:
            await pilot.press(*way.sample(PANES, 5))
            live_on(house, 3000.0)
            await reload(pilot)
            walked = {}
            for digit in way.sample(PANES, 5):
                await pilot.press(digit, "home")
                walked[digit] = await shown(pilot)
        for digit, seen in walked.items():
            async with house.open(size) as pilot:
                await pilot.press(digit, "home")
                assert seen == await shown(pilot), f"pane {digit}, seed {seed}"


KEYS = (*PANES, *"[]usSgcxhtl", "tab")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("seed", range(2))
async def test_it_does_not_matter_whether_numbers_come_before_a_persons_keys_or_among_them(
    house: House, size: tuple[int, int], seed: int
) -> None:
    way = random.Random(seed)
    keys = [*way.choices(KEYS, k=14), way.choice(PANES)]
    among = way.randrange(1, len(keys))
    seen = []
    with house.stage.locked():
        async with house.open(size) as pilot:
            await pilot.press(*keys[:among])
            live_on(house, 3000.0)
            await reload(pilot)
            await pilot.press(*keys[among:], "home")
            seen.append(await shown(pilot))
        async with house.open(size) as pilot:
            await pilot.press(*keys, "home")
            seen.append(await shown(pilot))
    assert seen[0] == seen[1], f"seed {seed}: {' '.join(keys)}"


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
async def test_the_screen_of_an_asset_follows_the_numbers(house: House, size: tuple[int, int]) -> None:
    to_asset = ("2", "slash", *"PEPE", "enter", "enter")
    seen = []
    with house.stage.locked():
        async with house.open(size) as pilot:
            await pilot.press(*to_asset)
            assert "PEPE" in await shown(pilot)
            live_on(house, 3000.0)
            await reload(pilot)
            await pilot.pause(1.1)  # it looks once a second
            seen.append(await shown(pilot))
        async with house.open(size) as pilot:
            await pilot.press(*to_asset)
            seen.append(await shown(pilot))
    assert seen[0] == seen[1]
