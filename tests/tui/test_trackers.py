"""Pane 4: health in full, holes, the log, and pausing."""

import time
from dataclasses import replace

import msgspec
import pytest

from fundwatch.collector.events import Progress, RunEnded, RunStarted
from fundwatch.models import HOUR, Source
from fundwatch.storage import trackers
from tests.answers.stage import END, NOW
from tests.storage.ledger import hour, paid
from tests.tui.house import NARROW, WIDE, House, app_of, line, reload, said, screen, until

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "200x50"])


@SIZES
async def test_each_exchange_has_a_line_and_the_one_under_the_cursor_is_told_in_full(
    house: House, size: tuple[int, int]
) -> None:
    house.stage.sweep(
        "lighter", "error", "HTTP 403 Forbidden (this exchange refuses requests without a name)"
    )
    async with house.open(size) as pilot:
        await pilot.press("4")
        await pilot.pause()
        told = screen(pilot)
        assert "lighter  ERROR" in told
        assert " HTTP 403 Forbidden (this exchange refuses requests" in told
        assert "without a name)" in " ".join(told.split())
        if size == WIDE:
            assert "failures in a row 1" in told
        for exchange in ("lighter", "binance", "aster", "paradex"):
            assert exchange in told


async def test_enter_gives_a_long_error_all_the_room(house: House) -> None:
    house.stage.sweep("lighter", "error", "a very long story about a proxy that says no " * 6)
    async with house.open() as pilot:
        await pilot.press("4", "enter")
        await pilot.pause()
        assert "Payments stored" not in screen(pilot)
        assert " ".join(screen(pilot).split()).count("a proxy that says no") >= 6
        await pilot.press("enter")
        await pilot.pause()
        assert "Payments stored" in screen(pilot)


async def test_what_there_is_no_room_for_is_counted(house: House) -> None:
    house.stage.sweep("lighter", "error", "a very long story about a proxy that says no " * 12)
    async with house.open((80, 19)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: " more: Enter" in screen(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "more: Enter" not in screen(pilot))
        assert "─lighter  ERROR──" in screen(pilot)


async def test_the_detail_follows_the_cursor(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "down")
        await pilot.pause()
        assert app_of(pilot).pane.focused_exchange == "binance"
        assert "─binance  ok" in screen(pilot)


async def test_the_map_shows_stored_and_missing_hours(house: House) -> None:
    stage = house.stage
    stage.exchange = "aster"
    stage.fill("BTCUSDT", [n for n in range(END - 60, END + 1) if n != END - 3])
    async with house.open() as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "▮·▮▮▮" in screen(pilot))
        assert line(pilot, "▮·▮▮▮").startswith(" aster ")


async def test_an_exchange_that_publishes_no_settlements_has_hours_that_are_gone(house: House) -> None:
    house.stage.describe("paradex", Source.RECORDED)
    async with house.open() as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "xxxx" in screen(pilot))
        assert "recorded only" in line(pilot, "xxxx")


async def test_p_pauses_and_resumes_the_exchange_under_the_cursor(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "p")
        await until(pilot, lambda: ("pause", ("lighter", True)) in house.door.asked)
        await until(pilot, lambda: "lighter is paused until the same key resumes it." in said(pilot))
        with house.stage.writer.transaction():
            trackers.set_paused(house.stage.writer, "lighter", True)
        await reload(pilot)
        assert "paused" in line(pilot, ">lighter")
        assert "1 paused" in line(pilot, "fundwatch")
        await pilot.press("p")
        await until(pilot, lambda: ("pause", ("lighter", False)) in house.door.asked)


async def test_r_here_sweeps_the_exchange_under_the_cursor(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "down", "r")
        await until(pilot, lambda: house.door.asked == [("refresh", ("binance",))])


