import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from fundwatch.models import HOUR, Window
from fundwatch.tui.charts.bars import STYLES
from fundwatch.tui.charts.chart import RANGES, Chart
from fundwatch.tui.charts.plotting import HUES, MIN_HEIGHT, MIN_WIDTH, Point, Series, _lines, means, plot

END = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp())
WEEK = Window(END - 168 * HOUR, END)


def hourly(values: Sequence[float | None], end: int = END) -> list[Point]:
    """One value an hour, the last one at `end`."""
    return [(end - (len(values) - 1 - at) * HOUR, value) for at, value in enumerate(values)]


def drawn(
    *series: Series, window: Window = WEEK, width: int = 80, height: int = 16, heading: str = "APR %"
) -> list[str]:
    lines = plot(series, window, width, height, heading)
    return ["".join(text for text, _ in line) for line in lines]


def rows_of_plot(lines: list[str]) -> list[str]:
    """What lies right of the value axis, from the top."""
    return [line.partition("┤" if "┤" in line else "│")[2] for line in lines if "│" in line or "┤" in line]


def tick_rows(lines: list[str]) -> dict[str, int]:
    rows = [line for line in lines if "│" in line or "┤" in line]
    return {line.partition("┤")[0].strip(): at for at, line in enumerate(rows) if "┤" in line}


def braille(text: str) -> str:
    return "".join(c for c in text if "\u2800" <= c <= "\u28ff")


def test_the_heading_says_highest_and_lowest_value_with_series_and_time() -> None:
    lines = drawn(Series("lighter", hourly([4.0, -204.98, 5.0])), Series("binance", hourly([10.95] * 3)))
    assert lines[0].rstrip() == "APR %   high B +10.95 20 Nov 10:00   low L -204.98 20 Nov 11:00"


def test_zero_is_always_in_the_picture() -> None:
    for values in ([91.0, 92.0], [-91.0, -92.0], [0.0, 0.0], [1e-7, 2e-7]):
        lines = drawn(Series("lighter", hourly(values)))
        assert any(label.lstrip("0.") == "" for label in tick_rows(lines)), values


def test_the_zero_line_reaches_from_side_to_side_where_no_series_lies() -> None:
    lines = drawn(Series("lighter", hourly([50.0] * 169)))
    at = tick_rows(lines)["0"]
    assert len(set(rows_of_plot(lines)[at].rstrip())) == 1


def zero_row(*series: Series) -> str:
    lines = drawn(*series)
    return rows_of_plot(lines)[tick_rows(lines)["0"]][:-2].rstrip()


def test_a_series_at_zero_lies_on_the_zero_line() -> None:
    other = Series("b", hourly([70.0]))
    line = set(zero_row(other))
    assert len(line) == 1
    assert set(zero_row(other, Series("lighter", hourly([0.0] * 169)))) == line | {"L"}


