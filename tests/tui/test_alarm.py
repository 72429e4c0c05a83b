"""What is wrong is on the screen within a minute, and stays there until somebody has seen it."""

import pytest
from textual.pilot import Pilot

from fundwatch.collector.events import CollectorStarted, Trouble
from fundwatch.tui.frame.banner import Banner
from fundwatch.tui.messages import SeatSaid
from tests.answers.stage import NOW
from tests.tui.house import NARROW, WIDE, House, app_of, line, reload, screen, until

ALL_SIZES = pytest.mark.parametrize("size", [(60, 14), NARROW, (120, 40), WIDE], ids=str)


async def beating(pilot: Pilot[int], house: House, seconds: int) -> None:
    """Time goes by, with a look at the database every ten seconds as in life."""
    for _ in range(seconds // 10):
        house.clock.advance(10)
        await reload(pilot)
        app_of(pilot).tick()
        await pilot.pause()


# Who collects


@ALL_SIZES
async def test_a_collector_that_hangs_is_seen_within_a_minute(house: House, size: tuple[int, int]) -> None:
    house.stage.beat(5)
    with house.stage.locked():
        async with house.open(size) as pilot:
            assert "silent" not in screen(pilot)
            await beating(pilot, house, 50)
            assert "collector silent 55 s" in screen(pilot).splitlines()[0]
            assert " ! Collector silent: end proc" in screen(pilot)
            house.clock.advance(3)
            app_of(pilot).tick()
            await pilot.pause()
            assert "collector silent 58 s" in screen(pilot).splitlines()[0]
            house.stage.beat(-53)
            await reload(pilot)
            assert "silent" not in screen(pilot)


@ALL_SIZES
async def test_a_collector_that_died_is_seen_at_the_next_look(house: House, size: tuple[int, int]) -> None:
    house.stage.beat(15)
    lock = house.stage.locked()
    async with house.open(size) as pilot:
        assert "DEAD" not in screen(pilot)
        lock.release()
        await beating(pilot, house, 10)
        assert "collector DEAD 25 s" in screen(pilot).splitlines()[0]
        assert " ! the collector died without a word" in screen(pilot)
        house.clock.advance(7)
        app_of(pilot).tick()
        await pilot.pause()
        assert "collector DEAD 32 s" in screen(pilot).splitlines()[0]


async def test_after_a_clean_stop_the_screen_says_that_nobody_collects(house: House) -> None:
    house.stage.beat(15)
    house.stage.stop()
    async with house.open() as pilot:
        assert "nobody collects" not in screen(pilot)
        await beating(pilot, house, 10)
        assert "nobody collects" in screen(pilot).splitlines()[0]


async def test_a_screen_that_gets_nothing_new_blames_itself(house: House) -> None:
    house.stage.beat(5)
    with house.stage.locked():
        async with house.open(WIDE) as pilot:
            app_of(pilot).loader.stop()
            house.clock.advance(40)
            app_of(pilot).tick()
            await pilot.pause()
            assert "screen 40 s behind" in screen(pilot).splitlines()[0]
            assert "The screen has had nothing new for 40 s" in line(pilot, " ! ")


async def test_a_dead_collector_stays_on_the_banner_until_it_is_back(house: House) -> None:
    async with house.open(WIDE) as pilot:
        house.door.tell(Trouble("collector", "disk full", again_seconds=60))
        await until(pilot, lambda: "disk full" in screen(pilot))
        await beating(pilot, house, 40)
        told = line(pilot, "disk full")
        assert "Collector stopped 40 s ago, starts in 20 s: disk full" in told
        house.door.tell(CollectorStarted(4712, ("lighter",)))
        await until(pilot, lambda: "disk full" not in screen(pilot))


async def test_a_collector_that_answers_again_is_no_trouble_any_more(house: House) -> None:
    async with house.open((120, 40)) as pilot:
        app_of(pilot).activity.hear(Trouble("collector", "it has not answered for 30 s"), NOW)
        app_of(pilot).tick()
        await pilot.pause()
        assert " ! The collector: it has not answered for 30 s" in screen(pilot)
        pilot.app.post_message(SeatSaid("the collector answers again"))
        await pilot.pause()
        app_of(pilot).tick()
        await pilot.pause()
        assert " ! " not in screen(pilot)


# The banner


async def test_a_click_on_the_banner_shows_more_or_acknowledges(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    async with house.open() as pilot:
        await pilot.click(Banner, offset=(10, 0))
        await until(pilot, lambda: app_of(pilot).pane.id == "trackers")
        await pilot.click(Banner, offset=(75, 0))
        await until(pilot, lambda: " ! " not in screen(pilot))


async def test_a_acknowledges_one_concern_and_shows_the_next(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    house.stage.unit_check("lighter", "error")
    async with house.open() as pilot:
        assert "lighter UNIT CHECK" in line(pilot, " ! ")
        assert "+1 more" in line(pilot, " ! ")
        await pilot.press("a")
        await pilot.pause()
        assert "aster ERROR" in line(pilot, " ! ")
        assert "more" not in line(pilot, " ! ")
        assert "5 Alerts 2" in screen(pilot)


async def test_the_banner_is_there_only_when_something_is_wrong(house: House) -> None:
    async with house.open() as pilot:
        assert " ! " not in screen(pilot)
        house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
        await reload(pilot)
        told = line(pilot, " ! ")
        assert "aster ERROR: HTTP 403 Forbidden" in told
        assert told.endswith("see 4  a acknowledge")
        await pilot.press("a")
        await pilot.pause()
        assert " ! " not in screen(pilot)
        assert "5 Alerts 1" in screen(pilot)


async def test_what_was_acknowledged_speaks_up_again_after_it_had_ended(house: House) -> None:
    async with house.open() as pilot:
        house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
        await reload(pilot)
        await pilot.press("a")
        house.stage.sweep("aster", expected=1, failed=0)
        await reload(pilot)
        house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
        await reload(pilot)
        assert "HTTP 403 Forbidden" in line(pilot, " ! ")


async def test_acknowledging_tells_the_collector_which_alerts(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    house.stage.change(
        "INSERT INTO alert (exchange_id, kind, message, since)"
        " SELECT id, 'error', 'HTTP 403', ? FROM exchange WHERE name = 'aster'",
        int(NOW - 60),
    )
    async with house.open() as pilot:
        await pilot.press("a")
        await until(pilot, lambda: ("acknowledge", (1,)) in house.door.asked)


async def test_when_no_exchange_answers_the_banner_says_that_instead_of_four_errors(house: House) -> None:
    for exchange in ("lighter", "binance", "aster", "paradex"):
        house.stage.sweep(exchange, "error", "connection refused")
    house.clock.advance(58 * 60)
    house.stage.beat(-58 * 60)
    with house.stage.locked():
        async with house.open(WIDE) as pilot:
            assert "No exchange reachable since 08:16 UTC; showing data 58 min old" in line(pilot, " ! ")


async def test_a_damaged_database_is_told_and_the_old_numbers_stay(house: House) -> None:
    async with house.open(WIDE) as pilot:
        house.stage.path.rename(house.stage.path.with_suffix(".away"))
        house.stage.path.write_bytes(b"no database at all" * 100)
        app_of(pilot).loader.load()
        await until(pilot, lambda: " ! " in screen(pilot))
        assert "-204.98" in screen(pilot)
