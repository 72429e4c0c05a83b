import os
import re

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.tables.table import LineTable
from tests.tui.drawn import COLUMNS, TableApp, assets, heading, lines, marked, row, rows, shown

HOSTILE = [
    "X[/]",
    "[@click=app.quit]Q",
    "[bold red]loud",
    "\x1b]0;taken\x07",
    "\x9b31mred",
    "\N{RIGHT-TO-LEFT OVERRIDE}CTB",
    "עברית",
    "😀😀😀😀😀😀",
    "\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}",
    "日本語日本語",
    "e" + 50 * "\N{COMBINING ACUTE ACCENT}",
    "x" * 200,
    "",
]


def style_of(table: LineTable, y: int, text: str) -> Style:
    """The style in which `text` is drawn on line `y`."""
    return next(s.style for s in table.render_line(y) if text in s.text and s.style)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_hostile_text_is_shown_literally_and_stays_aligned(size: tuple[int, int]) -> None:
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        data = [row(text, 12.5, exchange=text) for text in HOSTILE]
        await shown(pilot, app.table, data)
        drawn = lines(app.table)[1 : len(HOSTILE) + 1]
        assert drawn[0].startswith(">X[/]       X[/]")
        assert drawn[1].startswith(" [@click=a… [@click=app…")
        assert drawn[3].startswith(" �]0;taken�")
        for line in drawn:
            before, shown_rate, _ = line.partition("+12.50")
            assert shown_rate
            assert cell_len(before) == 1 + 11 + 13 + 4
        for y in range(size[1] - 3):
            strip = app.table.render_line(y)
            assert cell_len(strip.text) == strip.cell_length == size[0] - 1
            assert strip.text.isprintable()
        assert not any(s.style and s.style.meta for y in range(20) for s in app.table.render_line(y))


async def test_a_narrow_screen_leaves_columns_out_and_a_wide_one_brings_them_back() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app.table, rows(3))
        assert app.table.hidden_columns == ("interest", "next")
        assert heading(app.table) == "asset exchange APR % 24h % 7d % 30d %"
        await pilot.resize_terminal(200, 50)
        assert not app.table.hidden_columns
        assert "OI $m" in lines(app.table)[0]
        assert app.table.render_line(1).cell_length == 199


async def test_the_sorted_column_stays_on_a_narrow_screen() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        await shown(pilot, app.table, rows(3))
        app.table.sort_by("interest")
        await pilot.resize_terminal(80, 24)
        assert "OI $m▼" in lines(app.table)[0]


async def test_scrolling_sideways_moves_whole_columns_and_keeps_the_fixed_one() -> None:
    app = TableApp()
    async with app.run_test(size=(50, 24)) as pilot:
        await shown(pilot, app.table, rows(30))
        assert heading(app.table) == "asset exchange APR % 24h % ›"
        await pilot.press("right")
        assert heading(app.table) == "‹asset APR % 24h % 7d %"
        await pilot.press("right", "right", "right")
        assert heading(app.table) == "‹asset APR % 24h % 7d %"
        assert all(re.fullmatch(r"A\d{3} +\+\d+\.00 +\+1\.00 +\+2\.00", x[1:]) for x in lines(app.table)[1:])
        await pilot.press("left")
        assert "exchange" in lines(app.table)[0]


async def test_every_column_can_be_reached_when_none_may_be_left_out() -> None:
    app = TableApp()
    async with app.run_test(size=(50, 24)) as pilot:
        await shown(pilot, app.table, rows(3))
        app.table.show_all_columns()
        assert app.table.hidden_columns == ()
        await pilot.press(*8 * ["right"])
        assert heading(app.table) == "‹asset 30d % OI $m next"


async def test_sorting_by_a_column_beyond_the_edge_brings_it_into_view() -> None:
    app = TableApp()
    async with app.run_test(size=(50, 24)) as pilot:
        await shown(pilot, app.table, rows(3))
        app.table.show_all_columns()
        app.table.sort_by("month")
        assert "30d %▼" in lines(app.table)[0]