def test_a_rising_line_rises_within_its_cells() -> None:
    rows = rows_of_plot(drawn(Series("a", hourly([0.0, 100.0])), window=Window(END - HOUR, END), height=24))
    middle = rows[len(rows) // 2]
    assert set(braille(middle)) <= set("⢀⡠⠔⠊⠁⠒⠤⣀⠉⡀⠈")
    assert [len(row) - len(row.lstrip()) for row in rows[2:14]] == sorted(
        (len(row) - len(row.lstrip()) for row in rows[2:14]), reverse=True
    )


@given(st.floats(-3000, 3000), st.floats(-3000, 3000), st.integers(10, 40))
def test_labels_tell_their_values_exactly(one: float, other: float, height: int) -> None:
    lines = drawn(Series("a", hourly([one, other])), height=height)
    values = [float(label.replace(",", "")) for label in tick_rows(lines)]
    steps = [above - below for above, below in pairwise(values)]
    assert steps
    assert all(step == pytest.approx(steps[0], rel=1e-6) and step > 0 for step in steps)


def test_labels_have_no_more_decimals_than_they_need() -> None:
    assert {"+25", "+50", "0"} == set(tick_rows(drawn(Series("a", hourly([70.0])))))
    assert {"+2.5", "+5.0", "0.0"} == set(tick_rows(drawn(Series("a", hourly([7.0])))))


def test_labels_are_signed_round_and_aligned() -> None:
    lines = drawn(Series("lighter", hourly([13.0, -200.0])))
    ticks = tick_rows(lines)
    assert {"0", "-100", "-200"} <= set(ticks)
    assert len({line.index("┤") for line in lines if "┤" in line}) == 1
    assert len({line.index("│") for line in lines if "│" in line}) == 1


def test_a_value_lies_in_the_row_of_its_label() -> None:
    for value, label in ((100.0, "+100"), (-100.0, "-100")):
        lines = drawn(Series("lighter", hourly([value] * 169)))
        assert "L" in rows_of_plot(lines)[tick_rows(lines)[label]]


def test_positive_is_above_negative() -> None:
    lines = drawn(Series("up", hourly([10.0] * 169)), Series("down", hourly([-10.0] * 169)))
    rows = rows_of_plot(lines)
    up = next(at for at, row in enumerate(rows) if row.rstrip().endswith("U"))
    down = next(at for at, row in enumerate(rows) if row.rstrip().endswith("D"))
    assert up < tick_rows(lines)["0"] < down


def test_one_hour_of_extreme_reaches_its_depth_in_ninety_days() -> None:
    values = [10.95] * 2160
    values[1000] = -200.0
    lines = drawn(Series("lighter", hourly(values)), window=Window(END - 2160 * HOUR, END))
    assert braille(rows_of_plot(lines)[tick_rows(lines)["-200"]])


def columns_drawn(points: list[Point], joined_seconds: int = 8 * HOUR) -> set[int]:
    lines = drawn(Series("lighter", points, joined_seconds), window=Window(END - 24 * HOUR, END))
    zero = tick_rows(lines)["0"]
    field = [row[:-2] for at, row in enumerate(rows_of_plot(lines)) if at != zero]
    return {at for row in field for at, char in enumerate(row) if char != " "}


def test_a_missing_hour_is_a_gap_and_not_a_zero() -> None:
    whole = columns_drawn(hourly([10.0] * 25))
    holed = columns_drawn(hourly([10.0] * 10 + [None] * 5 + [10.0] * 10))
    width = max(whole) + 1
    assert whole == set(range(width))
    assert whole - holed == set(range(int(width * 9 / 24) + 1, int(width * 15 / 24)))


def test_nan_and_infinity_are_gaps_too() -> None:
    without = columns_drawn(hourly([10.0] * 10 + [None] * 5 + [10.0] * 10))
    assert columns_drawn(hourly([10.0] * 10 + [math.nan, math.inf, -math.inf, None, None] + [10.0] * 10)) == (
        without
    )


def test_points_too_far_apart_are_not_joined() -> None:
    ends: list[Point] = [(END - 9 * HOUR, 10.0), (END, 10.0)]
    assert len(columns_drawn(ends)) == 2
    assert len(columns_drawn(ends, joined_seconds=9 * HOUR)) > 20


def test_payments_every_eight_hours_are_one_line() -> None:
    eight: list[Point] = [(END - h * HOUR, 10.0) for h in (24, 16, 8, 0)]
    assert columns_drawn(eight) == columns_drawn(hourly([10.0] * 25))


def test_order_of_points_does_not_matter() -> None:
    points = hourly([1.0, -5.0, None, 3.0, 80.0])
    assert drawn(Series("a", points)) == drawn(Series("a", points[::-1]))


def test_points_outside_the_range_are_not_shown() -> None:
    before: list[Point] = [(WEEK.start - 1, 500.0), (WEEK.end + 1, -500.0)]
    assert drawn(Series("a", [*before, *hourly([1.0, 2.0])])) == drawn(Series("a", hourly([1.0, 2.0])))


def test_every_series_has_its_own_letter_on_the_line_at_the_edge_and_in_the_legend() -> None:
    names = ["lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational"]
    series = [Series(name, hourly([10.95] * 169)) for name in names]
    lines = drawn(*series)
    row = next(row for row in rows_of_plot(lines) if "LHBAEPV" in row)
    line, edge = row.split(" LHBAEPV")
    assert not edge.strip()
    legend = " ".join(lines[-2:])
    for letter, name in zip("LHBAEPV", names, strict=True):
        assert letter in line
        assert f"{letter} {name} +10.95" in legend


def test_series_of_one_first_letter_get_different_marks() -> None:
    legend = drawn(
        Series("spread", hourly([1.0])), Series("short", hourly([2.0])), Series("", hourly([3.0]))
    )[-1]
    assert legend.split() == ["paid", "last:", "S", "spread", "+1.00", "H", "short", "+2.00", "A", "+3.00"]


def test_each_series_keeps_its_own_style() -> None:
    spans = plot([Series("a", hourly([10.0] * 169)), Series("b", hourly([-10.0] * 169))], WEEK, 80, 16)
    found = {text: style for line in spans for text, style in line if text in ("a", "A", "B")}
    assert found == {"A": "series-1", "B": "series-2"}
    assert {style for line in spans for _, style in line} <= {"", *STYLES}


def test_a_series_that_ended_early_keeps_its_value_in_parentheses_and_leaves_the_edge() -> None:
    lines = drawn(
        Series("variational", hourly([9.0] * 100, END - 30 * HOUR)), Series("b", hourly([1.0] * 169))
    )
    assert "V variational (+9.00)  B b +1.00" in lines[-1]
    rows = rows_of_plot(lines)
    assert [row[-1] for row in rows if row[-1] != " "] == ["B"]
    assert any("V" in row for row in rows)


def test_a_series_whose_last_hour_is_missing_does_not_look_current() -> None:
    assert "L lighter (+5.00)" in drawn(Series("lighter", hourly([5.0, 5.0, None])))[-1]


def test_a_series_without_values_says_so_beside_one_that_has_some() -> None:
    lines = drawn(Series("aster", hourly([None, None])), Series("binance", hourly([10.95])))
    assert lines[-1].split() == ["paid", "last:", "A", "aster", "-", "B", "binance", "+10.95"]


def test_a_single_value_is_visible_as_its_letter() -> None:
    rows = rows_of_plot(drawn(Series("lighter", [(END - 80 * HOUR, 5.0)])))
    assert any("L" in row for row in rows)


def test_nothing_to_show_says_what() -> None:
    lines = plot([Series("lighter", [])], WEEK, 60, 12, empty="First sweep running, 3 of 7 exchanges.")
    text = ["".join(part for part, _ in line) for line in lines]
    assert len(text) == 12
    assert any("First sweep running, 3 of 7 exchanges." in line for line in text)
    assert text[-1].strip() == "paid last:  L lighter -"


@pytest.mark.parametrize(
    ("name", "some"),
    [("1d", "15:00"), ("7d", "14 Nov"), ("30d", "02 Nov"), ("90d", "09 Nov")],
)
def test_the_time_axis_says_utc_and_times_that_fit_the_range(name: str, some: str) -> None:
    lines = drawn(
        Series("a", hourly([1.0, 2.0])), window=Window(END - RANGES[name] * HOUR, END), width=80, height=14
    )
    axis, labels = lines[-3], lines[-2]
    assert labels.startswith("UTC ")
    assert some in labels
    assert 2 <= axis.count("┬") <= 12


def test_a_date_stands_under_its_midnight() -> None:
    lines = drawn(Series("a", hourly([5.0] * 13, END - 24 * HOUR)), window=Window(END - 48 * HOUR, END))
    midnight = lines[-2].index("19 Nov") + 3
    assert lines[-3][midnight] == "┬"
    middle = (lines[-3].index("└") + 1) + (len(lines[-3].rstrip()) - lines[-3].index("└") - 1) * 12 / 48
    assert abs(midnight - middle) <= 1


def test_too_small_a_place_says_what_is_needed() -> None:
    assert any("needs 32x8" in line for line in drawn(Series("a", hourly([1.0])), width=31))
    assert any("needs 32x8" in line for line in drawn(Series("a", hourly([1.0])), height=7))


@given(
    st.lists(
        st.tuples(
            st.text("ab我[/]=", max_size=12),
            st.lists(
                st.tuples(st.integers(WEEK.start - HOUR, WEEK.end + HOUR), st.one_of(st.none(), st.floats()))
            ),
        ),
        max_size=9,
    ),
    st.integers(1, 120),
    st.integers(1, 30),
)
def test_it_fills_exactly_its_place_whatever_the_values(
    data: list[tuple[str, list[Point]]], width: int, height: int
) -> None:
    lines = plot([Series(name, points) for name, points in data], WEEK, width, height)
    assert len(lines) == height
    assert {cell_len("".join(text for text, _ in line)) for line in lines} == {width}


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield Chart()


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (MIN_WIDTH, MIN_HEIGHT), (20, 4)])
async def test_the_widget_draws_the_plot_of_its_size(size: tuple[int, int]) -> None:
    series = [Series("[/]lighter", hourly([10.0, -5.0, None, 4.0])), Series("binance", hourly([10.95] * 9))]
    async with Shown().run_test(size=size) as pilot:
        chart = pilot.app.query_one(Chart)
        chart.show(series, WEEK, "spread %")
        await pilot.pause()
        width, height = chart.size
        shown = [chart.render_line(y).text for y in range(height)]
        assert shown == drawn(*series, width=width, height=height, heading="spread %")


