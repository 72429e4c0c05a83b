"""Backfill: the cost first, then how far it is, and how to end it."""

import msgspec
import pytest
from textual.widgets import Input

from fundwatch.collector.doors.door import Estimate
from fundwatch.collector.events import CollectorStopped, JobEnded, Progress, RunEnded, RunStarted
from fundwatch.storage import trackers
from fundwatch.tui.backfill.dialog import BackfillDialog
from tests.tui.house import NARROW, WIDE, House, app_of, line, screen, until


def priced(house: House) -> None:
    house.door.costs = {
        "lighter": Estimate(210, 252.0),
        "binance": Estimate(120, 60.0),
        "aster": Estimate(0, 0.0),
        "paradex": Estimate(6, 0.4),
    }


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
async def test_the_cost_is_shown_before_anything_starts(house: House, size: tuple[int, int]) -> None:
    priced(house)
    async with house.open(size) as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "336 requests, about 4 min" in screen(pilot))
        assert "4 min" in line(pilot, "[x] lighter")
        assert "complete" in line(pilot, "[x] aster")
        assert "<1 s" in line(pilot, "[x] paradex")
        assert [what for what, _ in house.door.asked] == ["estimate"]


async def test_only_the_exchange_under_the_cursor_is_taken_at_first(house: House) -> None:
    priced(house)
    async with house.open() as pilot:
        await pilot.press("b")
        await until(pilot, lambda: "210 requests" in screen(pilot))
        assert "[x]" in line(pilot, "] lighter")
        assert "[ ]" in line(pilot, "] binance")


async def test_the_list_begins_at_the_exchange_that_is_taken(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "down", "down", "b", "down", "space")
        await pilot.pause()
        assert "[ ]" in line(pilot, "] aster")
        assert "[x]" not in screen(pilot)


async def test_other_days_ask_for_the_cost_again(house: House) -> None:
    priced(house)
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "336 requests" in screen(pilot))
        pilot.app.screen.query_one(Input).value = "7"
        await until(pilot, lambda: house.door.asked[-1][1][0] == 7)


@pytest.mark.parametrize("days", ["", "0", "9999"])
async def test_days_that_make_no_sense_start_nothing(house: House, days: str) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await pilot.pause()
        pilot.app.screen.query_one(Input).value = days
        await until(pilot, lambda: "Give a number of days from 1 to 3,650." in screen(pilot))
        await pilot.press("enter")
        await pilot.pause()
        assert "backfill" not in [what for what, _ in house.door.asked]


async def test_space_takes_an_exchange_out_and_enter_starts_the_others(house: House) -> None:
    priced(house)
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "336 requests" in screen(pilot))
        await pilot.press("down", "space", "enter")
        await until(pilot, lambda: house.door.asked[-1][0] == "backfill")
        assert house.door.asked[-1] == ("backfill", (30, ("binance", "aster", "paradex")))


async def test_it_shows_how_far_each_exchange_is_and_how_it_ended(house: House) -> None:
    priced(house)
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "336 requests" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        house.door.tell(RunStarted("lighter", "backfill", 1))
        house.door.tell(Progress("lighter", "backfill", 1, 1000, 420, 400))
        house.clock.advance(60)
        app_of(pilot).tick()
        await until(pilot, lambda: "###" in screen(pilot))
        told = line(pilot, "lighter     [")
        assert "about 1 min left" in told
        assert "400 stored" in told
        house.door.tell(RunEnded("lighter", "backfill", 1, "ok", None, 900, 0, 0, 60, 210))
        house.door.tell(JobEnded(7, 900, (), False))
        await until(pilot, lambda: "Complete: 900 settlements stored." in screen(pilot))


async def test_c_cancels_and_says_what_stays(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        await pilot.press("c")
        await until(pilot, lambda: house.door.asked[-1] == ("cancel", 7))
        house.door.tell(JobEnded(7, 12, (), True))
        await until(pilot, lambda: "Cancelled; 12 settlements are stored." in screen(pilot))


async def test_closed_it_runs_on_and_opened_again_it_is_there(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, BackfillDialog)
        assert "cancel" not in [what for what, _ in house.door.asked]
        await pilot.press("b")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        await pilot.press("c")
        await until(pilot, lambda: house.door.asked[-1] == ("cancel", 7))


async def test_a_paused_exchange_is_not_asked_so_that_the_others_can_be(house: House) -> None:
    priced(house)
    with house.stage.writer.transaction():
        trackers.set_paused(house.stage.writer, "binance", True)
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "216 requests, about 4 min" in screen(pilot))
        assert house.door.asked == [("estimate", (30, ("lighter", "aster", "paradex")))]
        assert "[" not in line(pilot, "binance   ").split("binance")[0]
        assert "paused" in line(pilot, "binance   ")
        await pilot.press("down", "down", "space", "enter")
        await until(pilot, lambda: house.door.asked[-1][0] == "backfill")
        assert house.door.asked[-1][1] == (30, ("lighter", "aster", "paradex"))


async def test_letters_are_commands_beside_the_number_of_days(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press("x", "7", "question_mark")
        await pilot.pause()
        assert pilot.app.screen.query_one(Input).value == "7"
        assert isinstance(pilot.app.screen, BackfillDialog)


async def test_a_collector_that_dies_ends_the_backfill_and_says_so(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        house.door.tell(CollectorStopped("it was killed"))
        await until(pilot, lambda: "The collector ended, and the backfill with it." in screen(pilot))
        await pilot.press("escape", "b")
        await until(pilot, lambda: "Backfill: fetch settlements" in screen(pilot))


async def test_the_hints_name_the_keys_of_the_configuration(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, keys={"backfill.cancel": "f6"})
    async with house.open() as pilot:
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "f6 cancels" in screen(pilot))
        await pilot.press("f6")
        await until(pilot, lambda: house.door.asked[-1] == ("cancel", 7))


async def test_a_failed_exchange_is_named_at_the_end(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))
        house.door.tell(JobEnded(7, 12, ("aster",), False))
        await until(pilot, lambda: "not complete: aster (see 4)" in screen(pilot))


async def test_a_job_that_ends_before_it_is_known_is_over_at_once(house: House) -> None:
    async with house.open() as pilot:
        house.door.tell(JobEnded(7, 0, (), False))
        await until(pilot, lambda: 7 in app_of(pilot).activity.ended_jobs)
        await pilot.press("5", "b", "enter")
        await until(pilot, lambda: "Complete: 0 settlements stored." in screen(pilot))


async def test_a_collector_that_is_gone_says_so(house: House) -> None:
    house.door.gone()
    async with house.open() as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "The cost is not known: the collector has stopped" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "It did not start: the collector has stopped" in screen(pilot))


async def test_without_a_collector_it_says_so(house: House) -> None:
    async with house.open(linked=False) as pilot:
        await pilot.press("5", "b")
        await until(pilot, lambda: "No collector to ask yet." in screen(pilot))
