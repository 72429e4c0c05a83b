from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.color import Color

from fundwatch.tui.charts.bars import (
    STYLES,
    Drawing,
    HourCount,
    Span,
    estimated_seconds_left,
    fitted,
    heartbeat,
    hole_map,
    progress_bar,
)

HOSTILE = "X[/] [@click=app.quit]Q[/] [bold]"


def text(spans: Sequence[Span]) -> str:
    return "".join(part for part, _ in spans)


def styles(spans: Sequence[Span]) -> dict[str, str]:
    return {glyph: style for part, style in spans for glyph in part}


def test_runs_have_one_glyph_each_and_the_newest_is_at_the_right() -> None:
    assert text(heartbeat(["ok", "ok", "partial", "error"], 4)) == "▮▮▯✖"
    assert text(heartbeat(["error", "ok", "ok"], 2)) == "▮▮"


def test_runs_that_were_never_made_are_dots() -> None:
    assert text(heartbeat(["ok", None, "ok"], 6)) == "···▮·▮"


def test_a_run_cut_short_looks_neither_good_nor_bad() -> None:
    assert text(heartbeat(["interrupted", "cancelled", "undone", "running"], 4)) == "---▸"


def test_an_unknown_outcome_never_looks_good() -> None:
    assert heartbeat(["splendid"], 1) == [("?", "warn")]


def test_outcomes_have_their_styles() -> None:
    assert styles(heartbeat(["ok", "partial", "error"], 3)) == {"▮": "good", "▯": "warn", "✖": "bad"}


@pytest.mark.parametrize(
    ("hour", "glyph"),
    [
        pytest.param(HourCount(212, 212), "▮", id="all"),
        pytest.param(HourCount(212, 211), "▯", id="one market lacks"),
        pytest.param(HourCount(212, 1, 211), "▯", id="what is stored counts though the rest is gone"),
        pytest.param(HourCount(212, 0), "·", id="none"),
        pytest.param(HourCount(212, 0, 211), "·", id="one can still be fetched"),
        pytest.param(HourCount(212, 0, 212), "x", id="gone"),
        pytest.param(HourCount(0, 0), " ", id="nothing expected"),
    ],
)
def test_an_hour_shows_what_is_stored_of_it(hour: HourCount, glyph: str) -> None:
    assert text(hole_map([hour], 1)) == glyph


def test_the_hole_map_keeps_the_newest_hours_at_the_right() -> None:
    hours = [HourCount(2, 0), HourCount(2, 1), HourCount(2, 2)]
    assert text(hole_map(hours, 2)) == "▯▮"
    assert text(hole_map(hours, 5)) == "  ·▯▮"


@pytest.mark.parametrize("width", [0, -1])
def test_bars_without_room_are_empty(width: int) -> None:
    assert heartbeat(["ok"], width) == []
    assert hole_map([HourCount(1, 1)], width) == []
    assert progress_bar(1, 2, width) == []


def test_progress_says_share_time_and_words() -> None:
    assert text(progress_bar(42, 100, 60, 185, "Lighter")).rstrip() == (
        "[######---------]  42 %  about 3 min left  Lighter"
    )


def test_progress_is_not_complete_before_the_last_one() -> None:
    assert "  99 %" in text(progress_bar(9999, 10000, 40))
    assert "] 100 %" in text(progress_bar(10000, 10000, 40, seconds_left=9))
    assert "left" not in text(progress_bar(10000, 10000, 40, seconds_left=9))


@pytest.mark.parametrize("total", [None, 0])
def test_progress_without_a_total_claims_no_share(total: int | None) -> None:
    assert text(progress_bar(5, total, 20)).split() == ["[-----]", "-"]


def test_time_left_follows_the_pace_and_waits_for_one() -> None:
    assert estimated_seconds_left(25, 100, 10) == 30
    assert estimated_seconds_left(1, 100, 10) is None
    assert estimated_seconds_left(50, 100, 1) is None
    assert estimated_seconds_left(0, 0, 10) is None
    assert estimated_seconds_left(120, 100, 10) == 0


