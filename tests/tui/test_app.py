"""The frame of the dashboard: what each key does, and what is said when things are not as they should."""

import csv
import gc
import weakref
from pathlib import Path

import msgspec
import pytest
from textual.widget import Widget

from fundwatch.collector.events import (
    Progress,
    RunEnded,
    RunStarted,
    Trouble,
)
from fundwatch.config import Config, Display
from fundwatch.tui.app import FundwatchApp
from fundwatch.tui.garbage import tidy_newest
from fundwatch.tui.messages import Linked, LinkFailed
from fundwatch.tui.panes.overview import OverviewPane
from fundwatch.tui.snapshot import Snapshot
from tests.answers.stage import NOW
from tests.tui.house import HOSTILE, NARROW, WIDE, House, app_of, line, reload, said, screen, until

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


def ended(exchange: str = "lighter", outcome: str = "ok", error: str | None = None) -> RunEnded:
    return RunEnded(exchange, "sweep", 1, outcome, error, 120, 213, 0, 4.2, 17)


# Panes


@SIZES
async def test_digits_show_the_panes(house: House, size: tuple[int, int]) -> None:
    async with house.open(size) as pilot:
        for digit, name in enumerate(("overview", "rates", "arbitrage", "trackers", "alerts"), 1):
            await pilot.press(str(digit))
            await pilot.pause()
            assert app_of(pilot).pane.id == name
            assert f"[{digit} " in screen(pilot)


async def test_a_click_on_a_title_shows_its_pane(house: House) -> None:
    async with house.open() as pilot:
        await pilot.click(offset=(line(pilot, "4 Trackers").index("4 Trackers") + 2, 1))
        await pilot.pause()
        assert app_of(pilot).pane.id == "trackers"


async def test_all_panes_are_there_soon_after_the_first_snapshot(house: House) -> None:
    async with house.open(all_panes=True) as pilot:
        app = app_of(pilot)
        await until(pilot, lambda: len(app.panes()) == 5)
        assert app.pane.id == "overview"


async def test_a_digit_leaves_the_screen_of_one_asset(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        await pilot.press("4")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 1)
        assert app_of(pilot).pane.id == "trackers"


async def test_a_pane_that_shows_the_newest_already_is_not_drawn_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Snapshot] = []
    show = OverviewPane.show

    def noted(pane: OverviewPane, snapshot: Snapshot) -> None:
        drawn.append(snapshot)
        show(pane, snapshot)

    monkeypatch.setattr(OverviewPane, "show", noted)
    async with house.open() as pilot:
        times = len(drawn)
        await pilot.press("2", "1")
        await pilot.pause()
        assert len(drawn) == times
        house.clock.advance(10)
        await reload(pilot)
        assert len(drawn) > times


async def test_a_hidden_pane_comes_up_in_the_unit_that_was_chosen_meanwhile(house: House) -> None:
    async with house.open(WIDE) as pilot:
        await pilot.press("2", "1", "u", "2")
        await pilot.pause()
        assert app_of(pilot).words.heading in line(pilot, "OI $m")


# The status line


async def test_the_status_line_counts_health_and_tells_ages(house: House) -> None:
    async with house.open() as pilot:
        told = line(pilot, "fundwatch")
        assert "4 ok" in told
        assert "data 12 s" in told
        assert "? help" in told
        house.clock.advance(50)
        app_of(pilot).tick()
        await pilot.pause()
        assert "data 1 min" in line(pilot, "fundwatch")


async def test_the_next_sweep_is_told_while_somebody_collects(house: House) -> None:
    house.stage.beat(5)
    with house.stage.locked():
        async with house.open() as pilot:
            assert "next sweep 09:02 UTC" in line(pilot, "fundwatch")


async def test_nobody_promises_a_sweep_when_nobody_collects(house: House) -> None:
    async with house.open() as pilot:
        assert "next sweep" not in screen(pilot)


async def test_the_demo_says_so(house: House) -> None:
    async with house.open(demo=True) as pilot:
        assert "[DEMO]" in line(pilot, "fundwatch")


