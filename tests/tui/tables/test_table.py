import pytest
from textual.widgets import Input

from fundwatch.tui.tables.columns import Column, Row
from fundwatch.tui.tables.table import LineTable
from tests.tui.drawn import COLUMNS, TableApp, assets, lines, marked, row, rows, shown

SIZES = [(80, 24), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_the_cursor_stays_on_its_row_through_refresh_sort_and_filter(size: tuple[int, int]) -> None:
    app = TableApp()
    table = app.table
    async with app.run_test(size=size) as pilot:
        await shown(pilot, table, rows(300))
        await pilot.press("j", "j", "down")
        assert marked(table) == ["A003"]
        await shown(pilot, table, [row("NEW", 7), *reversed(rows(5)), *rows(200, 5)])
        assert marked(table) == ["A003"]
        table.sort_by("apr")
        await pilot.pause()
        assert marked(table) == ["A003"]
        assert table.sorted_by == "apr"
        table.filter_by("A1 lighter")
        await pilot.pause()
        assert assets(table)[0].startswith("A1")
        table.filter_by(None)
        await pilot.pause()
        assert marked(table) == ["A003"]
        assert table.cursor_key == "A003"


async def test_a_cursor_nobody_moved_rests_on_the_first_line() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(50))
        await shown(pilot, app.table, reversed(rows(50)))
        assert marked(app.table) == ["A049"]


async def test_when_its_row_is_gone_the_cursor_takes_the_nearest_that_remained() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(30))
        app.table.move_cursor("A010")
        left = [r for r in rows(30) if r.key not in ("A002", "A010", "A011")]
        await shown(pilot, app.table, left)
        assert marked(app.table) == ["A012"]
        await shown(pilot, app.table, rows(30))
        assert marked(app.table) == ["A012"]
        await shown(pilot, app.table, rows(5))
        assert marked(app.table) == ["A004"]


async def test_rows_that_come_back_after_none_find_the_cursor_again() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.move_cursor("A150")
        await shown(pilot, app.table, [])
        assert app.table.cursor_key is None
        await shown(pilot, app.table, rows(300))
        assert marked(app.table) == ["A150"]


@pytest.mark.parametrize("size", SIZES)
async def test_the_view_stays_with_its_rows(size: tuple[int, int]) -> None:
    app = TableApp()
    async with app.run_test(size=size) as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.move_cursor("A150")
        app.table.scroll_to(y=140, animate=False, force=True)
        before = assets(app.table)
        await shown(pilot, app.table, rows(300))
        assert (app.table.scroll_offset.y, assets(app.table)) == (140, before)
        await shown(pilot, app.table, [row("N1", 0), row("N2", 0), *rows(300)])
        assert (app.table.scroll_offset.y, assets(app.table)) == (142, before)
        leapt = [r for r in rows(300) if r.key != "A141"]
        await shown(pilot, app.table, [*leapt, row("A141", 0)])
        assert assets(app.table)[:2] == ["A139", "A140"]
        assert assets(app.table)[2:] == before[2:]


async def test_at_the_top_the_view_shows_newcomers() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        await shown(pilot, app.table, [row("NEW", 0), *rows(300)])
        assert assets(app.table)[0] == "NEW"


async def test_a_view_that_left_its_cursor_is_not_pulled_back_by_a_refresh() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.move_cursor("A003")
        app.table.scroll_to(y=100, animate=False, force=True)
        await shown(pilot, app.table, rows(300))
        assert assets(app.table)[0] == "A100"
        await pilot.press("j")
        assert marked(app.table) == ["A004"]


async def test_fewer_rows_than_lines_are_all_in_view() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        await pilot.press("G")
        await shown(pilot, app.table, rows(4))
        assert assets(app.table) == ["A000", "A001", "A002", "A003"]
        assert marked(app.table) == ["A003"]


@pytest.mark.parametrize(
    ("keys", "reached"),
    [
        (["end"], 299),
        (["G", "g"], 0),
        (["end", "home"], 0),
        (["pagedown"], 20),
        (["pagedown", "pagedown", "pageup"], 20),
        (["ctrl+d"], 10),
        (["ctrl+d", "ctrl+d", "ctrl+u"], 10),
        (["k"], 0),
        (["G", "j"], 299),
        (["down", "down", "up"], 1),
    ],
)
async def test_keys_move_the_cursor_and_keep_it_in_view(keys: list[str], reached: int) -> None:
    app = TableApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, app.table, rows(300))
        assert app.table.scrollable_content_region.height == 21
        await pilot.press(*keys)
        assert marked(app.table) == [f"A{reached:03}"]
        assert app.table.cursor_key == f"A{reached:03}"


async def test_enter_chooses_the_row_under_the_cursor() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await pilot.press("enter")
        await shown(pilot, app.table, rows(3))
        await pilot.press("j", "enter")
        assert app.chosen == ["A001"]


async def test_a_chosen_row_holds_the_cursor() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(10))
        await pilot.press("enter")
        await shown(pilot, app.table, reversed(rows(10)))
        assert marked(app.table) == ["A000"]


