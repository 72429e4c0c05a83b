"""Pane 3 under the hands of a person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from fundwatch.answers.spreads import Spread
from fundwatch.tui.panes.arbitrage import ArbitragePane
from fundwatch.tui.snapshot import FIRST_PAIRS
from fundwatch.tui.state import StateFile
from fundwatch.tui.tables.caption import Caption
from fundwatch.tui.tables.table import LineTable
from tests.tui.drawn import assets, heading, lines, marked
from tests.tui.house import House, app_of, screen, until
from tests.tui.markets import HOSTILE, PaneApp, market, pressed, snapshot, whole
from tests.tui.rows.test_spread_rows import spread

LEGS = (market("SOL", "paradex", apr=-27.16), market("SOL", "lighter", apr=59.86))
PAIRS = (
    spread("SOL", 87.02),
    spread("BTC", 20.0, asset_class="equity"),
    spread("ETH", 50.0, long_exchange="binance"),
    spread("BAD", 900.0, trusted=False, reason="stale"),
)


@asynccontextmanager
async def shown(
    *pairs: Spread, size: tuple[int, int] = (80, 24), state: StateFile | None = None
) -> AsyncIterator[tuple[ArbitragePane, Pilot[None], PaneApp]]:
    pane = ArbitragePane()
    app = PaneApp(pane, state)
    async with app.run_test(size=size) as pilot:
        pane.show(snapshot(*LEGS, spreads=pairs or PAIRS))
        pane.focus_first()
        await pilot.pause()
        yield pane, pilot, app


def table(pane: ArbitragePane) -> LineTable:
    found = pane.main_table
    assert found is not None
    return found


async def test_the_best_net_pair_is_on_top_and_untrusted_ones_are_below_with_their_reason() -> None:
    async with shown() as (pane, pilot, _):
        assert assets(table(pane)) == ["SOL", "ETH", "BTC", "BAD"]
        assert "(+900.0)" in lines(table(pane))[4]
        await pressed(pilot, "end")
        assert "stale" in pane.query_one("#cursor-line", Caption).text


async def test_untrusted_pairs_stay_below_in_any_order() -> None:
    async with shown() as (pane, pilot, _):
        await pressed(pilot, "S")
        assert assets(table(pane)) == ["BTC", "ETH", "SOL", "BAD"]


async def test_the_columns_that_matter_fit_into_80_cells_and_all_into_200() -> None:
    async with shown() as (pane, pilot, _):
        assert heading(table(pane)) == "asset long short APR % net %▼ even pos % OI $m note"
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert heading(table(pane)) == "asset long short APR % net %▼ even pos % OI $m age gap % note 7d %"
        await pilot.resize_terminal(200, 50)
        await pilot.pause()
        assert table(pane).hidden_columns == ()


async def test_the_line_below_shows_both_legs_with_their_rates() -> None:
    async with shown() as (pane, _, _):
        said = pane.query_one("#cursor-line", Caption).text
        assert said.startswith("long paradex SOL-paradex -27.16  short lighter SOL-lighter +59.86  ")
        assert said.endswith("price gap % +0.03  min OI $m 1.9  ages 30 s / 30 s  crypto")


async def test_enter_opens_the_asset() -> None:
    async with shown() as (_, pilot, app):
        await pressed(pilot, "enter", "down", "enter")
        assert [(c.ticker, c.asset_class, c.market_id) for c in app.chosen] == [
            ("SOL", "crypto", LEGS[1].market_id),
            ("ETH", "crypto", None),
        ]


async def test_h_asks_for_the_next_time_held() -> None:
    async with shown() as (pane, pilot, app):
        for hours in (24.0, 72.0, 168.0, 720.0, 5.0):
            pane.show(snapshot(spreads=PAIRS, hold_hours=hours))
            await pressed(pilot, "h")
        assert app.holds == [72.0, 168.0, 720.0, 24.0, 24.0]


async def test_the_time_held_and_the_window_are_said() -> None:
    async with shown() as (pane, pilot, _):
        pane.show(snapshot(spreads=PAIRS, hold_hours=720.0, window="7d"))
        await pilot.pause()
        said = pane.query_one("#choices", Caption).text
        assert "h held 30 days" in said
        assert "window 7d" in said
        assert "30 days" in next(column.tooltip for column in table(pane).columns if column.key == "net")


async def test_class_exchange_and_words_choose_pairs_by_either_leg() -> None:
    async with shown() as (pane, pilot, _):
        pane.show(
            snapshot(*LEGS, market("ETH", "binance"), market("BTC", asset_class="equity"), spreads=PAIRS)
        )
        for _ in range(2):
            await pressed(pilot, "x")
        assert assets(table(pane)) == ["ETH"]
        await pressed(pilot, "x", "x", "c", "c")
        assert assets(table(pane)) == ["BTC"]
        await pressed(pilot, "c")
        pane.filter("sol-paradex")
        assert pane.matches == (1, 4)


async def test_starred_pairs_stand_on_top() -> None:
    async with shown() as (pane, pilot, app):
        table(pane).move_cursor(("BTC", "equity", 0))
        await pressed(pilot, "*")
        assert assets(table(pane))[0] == "★"
        assert app.screen_state.state.starred == {("BTC", "equity")}


async def test_a_class_chosen_in_another_pane_holds_here_too() -> None:
    state = StateFile()
    async with shown(state=state) as (pane, pilot, _):
        pane.keep(asset_class="equity")
        pane.show(snapshot(*LEGS, spreads=PAIRS))
        await pilot.pause()
        assert assets(table(pane)) == ["BTC"]


async def test_the_cursor_stays_with_the_asset_when_its_best_pair_is_another() -> None:
    async with shown() as (pane, pilot, _):
        table(pane).move_cursor(("ETH", "crypto", 0))
        pane.show(snapshot(spreads=[spread("ETH", 99.0, short_exchange="variational"), *PAIRS[:2]]))
        await pilot.pause()
        assert marked(table(pane)) == ["ETH"]


async def test_nothing_to_show_says_why() -> None:
    async with shown() as (pane, pilot, _):
        pane.show(snapshot(*LEGS))
        await pilot.pause()
        assert lines(table(pane))[1].strip() == "No asset has a rate on two exchanges."
        pane.show(snapshot())
        await pilot.pause()
        assert "no collector runs" in lines(table(pane))[1]


async def test_hostile_text_is_shown_letter_by_letter() -> None:
    bad = [
        spread(text, long_exchange=text, short_symbol=text, reason=text, trusted=False) for text in HOSTILE
    ]
    async with shown(*bad, size=(200, 50)) as (_, pilot, app):
        await pressed(pilot, "down", "down", "down")
        screen = "\n".join(whole(app))
        assert "X[/]" in screen
        assert "[@click=app.quit]Q" in screen
        assert not set(screen) & set("\x1b\x07\u202e")


async def test_who_looks_at_the_pairs_gets_all_of_them_with_the_next_snapshot(house: House) -> None:
    for number in range(FIRST_PAIRS + 10):
        house.market("lighter", f"A{number}", f"A{number}", 10.0)
        house.market("binance", f"A{number}USDT", f"A{number}", 20.0 + number)
    async with house.open((120, 40)) as pilot:
        app = app_of(pilot)
        assert app.snapshot is not None
        assert len(app.snapshot.spreads) == FIRST_PAIRS
        await pilot.press("3")
        await until(pilot, lambda: "62 pairs" in screen(pilot))
        await pilot.press("slash", *"A3", "enter")
        await until(pilot, lambda: "11 of 62 pairs" in screen(pilot))
        await pilot.press("escape", "escape", "1")
        await until(pilot, lambda: app.pane.id == "overview")
        table = app.query_one("#pair-table", LineTable)
        assert len(table.rows) == FIRST_PAIRS, "an overview stays one, whatever was looked at before"
        await pilot.press("slash", *"A9", "enter")
        await until(pilot, lambda: "Arbitrage has all pairs" in screen(pilot))
