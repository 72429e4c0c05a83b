"""Help and the palette say what the bindings really are."""

import msgspec
import pytest

from fundwatch.tui.commands import Commands
from fundwatch.tui.help import HelpScreen, sections
from fundwatch.tui.key_names import key_names, lost_keys
from tests.tui.house import NARROW, WIDE, House, app_of, said, screen, until


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])
@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_opens_and_closes(house: House, size: tuple[int, int], key: str) -> None:
    async with house.open(size) as pilot:
        await pilot.press("4", key)
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "Trackers (4)" in screen(pilot)
        assert "trackers.pause" in screen(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(pilot.app.screen, HelpScreen)


async def test_help_scrolls_to_its_end_on_a_small_screen(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("question_mark", *["pagedown"] * 6)
        await pilot.pause()
        assert "Missing is -, never 0." in screen(pilot)


async def test_every_binding_has_an_id_a_tooltip_and_a_label(house: House) -> None:
    async with house.open(all_panes=True) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: len(app.panes()) == 5)
        for pane in app.panes():
            for node in (app, pane, *pane.query("*")):
                if not node.__class__.__module__.startswith("fundwatch"):
                    continue
                for _, binding in node._bindings:
                    if not binding.system:
                        assert binding.id, binding
                        assert binding.tooltip or binding.description, binding


async def test_no_two_commands_of_a_pane_share_a_key(house: House) -> None:
    async with house.open(all_panes=True) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: len(app.panes()) == 5)
        for pane in app.panes():
            seen: dict[str, str] = {}
            for title, commands in sections(pane):
                if title == "Filter":
                    continue
                for command in commands:
                    for key in command.keys.split():
                        assert seen.setdefault(key, command.name) == command.name, (pane.id, key)


async def test_help_shows_the_keys_of_the_configuration(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, keys={"trackers.pause": "f7"})
    async with house.open() as pilot:
        await pilot.press("4", "question_mark")
        await pilot.pause()
        (told,) = [text for text in screen(pilot).splitlines() if "trackers.pause" in text]
        assert "f7" in told


def test_key_names_are_those_of_all_panes() -> None:
    names = key_names()
    assert {"app.quit", "table.sort", "trackers.pause", "filter.leave"} <= set(names)


def test_a_command_that_loses_its_only_key_is_known() -> None:
    assert lost_keys({"app.refresh": "b"}) == {"app.backfill": "b"}
    assert lost_keys({"app.refresh": "b", "app.backfill": "f6"}) == {}
    assert lost_keys({"app.refresh": "?"}) == {}


async def test_the_palette_has_every_command_with_its_key(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4")
        await pilot.pause()
        provider = Commands(pilot.app.screen)
        names = {str(hit.prompt) async for hit in provider.discover()}
        assert {"Refresh  (r)", "Pause  (p)", "Sort  (s)", "Theme", "Screenshot"} <= names
        expected = {
            f"{command.label}  ({command.keys})"
            for title, commands in sections(app_of(pilot).pane)
            for command in commands
            if title != "Filter" and command.action != "command_palette"
        }
        assert expected <= names


async def test_the_palette_runs_a_command_of_the_pane(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "ctrl+p")
        await pilot.pause()
        await pilot.press(*"pause")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(pilot, lambda: ("pause", ("lighter", True)) in house.door.asked)


async def test_a_screenshot_says_where_it_is(house: House) -> None:
    async with house.open() as pilot:
        app_of(pilot).take_screenshot()
        await until(pilot, lambda: bool(said(pilot)))
        assert said(pilot)[-1].endswith(".svg")
