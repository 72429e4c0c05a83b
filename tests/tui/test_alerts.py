"""Pane 5: what is wrong, what was, and what happened."""

import pytest

from fundwatch.collector.events import Trouble
from tests.answers.stage import NOW
from tests.tui.house import WIDE, House, app_of, line, screen, until

ALL_SIZES = pytest.mark.parametrize("size", [(60, 14), (80, 24), (120, 40), (200, 50)], ids=str)


def note(house: House, message: str, since: int, until: int | None = None, seen: int | None = None) -> None:
    house.stage.change(
        "INSERT INTO alert (exchange_id, kind, message, since, until, acknowledged)"
        " SELECT id, 'error', ?, ?, ?, ? FROM exchange WHERE name = 'aster'",
        message,
        since,
        until,
        seen,
    )


@ALL_SIZES
async def test_all_is_well_is_said_with_what_is_watched(house: House, size: tuple[int, int]) -> None:
    async with house.open(size) as pilot:
        await pilot.press("5")
        await pilot.pause()
        told = " ".join(screen(pilot).split())
        assert "All is well" in told
        assert "a dead collector." in told
        assert "Conditions: 0 now, 0 over" in told
        assert "No interval has changed" in told


@ALL_SIZES
async def test_what_is_wrong_now_and_since_when(house: House, size: tuple[int, int]) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    note(house, "HTTP 403 Forbidden", int(NOW - 8040))
    async with house.open(size) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "Conditions: 1 now, 0 over" in screen(pilot)
        told = line(pilot, " NOW ")
        assert "aster" in told
        assert "HTTP 403" in told
        whole = " ".join(screen(pilot).split())
        assert "Since 2026-01-03 06:02 UTC, 2 h 14 min ago." in whole


async def test_the_conditions_leave_the_rest_to_the_events(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    for number in range(40):
        house.stage.event(time=int(NOW - number), kind="delisted", message=f"LUNA{number} is delisted")
    async with house.open((120, 40)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert sum("is delisted" in text for text in screen(pilot).splitlines()) >= 25


async def test_many_conditions_take_one_half_and_scroll(house: House) -> None:
    for number in range(60):
        note(house, f"HTTP 451 {number}", int(NOW - 7200), int(NOW - 3600))
    house.stage.event(time=int(NOW - 60), kind="delisted", message="LUNA is delisted")
    async with house.open((120, 40)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert 15 <= sum("HTTP 451" in text for text in screen(pilot).splitlines()) <= 19
        assert "LUNA is delisted" in screen(pilot)


async def test_what_was_acknowledged_is_marked(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    note(house, "HTTP 403 Forbidden", int(NOW - 600), seen=int(NOW - 60))
    async with house.open() as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "seen, NOW" in line(pilot, "HTTP 403")
        assert " ! " not in screen(pilot)


async def test_a_marks_what_the_banner_said_at_once(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    async with house.open() as pilot:
        await pilot.press("5", "a")
        await pilot.pause()
        assert "seen, NOW" in screen(pilot)


async def test_a_dead_collector_of_this_process_is_a_condition_too(house: House) -> None:
    async with house.open((120, 40)) as pilot:
        await pilot.press("5")
        app_of(pilot).activity.hear(Trouble("collector", "disk full", 20), NOW)
        app_of(pilot).tick()
        await pilot.pause()
        assert "Conditions: 1 now" in screen(pilot)
        assert "5 Alerts 1" in screen(pilot)
        assert "Collector stopped" in line(pilot, " NOW ")
        assert "starts in 20 s: disk full" in screen(pilot), "whole under the table"


async def test_what_is_over_stays_in_the_list(house: House) -> None:
    note(house, "HTTP 451", int(NOW - 7200), int(NOW - 3600))
    async with house.open(WIDE) as pilot:
        await pilot.press("5")
        await pilot.pause()
        told = line(pilot, "HTTP 451").split("HTTP 451")[0].split()
        assert told == [">aster", "error", "06:16", "07:16", "1", "h", "1", "h"]
        assert "over since 2026-01-03 07:16 UTC, after 1 h." in screen(pilot)


@ALL_SIZES
async def test_no_duration_is_too_long_for_its_column(house: House, size: tuple[int, int]) -> None:
    for ago, lasted in ((40_500, 40_500), (86_340, 85_740), (950_400, 86_399), (30_000_000, 8_639_000)):
        note(house, f"error {ago}", int(NOW - ago - lasted), int(NOW - ago))
        house.stage.event(kind="listed", message=f"listed {ago}", time=int(NOW - ago))
    async with house.open(size) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: "listed 40500" in screen(pilot))
        assert "#" not in screen(pilot)


async def test_a_fact_is_told_once(house: House) -> None:
    note(house, "HTTP 451", int(NOW - 7200), int(NOW - 3600))
    house.stage.event(time=int(NOW - 7200), kind="alert", message="error: HTTP 451")
    house.stage.event(time=int(NOW - 3600), kind="alert", message="error: over")
    async with house.open((120, 40)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "error: over" not in screen(pilot)
        assert "No interval has changed" in screen(pilot)


async def test_events_are_listed_without_first_sightings(house: House) -> None:
    house.stage.event(time=int(NOW - 60), kind="interval", message="BTC pays every 8 h", value=8)
    house.stage.event(time=int(NOW - 55), kind="interval", message="ETH pays every 4 h now, was 8 h", value=4)
    house.stage.event(time=int(NOW - 50), kind="delisted", message="LUNA is delisted")
    async with house.open() as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "LUNA is delisted" in screen(pilot)
        assert "ETH pays every 4 h now" in screen(pilot)
        assert "BTC" not in screen(pilot)


async def test_the_filter_means_both_tables(house: House) -> None:
    house.stage.event(time=int(NOW - 60), kind="delisted", message="LUNA is delisted")
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    async with house.open() as pilot:
        await pilot.press("5", "slash", *"aster", "enter")
        await pilot.pause()
        assert "LUNA" not in screen(pilot)
        assert " NOW " in screen(pilot)