async def test_cursor_messages_name_the_row_and_come_only_when_it_changes() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(30))
        await shown(pilot, app.table, rows(30))
        await pilot.press("j", "k", "k")
        await shown(pilot, app.table, [])
        moved = [m.key for m in app.heard if isinstance(m, LineTable.CursorMoved)]
        assert moved == ["A000", "A001", "A000", None]


async def test_s_sorts_by_the_next_column_and_capital_s_turns_the_order_round() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        await shown(pilot, app.table, rows(300))
        await pilot.press("s", "s", "s")
        assert (app.table.sorted_by, app.table.descending) == ("apr", True)
        assert assets(app.table)[:2] == ["A299", "A298"]
        await pilot.press("S")
        assert assets(app.table)[:2] == ["A000", "A001"]
        await pilot.press("less_than_sign")
        assert app.table.sorted_by == "exchange"
        await pilot.press("s", "s", "s", "s", "s", "s")
        assert app.table.sorted_by == "asset"
        told = [(m.column, m.descending) for m in app.heard if isinstance(m, LineTable.SortChanged)]
        assert told[:4] == [("asset", False), ("exchange", False), ("apr", True), ("apr", False)]


async def test_sorting_shows_its_column_and_direction_in_the_heading() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        await shown(pilot, app.table, rows(3))
        app.table.sort_by("apr")
        assert "APR %▼" in lines(app.table)[0]
        app.table.sort_by("asset", descending=False)
        assert lines(app.table)[0].startswith(" asset▲ ")


async def test_sorting_goes_to_the_top_where_nobody_holds_a_row() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.scroll_to(y=100, animate=False, force=True)
        app.table.sort_by("apr")
        await pilot.pause()
        assert assets(app.table)[0] == "A299"


async def test_ranked_rows_stay_on_top_and_unknown_values_at_the_bottom() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, [row("X", None), *rows(5)])
        app.table.rank_by(lambda row: 0 if row.key == "A002" else 1)
        app.table.sort_by("apr")
        await pilot.pause()
        assert assets(app.table) == ["A002", "A004", "A003", "A001", "A000", "X"]


async def test_counts_tell_shown_rows_from_all() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(30))
        app.table.filter_by("a01")
        assert (app.table.row_count, app.table.total_count) == (10, 30)
        assert [row.key for row in app.table.rows] == [f"A01{i}" for i in range(10)]


async def test_no_rows_are_explained_and_a_filter_is_told_from_emptiness() -> None:
    table = LineTable(COLUMNS, empty="Nothing collected yet.", no_match="Nothing matches 'pepx'.")
    app = TableApp(table)
    async with app.run_test() as pilot:
        await pilot.pause()
        assert lines(table)[1] == " Nothing collected yet."
        table.say(empty="First sweep [running], " + 12 * "exchange ")
        assert lines(table)[1].startswith(" First sweep [running]")
        assert lines(table)[2].startswith(" exchange")
        await shown(pilot, table, rows(3))
        table.filter_by("pepx")
        assert lines(table)[1:3] == [" Nothing matches 'pepx'.", ""]
        await pilot.press("j", "G", "enter", "pagedown", "s")
        assert app.chosen == []


async def test_a_table_filled_before_it_is_mounted_shows_its_rows() -> None:
    app = TableApp()
    app.table.show(rows(5))
    app.table.sort_by("apr")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert assets(app.table) == ["A004", "A003", "A002", "A001", "A000"]


async def test_other_columns_bring_their_own_rows() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(5))
        app.table.sort_by("apr")
        app.table.set_columns([Column("exchange", "venue", 12)], [Row("x", ("lighter",), ("lighter",))])
        await pilot.pause()
        assert lines(app.table)[:3] == [" venue", ">lighter", ""]
        assert app.table.sorted_by is None


async def test_amended_cells_are_painted_and_no_row_moves() -> None:
    app = TableApp()
    async with app.run_test(size=(120, 20)) as pilot:
        await shown(pilot, app.table, rows(100))
        await pilot.press("pagedown", "down")
        before = assets(app.table)
        app.table.amend("next", {f"A{i:03}": "13:37" for i in range(50)})
        await pilot.pause()
        assert assets(app.table) == before
        assert all("13:37" in line for line in lines(app.table)[1:])


async def test_the_view_has_moved_with_the_cursor_as_soon_as_the_key_is_through() -> None:
    app = TableApp()
    async with app.run_test(size=(120, 20)) as pilot:
        await shown(pilot, app.table, rows(100))
        app.table.action_cursor_last()
        assert marked(app.table) == ["A099"]


async def test_focus_changes_the_cursor_and_makes_no_style_anew() -> None:
    app = TableApp()
    async with app.run_test(size=(120, 20)) as pilot:
        await shown(pilot, app.table, rows(3))
        app.table.focus()
        await pilot.pause()
        focused, painter = app.table.render_line(1), app.table._painter
        app.query_one(Input).focus()
        await pilot.pause()
        left = app.table.render_line(1)
        assert (focused.text[0], left.text[0]) == (">", " ")
        assert [part.style for part in focused] != [part.style for part in left]
        assert app.table._painter is painter
