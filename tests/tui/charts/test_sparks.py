import math

from hypothesis import given
from hypothesis import strategies as st

from fundwatch.tui.charts.sparks import spark

ANY = st.one_of(st.none(), st.floats())


def test_blocks_reach_from_the_smallest_to_the_largest() -> None:
    assert spark([-200, -100, -1, 0, 1, 100, 200], 7) == "▁▃▄▅▅▇█"
    assert spark([100.0, 0.0, 100.0], 3) == "█▁█"


def test_a_missing_value_is_a_dot_and_a_zero_is_not() -> None:
    assert spark([10, None, 0, math.nan, math.inf, 10], 6) == "█·▁··█"


def test_nothing_known_is_all_dots() -> None:
    assert spark([], 4) == "····"
    assert spark([None, math.nan], 4) == "····"


def test_equal_values_lie_in_the_middle() -> None:
    assert spark([10.95] * 4, 4) == "▅▅▅▅"
    assert spark([-10.95] * 4, 4) == "▅▅▅▅"
    assert spark([0.0] * 4, 4) == "▅▅▅▅"


def test_noise_stays_small() -> None:
    steady = [100.0, 101.0, 99.0, 100.0]
    assert spark(steady, 4) == "▅▅▄▅"
    assert spark([-value for value in steady], 4) == "▅▄▅▅"


def test_a_lone_extreme_survives_squeezing() -> None:
    values: list[float | None] = [1.0] * 168
    values[60] = -200.0
    assert spark(values, 10) == "███▁██████"


def test_a_short_history_lies_at_the_right() -> None:
    assert spark([1, 5], 5) == "···▁█"


def test_no_room_is_no_text() -> None:
    assert spark([1, 2], 0) == ""
    assert spark([1, 2], -3) == ""


@given(st.lists(ANY, max_size=60), st.integers(1, 40))
def test_it_is_always_as_wide_as_asked_and_never_blank(values: list[float | None], width: int) -> None:
    drawn = spark(values, width)
    assert len(drawn) == width
    assert set(drawn) <= set("▁▂▃▄▅▆▇█·")