async def test_what_goes_on_is_in_the_status_line(house: House) -> None:
    async with house.open() as pilot:
        house.door.tell(RunStarted("lighter", "sweep", 1))
        await until(pilot, lambda: "sweep lighter" in screen(pilot))
        house.door.tell(RunStarted("aster", "sweep", 2))
        await until(pilot, lambda: "sweep 2/4" in screen(pilot))
        house.door.tell(ended("lighter"))
        house.door.tell(ended("aster"))
        await until(pilot, lambda: "▸" not in line(pilot, "fundwatch"))


async def test_a_backfill_tells_how_far_it_is(house: House) -> None:
    async with house.open() as pilot:
        house.door.tell(RunStarted("lighter", "backfill", 3))
        house.door.tell(Progress("lighter", "backfill", 3, 200, 99, 50))
        app_of(pilot).tick()
        await until(pilot, lambda: "backfill 49 %" in line(pilot, "fundwatch"))


async def test_a_quotes_pass_is_not_worth_a_word(house: House) -> None:
    async with house.open() as pilot:
        house.door.tell(RunStarted("lighter", "quotes", 1))
        await pilot.pause(0.1)
        assert "▸" not in line(pilot, "fundwatch")


# What is shown


async def test_brackets_change_the_window(house: House) -> None:
    async with house.open() as pilot:
        app = app_of(pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: app.snapshot is not None and app.snapshot.question.window == "24h")
        assert "[24h]" in screen(pilot)
        await pilot.press("left_square_bracket", "left_square_bracket")
        await until(pilot, lambda: app.snapshot is not None and app.snapshot.question.window == "now")
        assert "[now]" in screen(pilot)


async def test_u_goes_round_the_units(house: House) -> None:
    async with house.open() as pilot:
        headings = []
        for _ in range(4):
            headings.append(app_of(pilot).words.heading)
            await pilot.press("u")
            await pilot.pause()
        assert headings == ["APR %", "% paid", "% 8 h", "$ a day"]
        assert app_of(pilot).words.unit == "apr"
        assert "-204.98" in screen(pilot)


async def test_t_shows_times_of_this_machine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async with house.open(WIDE) as pilot:
        assert " UTC" in line(pilot, "1 Overview")
        await pilot.press("t")
        await pilot.pause()
        assert " local" in line(pilot, "1 Overview")


