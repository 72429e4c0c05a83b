"""Keys do what they say where they can be seen to do it, and nothing anywhere else."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from fundwatch.tui.backfill.dialog import BackfillDialog
from fundwatch.tui.detail import AssetScreen
from fundwatch.tui.help import HelpScreen
from fundwatch.tui.tables.filter_bar import FilterBar
from tests.tui.house import House, app_of, reload, said, screen, until


async def open_asset(pilot: Pilot[int]) -> None:
    await pilot.press("2", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, AssetScreen))
    await until(pilot, lambda: "markets on" in screen(pilot))


OVER: dict[str, str] = {"help": "question_mark", "backfill": "b", "palette": "ctrl+p"}


@pytest.mark.parametrize("key", ["slash", "space", "a", "escape"])
async def test_keys_of_the_panes_do_nothing_behind_an_asset(house: House, key: str) -> None:
    house.stage.sweep("lighter", "error", "HTTP 502")
    async with house.open() as pilot:
        app = app_of(pilot)
        await open_asset(pilot)
        shown = len(app.shown_concerns)
        await pilot.press(key)
        await pilot.pause()
        assert app.frozen is None
        assert not app.query_one(FilterBar).display
        assert len(app.shown_concerns) == shown
        assert isinstance(app.screen, AssetScreen) is (key != "escape")


async def test_r_on_an_asset_sweeps_the_exchange_under_its_cursor(house: House) -> None:
    async with house.open() as pilot:
        await open_asset(pilot)
        asked = len(house.door.asked)
        wanted = app_of(pilot).focused_exchange
        assert wanted is not None
        assert wanted in screen(pilot)
        await pilot.press("r")
        await until(pilot, lambda: house.door.asked[asked:] == [("refresh", (wanted,))])
        await pilot.press("down")
        assert app_of(pilot).focused_exchange != wanted


async def test_b_on_an_asset_offers_the_exchange_under_its_cursor(house: House) -> None:
    async with house.open() as pilot:
        await open_asset(pilot)
        wanted = app_of(pilot).focused_exchange
        await pilot.press("b")
        await until(pilot, lambda: isinstance(pilot.app.screen, BackfillDialog))
        await until(pilot, lambda: f"[x] {wanted}" in screen(pilot))
        assert screen(pilot).count("[x]") == 1
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, AssetScreen)


async def test_y_and_e_on_an_asset_take_its_own_rows(house: House, tmp_path: Path) -> None:
    async with house.open() as pilot:
        await open_asset(pilot)
        await pilot.press("y")
        await until(pilot, lambda: bool(said(pilot)))
        assert str(app_of(pilot).focused_exchange) in app_of(pilot).clipboard
        await pilot.press("e")
        await until(pilot, lambda: " rows in " in said(pilot)[-1])
        (file,) = tmp_path.glob("fundwatch-asset-*.csv")
        assert file.read_text().startswith("exchange,")


async def test_a_digit_on_an_asset_goes_to_that_pane(house: House) -> None:
    async with house.open() as pilot:
        await open_asset(pilot)
        await pilot.press("4")
        await until(pilot, lambda: app_of(pilot).pane.id == "trackers")
        assert len(pilot.app.screen_stack) == 1


@pytest.mark.parametrize("over", [name for name in OVER if name != "palette"])
@pytest.mark.parametrize("key", ["r", "slash", "y", "e", "4", "t", "a"])
async def test_nothing_below_a_dialog_hears_a_key(house: House, over: str, key: str) -> None:
    async with house.open() as pilot:
        app = app_of(pilot)
        await pilot.press(OVER[over])
        await pilot.pause()
        above, words = app.screen, app.words
        await pilot.press(key)
        await pilot.pause()
        assert app.screen is above
        assert (app.pane.id, app.words) == ("overview", words)
        assert not app.query_one(FilterBar).display
        assert "refresh" not in [what for what, _ in house.door.asked]
        assert said(pilot) == []


async def nowhere(pilot: Pilot[int]) -> None:
    pass


async def to_the_list(pilot: Pilot[int]) -> None:
    await pilot.press("b")
    await until(pilot, lambda: isinstance(pilot.app.focused, Input))
    await pilot.press("down")


async def while_a_backfill_runs(pilot: Pilot[int]) -> None:
    await pilot.press("b", "enter")
    await until(pilot, lambda: "Backfill of 30 days" in screen(pilot))


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(nowhere, id="panes"),
        pytest.param(open_asset, id="asset"),
        pytest.param(lambda pilot: pilot.press("question_mark"), id="help"),
        pytest.param(lambda pilot: pilot.press("b"), id="the number of days"),
        pytest.param(to_the_list, id="the list of exchanges"),
        pytest.param(while_a_backfill_runs, id="a running backfill"),
    ],
)
@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_q_quits_at_once_wherever_it_is_no_letter(
    house: House, way: Callable[[Pilot[int]], object], key: str
) -> None:
    async with house.open() as pilot:
        await way(pilot)  # type: ignore[misc]
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.return_code == 0
        assert pilot.app._exit


async def test_q_is_a_letter_while_words_are_typed(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("2", "slash", "q")
        await pilot.pause()
        assert not pilot.app._exit
        assert app_of(pilot).query_one(FilterBar).text == "q"
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert pilot.app._exit


@pytest.mark.parametrize("over", OVER)
async def test_escape_goes_back(house: House, over: str) -> None:
    async with house.open() as pilot:
        await pilot.press(OVER[over])
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 2
        await pilot.press("escape")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1


async def test_quit_can_be_mapped_on_every_screen(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, keys={"app.quit": "f9"})
    async with house.open() as pilot:
        await pilot.press("question_mark", "q")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.press("f9")
        await pilot.pause()
        assert pilot.app._exit


async def test_the_window_is_that_of_the_panes_again_after_an_asset(house: House) -> None:
    async with house.open() as pilot:
        app = app_of(pilot)
        await open_asset(pilot)
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert app.question.window == "now"
        await pilot.press("escape")
        await pilot.pause()
        await pilot.press("right_square_bracket")
        await reload(pilot)
        assert app.question.window == "24h"