async def test_the_widget_follows_new_values_and_a_new_size() -> None:
    async with Shown().run_test(size=(80, 24)) as pilot:
        chart = pilot.app.query_one(Chart)
        assert any("No payments" in chart.render_line(y).text for y in range(24))
        chart.show([Series("lighter", hourly([1.0, 2.0]))], WEEK)
        assert "L lighter +2.00" in chart.render_line(23).text
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert "L lighter +2.00" in chart.render_line(29).text


@pytest.mark.parametrize(
    "theme", ["textual-dark", "textual-light", "nord", "gruvbox", "solarized-light", "ansi-dark"]
)
async def test_no_two_lines_share_a_colour_in_any_theme(theme: str) -> None:
    app = Shown()
    async with app.run_test() as pilot:
        app.theme = theme
        await pilot.pause()
        chart = app.query_one(Chart)
        names = [f"drawing--series-{at}" for at in range(1, HUES + 1)]
        assert len({chart.get_component_rich_style(name).color for name in names}) == HUES


def test_a_line_has_the_colour_it_was_given() -> None:
    spans = plot(
        [Series("a", hourly([10.0] * 169), hue=4), Series("b", hourly([1.0] * 169), hue=9)], WEEK, 80, 16
    )
    found = {text: style for line in spans for text, style in line if text in ("A", "B")}
    assert found == {"A": "series-5", "B": "series-2"}


