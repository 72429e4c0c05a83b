"""Help and the palette say what the bindings really are."""

import msgspec
import pytest
from textual.pilot import Pilot

from fundwatch.tui.commands import Commands
from fundwatch.tui.frame.status_line import HEALTH_STYLES
from fundwatch.tui.help import HEALTH_WORDS, LEGENDS, HelpScreen, sections
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
        assert "what was really paid" in screen(pilot)


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
            for _, commands, node in sections(pane):
                if node is None:
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
            for _, commands, node in sections(app_of(pilot).pane)
            for command in commands
            if node is not None and command.action != "command_palette"
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


async def test_every_command_is_in_the_help_and_can_be_mapped(house: House) -> None:
    async with house.open(all_panes=True) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: len(app.panes()) == 5)
        named = {
            command.name for pane in app.panes() for section in sections(pane) for command in section.commands
        }
        assert named == set(key_names())


async def test_what_the_help_and_the_palette_tell_is_what_a_mapped_key_does(house: House) -> None:
    names = [name for name in key_names() if name != "app.quit_now"]
    keymap = {name: f"f{number}" for number, name in enumerate(names, start=25)}
    house.config = msgspec.structs.replace(house.config, keys=keymap)
    async with house.open() as pilot:
        for section in sections(app_of(pilot).pane):
            for command in section.commands:
                if command.name in keymap:
                    assert command.keys == keymap[command.name], command


async def test_the_help_of_an_asset_is_about_the_asset(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("2", "enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press("question_mark")
        await pilot.pause()
        told = screen(pilot)
        assert "An asset" in told
        assert "asset.close" in told
        assert "app.freeze" not in told
        await pilot.press("escape")
        await pilot.pause()
        names = {str(hit.prompt) async for hit in Commands(pilot.app.screen).discover()}
        assert any(name.startswith("Back  (") for name in names)
        assert not any(name.startswith("Freeze") for name in names)


async def told_in_full(pilot: Pilot[int]) -> str:
    """Every line of the help, read by scrolling."""
    lines: dict[str, None] = {}
    for _ in range(40):
        lines |= dict.fromkeys(screen(pilot).splitlines())
        before = screen(pilot)
        await pilot.press("pagedown")
        await pilot.pause()
        if screen(pilot) == before:
            break
    return "\n".join(lines)


@pytest.mark.parametrize("size", [(60, 14), NARROW, WIDE], ids=["60x14", "80x24", "200x50"])
async def test_the_help_explains_every_sign(house: House, size: tuple[int, int]) -> None:
    async with house.open(size) as pilot:
        await pilot.press("4", "question_mark")
        await pilot.pause()
        told = await told_in_full(pilot)
        for _, glyphs in LEGENDS:
            for glyph, words in glyphs:
                assert any(glyph in line and words.split()[0] in line for line in told.splitlines()), (
                    glyph,
                    words,
                )
        assert "Ask this exchange nothing" in " ".join(told.split())
        assert all(len(line) <= size[0] for line in told.splitlines())


def test_every_word_for_health_is_explained() -> None:
    assert HEALTH_WORDS.keys() == HEALTH_STYLES.keys()


async def test_few_lines_of_the_help_break_on_80_columns(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        told = await told_in_full(pilot)
        broken = [
            line
            for line in told.splitlines()
            if line.count("│") == 2 and line.split("│")[1].startswith(" " * 9)
        ]
        assert len([line for line in broken if line.split("│")[1].strip()]) <= 6


async def test_the_help_closes_with_the_key_that_opened_it(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.press("question_mark")
        await pilot.pause()
        assert len(pilot.app.screen_stack) == 1
