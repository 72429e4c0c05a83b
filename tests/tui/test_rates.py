"""Pane 2 under the hands of a person."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from fundwatch.answers.trust import STALE, Trust
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.panes.rates import RatesPane
from fundwatch.tui.state import ScreenState, Sort, StateFile
from fundwatch.tui.tables.caption import Caption
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words
from tests.answers.conftest import stage
from tests.answers.stage import NOW as STAGED
from tests.answers.stage import Stage
from tests.tui.drawn import assets, heading, lines, marked
from tests.tui.markets import HOSTILE, PaneApp, WithDatabase, market, pressed, snapshot, texts, whole

__all__ = ["stage"]

THREE = (
    market("BTC", apr=10.0),
    market("ETH", "binance", apr=-20.0),
    market("TSLA", apr=5.0, asset_class="equity"),
)


@asynccontextmanager
async def shown(
    *markets: MarketRow, size: tuple[int, int] = (80, 24), state: StateFile | None = None
) -> AsyncIterator[tuple[RatesPane, Pilot[None], PaneApp]]:
    pane = RatesPane()
    app = PaneApp(pane, state)
    async with app.run_test(size=size) as pilot:
        pane.show(snapshot(*(markets or THREE)))
        pane.focus_first()
        await pilot.pause()
        yield pane, pilot, app


def table(pane: RatesPane) -> LineTable:
    found = pane.main_table
    assert found is not None
    return found


def line(pane: RatesPane, name: str) -> str:
    return pane.query_one(f"#{name}", Caption).text


async def test_it_starts_with_the_highest_rate_on_top() -> None:
    async with shown() as (pane, _, _):
        assert assets(table(pane)) == ["BTC", "TSLA", "ETH"]
        assert "APR %▼" in heading(table(pane))


async def test_no_essential_column_is_missing_at_80x24_and_none_at_200x50() -> None:
    async with shown() as (pane, pilot, _):
        assert heading(table(pane)) == "asset exchange APR %▼ 24h % 7d % pays next age note"
        await pilot.resize_terminal(200, 50)
        await pilot.pause()
        assert table(pane).hidden_columns == ()


async def test_numbers_of_a_column_end_under_each_other() -> None:
    many = [market(f"A{i}", apr=10.0**i) for i in range(-2, 5)]
    async with shown(*many) as (pane, _, _):
        ends = {[found.end() for found in re.finditer(r"\S+", row)][2] for row in lines(table(pane))[2:8]}
        assert len(ends) == 1


async def test_starred_assets_stand_on_top_whatever_the_sort(tmp_path: Path) -> None:
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, pilot, app):
        table(pane).move_cursor(THREE[1].market_id)
        await pressed(pilot, "*")
        assert assets(table(pane)) == ["★", "BTC", "TSLA"]
        assert marked(table(pane)) == ["★"]
        assert app.said == ["ETH (crypto) is starred, it stands on top."]
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, pilot, app):
        assert assets(table(pane))[0] == "★"
        table(pane).move_cursor(THREE[1].market_id)
        await pressed(pilot, "*")
        assert assets(table(pane)) == ["BTC", "TSLA", "ETH"]


async def test_a_stale_market_stays_in_sight_below_those_that_are_ranked() -> None:
    stale = market("OLD", apr=900.0)
    async with shown() as (pane, pilot, _):
        pane.show(snapshot(*THREE, stale, trust={stale.market_id: Trust(False, STALE)}))
        await pilot.pause()
        assert assets(table(pane)) == ["BTC", "TSLA", "ETH", "OLD"]
        table(pane).move_cursor(stale.market_id)
        await pilot.pause()
        assert "stale" in line(pane, "cursor-line")


async def test_the_line_below_says_what_the_columns_leave_out() -> None:
    one = market(
        apr=0.0,
        symbol="BTC-X",
        open_interest_usd=5e6,
        hourly_rate_cap=0.005,
        session_open=0,
        coverage_30d=0.43,
    )
    async with shown(one, size=(200, 50)) as (pane, _, _):
        said = line(pane, "cursor-line")
        for words in (
            "BTC-X crypto",
            "session closed",
            "rounding step of 0.88 %",
            "30d known to 43 %",
            "OI $m 5.0",
        ):
            assert words in said
        assert "cap % APR 4,380" in said


async def test_classes_are_gone_through_and_kept(tmp_path: Path) -> None:
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, pilot, _):
        await pressed(pilot, "c", "c")
        assert assets(table(pane)) == ["TSLA"]
        assert "class equity" in line(pane, "choices")
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, pilot, _):
        assert assets(table(pane)) == ["TSLA"]
        await pressed(pilot, "c")
        assert len(assets(table(pane))) == 3


async def test_exchanges_are_gone_through() -> None:
    async with shown() as (pane, pilot, _):
        seen = []
        for _ in range(3):
            await pressed(pilot, "x")
            seen.append(assets(table(pane)))
        assert seen == [["BTC", "TSLA"], ["ETH"], ["BTC", "TSLA", "ETH"]]


async def test_words_and_class_filter_together_and_say_when_nothing_is_left() -> None:
    async with shown() as (pane, pilot, _):
        pane.filter("eth-bin")
        await pilot.pause()
        assert (assets(table(pane)), pane.matches) == (["ETH"], (1, 3))
        await pressed(pilot, "c", "c")
        assert pane.matches == (0, 3)
        assert lines(table(pane))[1].strip().startswith("Nothing matches 'eth-bin' among equity")
        pane.filter("")
        await pilot.pause()
        assert assets(table(pane)) == ["TSLA"]


async def test_the_cursor_stays_with_its_market_through_refresh_sort_and_filter() -> None:
    async with shown() as (pane, pilot, _):
        table(pane).move_cursor(THREE[2].market_id)
        pane.show(snapshot(*(row._replace(hourly_rate=-(row.hourly_rate or 0)) for row in THREE)))
        await pilot.pause()
        assert marked(table(pane)) == ["TSLA"]
        await pressed(pilot, "s", "S")
        pane.filter("tsla")
        pane.filter("")
        await pilot.pause()
        assert marked(table(pane)) == ["TSLA"]


async def test_enter_opens_the_asset_of_the_market() -> None:
    async with shown() as (pane, pilot, app):
        table(pane).move_cursor(THREE[1].market_id)
        await pressed(pilot, "enter")
        assert [(c.ticker, c.asset_class, c.market_id) for c in app.chosen] == [
            ("ETH", "crypto", THREE[1].market_id)
        ]
        assert pane.focused_exchange == "binance"


async def test_the_sort_is_kept_for_the_next_start(tmp_path: Path) -> None:
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, _, _):
        table(pane).sort_by("asset")
    async with shown(state=StateFile(tmp_path / "s.json")) as (pane, _, _):
        assert (table(pane).sorted_by, assets(table(pane))) == ("asset", ["BTC", "ETH", "TSLA"])


async def test_a_kept_sort_by_a_column_that_is_no_more_is_the_usual_one() -> None:
    state = StateFile()
    state.change(lambda _: ScreenState(sorts={"rates": Sort("gone", True)}))
    async with shown(state=state) as (pane, _, _):
        assert table(pane).sorted_by == "now"


async def test_another_window_sorts_by_its_column() -> None:
    rows = [row._replace(apr_7d=apr) for row, apr in zip(THREE, (1.0, 2.0, 3.0), strict=True)]
    async with shown() as (pane, pilot, _):
        pane.show(snapshot(*rows, window="7d"))
        await pilot.pause()
        assert assets(table(pane)) == ["TSLA", "ETH", "BTC"]
        table(pane).sort_by("asset")
        pane.show(snapshot(*rows, window="24h"))
        await pilot.pause()
        assert table(pane).sorted_by == "asset"


async def test_the_unit_is_in_the_heading() -> None:
    async with shown() as (pane, pilot, _):
        pane.words = Words("dollars")
        pane.show(snapshot(*THREE))
        await pilot.pause()
        assert "$ a day▼ 24h $" in heading(table(pane))
        assert texts(table(pane).rows[0])[4] == "+2.74"


async def test_every_column_is_within_reach_on_a_narrow_screen() -> None:
    async with shown() as (pane, pilot, _):
        await pressed(pilot, "w")
        assert table(pane).hidden_columns == ()
        await pressed(pilot, *["right"] * 14)
        assert "remarks" in heading(table(pane))
        await pressed(pilot, "w")
        assert table(pane).hidden_columns != ()


async def test_hostile_text_is_shown_letter_by_letter() -> None:
    bad = [market(text, symbol=text, identity_reason=text) for text in HOSTILE]
    async with shown(*bad, size=(200, 50)) as (_, pilot, _):
        screen = "\n".join(whole(pilot.app))
        assert "X[/]" in screen
        for key in ("down", "down", "down", "down", "g", "c", "x"):
            await pressed(pilot, key)
            screen += "\n".join(whole(pilot.app))
        assert "[@click=app.quit]Q" in screen
        assert not set(screen) & set("\x1b\x07\u202e")


# The map


async def test_the_map_has_a_column_for_each_exchange_and_starts_with_the_widest_difference() -> None:
    rows = (
        market("BTC", apr=1.0),
        market("BTC", "binance", apr=9.0),
        market("ETH", apr=1.0),
        market("ETH", "binance", apr=90.0),
    )
    async with shown(*rows) as (pane, pilot, _):
        await pressed(pilot, "g")
        assert heading(table(pane)).startswith("asset class lighter binance max-min▼")
        assert assets(table(pane)) == ["ETH", "BTC"]
        assert "median" not in heading(table(pane))


async def test_the_cursor_goes_along_to_the_map_and_back() -> None:
    async with shown() as (pane, pilot, app):
        table(pane).move_cursor(THREE[2].market_id)
        await pressed(pilot, "g")
        assert marked(table(pane)) == ["TSLA"]
        assert table(pane).has_focus
        await pressed(pilot, "enter")
        assert [(c.ticker, c.asset_class, c.market_id) for c in app.chosen] == [("TSLA", "equity", None)]
        table(pane).move_cursor(("ETH", "crypto"))
        await pressed(pilot, "g")
        assert marked(table(pane)) == ["ETH"]


async def test_a_key_right_after_the_switch_reaches_the_table_that_came_up() -> None:
    async with shown() as (pane, _, _):
        for _ in range(2):
            pane.action_heat_map()
            assert pane.screen.focused is table(pane)


async def test_rows_that_are_still_being_made_are_not_called_missing() -> None:
    pane = RatesPane()
    async with PaneApp(pane).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert lines(table(pane))[1].strip() == "Reading the markets ..."
        assert "0 markets" not in line(pane, "choices")


async def test_the_map_starts_at_its_top_where_nobody_was_on_a_row() -> None:
    many = [
        market(f"A{i:02}", name, apr=i * j) for i in range(40) for j, name in ((1, "lighter"), (2, "binance"))
    ]
    async with shown(*many) as (pane, pilot, _):
        assert assets(table(pane))[0] == "A39"
        pane.show(snapshot(*many, market("A00", "paradex", apr=500.0)))
        await pressed(pilot, "g")
        assert marked(table(pane)) == assets(table(pane))[:1] == ["A00"]
        await pressed(pilot, "g")
        assert table(pane).scroll_offset.y == 0


async def test_the_map_and_its_sort_are_kept(tmp_path: Path) -> None:
    rows = (market("BTC", apr=1.0), market("ETH", apr=2.0), market("BTC", "binance", apr=9.0))
    async with shown(*rows, state=StateFile(tmp_path / "s.json")) as (pane, pilot, _):
        await pressed(pilot, "g")
        table(pane).sort_by("lighter", descending=False)
    async with shown(*rows, state=StateFile(tmp_path / "s.json")) as (pane, pilot, _):
        assert "max-min" in heading(table(pane))
        assert (table(pane).sorted_by, assets(table(pane))) == ("lighter", ["BTC", "ETH"])


async def test_the_map_obeys_window_class_exchange_and_words() -> None:
    async with shown() as (pane, pilot, _):
        await pressed(pilot, "g")
        pane.show(snapshot(*(row._replace(apr_7d=-7.0) for row in THREE), window="7d"))
        await pilot.pause()
        assert texts(table(pane).rows[0])[2] == "-7.00"
        await pressed(pilot, "x")
        assert set(assets(table(pane))) == {"BTC", "TSLA"}
        await pressed(pilot, "c", "c")
        assert assets(table(pane)) == ["TSLA"]
        pane.filter("tsla-lighter")
        assert pane.matches == (1, 3)


async def test_the_line_below_the_map_names_the_exchanges_in_trouble_first() -> None:
    stale = market(exchange="binance", observed_at=THREE[0].last_seen - 2 * 3600)
    apart = market(exchange="paradex", same_as_group=1, identity_reason="its price is another")
    async with shown() as (pane, pilot, _):
        await pressed(pilot, "g")
        pane.show(snapshot(market(), market(exchange="variational"), stale, apart,
                           trust={stale.market_id: Trust(False, STALE)}))  # fmt: skip
        await pilot.pause()
        said = line(pane, "cursor-line")
        assert said.split("  ")[:4] == [
            "BTC crypto",
            "binance: stale, 2 h old",
            "paradex: BTC-paradex its price is another",
            "lighter BTC-lighter 30 s",
        ]


# Sparklines


async def test_sparklines_of_the_rows_in_view_come_from_the_database(stage: Stage) -> None:
    end = 800
    ids = [stage.market(f"A{i:02}", exchange="lighter") for i in range(40)]
    stage.exchange = "lighter"
    stage.fill("A00", range(end - 167, end + 1), rate=1e-5)
    stage.fill("A30", range(end - 167, end + 1), rate=-1e-5)
    pane = RatesPane()
    app = WithDatabase(pane, stage.path)
    async with app.run_test(size=(200, 24)) as pilot:
        rows = [market(f"A{i:02}", apr=100.0 - i, market_id=key) for i, key in enumerate(ids)]
        pane.show(snapshot(*rows, now=STAGED))
        pane.focus_first()
        await app.workers.wait_for_complete()
        await pilot.pause()
        spark = {texts(row)[1]: texts(row)[15] for row in table(pane).rows}
        assert (spark["A00"], spark["A01"], spark["A30"]) == ("▅" * 21, "·" * 21, "")
        await pressed(pilot, "end")
        await app.workers.wait_for_complete()
        await pilot.pause()
        spark = {texts(row)[1]: texts(row)[15] for row in table(pane).rows}
        assert spark["A30"] == "▅" * 21


async def test_new_payments_draw_the_sparkline_anew(stage: Stage) -> None:
    stage.exchange = "lighter"
    key = stage.market("BTC", exchange="lighter")
    pane = RatesPane()
    app = WithDatabase(pane, stage.path)
    async with app.run_test(size=(200, 24)) as pilot:
        for apr, expected in ((None, "·" * 21), (8.76, "▅" * 21)):
            pane.show(snapshot(market(apr=apr, market_id=key), now=STAGED))
            await app.workers.wait_for_complete()
            await pilot.pause()
            assert texts(table(pane).rows[0])[15] == expected
            stage.fill("BTC", range(633, 801), rate=1e-5)


async def test_a_database_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    pane = RatesPane()
    app = WithDatabase(pane, tmp_path / "none.db")
    async with app.run_test(size=(200, 24)) as pilot:
        for _ in range(2):
            pane.show(snapshot(*THREE))
            await app.workers.wait_for_complete()
            await pilot.pause()
        assert len([said for said in app.said if "No sparklines" in said]) == 1
        assert len(assets(table(pane))) == 3
