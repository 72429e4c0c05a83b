"""Pane 1: trackers, the highest rates, the best pairs, what happened."""

import pytest

from fundwatch.models import hourly_rate
from fundwatch.tui.messages import Linked
from fundwatch.tui.panes.overview import OverviewPane
from fundwatch.tui.tables.table import LineTable
from tests.answers.stage import NOW
from tests.tui.house import NARROW, WIDE, House, app_of, line, reload, screen, until

SIZES = pytest.mark.parametrize(
    "size", [NARROW, (120, 24), (120, 40), (180, 30), WIDE], ids=lambda size: "{}x{}".format(*size)
)
EVERY_SIZE = pytest.mark.parametrize(
    "size", [(60, 14), (60, 24), NARROW, (120, 40), WIDE], ids=lambda size: "{}x{}".format(*size)
)


def top(pilot: object) -> LineTable:
    return app_of(pilot).query_one("#top-table", LineTable)  # type: ignore[arg-type]


def texts(table: LineTable) -> list[list[str]]:
    return [[cell if isinstance(cell, str) else cell.text for cell in row.cells] for row in table.rows]


@SIZES
async def test_trackers_rates_and_pairs_are_seen_at_once(house: House, size: tuple[int, int]) -> None:
    async with house.open(size) as pilot:
        told = screen(pilot)
        for needed in ("Trackers", "Highest APR %, now", "Best spreads, now", "PEPE", "-204.98", "SOL"):
            assert needed in told
        for exchange in ("lighter", "binance", "aster", "paradex"):
            assert exchange in told
        assert "#" not in told


@EVERY_SIZE
async def test_the_highest_rates_have_rows_on_every_screen(house: House, size: tuple[int, int]) -> None:
    for number in range(40):
        house.market("binance", f"H{number}USDT", f"H{number}", 300.0 + number)
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    async with house.open(size) as pilot:
        shown = [text for text in screen(pilot).splitlines() if "+3" in text and "binance" in text]
        assert len(shown) >= 3
        assert "Best spreads" in screen(pilot)
        assert "PEPE" in line(pilot, "(+296.08)")
        assert "#" not in screen(pilot)


async def test_a_small_screen_leaves_the_trackers_to_the_status_line(house: House) -> None:
    async with house.open((60, 14)) as pilot:
        assert "Trackers─" not in screen(pilot)
        assert "4 ok" in screen(pilot)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Trackers─" in screen(pilot)


async def test_a_wide_screen_has_the_numbers_that_a_narrow_one_leaves_out(house: House) -> None:
    async with house.open((120, 40)) as pilot:
        heading = line(pilot, "asset ").split()
        for needed in ("30d", "pays", "next", "OI", "age", "note", "7", "days"):
            assert needed in heading
        assert not set(top(pilot).hidden_columns) - {"3d"}
        pairs = app_of(pilot).query_one("#pair-table", LineTable)
        assert not pairs.hidden_columns


async def test_markets_that_share_asset_and_exchange_are_told_apart(house: House) -> None:
    house.market("binance", "BTCUSDC", "BTC", 55.0)
    async with house.open((120, 40)) as pilot:
        named = [row[0] for row in texts(top(pilot)) if row[1] == "binance"]
        assert "BTC USDC" in named
        assert "BTC USDT" in named
        assert "BTC" in [row[0] for row in texts(top(pilot)) if row[1] == "lighter"]


