"""Which keys the bottom line offers."""

import pytest

from fundwatch.tui.frame.key_line import KeyLine
from tests.tui.house import House, app_of, screen, until

SIZES = pytest.mark.parametrize("size", [(60, 14), (80, 24), (120, 40), (200, 50)], ids=str)


@SIZES
async def test_no_word_is_cut_and_quit_and_help_are_always_there(house: House, size: tuple[int, int]) -> None:
    async with house.open(size) as pilot:
        for pane in "12345":
            await pilot.press(pane)
            await pilot.pause()
            told = screen(pilot).splitlines()[-1]
            assert "…" not in told
            for needed in ("q Quit", "? Help", "1-5 Panes", "r Refresh", "/ Filter"):
                assert needed in told
            hints = [hint for hint in told.split("  ") if hint.strip()]
            assert all(len(hint.split()) >= 2 for hint in hints), hints


async def test_a_wide_screen_offers_what_a_narrow_one_has_no_room_for(house: House) -> None:
    async with house.open((200, 50)) as pilot:
        told = screen(pilot).splitlines()[-1]
        for more in ("[ ] Window", "u Unit", "y Copy row", "e Export", "b Backfill"):
            assert more in told


async def test_while_typing_no_letter_is_offered(house: House) -> None:
    async with house.open((120, 40)) as pilot:
        await pilot.press("slash")
        await pilot.pause()
        assert "r Refresh" not in screen(pilot).splitlines()[-1]


async def test_a_click_on_a_key_presses_it(house: House) -> None:
    async with house.open((120, 40)) as pilot:
        x = screen(pilot).splitlines()[-1].index("space Freeze")
        await pilot.click(KeyLine, offset=(x + 1, 0))
        await until(pilot, lambda: app_of(pilot).frozen is not None)
