"""Pane 5: what is wrong, what was, and what happened."""

import pytest

from tests.answers.stage import NOW
from tests.tui.house import NARROW, WIDE, House, line, screen

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


def note(house: House, message: str, since: int, until: int | None = None, seen: int | None = None) -> None:
    house.stage.change(
        "INSERT INTO alert (exchange_id, kind, message, since, until, acknowledged)"
        " SELECT id, 'error', ?, ?, ?, ? FROM exchange WHERE name = 'aster'",
        message,
        since,
        until,
        seen,
    )


async def test_all_is_well_is_said(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "All is well" in screen(pilot)
        assert "Conditions, 0 now" in screen(pilot)


@SIZES
async def test_what_is_wrong_now_and_since_when(house: House, size: tuple[int, int]) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    note(house, "HTTP 403 Forbidden", int(NOW - 8040))
    async with house.open(size) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "Conditions, 1 now" in screen(pilot)
        told = line(pilot, "NOW ")
        assert "aster" in told
        assert "2 h 14 min" in told
        assert "HTTP 403" in told


async def test_what_was_acknowledged_is_marked(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    note(house, "HTTP 403 Forbidden", int(NOW - 600), seen=int(NOW - 60))
    async with house.open() as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "seen" in line(pilot, "HTTP 403")
        assert " ! " not in screen(pilot)


async def test_what_is_over_stays_in_the_list(house: House) -> None:
    note(house, "HTTP 451", int(NOW - 7200), int(NOW - 3600))
    async with house.open(WIDE) as pilot:
        await pilot.press("5")
        await pilot.pause()
        told = line(pilot, "HTTP 451")
        assert "over" in told
        assert "1 h" in told


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
        assert "NOW" in screen(pilot)