async def test_growing_and_shrinking_keeps_the_cursor_in_view() -> None:
    app = TableApp()
    async with app.run_test(size=(80, 50)) as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.move_cursor("A040")
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        assert marked(app.table) == [app.table.cursor_key]
        await pilot.resize_terminal(3, 2)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert marked(app.table) == [app.table.cursor_key]


async def test_numbers_too_long_for_their_column_are_not_cut() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, [row("A", -12345678901.25)])
        assert lines(app.table)[1].split()[2] == "##########"


async def test_styles_come_by_name_from_cell_column_and_row() -> None:
    columns = [Column("a", "a", 8), Column("b", "b", 8, "right", style="bold")]
    table = LineTable(columns)
    app = TableApp(table)
    async with app.run_test() as pilot:
        data = [
            Row("x", ("x", "0")),
            Row(1, ("plain", "1.00")),
            Row(2, ("plain", Cell("2.00", "bad"))),
            Row(3, (Cell("shade", "above-4"), "3.00")),
            Row(4, (Cell("shade", "above-4"), Cell("4.00", "bad")), style="stale"),
            Row(5, (Cell("odd", "no-such-style"), "5.00")),
        ]
        await shown(pilot, table, data)
        plain, bold = style_of(table, 2, "plain"), style_of(table, 2, "1.00")
        bad, shade = style_of(table, 3, "2.00"), style_of(table, 4, "shade")
        assert (plain.bold, bold.bold, bad.bold) == (None, True, True)
        assert bad.color != bold.color == plain.color
        assert shade.bgcolor != plain.bgcolor == bad.bgcolor
        stale = style_of(table, 5, "4.00")
        assert stale.italic
        assert stale.color not in (bad.color, plain.color)
        assert style_of(table, 6, "odd") == plain


async def test_the_cursor_is_a_bar_of_one_background_over_the_whole_width() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(3))
        bar = {s.style.bgcolor for s in app.table.render_line(1) if s.style}
        rest = {s.style.bgcolor for s in app.table.render_line(2) if s.style}
        assert len(bar) == len(rest) == 1
        assert bar != rest
        await pilot.click(Input)
        faint = {s.style.bgcolor for s in app.table.render_line(1) if s.style}
        assert faint not in (bar, rest)
        assert marked(app.table) == []


async def test_another_theme_gives_every_line_its_colours() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(3))
        seen = []
        for theme in ("textual-dark", "textual-light", "nord", "ansi-dark"):
            app.theme = theme
            await pilot.pause()
            seen.append(tuple(str(s.style) for y in range(4) for s in app.table.render_line(y)))
            assert marked(app.table) == ["A000"]
        assert len(set(seen)) == 4


async def test_without_colours_the_cursor_is_still_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    app = TableApp()
    assert app.no_color
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(3))
        await pilot.press("j")
        assert marked(app.table) == ["A001"]


class Watched(LineTable):
    """Remembers which lines were drawn."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.drawn_lines: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn_lines.append(y)
        return super().render_line(y)


async def test_only_lines_that_changed_are_drawn_again() -> None:
    table = Watched()
    app = TableApp(table)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, table, rows(3000))
        await pilot.pause()
        assert max(table.drawn_lines) < 24
        table.drawn_lines.clear()
        await shown(pilot, table, rows(3000))
        assert table.drawn_lines == []
        changed = rows(3000)
        changed[7] = row("A007", -7)
        changed[2000] = row("A2000", -7)
        await shown(pilot, table, changed)
        assert table.drawn_lines == [8]
        table.drawn_lines.clear()
        await pilot.press("j")
        assert sorted(table.drawn_lines) == [1, 2]


async def test_a_table_behind_another_screen_shows_what_came_meanwhile() -> None:
    class Two(App[None]):
        def compose(self) -> ComposeResult:
            yield LineTable(COLUMNS)

    app = Two()
    async with app.run_test() as pilot:
        table = app.query_one(LineTable)
        await shown(pilot, table, rows(3))
        await app.push_screen(Screen())
        await shown(pilot, table, rows(3, start=5))
        app.pop_screen()
        await pilot.pause()
        assert assets(table) == ["A005", "A006", "A007"]
        painted = "".join(s.text for s in app.screen._compositor.render_strips()[1])
        assert painted.startswith(">A005")