async def test_a_week_of_payments_is_drawn_for_the_rows_in_view(house: House) -> None:
    with house.stage.read() as db:
        (market_id,) = next(iter(db.rows("SELECT id FROM market WHERE symbol = 'BTC-USD-PERP'")))
    run_id = house.stage.run()
    end = int(NOW // 3600) * 3600
    for hours in range(168):
        rate = 1e-5 if hours < 84 else -1e-5
        house.stage.change(
            "INSERT INTO settlement (market_id, funding_time, kind, rate, interval_hours, run_id)"
            " VALUES (?, ?, 0, ?, 1, ?)",
            *(market_id, end - hours * 3600, rate, run_id),
        )
    async with house.open((120, 40)) as pilot:
        await until(pilot, lambda: "▁▁▁▁▁▁▁█" in screen(pilot))
        assert "paradex" in line(pilot, "▁▁▁▁▁▁▁█")


async def test_a_tracker_tells_health_fresh_markets_and_age(house: House) -> None:
    async with house.open() as pilot:
        found = next(text for text in screen(pilot).splitlines() if text.startswith(" binance"))
        assert found.split()[1:5] == ["ok", "3/3", "12", "s"]
        assert "▮" in found


async def test_what_needs_a_person_stands_out_without_colour(house: House) -> None:
    house.stage.sweep("aster", "error", "HTTP 403 Forbidden")
    async with house.open() as pilot:
        assert "ERROR" in line(pilot, " aster  ")
        assert "✖" in line(pilot, " aster  ")


async def test_rates_stand_by_their_size_and_keep_their_sign(house: House) -> None:
    async with house.open() as pilot:
        rows = texts(top(pilot))
        assert [row[2] for row in rows[:3]] == ["-204.98", "+91.10", "+76.51"]
        assert rows[0][:2] == ["PEPE", "lighter"]


async def test_numbers_end_in_the_same_cell(house: House) -> None:
    async with house.open() as pilot:
        ends = {
            text.index(apr) + len(apr)
            for apr in ("-204.98", "+91.10", "+76.51")
            for text in screen(pilot).splitlines()
            if apr in text
            and "lighter     paradex" not in text
            and not text.strip().startswith("PEPE        lighter")
        }
        assert len(ends) <= 2


async def test_a_rate_that_is_not_trusted_follows_the_others(house: House) -> None:
    house.market("binance", "DEAD", "DEAD", 5000.0, observed_at=int(NOW - 9 * 3600))
    async with house.open() as pilot:
        last = top(pilot).rows[-1]
        assert texts(top(pilot))[-1][:3] == ["DEAD", "binance", "(+5,000)"]
        assert last.style == "stale"


async def test_a_market_without_a_rate_is_not_ranked(house: House) -> None:
    house.market("binance", "MUTE", "MUTE", None)
    async with house.open() as pilot:
        assert "MUTE" not in [row[0] for row in texts(top(pilot))]


async def test_the_filter_searches_all_markets_not_only_the_highest(house: House) -> None:
    for number in range(120):
        house.market("binance", f"H{number}", f"H{number}", 300.0 + number)
    house.market("aster", "TINYUSDT", "TINY", 0.01)
    async with house.open() as pilot:
        assert "100 of 129" in screen(pilot)
        await pilot.press("slash", *"tiny")
        await until(pilot, lambda: "1 of 1" in screen(pilot))
        assert texts(top(pilot))[0][:3] == ["TINY", "aster", "+0.01"]


async def test_a_pair_says_where_to_be_long_and_short(house: House) -> None:
    async with house.open() as pilot:
        pairs = texts(app_of(pilot).query_one("#pair-table", LineTable))
        assert ["PEPE", "lighter", "binance", "(+296.08)"] in [row[:4] for row in pairs]


async def test_units_change_headings_and_numbers_together(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("u", "u", "u")
        await pilot.pause()
        assert top(pilot).columns[2].heading == "$ a day"
        assert texts(top(pilot))[0][2] == "-56.16"


async def test_a_window_without_data_says_so(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "No market has a rate for the window 24h yet" in screen(pilot))


async def test_events_are_told_on_a_wide_screen_without_first_sightings(house: House) -> None:
    house.stage.event(time=int(NOW - 60), kind="interval", message="BTC pays every 8 h", value=8)
    house.stage.event(time=int(NOW - 50), kind="interval", message="BTC pays every 4 h now, was 8 h", value=4)
    async with house.open(WIDE) as pilot:
        assert "BTC pays every 4 h now" in screen(pilot)
        assert "every 8 h" not in screen(pilot)


async def test_enter_opens_the_asset_under_the_cursor(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
        assert "PEPE" in screen(pilot)


async def test_the_cursor_stays_on_its_market_when_rates_change(house: House) -> None:
    async with house.open() as pilot:
        await pilot.press("down")
        key = top(pilot).cursor_key
        market = house.market("aster", "UPUSDT", "UP", 1.0)
        house.stage.quote(market, observed_at=int(NOW - 5), hourly_rate=hourly_rate(999), interval_hours=1.0)
        await reload(pilot)
        assert texts(top(pilot))[0][0] == "UP"
        assert top(pilot).cursor_key == key


async def test_the_exchange_under_the_cursor_is_meant_by_commands(house: House) -> None:
    async with house.open() as pilot:
        pane = app_of(pilot).pane
        assert isinstance(pane, OverviewPane)
        assert pane.focused_exchange == "lighter"
        await pilot.press("tab")
        assert pane.focused_exchange is None


# States


async def test_before_the_first_snapshot_it_says_that_it_reads(house: House) -> None:
    app = house.app()
    app.loader.start = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=NARROW) as pilot:
        assert screen(pilot).count("Reading the database ...") == 2
        assert "Nothing" not in screen(pilot)


@EVERY_SIZE
async def test_the_first_start_says_what_happens(empty_house: House, size: tuple[int, int]) -> None:
    empty_house.stage.beat(5)
    with empty_house.stage.locked():
        async with empty_house.open(size) as pilot:
            told = " ".join(screen(pilot).split())
            assert "Nothing collected yet: first sweep running, 0 of 7 exchanges." in told


async def test_a_first_run_under_way_is_starting(empty_house: House) -> None:
    empty_house.stage.describe("aster")
    empty_house.stage.begin("aster")
    empty_house.stage.beat(5)
    with empty_house.stage.locked():
        async with empty_house.open() as pilot:
            assert "starting" in line(pilot, " aster  ")
            assert "1 starting" in line(pilot, "fundwatch")


@EVERY_SIZE
async def test_stale_numbers_are_in_parentheses_and_the_banner_says_so(
    house: House, size: tuple[int, int]
) -> None:
    house.clock.advance(3 * 3600)
    async with house.open(size) as pilot:
        assert "(-204.98)" in screen(pilot)
        assert "-204.98 " not in screen(pilot).replace("(-204.98)", "")
        assert "data 3 h" in screen(pilot)
        assert " ! Nobody collects; showing data 3 h old" in screen(pilot)


async def test_a_partial_exchange_stands_out_without_colour(house: House) -> None:
    house.stage.sweep("aster", "partial", expected=100, failed=30)
    async with house.open() as pilot:
        assert "PARTIAL" in line(pilot, " aster  ")
        assert "▯" in line(pilot, " aster  ")
        assert "1 PARTIAL" in line(pilot, "fundwatch")
        assert " ! aster PARTIAL: 30 of 100 markets failed" in screen(pilot)


async def test_a_paused_exchange_is_told_and_is_no_alarm(house: House) -> None:
    house.stage.change(
        "UPDATE tracker SET paused = 1 WHERE exchange_id = (SELECT id FROM exchange WHERE name = 'aster')"
    )
    async with house.open() as pilot:
        assert "paused" in line(pilot, " aster  ")
        assert "1 paused" in line(pilot, "fundwatch")
        assert " ! " not in screen(pilot)


@EVERY_SIZE
async def test_a_viewer_is_marked_on_every_screen(house: House, size: tuple[int, int]) -> None:
    house.stage.beat(5)
    with house.stage.locked():
        async with house.open(size) as pilot:
            pilot.app.post_message(Linked(house.door, "viewer", 4711, NOW - 3600))
            await until(pilot, lambda: "[VIEWER]" in screen(pilot))


async def test_ages_of_trackers_go_on_between_two_snapshots(house: House) -> None:
    async with house.open() as pilot:
        assert "12 s" in line(pilot, " aster  ")
        house.clock.advance(20)
        app_of(pilot).tick()
        await pilot.pause()
        assert "32 s" in line(pilot, " aster  ")


async def test_a_narrow_screen_has_the_newest_event_in_a_title(house: House) -> None:
    house.stage.event(time=int(NOW - 60), kind="delisted", message="LUNA[/] is delisted")
    async with house.open() as pilot:
        assert "newest event 08:15, fundwatch: LUNA[/] is delisted" in line(pilot, "Trackers;")
