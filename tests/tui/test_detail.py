"""One asset on a screen of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from fundwatch.config import Config
from fundwatch.models import Source
from fundwatch.storage.queries import MarketRow
from fundwatch.tui.charts.chart import Chart
from fundwatch.tui.detail import AssetScreen
from fundwatch.tui.panes.base import AssetChosen
from fundwatch.tui.rows.ledger import Ledger
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.state import StateFile
from fundwatch.tui.tables.caption import Caption
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words
from tests.answers.conftest import stage
from tests.answers.stage import END, NOW, Stage
from tests.tui.drawn import assets, heading, marked
from tests.tui.markets import HOSTILE, drawn, market, pressed, snapshot, texts, whole

__all__ = ["stage"]


class Frame(App[None]):
    """What the screen sees of the dashboard."""

    def __init__(self, shot: Snapshot | None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.snapshot = shot
        self.words = Words()
        self.screen_state = StateFile()

    def action_unit(self) -> None:
        self.words = Words("8h")


@asynccontextmanager
async def opened(
    database: Path, *markets: MarketRow, chosen: AssetChosen | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[AssetScreen, Pilot[None], Frame]]:
    shot = snapshot(*markets, now=NOW)
    app = Frame(shot)
    screen = AssetScreen(database, "real", Config(), chosen or AssetChosen("BTC", "crypto"), shot, Words())
    async with app.run_test(size=size) as pilot:
        await app.push_screen(screen)
        await settled(pilot)
        yield screen, pilot, app


async def settled(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def staged(stage: Stage, exchange: str, rate: float, hours: int = 24 * 30) -> int:
    """A stored market that paid `rate` (fraction per hour) each hour."""
    stage.exchange = exchange
    stage.describe(exchange, Source.EXCHANGE)
    key = stage.market("BTC", exchange=exchange)
    stage.fill("BTC", range(END - hours + 1, END + 1), rate=rate)
    return key


def two(stage: Stage) -> tuple[MarketRow, MarketRow]:
    lighter, binance = staged(stage, "lighter", 1e-5), staged(stage, "binance", -2e-5, hours=48)
    return market(market_id=lighter, next_funding_time=NOW + 60), market(
        exchange="binance", market_id=binance
    )


def cells(screen: AssetScreen, exchange: str) -> dict[str, str]:
    table = screen.query_one(LineTable)
    row = next(row for row in table.rows if texts(row)[0] == exchange)
    return dict(zip([column.key for column in table.columns], texts(row), strict=True))


async def test_each_exchange_has_its_row_with_what_it_paid(stage: Stage) -> None:
    async with opened(stage.path, *two(stage)) as (screen, _, _):
        assert assets(screen.query_one(LineTable)) == ["binance", "lighter"]
        lighter, binance = cells(screen, "lighter"), cells(screen, "binance")
        assert (lighter["now"], lighter["mean"], lighter["positive"]) == ("+10.95", "+8.76", "100")
        assert (binance["mean"], binance["lowest"], binance["coverage"]) == ("(-17.52)", "-17.52", "28")


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_table_chart_and_payments_fit_on_the_screen(stage: Stage, size: tuple[int, int]) -> None:
    async with opened(stage.path, *two(stage), size=size) as (screen, _, app):
        assert "exchange▲ symbol APR % 7d % lowest highest" in heading(screen.query_one(LineTable))
        chart = drawn(screen.query_one(Chart))
        assert any("L lighter +8.76" in line for line in chart)
        assert any("B binance -17.52" in line for line in chart)
        ledger = drawn(screen.query_one(Ledger))
        assert "lighter" in ledger[2]
        assert "Pairs now, before costs" in "".join(ledger)
        assert len(whole(app)) == size[1]
        assert all(
            screen.region.contains_region(widget.region)
            for widget in screen.query("Chart, Ledger, LineTable")
        )


async def test_the_range_changes_statistics_and_chart(stage: Stage) -> None:
    async with opened(stage.path, *two(stage)) as (screen, pilot, _):
        await pressed(pilot, "[")
        await settled(pilot)
        assert "1d %" in heading(screen.query_one(LineTable))
        assert cells(screen, "binance")["mean"] == "-17.52"
        await pressed(pilot, "[", "]", "]", "]", "]")
        await settled(pilot)
        assert "90d %" in heading(screen.query_one(LineTable))
        assert cells(screen, "lighter")["coverage"] == "33"
        assert "paid over  1d  7d  30d [90d]" in screen.query_one("#asset-title", Caption).text


async def test_one_market_can_be_drawn_alone(stage: Stage) -> None:
    rows = two(stage)
    async with opened(stage.path, *rows, chosen=AssetChosen("BTC", "crypto", rows[0].market_id)) as (
        screen,
        pilot,
        _,
    ):
        assert marked(screen.query_one(LineTable)) == ["lighter"]
        await pressed(pilot, "enter")
        assert not any("binance" in line for line in drawn(screen.query_one(Chart)))
        await pressed(pilot, "enter")
        assert any("binance" in line for line in drawn(screen.query_one(Chart)))


async def test_another_price_is_set_aside_with_its_reason(stage: Stage) -> None:
    other = market(exchange="paradex", apr=-43.8, same_as_group=1, identity_reason="its price is another")
    async with opened(stage.path, *two(stage), other) as (screen, _, _):
        assert assets(screen.query_one(LineTable)) == ["binance", "lighter"]
        assert "paradex BTC-paradex -43.80 its price is another" in screen.query_one("#apart", Caption).text
        assert not any("paradex" in line for line in drawn(screen.query_one(Ledger)))


async def test_the_line_below_the_table_is_about_the_market_under_the_cursor(stage: Stage) -> None:
    rows = (*two(stage), market(exchange="variational", session_open=0))
    async with opened(stage.path, *rows, size=(200, 50)) as (screen, pilot, _):
        await pressed(pilot, "end")
        assert "session closed" in screen.query_one("#cursor-line", Caption).text


async def test_it_follows_the_snapshots_and_words_of_the_app(stage: Stage) -> None:
    rows = two(stage)
    async with opened(stage.path, *rows) as (screen, pilot, app):
        app.snapshot = snapshot(rows[0]._replace(hourly_rate=-1e-5), rows[1], now=NOW + 10)
        await pilot.pause(1.1)
        assert cells(screen, "lighter")["now"] == "-8.76"
        await pressed(pilot, "u")
        assert "% 8 h" in heading(screen.query_one(LineTable))
        assert any(line.startswith("% 8 h by the hour") for line in drawn(screen.query_one(Chart)))
        assert any("L lighter +0.0080" in line for line in drawn(screen.query_one(Chart)))


async def test_it_reads_again_only_when_something_was_paid(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = two(stage)
    async with opened(stage.path, *rows) as (screen, pilot, _):
        asked = []
        monkeypatch.setattr(screen, "_read_paid", lambda *args: asked.append(args))
        screen.show(snapshot(*rows, now=NOW + 10))
        assert asked == []
        screen.show(snapshot(rows[0]._replace(apr_24h=1.0), rows[1], now=NOW + 20))
        assert len(asked) == 1
        await pilot.pause()


async def test_escape_closes_it(stage: Stage) -> None:
    async with opened(stage.path, *two(stage)) as (screen, pilot, app):
        await pressed(pilot, "escape")
        assert app.screen is not screen


async def test_an_asset_that_is_gone_says_so(stage: Stage) -> None:
    async with opened(stage.path, market("ETH")) as (screen, _, app):
        assert "No market of this name is left." in "\n".join(whole(app))
        assert "0 markets" in screen.query_one("#asset-title", Caption).text


async def test_a_database_that_cannot_be_read_is_said_in_the_place_of_the_chart(tmp_path: Path) -> None:
    async with opened(tmp_path / "none.db", market(), size=(200, 50)) as (screen, _, _):
        assert any("none.db" in line for line in drawn(screen.query_one(Chart)))
        assert cells(screen, "lighter")["now"] == "+10.95"


async def test_without_a_snapshot_it_waits_for_the_first(stage: Stage) -> None:
    rows = two(stage)
    app = Frame(None)
    screen = AssetScreen(stage.path, "real", Config(), AssetChosen("BTC", "crypto"), None, Words())
    async with app.run_test() as pilot:
        await app.push_screen(screen)
        app.snapshot = snapshot(*rows, now=NOW)
        await pilot.pause(1.1)
        assert assets(screen.query_one(LineTable)) == ["binance", "lighter"]
        await settled(pilot)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_letter_by_letter(stage: Stage, text: str) -> None:
    rows = (
        market(text, symbol=text),
        market(text, exchange="binance"),
        market(text, exchange=text, symbol=text, same_as_group=1, identity_reason=text),
    )
    async with opened(stage.path, *rows, chosen=AssetChosen(text, "crypto"), size=(200, 50)) as (_, _, app):
        screen = "\n".join(whole(app))
        assert not set(screen) & set("\x1b\x07\u202e")
        if text.isprintable() and len(text) < 100:
            assert text in screen


async def test_a_line_keeps_its_colour_when_it_is_drawn_alone(stage: Stage) -> None:
    async with opened(stage.path, *two(stage)) as (screen, pilot, _):
        chart = screen.query_one(Chart)

        def style() -> object:
            lines = chart.draw(*chart.size)
            return next(style for line in lines for text, style in line if text.startswith("L lighter"))

        together = style()
        screen.query_one(LineTable).move_cursor(
            next(k.key for k in screen.query_one(LineTable).rows if k.cells[0] == "lighter")
        )
        await pressed(pilot, "enter")
        assert not any("binance" in line for line in drawn(chart))
        assert style() == together


async def test_title_and_lines_never_cut_a_number_at_80_columns(stage: Stage) -> None:
    rows = two(stage)
    first = rows[0]._replace(
        mark_price=92_084.99, index_price=92_070.62, open_interest_usd=1.2e9, hourly_rate_cap=0.005
    )
    async with opened(stage.path, first, rows[1], chosen=AssetChosen("BTC", "crypto", first.market_id)) as (
        _,
        _,
        app,
    ):
        about = next(line for line in whole(app) if "BTC-lighter crypto" in line)
        assert about.strip() == "BTC-lighter crypto  OI $m 1,200.0  vol $m 1.0  mark $ 92,084.99 …"


async def test_long_ranges_are_drawn_as_means_where_several_lines_share_them(stage: Stage) -> None:
    async with opened(stage.path, *two(stage), size=(200, 50)) as (screen, pilot, _):
        chart = screen.query_one(Chart)
        for key, words in (("]", "APR %, means of 8 h"), ("]", "APR %, means of 24 h")):
            await pressed(pilot, key)
            await settled(pilot)
            assert drawn(chart)[0].startswith(words)
        await pressed(pilot, "enter")
        assert drawn(chart)[0].startswith("APR % by the hour")