def test_a_low_chart_names_its_lines_without_their_values() -> None:
    series = [Series(f"exchange {at}", hourly([10.95] * 169)) for at in range(5)]
    assert "+10.95" not in "".join(drawn(*series, width=42, height=12)[-3:])
    assert "+10.95" in "".join(drawn(*series, width=42, height=16)[-3:])


def test_means_of_a_day_hold_what_was_paid_last() -> None:
    noon = END - 12 * HOUR
    line = means(Series("a", hourly([0.0, 20.0] * 24 + [7.0], noon + HOUR), hue=3), 24 * HOUR)
    assert [value for _, value in line.points] == pytest.approx([10.0, 10.0, 7.0])
    assert line.points[1][0] == noon
    assert (line.last, line.hue) == (7.0, 3)
    assert "A a +7.00" in drawn(line, window=Window(END - 90 * 24 * HOUR, noon + HOUR))[-1]


def test_a_day_without_payments_cuts_the_line_of_means() -> None:
    def pieces(missing: int) -> int:
        points = [*hourly([5.0] * 24, END - (24 + 24 * missing) * HOUR), *hourly([5.0] * 24)]
        line = means(Series("a", points), 24 * HOUR)
        (found,) = _lines([line], Window(END - 2160 * HOUR, END))
        return len(found.stretches)

    assert (pieces(0), pieces(1), pieces(2)) == (1, 2, 2)


def test_means_of_nothing_are_nothing() -> None:
    assert means(Series("a", [(END, None)]), 24 * HOUR).points == []