async def test_the_log_tells_what_runs_and_what_ended(house: House) -> None:
    async with house.open(WIDE) as pilot:
        await pilot.press("4")
        house.door.tell(RunStarted("aster", "backfill", 5))
        house.door.tell(Progress("aster", "backfill", 5, 100, 42, 77))
        house.door.tell(
            RunEnded("lighter", "sweep", 4, "partial", "2 of 213 markets failed", 9, 213, 2, 4, 17)
        )
        app_of(pilot).tick()
        await until(pilot, lambda: "2 of 213 markets failed" in screen(pilot))
        assert "42 %" in line(pilot, "backfill [")
        assert "211/213 markets" in line(pilot, "2 of 213 markets failed")
        assert "▸ aster       backfill [" in screen(pilot)


async def test_a_run_that_began_before_this_screen_has_its_bar(house: House) -> None:
    async with house.open(WIDE) as pilot:
        await pilot.press("4")
        house.door.tell(Progress("aster", "sweep", 5, 100, 42, 77))
        await until(pilot, lambda: "42 %" in screen(pilot))
        assert line(pilot, "42 %").startswith(" ▸ aster       sweep")
        house.door.tell(RunEnded("aster", "sweep", 5, "ok", None, 9, 1, 0, 4, 17))
        await until(pilot, lambda: "▸ aster" not in screen(pilot))
        app_of(pilot).tick()
        await pilot.pause()
        assert "▸ aster" not in screen(pilot)


async def test_the_log_begins_with_the_runs_before_this_screen_and_tells_each_once(house: House) -> None:
    async with house.open(WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "sweep complete" in line(pilot, " lighter     sweep")
        (run,) = app_of(pilot).snapshot.runs["lighter"]  # type: ignore[union-attr]
        house.door.tell(RunEnded("lighter", "sweep", run.id, "ok", None, 9, 2, 0, 4, 17))
        await until(pilot, lambda: "9 stored" in screen(pilot))
        assert screen(pilot).count(" lighter     sweep") == 1


async def test_an_exchange_that_failed_as_a_whole_has_no_count_of_failing_markets(house: House) -> None:
    house.stage.sweep("lighter", "error", "HTTP 502")
    async with house.open(WIDE) as pilot:
        await pilot.press("4")
        await pilot.pause()
        heading = line(pilot, "exchange    health")
        at = heading.index("failing") + len("failing") - 1
        assert line(pilot, ">lighter")[at] == "-"
        assert line(pilot, " binance     ok")[at] == "0"


@SIZES
async def test_before_anything_was_collected_every_line_says_so(
    empty_house: House, size: tuple[int, int]
) -> None:
    async with empty_house.open(size, linked=False) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert line(pilot, ">lighter").split()[:3] == [">lighter", "never", "-"]
        assert "not collected yet" in screen(pilot)
        assert "no gaps" not in screen(pilot)
        assert line(pilot, "no market yet").startswith(" lighter ")


@SIZES
async def test_the_very_first_sweep_is_called_a_start_everywhere(
    empty_house: House, size: tuple[int, int]
) -> None:
    stage = empty_house.stage
    stage.describe("lighter")
    stage.begin("lighter")
    stage.beat(5)
    with stage.locked():
        async with empty_house.open(size) as pilot:
            await pilot.press("4")
            await pilot.pause()
            assert line(pilot, ">lighter").split()[:2] == [">lighter", "starting"]
            assert "lighter  starting" in screen(pilot)
            assert "1 starting" in line(pilot, "fundwatch")


@SIZES
async def test_a_paused_exchange_says_by_whom(house: House, size: tuple[int, int]) -> None:
    with house.stage.writer.transaction():
        trackers.set_paused(house.stage.writer, "lighter", True)
    async with house.open(size) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "paused" in line(pilot, ">lighter")
        assert "paused by you" in screen(pilot)


@SIZES
async def test_a_partial_sweep_says_what_it_lacks(house: House, size: tuple[int, int]) -> None:
    house.stage.sweep("binance", "partial", "partial 187/190: 3 rate is missing", expected=190, failed=3)
    async with house.open(size) as pilot:
        await pilot.press("4", "down")
        await pilot.pause()
        assert "PARTIAL" in line(pilot, ">binance")
        assert "3 of 190 markets failed" in screen(pilot)


@SIZES
async def test_the_map_names_its_signs_its_hours_and_its_days(house: House, size: tuple[int, int]) -> None:
    house.stage.exchange = "aster"
    house.stage.fill("BTCUSDT", range(END - 60, END + 1))
    async with house.open(size) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "▮▮▮" in screen(pilot))
        assert "▮ all  ▯ part  · none yet  x gone for good" in line(pilot, "Payments stored")
        ruler = line(pilot, "hour, UTC")
        assert app_of(pilot).words.moment(hour(END))[:5] in ruler
        assert " 06 " in ruler
        assert " 12 " in ruler
        assert "in 30 days" in ruler
        assert len(line(pilot, "▮▮▮").strip()) < size[0]


