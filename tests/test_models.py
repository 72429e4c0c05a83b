from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.models import (
    HOUR,
    Window,
    apr_percent,
    hourly_rate,
    merged,
    settlement_hour,
    without,
)

HOURS = st.integers(0, 60)
WINDOWS = st.lists(st.tuples(HOURS, HOURS).map(lambda w: Window(w[0] * HOUR, w[1] * HOUR)), max_size=8)


@pytest.mark.parametrize(
    ("hourly", "apr"),
    [(0.0000125, 10.95), (1.2e-5, 10.512), (1.3e-5, 11.388), (-1.445e-6, -1.26582), (0.0, 0.0)],
)
def test_an_hourly_rate_and_its_apr(hourly: float, apr: float) -> None:
    assert apr_percent(hourly) == pytest.approx(apr, rel=1e-12)
    assert hourly_rate(apr) == pytest.approx(hourly, rel=1e-12)


@pytest.mark.parametrize("seconds", [-60, -59.9, -1, 0, 0.7, 559, 900])
def test_a_stamp_near_an_hour_means_that_hour(seconds: float) -> None:
    assert settlement_hour(500_000 * HOUR + seconds) == 500_000 * HOUR


@pytest.mark.parametrize("seconds", [-60.1, -120, 901, 1800, 2700, 3539])
def test_a_stamp_far_from_any_hour_means_none(seconds: float) -> None:
    assert settlement_hour(500_000 * HOUR + seconds) is None


def hours_of(windows: list[Window]) -> set[int]:
    """The hours that end inside, so that (start, end] has end but not start."""
    return {hour for w in windows for hour in range(w.start // HOUR + 1, w.end // HOUR + 1)}


@given(WINDOWS)
def test_merging_keeps_the_time_and_leaves_no_two_windows_touching(windows: list[Window]) -> None:
    result = merged(windows)
    assert hours_of(result) == hours_of(windows)
    assert all(w.start < w.end for w in result)
    assert all(one.end < other.start for one, other in pairwise(result))


@given(WINDOWS, WINDOWS)
def test_taking_time_away_leaves_exactly_the_rest(windows: list[Window], covered: list[Window]) -> None:
    result = without(windows, covered)
    assert hours_of(result) == hours_of(windows) - hours_of(covered)
    assert result == merged(result)


def test_the_start_of_a_window_lies_outside() -> None:
    assert without([Window(0, 2 * HOUR)], [Window(HOUR, 2 * HOUR)]) == [Window(0, HOUR)]
    assert Window(0, 3 * HOUR).hours == 3
