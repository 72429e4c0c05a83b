import math

from hypothesis import given
from hypothesis import strategies as st

from fundwatch.tui.charts.sparks import spark

ANY = st.one_of(st.none(), st.floats())


def test_the_sign_shows_without_colour() -> None:
    assert spark([-200, -100, -1, 0, 1, 100, 200], 7) == "▁▂▄─▅▇█"


def test_a_missing_value_is_a_dot_and_a_zero_is_not() -> None:
    assert spark([10, None, 0, math.nan, math.inf, 10], 6) == "█·─··█"


def test_nothing_known_is_all_dots() -> None:
    assert spark([], 4) == "····"
    assert spark([None, math.nan], 4) == "····"


def test_equal_values_around_zero_fill_their_half() -> None:
    assert spark([10.95] * 4, 4) == "████"
    assert spark([-10.95] * 4, 4) == "▁▁▁▁"
    assert spark([0.0] * 4, 4) == "────"


def test_between_smallest_and_largest_noise_becomes_visible() -> None:
    assert spark([10.0, 10.5, 11.0], 3, around_zero=False) == "▁▅█"
    assert spark([10.95] * 3, 3, around_zero=False) == "▄▄▄"


def test_a_lone_extreme_survives_squeezing_in_both_scales() -> None:
    values: list[float | None] = [1.0] * 168
    values[60] = -200.0
    assert spark(values, 10).count("▁") == 1
    assert spark(values, 10, around_zero=False) == "███▁██████"


def test_a_short_history_lies_at_the_right() -> None:
    assert spark([5, 5], 5) == "···██"


def test_no_room_is_no_text() -> None:
    assert spark([1, 2], 0) == ""
    assert spark([1, 2], -3) == ""


@given(st.lists(ANY, max_size=60), st.integers(1, 40), st.booleans())
def test_it_is_always_as_wide_as_asked_and_never_blank(
    values: list[float | None], width: int, zero: bool
) -> None:
    drawn = spark(values, width, around_zero=zero)
    assert len(drawn) == width
    assert set(drawn) <= set("▁▂▃▄▅▆▇█─·")


def test_small_moves_stay_small_where_a_least_reach_is_asked_for() -> None:
    steady = [100.0, 101.0, 99.0, 100.0]
    assert spark(steady, 4, around_zero=False, least_share=0.5) == "▅▅▄▅"
    assert spark([-value for value in steady], 4, around_zero=False, least_share=0.5) == "▅▄▅▅"
    assert spark([100.0, 0.0, 100.0], 3, around_zero=False, least_share=0.5) == "█▁█"
    assert spark([0.0, 0.0], 2, around_zero=False, least_share=0.5) == "▄▄"