async def test_space_freezes_the_tables_and_nothing_else(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("space")
        await pilot.pause()
        assert "[FROZEN" in screen(pilot)
        house.market("lighter", "NEW", "NEW", 4000.0)
        house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
        await reload(pilot)
        assert "NEW" not in screen(pilot)
        assert "HTTP 403 Forbidden" in screen(pilot)
        assert "1 ERROR" in line(pilot, "fundwatch")
        await pilot.press("space")
        await pilot.pause()
        assert "+4,000.00" in screen(pilot)
        assert "FROZEN" not in screen(pilot)


# Filter


async def test_the_filter_is_live_and_escape_peels_it_off(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("slash", *"pepe")
        await until(pilot, lambda: "2 of 2" in screen(pilot))
        assert "PEPE" in screen(pilot)
        assert "SOL" not in screen(pilot)
        await pilot.press("x")
        await until(pilot, lambda: "Nothing matches 'pepex'. Escape clears." in screen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "SOL" in screen(pilot))
        await pilot.press("escape")
        await pilot.pause()
        assert not app_of(pilot).query_one("FilterBar").display
        assert app_of(pilot).focused is not None


async def test_enter_keeps_the_filter_and_escape_in_the_table_clears_it(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("slash", *"sol", "enter")
        await pilot.pause()
        await pilot.press("2", "1")
        await pilot.pause()
        assert "PEPE" not in screen(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "PEPE" in screen(pilot))


async def test_letters_in_the_filter_are_text_and_no_commands(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("slash", *"qru1")
        await until(pilot, lambda: app_of(pilot).filters.get("overview") == "qru1")
        assert house.door.asked == []


# The collector


async def test_r_sweeps_the_exchange_under_the_cursor_or_all(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("r")
        await until(pilot, lambda: bool(house.door.asked))
        assert house.door.asked == [("refresh", ("lighter",))]
        await pilot.press("5", "r")
        await until(pilot, lambda: len(house.door.asked) == 2)
        assert house.door.asked[1] == ("refresh", ())


async def test_a_second_r_is_refused_while_the_sweep_runs(house: House) -> None:
    async with house.open() as pilot:
        house.door.tell(RunStarted("lighter", "sweep", 1))
        await until(pilot, lambda: "sweep lighter" in screen(pilot))
        await pilot.press("r")
        await pilot.pause()
        assert said(pilot)[-1] == "lighter: a sweep is under way already."
        assert house.door.asked == []


async def test_a_collector_that_is_gone_is_told_of(house: House) -> None:
    house.door.gone()
    async with house.open() as pilot:
        await pilot.press("r")
        await until(pilot, lambda: any("the collector has stopped" in text for text in said(pilot)))


async def test_before_there_is_a_collector_a_command_says_so(house: House) -> None:
    async with house.open(linked=False) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: said(pilot) == ["No collector to ask yet."])


async def test_a_viewer_knows_whose_collector_it_watches(house: House) -> None:
    async with house.open(WIDE) as pilot:
        pilot.app.post_message(Linked(house.door, "viewer", 4711, NOW - 3600))
        await until(pilot, lambda: "[VIEWER]" in screen(pilot))
        assert said(pilot)[-1] == "Collector is process 4711 since 01-03 07:16 UTC; this screen watches."
        await pilot.press("4")
        await until(pilot, lambda: "Collector is process 4711" in line(pilot, "this screen watches"))


async def test_no_collector_at_all_says_why(house: House) -> None:
    async with house.open(WIDE) as pilot:
        pilot.app.post_message(LinkFailed(f"the lock cannot be used {HOSTILE}"))
        await until(pilot, lambda: "the lock cannot be used" in screen(pilot))
        assert HOSTILE in screen(pilot)


async def test_a_database_of_another_world_ends_the_dashboard_with_2(house: House) -> None:
    async with house.open() as pilot:
        pilot.app.post_message(LinkFailed("real and demo data are never mixed", final=True))
        await until(pilot, lambda: pilot.app.return_code == 2)


# First start and size


@SIZES
async def test_the_first_start_says_what_happens(empty_house: House, size: tuple[int, int]) -> None:
    empty_house.stage.beat(5)
    with empty_house.stage.locked():
        async with empty_house.open(size) as pilot:
            assert "Nothing collected yet: first sweep running, 0 of 7 exchanges." in screen(pilot)
            assert "7 never" in screen(pilot)


async def test_a_missing_database_is_no_error(tmp_path: Path) -> None:
    app = FundwatchApp(Config(), tmp_path / "none.db", "real")
    async with app.run_test(size=NARROW) as pilot:
        await until(pilot, lambda: app.snapshot is not None)
        assert "Nothing collected yet, and no collector runs." in screen(pilot)


async def test_a_terminal_that_is_too_small_says_what_it_needs(house: House) -> None:
    async with house.open((50, 12)) as pilot:
        assert "80x24 needed, this is 50x12" in screen(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "needed" not in screen(pilot)


# Taking things along


async def test_y_copies_the_row(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("y")
        await pilot.pause()
        assert pilot.app.clipboard.startswith("PEPE\tlighter\t-204.98")


async def test_e_writes_what_is_shown_and_says_where(house: House, tmp_path: Path) -> None:
    async with house.open() as pilot:
        await pilot.press("slash", *"pepe", "enter", "e")
        await until(pilot, lambda: any("2 rows in" in text for text in said(pilot)))
        (path,) = tmp_path.glob("fundwatch-overview-*.csv")
        rows = list(csv.reader(path.read_text("utf-8").splitlines()))
        assert rows[0][:3] == ["asset", "exchange", "APR %"]
        assert rows[1][:3] == ["PEPE", "lighter", "-204.98"]
        assert len(rows) == 3


async def test_nothing_to_export_is_said(empty_house: House) -> None:
    async with empty_house.open() as pilot:
        await pilot.press("e", "y")
        await pilot.pause()
        assert said(pilot) == ["There are no rows to export.", "There is no row to copy."]


# Configuration


async def test_an_unknown_theme_falls_back_with_one_notice(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, display=Display(theme="nrod"))
    async with house.open() as pilot:
        assert pilot.app.theme == "textual-dark"
        (notice,) = said(pilot)
        assert notice.startswith("No theme 'nrod'")
        assert "nord" in notice


async def test_the_theme_of_the_configuration_is_taken(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, display=Display(theme="ansi-dark"))
    async with house.open() as pilot:
        assert pilot.app.theme == "ansi-dark"
        assert "-204.98" in screen(pilot)


async def test_another_key_for_a_command(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, keys={"app.refresh": "f5"})
    async with house.open() as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert house.door.asked == []
        await pilot.press("f5")
        await until(pilot, lambda: bool(house.door.asked))
        assert "f5 Refresh" in screen(pilot)


async def test_a_key_taken_from_another_command_is_said_once(house: House) -> None:
    house.config = msgspec.structs.replace(house.config, keys={"app.refresh": "b"})
    async with house.open() as pilot:
        assert said(pilot) == ["[keys] takes b from app.backfill, which has no key now."]


# The end


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_is_at_once(house: House, key: str) -> None:
    async with house.open() as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.return_code == 0


async def test_ctrl_q_quits_while_typing(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("slash", "b", "ctrl+q")
        await pilot.pause()
        assert pilot.app.return_code == 0


# Text from outside


@SIZES
async def test_hostile_text_is_shown_letter_by_letter(house: House, size: tuple[int, int]) -> None:
    house.stage.event(time=int(NOW - 60), kind="listed", message=f"{HOSTILE} is listed")
    house.stage.sweep("aster", "error", HOSTILE)
    async with house.open(size) as pilot:
        for digit in "12345":
            await pilot.press(digit)
            house.door.tell(ended("aster", "error", HOSTILE))
            house.door.tell(Trouble("disk", HOSTILE))
            await pilot.pause(0.05)
        assert "[@click=app.quit]Q" in screen(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        assert pilot.app.return_code is None


async def test_what_a_closed_screen_leaves_is_thrown_away(house: House) -> None:
    tidied: list[str] = []
    async with house.open(WIDE, tidy=lambda: tidied.append("once")) as pilot:
        await pilot.press("2")
        for key in ("enter", "question_mark"):
            await pilot.press(key)
            await until(pilot, lambda: len(app_of(pilot).screen_stack) > 1)
            assert tidied == []
            await pilot.press("escape")
            await until(pilot, lambda: tidied == ["once"])
            tidied.clear()


async def test_the_drawn_lines_of_closed_screens_are_not_kept(house: House) -> None:
    tidied: list[str] = []

    def tidy() -> None:
        tidy_newest()
        tidied.append("once")

    gc.freeze()
    try:
        async with house.open(WIDE, tidy=tidy) as pilot:
            app, drawn = app_of(pilot), []
            await pilot.press("2")
            for _ in range(3):
                tidied.clear()
                await pilot.press("enter")
                await until(pilot, lambda: len(app.screen_stack) > 1)
                drawn.append(
                    [weakref.ref(one._styles_cache) for one in app.screen.query("*").results(Widget)]
                )
                await pilot.press("escape")
                await until(pilot, lambda: tidied == ["once"])
            left = [sum(one() is not None for one in screen) for screen in drawn]
            assert left[:2] == [0, 0], "the last one may still be on its way out"
            assert len(drawn[0]) > 5
    finally:
        gc.unfreeze()
