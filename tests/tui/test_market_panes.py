"""What holds for the list of markets, the map and the pairs alike, on a small screen and on a big one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from fundwatch.answers.spreads import Spread
from fundwatch.answers.trust import STALE, Trust
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.panes.arbitrage import ArbitragePane
from fundwatch.tui.panes.markets import MarketPane
from fundwatch.tui.panes.rates import RatesPane
from fundwatch.tui.rows import marks
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.state import StateFile
from fundwatch.tui.tables.legend import Legend
from fundwatch.tui.tables.market_table import MarketTable
from fundwatch.tui.words import UNITS, Words
from tests.tui.drawn import assets, heading, lines, marked
from tests.tui.house import House, app_of, screen
from tests.tui.markets import PaneApp, market, pressed, snapshot, whole
from tests.tui.rows.test_spread_rows import spread

SIZES = [(80, 24), (200, 50)]
VIEWS = ["list", "map", "pairs"]
ODD = [
    "[/]",
    "[bold]",
    "\\",
    "(",
    "%s",
    "{}",
    "\x1b[31m",
    "\x1b]0;x\x07",
    "\u202e",
    "ü",
    "我",
    "  ",
    "x" * 300,
]


def markets(turned: bool = False) -> list[MarketRow]:
    """30 assets on three exchanges, each further apart than the one before; one of them knows nothing."""
    sign = -1 if turned else 1
    found = [
        market(f"A{i:02}", name, apr=sign * i * factor, market_id=1000 + 3 * i + at)
        for i in range(30)
        for at, (name, factor) in enumerate((("lighter", 1.0), ("binance", -2.0), ("paradex", 3.0)))
    ]
    return [*found, market("NIL", apr=None, observed_at=None, next_funding_time=None, market_id=1)]


def pairs(turned: bool = False) -> list[Spread]:
    sign = -1 if turned else 1
    return [
        spread(f"A{i:02}", sign * 5.0 * i, share_positive=i / 30, break_even_hours=None if i < 3 else 1.0 + i)
        for i in range(30)
    ]


def shot(turned: bool = False, window: str = "now") -> Snapshot:
    return snapshot(*markets(turned), spreads=pairs(turned), window=window)


@asynccontextmanager
async def shown(
    view: str, size: tuple[int, int], state: StateFile | None = None
) -> AsyncIterator[tuple[MarketPane, MarketTable, Pilot[None]]]:
    pane: MarketPane = ArbitragePane() if view == "pairs" else RatesPane()
    app = PaneApp(pane, state)
    async with app.run_test(size=size) as pilot:
        pane.show(shot())
        pane.focus_first()
        await pilot.pause()
        if view == "map":
            await pressed(pilot, "g")
        table = pane.main_table
        assert isinstance(table, MarketTable)
        yield pane, table, pilot


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    house.furnish()
    yield house
    house.close()


def put_on(table: MarketTable, asset: str) -> None:
    assert table.move_cursor(
        next(row.key for row in table.rows if text_of(row.cells[table_asset(table)]) == asset)
    )


def table_asset(table: MarketTable) -> int:
    return next(at for at, column in enumerate(table.columns) if column.key == "asset")


def text_of(cell: object) -> str:
    return cell if isinstance(cell, str) else str(getattr(cell, "text", ""))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_every_column_sorts_both_ways_and_the_cursor_stays(view: str, size: tuple[int, int]) -> None:
    async with shown(view, size) as (_, table, pilot):
        put_on(table, "A17")
        key = table.cursor_key
        seen = set()
        for _ in range(40):
            await pressed(pilot, "s")
            if (table.sorted_by, table.descending) in seen:
                break
            seen.add((table.sorted_by, table.descending))
            table.action_reverse()
            await pilot.pause()
            assert (table.cursor_key, marked(table)) == (key, ["A17"]), table.sorted_by
            assert ("▼" if table.descending else "▲") in heading(table)
            table.action_reverse()
        there = {c.key for c in table.columns if c.sortable} - set(table.hidden_columns)
        assert {column for column, _ in seen} >= there


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_click_on_a_heading_sorts_and_the_next_turns_it_round(
    view: str, size: tuple[int, int]
) -> None:
    async with shown(view, size) as (_, table, pilot):
        x = lines(table)[0].index("asset")
        await pilot.click(table, offset=(x + 1, 0))
        assert (table.sorted_by, table.descending, assets(table)[0]) == ("asset", False, "A00")
        await pilot.click(table, offset=(x + 1, 0))
        assert (table.descending, assets(table)[0]) == (True, "A29" if view == "pairs" else "NIL")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_the_cursor_stays_through_refresh_filter_unit_window_and_size(
    view: str, size: tuple[int, int]
) -> None:
    async with shown(view, size) as (pane, table, pilot):
        put_on(table, "A17")
        key = table.cursor_key
        for turned in (True, False):
            pane.show(shot(turned))
            await pilot.pause()
            assert marked(table) == ["A17"]
        pane.filter("a1")
        pane.filter("a0")
        pane.filter("")
        await pilot.pause()
        for unit in UNITS:
            pane.words = Words(unit)
            pane.show(shot(window="7d"))
            await pilot.pause()
            assert (table.cursor_key, marked(table)) == (key, ["A17"])
        for other in ((120, 40), (60, 20), size):
            await pilot.resize_terminal(*other)
            await pilot.pause()
            assert marked(table) == ["A17"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_star_puts_the_asset_on_top_with_the_cursor(view: str, size: tuple[int, int]) -> None:
    async with shown(view, size) as (_, table, pilot):
        put_on(table, "A05")
        await pressed(pilot, "*")
        top = lines(table)[1]
        assert "★" in top
        assert "A05" in top
        await pressed(pilot, "S")
        assert "A05" in lines(table)[1]
        await pressed(pilot, "*")
        assert "★" not in "\n".join(lines(table))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_no_number_is_cut_in_any_unit_and_columns_end_in_one_line(
    view: str, size: tuple[int, int]
) -> None:
    async with shown(view, size) as (pane, table, pilot):
        wild = [row._replace(hourly_rate=0.1, apr_7d=87_600.0, coverage_7d=0.5) for row in markets()[3:9]]
        stale = {row.market_id: Trust(False, STALE) for row in wild[::2]}
        far = [spread(f"A0{i}", 175_200.0, trusted=i > 2, break_even_hours=1e5) for i in range(1, 4)]
        for unit in UNITS:
            pane.words = Words(unit)
            pane.show(snapshot(*wild, *markets()[9:], spreads=[*far, *pairs()[9:]], trust=stale))
            await pilot.pause()
            assert not [line for line in lines(table) if "##" in line], unit
            assert {cell_len(table.render_line(y).text) for y in range(6)} == {size[0] - 1}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pane", ["rates", "arbitrage"])
async def test_odd_text_in_the_filter_is_text(house: House, size: tuple[int, int], pane: str) -> None:
    async with house.open(size) as pilot:
        await pilot.press("2" if pane == "rates" else "3", "slash")
        shell = app_of(pilot)
        for text in ODD:
            shell._filter(text)
            await pilot.pause()
            shown, everything = shell.pane.matches
            assert (shown == everything) is (not text.strip())
            assert not set(screen(pilot)) & set("\x1b\x07\u202e")
        shell._filter("zzz [/]")
        await pilot.pause()
        assert "Nothing matches 'zzz [/]'." in screen(pilot)
        for key in ("left_square_bracket", "slash", "right_square_bracket"):
            await pilot.press(key)
        await pilot.pause()
        assert "Nothing matches '[/]'." in screen(pilot)
        await pilot.press("escape")
        assert shell.pane.matches[0] == shell.pane.matches[1]


@pytest.mark.parametrize("view", VIEWS)
async def test_a_big_screen_explains_its_signs_and_a_small_one_on_demand(view: str) -> None:
    async with shown(view, (200, 50)) as (pane, _, pilot):
        assert pane.query_one(Legend).display
        text = "\n".join(whole(pilot.app))
        wanted = [words for _, words in marks.GLYPHS] if view != "map" else ["highest", "above its median by"]
        assert all(words in text for words in (*wanted, "( ) not ranked, or less than 90 % known"))
        await pressed(pilot, "l")
        assert not pane.query_one(Legend).display
    async with shown(view, (80, 24)) as (pane, _, pilot):
        assert pane.query_one(Legend).display is (view == "map")
        if view != "map":
            await pressed(pilot, "l")
        text = "\n".join(whole(pilot.app))
        assert all(words in text for words in wanted)
        assert pane.query_one(Legend).size.height == (2 if view == "map" else 3)
        assert all(pane.region.contains_region(part.region) for part in pane.children if part.display)


async def test_the_person_s_wish_for_a_legend_is_kept(tmp_path: Path) -> None:
    async with shown("list", (80, 24), StateFile(tmp_path / "s.json")) as (_, _, pilot):
        await pressed(pilot, "l")
    async with shown("list", (80, 24), StateFile(tmp_path / "s.json")) as (pane, _, pilot):
        assert pane.query_one(Legend).display
        await pressed(pilot, "l", "g")
        assert not pane.query_one(Legend).display


async def test_that_only_the_best_pairs_are_there_is_said() -> None:
    async with shown("pairs", (80, 24)) as (pane, table, pilot):
        assert pane.snapshot is not None
        pane.show(replace(pane.snapshot, question=Question(pairs=30)))
        await pilot.pause()
        assert "30 best of 30 assets" in "\n".join(whole(pilot.app))
        pane.filter("doge")
        await pilot.pause()
        assert "Only the best 30 pairs are there yet" in " ".join(lines(table))
        pane.filter("a1")
        await pilot.pause()
        assert "10 of 30 best" in "\n".join(whole(pilot.app))


async def test_all_pairs_are_just_counted() -> None:
    async with shown("pairs", (80, 24)) as (pane, table, pilot):
        assert "30 pairs" in "\n".join(whole(pilot.app))
        pane.filter("doge")
        await pilot.pause()
        assert lines(table)[1].strip() == "Nothing matches 'doge'. Escape clears."