@given(
    st.floats(-10, 1e6),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.integers(0, 90),
    st.text("a我[ ", max_size=30),
)
def test_progress_is_exactly_as_wide_as_asked(
    done: float, total: float | None, width: int, words: str
) -> None:
    assert cell_len(text(progress_bar(done, total, width, 61, words))) == width


@given(st.lists(st.tuples(st.text("a我é-"), st.sampled_from(["", "good"]))), st.integers(0, 30))
def test_fitted_text_is_exactly_as_wide_as_asked(spans: list[Span], width: int) -> None:
    assert cell_len(text(fitted(spans, width))) == width


def test_what_is_cut_says_so() -> None:
    assert text(fitted([("variational", "")], 6)) == "varia…"
    assert text(fitted([("我我我", "")], 4)) == "我 …"


class Bar(Drawing):
    def __init__(self, *spans: Span) -> None:
        super().__init__()
        self.spans = list(spans)

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return [fitted(self.spans, width)]


class Bars(App[None]):
    def compose(self) -> ComposeResult:
        yield Bar(*heartbeat(["ok", "error"], 2))


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
async def test_every_style_has_a_colour_of_its_own_against_the_background(theme: str) -> None:
    app = Bars()
    async with app.run_test(size=(40, 5)) as pilot:
        app.theme = theme
        await pilot.pause()
        bar = app.query_one(Bar)
        for name in STYLES:
            style = bar.get_component_rich_style(f"drawing--{name}")
            assert style.color is not None
            assert style.color.is_default or style.color != style.bgcolor


async def test_a_drawing_follows_new_values() -> None:
    async with Bars().run_test(size=(40, 5)) as pilot:
        bar = pilot.app.query_one(Bar)
        assert bar.render_line(0).text == "▮✖".ljust(40)
        bar.spans = progress_bar(1, 2, 40)
        bar.redraw()
        assert bar.render_line(0).text.split() == ["[#####-----]", "50", "%"]


async def test_what_changes_while_it_is_hidden_is_there_when_it_comes_up() -> None:
    async with Bars().run_test(size=(40, 5)) as pilot:
        bar = pilot.app.query_one(Bar)
        assert bar.render_line(0).text == "▮✖".ljust(40)
        bar.display = False
        await pilot.pause()
        bar.spans = progress_bar(1, 2, 40)
        bar.redraw()
        bar.display = True
        await pilot.pause()
        assert bar.size.width == 40
        assert bar.render_line(0).text.split() == ["[#####-----]", "50", "%"]


async def test_the_same_lines_are_not_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bars().run_test(size=(40, 5)) as pilot:
        bar = pilot.app.query_one(Bar)
        await pilot.pause()
        painted: list[bool] = []
        monkeypatch.setattr(bar, "refresh", lambda: painted.append(True))
        bar.redraw()
        assert painted == []
        bar.spans = progress_bar(1, 2, 40)
        bar.redraw()
        assert painted == [True]


async def test_words_are_never_read_as_markup() -> None:
    async with Bars().run_test(size=(80, 5)) as pilot:
        bar = pilot.app.query_one(Bar)
        bar.spans = progress_bar(1, 2, 80, None, HOSTILE)
        bar.redraw()
        line = bar.render_line(0)
        assert HOSTILE in line.text
        assert all(not segment.style.meta for segment in line if segment.style)


async def test_good_and_bad_take_their_colours_from_the_theme() -> None:
    app = Bars()
    async with app.run_test(size=(40, 5)):
        line = app.query_one(Bar).render_line(0)
        colours = {segment.text: segment.style.color for segment in line if segment.style}
        variables = app.get_css_variables()
        for glyph, variable in (("▮", "text-success"), ("✖", "text-error")):
            assert colours[glyph] == Color.parse(variables[variable]).rich_color


async def test_a_drawing_of_more_lines_than_it_has_is_blank_below() -> None:
    class Tall(Drawing):
        DEFAULT_CSS = "Tall { height: 3; }"

        def draw(self, width: int, height: int) -> list[list[Span]]:
            return [[("one", "good")]]

    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield Tall()

    async with Shown().run_test(size=(10, 5)) as pilot:
        tall = pilot.app.query_one(Tall)
        assert [tall.render_line(y).text for y in range(3)] == ["one".ljust(10), " " * 10, " " * 10]
