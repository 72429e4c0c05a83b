"""Pane 1: trackers, the highest rates, the best pairs, what happened."""

import pytest

from fundwatch.answers.trust import Trust
from fundwatch.models import hourly_rate
from fundwatch.tui.panes.overview import OverviewPane, _pair_rate, _rate
from fundwatch.tui.table import LineTable
from fundwatch.tui.words import Words
from tests.answers.stage import NOW
from tests.tui.house import NARROW, WIDE, House, app_of, line, reload, screen, until
from tests.tui.markets import market

SIZES = pytest.mark.parametrize("size", [NARROW, (120, 36), WIDE], ids=["80x24", "120x36", "200x50"])


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
        assert texts(top(pilot))[-1][:3] == ["DEAD", "binance", "(+5,000.0)"]
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


def test_a_window_known_to_an_hour_is_in_parentheses_like_an_untrusted_rate() -> None:
    words = Words()
    thin = market(apr_24h=2204.68, coverage_24h=1 / 24)
    whole = market(apr_24h=12.5, coverage_24h=1.0)
    ok, stale = Trust(True, None), Trust(False, "stale")
    assert _rate(thin, "24h", thin.apr_24h, ok, words).text == "(+2,204.7)"
    assert _rate(whole, "24h", whole.apr_24h, ok, words).text == "+12.50"
    assert _rate(whole, "now", 12.5, stale, words).text == "(+12.50)"


def test_an_untrusted_pair_is_in_parentheses() -> None:
    assert _pair_rate(689.57, trusted=False).text == "(+689.57)"
    assert _pair_rate(689.57, trusted=True).text == "+689.57"
    assert _pair_rate(None, trusted=False).text == "-"