async def test_the_hours_of_the_map_follow_the_time_zone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        async with house.open() as pilot:
            await pilot.press("4")
            await until(pilot, lambda: "06" in line(pilot, "hour, UTC"))
            before = line(pilot, "hour, UTC").index("06")
            await pilot.press("t")
            await until(pilot, lambda: "hour, local" in screen(pilot))
            assert (line(pilot, "hour, local").index("06") - before) % 24 == 24 - 9
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_on_the_lowest_screen_the_tracker_under_the_cursor_is_told(house: House) -> None:
    house.stage.sweep("lighter", "error", "HTTP 502 from its server")
    async with house.open((60, 14)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "HTTP 502 from its server" in screen(pilot).replace("! lighter", "")
        assert "─lighter  ERROR" in screen(pilot)


async def test_l_shows_the_log_instead_of_the_map_on_a_small_screen(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "Payments stored" in screen(pilot)
        await pilot.press("l")
        await pilot.pause()
        assert "Payments stored" not in screen(pilot)
        assert "What the collector does" in screen(pilot)


async def test_a_failed_unit_check_says_its_sentence(house: House) -> None:
    house.stage.unit_check("lighter", "error", modal=1095.0)
    async with house.open() as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "1,095 ERR" in line(pilot, ">lighter")
        assert "all rates are error" in screen(pilot)


async def test_the_filter_leaves_the_exchange_that_is_meant(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("4", "slash", *"para", "enter")
        await pilot.pause()
        assert app_of(pilot).pane.matches == (1, 4)


async def test_a_settlement_that_comes_closes_its_hole(house: House) -> None:
    house.stage.exchange = "aster"
    house.stage.fill("BTCUSDT", [n for n in range(END - 60, END + 1) if n != END - 3])
    async with house.open() as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "▮·▮▮▮" in screen(pilot))
        house.stage.save(paid(END - 3, symbol="BTCUSDT"), now=hour(END) + HOUR)
        house.clock.wall = NOW + 11
        await reload(pilot)
        await until(pilot, lambda: "▮·▮▮▮" not in screen(pilot))


@SIZES
async def test_no_number_is_too_long_for_its_column(house: House, size: tuple[int, int]) -> None:
    house.stage.unit_check("lighter", "error", modal=876_000.0)
    house.stage.unit_check("aster", "error", modal=99_999.4)
    house.stage.change("UPDATE tracker SET total_records = 98765432")
    async with house.open(size) as pilot:
        snapshot = app_of(pilot).snapshot
        assert snapshot is not None
        many = [msgspec.structs.replace(one, gaps_open=6_456_120) for one in snapshot.status.exchanges]
        status = msgspec.structs.replace(snapshot.status, exchanges=tuple(many))
        app_of(pilot).snapshot = replace(snapshot, status=status)
        await pilot.press("4")
        await until(pilot, lambda: "6.5 M" in screen(pilot))
        assert "876k ERR" in screen(pilot)
        assert "#" not in screen(pilot)
