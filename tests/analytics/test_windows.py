import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.analytics.windows import WINDOWS, Paid, covered, uncovered, window_apr, window_end
from fundwatch.models import HOUR, Window

END = 500_000 * HOUR


def hourly(hours: range, rate: float = 1.25e-5) -> list[Paid]:
    return [Paid(END - ago * HOUR, rate, 1.0) for ago in hours]


@pytest.mark.parametrize(
    ("after_the_hour", "end"), [(0, -1), (14 * 60 + 59.9, -1), (15 * 60, 0), (59 * 60, 0), (HOUR + 899, 0)]
)
def test_a_window_ends_at_the_last_hour_that_had_a_quarter_to_settle(after_the_hour: float, end: int) -> None:
    assert window_end(END + after_the_hour) == END + end * HOUR


def test_a_day_at_rest_is_its_resting_apr() -> None:
    apr, coverage = window_apr(hourly(range(24)), END, 24)
    assert apr == pytest.approx(10.95, rel=1e-12)
    assert coverage == 1.0


def test_intervals_weigh_by_their_hours_when_they_change_inside_the_window() -> None:
    rows = [Paid(END - 16 * HOUR, 0.0001, 8.0), Paid(END - 8 * HOUR, 0.0001, 8.0)]
    rows += [Paid(END - 4 * HOUR, 0.0004, 4.0)] + [Paid(END - ago * HOUR, -0.0003, 1.0) for ago in range(4)]
    apr, coverage = window_apr(rows, END, 24)
    assert apr == pytest.approx((0.0002 + 0.0004 - 0.0012) / 24 * 876000)
    assert coverage == 1.0


def test_the_start_of_the_window_lies_outside_and_its_end_inside() -> None:
    rows = [Paid(END - 24 * HOUR, 1.0, 1.0), Paid(END, 0.0002, 1.0), Paid(END + HOUR, 1.0, 1.0)]
    apr, coverage = window_apr(rows, END, 24)
    assert apr == pytest.approx(0.0002 * 876000)
    assert coverage == pytest.approx(1 / 24)


def test_a_missing_hour_lowers_the_coverage_and_not_the_mean() -> None:
    apr, coverage = window_apr(hourly(range(0, 24, 2)), END, 24)
    assert apr == pytest.approx(10.95)
    assert coverage == 0.5


def test_a_special_payment_adds_its_rate_and_no_hours() -> None:
    rows = [*hourly(range(24)), Paid(END, -0.001, None, True), Paid(END, -0.001, 8.0, True)]
    apr, coverage = window_apr(rows, END, 24)
    assert apr == pytest.approx((24 * 1.25e-5 - 0.002) / 24 * 876000)
    assert coverage == 1.0


def test_a_payment_of_unknown_interval_is_in_neither_sum() -> None:
    rows = [*hourly(range(12)), Paid(END - 13 * HOUR, 0.05, None)]
    apr, coverage = window_apr(rows, END, 24)
    assert apr == pytest.approx(10.95)
    assert coverage == 0.5


@pytest.mark.parametrize("rows", [[], [Paid(END, 0.001, None)], [Paid(END, 0.001, 0.0, True)]])
def test_without_known_hours_there_is_no_apr(rows: list[Paid]) -> None:
    assert window_apr(rows, END, 24) == (None, 0.0)


def test_zero_is_a_rate_and_not_a_missing_one() -> None:
    assert window_apr(hourly(range(24), 0.0), END, 24) == (0.0, 1.0)


def test_a_payment_that_reaches_back_over_the_start_never_makes_more_than_full_coverage() -> None:
    rows = [Paid(END - 20 * HOUR, 0.0001, 8.0), Paid(END - 12 * HOUR, 0.0001, 8.0)]
    rows += [Paid(END - 4 * HOUR, 0.0001, 8.0), Paid(END, 0.00005, 4.0)]
    apr, coverage = window_apr(rows, END, 24)
    assert coverage == 1.0
    assert apr == pytest.approx(10.95)


@given(st.permutations(hourly(range(24), 1e-5) + hourly(range(24, 48), -3e-5)), st.sampled_from([24, 72]))
def test_the_order_of_rows_does_not_matter(rows: list[Paid], hours: int) -> None:
    assert window_apr(rows, END, hours) == window_apr(sorted(rows), END, hours)


def test_every_window_on_offer_is_full_after_a_month_of_payments() -> None:
    for hours in WINDOWS.values():
        assert window_apr(hourly(range(720)), END, hours).coverage == 1.0


def test_what_is_missing_is_what_no_payment_of_known_interval_covers() -> None:
    rows = [
        Paid(END - 16 * HOUR, 0.0, 8.0),
        Paid(END - 8 * HOUR, 0.0, None),
        Paid(END, 0.0, 4.0),
        Paid(END - 10 * HOUR, 0.0, 8.0, True),
    ]
    assert uncovered(rows, [Window(END - 30 * HOUR, END + HOUR)]) == [
        Window(END - 30 * HOUR, END - 24 * HOUR),
        Window(END - 16 * HOUR, END - 4 * HOUR),
        Window(END, END + HOUR),
    ]
    assert covered(rows) == [Window(END - 24 * HOUR, END - 16 * HOUR), Window(END - 4 * HOUR, END)]


def test_nothing_stored_leaves_everything_missing_and_a_full_store_leaves_nothing() -> None:
    window = Window(END - 24 * HOUR, END)
    assert uncovered([], [window]) == [window]
    assert uncovered(hourly(range(24)), [window]) == []
