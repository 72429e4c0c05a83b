from textual import events
from textual.content import Content
from textual.widgets import Input

from tests.tui.drawn import TableApp, assets, lines, marked, rows, shown


async def test_a_click_moves_the_cursor_and_a_double_click_chooses() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        await pilot.click(app.table, offset=(5, 4))
        assert marked(app.table) == ["A003"]
        assert app.chosen == []
        await pilot.click(app.table, offset=(50, 6), times=2)
        assert marked(app.table) == ["A005"]
        assert app.chosen == ["A005"]


async def test_the_mouse_finds_rows_inside_a_border() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        app.table.styles.border = ("round", "white")
        app.table.styles.padding = (1, 2)
        await shown(pilot, app.table, rows(300))
        await pilot.click(app.table, offset=(9, 2 + 5))
        assert marked(app.table) == ["A004"]
        await pilot.click(app.table, offset=(3 + lines(app.table)[0].index("APR"), 2))
        assert app.table.sorted_by == "apr"
        await pilot.click(app.table, offset=(9, 1), times=2)
        assert (app.chosen, app.table.descending) == ([], True)


async def test_a_double_click_does_not_choose_a_row_that_slipped_under_the_mouse() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(10))
        await pilot.click(app.table, offset=(5, 4))
        app.table.show(list(reversed(rows(10))))
        second = events.Click(app.table, 5, 4, 0, 0, 1, shift=False, meta=False, ctrl=False, chain=2)
        app.table.on_click(second)
        await pilot.pause()
        assert app.chosen == []
        assert marked(app.table) == ["A006"]


async def test_a_click_below_the_rows_or_with_another_button_does_nothing() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(3))
        await pilot.click(app.table, offset=(5, 10), times=2)
        await pilot.click(app.table, offset=(5, 3), button=3)
        assert app.chosen == []
        assert marked(app.table) == ["A000"]


async def test_a_click_on_a_heading_sorts_and_the_next_turns_the_order_round() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        await shown(pilot, app.table, rows(300))
        apr = lines(app.table)[0].index("APR %")
        await pilot.click(app.table, offset=(apr, 0))
        assert (app.table.sorted_by, assets(app.table)[0]) == ("apr", "A299")
        await pilot.click(app.table, offset=(apr, 0))
        assert (app.table.sorted_by, assets(app.table)[0]) == ("apr", "A000")
        assert "APR %▲" in lines(app.table)[0]


async def test_a_click_on_a_heading_that_cannot_sort_does_nothing() -> None:
    app = TableApp()
    async with app.run_test(size=(200, 50)) as pilot:
        await shown(pilot, app.table, rows(3))
        await pilot.click(app.table, offset=(lines(app.table)[0].index("next"), 0))
        await pilot.click(app.table, offset=(150, 0))
        assert app.table.sorted_by is None


async def test_the_line_under_the_mouse_is_lit_until_the_mouse_leaves() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        plain = app.table.render_line(5)
        await pilot.hover(app.table, offset=(5, 5))
        lit = app.table.render_line(5)
        assert [s.text for s in lit] == [s.text for s in plain]
        assert all(s.style is not None and s.style.bgcolor for s in lit)
        assert {s.style.bgcolor for s in lit if s.style} != {s.style.bgcolor for s in plain if s.style}
        await pilot.hover(Input)
        assert app.table.render_line(5) == plain


def wheel(app: TableApp, shift: bool = False) -> events.MouseScrollDown:
    return events.MouseScrollDown(
        app.table, x=5, y=5, delta_x=0, delta_y=1, button=0, shift=shift, meta=False, ctrl=False
    )


async def test_the_wheel_scrolls_and_leaves_the_cursor_on_its_row() -> None:
    app = TableApp()
    async with app.run_test() as pilot:
        await shown(pilot, app.table, rows(300))
        app.table.post_message(wheel(app))
        await pilot.pause()
        assert assets(app.table)[0] == "A002"
        assert app.table.cursor_key == "A000"


async def test_the_wheel_with_shift_scrolls_columns() -> None:
    app = TableApp()
    async with app.run_test(size=(50, 24)) as pilot:
        await shown(pilot, app.table, rows(300))
        assert "exchange" in lines(app.table)[0]
        app.table.post_message(wheel(app, shift=True))
        await pilot.pause()
        assert "exchange" not in lines(app.table)[0]
        assert assets(app.table)[0] == "A000"


async def test_a_heading_explains_its_column_without_reading_markup() -> None:
    app = TableApp()
    async with app.run_test(tooltips=True) as pilot:
        await shown(pilot, app.table, rows(3))
        await pilot.hover(app.table, offset=(3, 0))
        assert isinstance(app.table.tooltip, Content)
        assert app.table.tooltip.plain == "What the market is [about]"
        await pilot.hover(app.table, offset=(3, 2))
        assert app.table.tooltip is None
