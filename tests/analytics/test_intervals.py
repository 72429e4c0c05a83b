from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fundwatch.analytics.intervals import fill_intervals
from fundwatch.models import HOUR, Kind, Settlement

DAY = 20_000 * 24
"""A midnight, in hours since 1970."""

Hours = Iterable[float]
Seen = Sequence[tuple[float, float | None]]


def row(hour: int, interval: float | None = None, kind: Kind = Kind.REGULAR) -> Settlement:
    return Settlement("XUSDT", (DAY + hour) * HOUR, 0.0001, interval, kind)


def filled(hours: Iterable[int], previous: int | None = None, seen: Seen = ()) -> list[float | None]:
    """The intervals found for payments at `hours`, with quotes seen at (hour, interval)."""
    return [found.interval_hours for found in fill([row(hour) for hour in hours], previous, seen)]


def fill(rows: Sequence[Settlement], previous: int | None = None, seen: Seen = ()) -> list[Settlement]:
    events = [(int((DAY + hour) * HOUR), interval) for hour, interval in seen]
    return fill_intervals(
        rows, previous_time=None if previous is None else (DAY + previous) * HOUR, seen=events
    )


def times(*steps: int, start: int = 0) -> list[int]:
    hours = [start]
    for step in steps:
        hours.append(hours[-1] + step)
    return hours[1:]


@pytest.mark.parametrize("interval", [1, 2, 4, 8])
def test_steady_payments_have_the_interval_of_their_spacing(interval: int) -> None:
    assert filled(times(*[interval] * 6), previous=0) == [interval] * 6


@pytest.mark.parametrize("interval", [1, 2, 4, 8])
def test_a_first_row_without_anything_before_it_stays_unknown(interval: int) -> None:
    assert filled(times(*[interval] * 5)) == [None, *[interval] * 4]


def test_nothing_to_fill() -> None:
    assert fill([]) == []
    assert filled([8]) == [None]


@pytest.mark.parametrize(
    "steps",
    [
        [8, 8, 8, 4, 4, 4, 1, 1, 1],
        [1, 1, 1, 4, 4, 4, 8, 8, 8],
        [8, 8, 1, 1, 1, 8, 8],
        [4, 4, 8, 8, 4, 4],
        [2, 2, 4, 4, 2, 2],
    ],
)
def test_every_change_of_interval_is_followed(steps: list[int]) -> None:
    assert filled(times(*steps), previous=0) == steps


@pytest.mark.parametrize(
    ("steps", "interval", "at"),
    [
        ([4, 4, 8, 4, 4], 4, 2),
        ([4, 8, 4, 4], 4, 1),
        ([4, 4, 12, 4, 4], 4, 2),
        ([8, 8, 16, 8], 8, 2),
        ([8, 8, 24, 8], 8, 2),
        ([1, 1, 2, 1, 1], 1, 2),
        ([1, 1, 1, 8, 1, 1], 1, 3),
        ([1, 1, 4, 1], 1, 2),
        ([8, 8, 8, 48, 8], 8, 3),
        ([2, 2, 4, 2, 2], 2, 2),
    ],
)
def test_a_lost_payment_does_not_lengthen_its_neighbour(steps: list[int], interval: int, at: int) -> None:
    found = filled(times(*steps), previous=0)
    assert found == [interval] * len(steps)
    assert steps[at] > interval


def test_two_losses_apart_leave_two_holes() -> None:
    assert filled(times(4, 4, 8, 4, 4, 8, 4), previous=0) == [4] * 7


def test_two_different_losses_in_a_row_leave_two_holes() -> None:
    assert filled(times(4, 4, 8, 12, 4, 4), previous=0) == [4] * 6
    assert filled(times(1, 1, 2, 3, 1, 1), previous=0) == [1] * 6


@pytest.mark.parametrize("steps", [[4, 4, 8], [1, 1, 2], [1, 1, 8], [8, 8, 16], [8, 8, 4], [4, 4, 1]])
def test_another_spacing_at_the_end_waits_for_a_witness(steps: list[int]) -> None:
    *others, last = steps
    assert filled(times(*steps), previous=0) == [*others, None]
    assert filled(times(*steps, last), previous=0) == [*steps, last]
    assert filled(times(*steps, others[-1]), previous=0)[-2] == (others[-1] if last > others[-1] else None)


@pytest.mark.parametrize(
    "steps",
    [
        [8, 8, 2, 1, 1, 1],  # 8 h, then 1 h: the first payment is lost
        [8, 8, 3, 1, 1, 1],
        [8, 8, 6, 2, 2, 2],
        [4, 4, 2, 1, 1, 1],
        [4, 4, 3, 1, 1, 1],
        [4, 4, 16, 8, 8, 8],  # 4 h, then 8 h
        [1, 1, 16, 8, 8, 8],
        [1, 1, 2, 4, 4, 4],  # 1 h, then 4 h: the last of 1 h is lost, or the interval began off the grid
        [1, 1, 5, 8, 8, 8],
        [2, 2, 3, 1, 1, 1],
    ],
)
def test_a_payment_lost_at_a_change_leaves_its_neighbour_unknown(steps: list[int]) -> None:
    expected = [None if at == 2 else step for at, step in enumerate(steps)]
    assert filled(times(*steps), previous=0) == expected


def test_quotes_tell_how_much_a_payment_beside_a_loss_covered() -> None:
    steps = [8, 8, 2, 1, 1, 1]
    assert filled(times(*steps), previous=0, seen=[(-9, 8), (16.1, 1)]) == [8, 8, 1, 1, 1, 1]
    assert filled(times(*steps), previous=0, seen=[(-9, 8), (17.1, 1)]) == steps


def test_quotes_see_a_loss_that_looks_like_one_more_of_the_interval_before() -> None:
    steps = [8, 8, 8, 8, 4, 4, 4]  # the first for 4 h is lost
    assert filled(times(*steps), previous=0) == steps
    assert filled(times(*steps), previous=0, seen=[(-9, 8), (24.1, 4)]) == [8, 8, 8, 4, 4, 4, 4]


def test_quotes_that_show_a_longer_interval_are_no_witness_for_a_shorter_one() -> None:
    assert filled(times(8, 8, 2, 1, 1), previous=0, seen=[(-9, 8)]) == [8, 8, None, 1, 1]
    assert filled(times(8, 8, 4), previous=0, seen=[(-9, 8)]) == [8, 8, None]


@pytest.mark.parametrize("steps", [[8, 4], [4, 1, 8], [4, 8, 2, 2]])
def test_a_first_spacing_that_something_shorter_follows_may_hold_a_loss(steps: list[int]) -> None:
    assert filled(times(*steps), previous=0)[0] is None


def test_the_next_payment_is_a_witness() -> None:
    assert filled(times(4, 4, 8, 8), previous=0) == [4, 4, 8, 8]


def test_quotes_are_a_witness_for_a_longer_interval() -> None:
    assert filled(times(4, 4, 8), previous=0, seen=[(-9, 4), (8.1, 8)]) == [4, 4, 8]


def test_quotes_are_a_witness_against_it() -> None:
    assert filled(times(4, 4, 8), previous=0, seen=[(-9, 4)]) == [4, 4, 4]
    assert filled(times(8), previous=0, seen=[(-9, 4)]) == [4]
    assert filled(times(8, 8, 8, 8)[:1], previous=0, seen=[(3.5, 4)]) == [4]


def test_a_change_that_came_while_nobody_looked_is_seen_right_after_it() -> None:
    assert filled(times(4, 4, 8), previous=0, seen=[(-9, 4), (16.5, 8)]) == [4, 4, 8]
    assert filled(times(4, 4, 8), previous=0, seen=[(-9, 4), (90, 8)]) == [4, 4, 4]


def test_a_quote_at_the_hour_of_the_payment_is_about_the_next_one() -> None:
    assert filled(times(4, 4, 4), previous=0, seen=[(-9, 4), (8, 8)]) == [4, 4, 4]


@pytest.mark.parametrize("seen", [[(-1, 1), (10.1, 4)], [(-1, 1), (9.9, 4)]])
def test_the_first_payment_on_a_longer_grid_covers_the_hours_that_really_passed(seen: Seen) -> None:
    steps = [1, 1, 1, 1, 2, 4, 4]
    assert filled(times(*steps, start=6), previous=6, seen=seen) == steps


def test_the_first_payment_on_a_longer_grid_needs_a_witness_too() -> None:
    steps = [1, 1, 1, 1, 2]
    assert filled(times(*steps, start=6), previous=6) == [1, 1, 1, 1, None]
    assert filled(times(*steps, 4, 4, start=6), previous=6) == [1, 1, 1, 1, None, 4, 4]
    assert filled(times(*steps, start=6), previous=6, seen=[(0, 1), (10.1, 4)]) == steps
    assert filled(times(*steps, 4, start=6), previous=6, seen=[(0, 1), (10.1, 4)]) == [*steps, 4]


def test_one_to_eight_with_five_hours_between() -> None:
    assert filled(times(1, 1, 1, 5, 8, 8), previous=0) == [1, 1, 1, None, 8, 8]
    assert filled(times(1, 1, 1, 5, 8, 8), previous=0, seen=[(-9, 1), (3.1, 8)]) == [1, 1, 1, 5, 8, 8]


def test_one_to_four_to_eight_with_a_step_between_each() -> None:
    assert filled(times(1, 1, 2, 4, 4, 4, 8, 8), previous=0) == [1, 1, None, 4, 4, 4, 8, 8]


def test_the_first_payment_after_a_change_to_a_shorter_interval_covers_what_passed() -> None:
    steps = [8, 8, 2, 1, 1]
    assert filled(times(*steps), previous=0, seen=[(-9, 8), (17.5, 1)]) == steps
    assert filled(times(*steps), previous=0, seen=[(17.5, 1)]) == steps


def test_a_payment_lost_after_a_change_to_a_shorter_interval_is_a_hole() -> None:
    assert filled(times(8, 8, 2, 1, 1), previous=0, seen=[(-9, 8), (16.2, 1)]) == [8, 8, 1, 1, 1]


def test_a_new_market_may_begin_off_the_grid() -> None:
    assert filled(times(2, 4, 4, 4), previous=0) == [2, 4, 4, 4]


@pytest.mark.parametrize("spacing", [3, 5, 6, 7, 16, 24, 30])
def test_one_odd_spacing_alone_proves_nothing(spacing: int) -> None:
    assert filled([spacing], previous=0) == [None]


@pytest.mark.parametrize("spacing", [6, 12, 24])
def test_an_odd_spacing_that_repeats_is_an_interval(spacing: int) -> None:
    assert filled(times(*[spacing] * 3), previous=0) == [spacing] * 3


def test_nothing_longer_than_a_day_is_an_interval() -> None:
    assert filled(times(48, 48, 48), previous=0) == [None] * 3


def test_a_first_spacing_that_the_rest_contradicts_stays_unknown() -> None:
    assert filled(times(8, 4, 4, 4), previous=0) == [None, 4, 4, 4]
    assert filled(times(8, 4, 4, 4), previous=0, seen=[(-9, 8), (8.1, 4)]) == [8, 4, 4, 4]
    assert filled(times(8, 4, 4, 4), previous=0, seen=[(-9, 4)]) == [4, 4, 4, 4]


def test_a_first_row_takes_the_interval_that_quotes_showed() -> None:
    assert filled([8], seen=[(-30, 8)]) == [8]
    assert filled([8, 16, 24], seen=[(-30, 8)]) == [8, 8, 8]
    assert filled([8], seen=[(8, 8)]) == [None]


def test_a_first_row_stays_unknown_when_payments_speak_against_the_quotes() -> None:
    assert filled([8, 12, 16, 20], seen=[(-30, 8)]) == [None, 4, 4, 4]
    assert filled([8, 16, 24], seen=[(-30, 4)]) == [None, 8, 8]


def test_a_first_row_right_after_a_change_stays_unknown() -> None:
    assert filled([10, 11, 12], seen=[(-30, 8), (9.5, 1)]) == [None, 1, 1]


def test_quotes_that_payments_refute_count_no_more() -> None:
    longer = filled(times(4, 4, 4, 4, 8, 4), previous=0, seen=[(-99, 8)])
    assert longer == [4] * 6
    shorter = filled(times(8, 8, 8, 16, 8), previous=0, seen=[(-99, 4)])
    assert shorter == [8] * 5


def test_old_quotes_do_not_halve_a_month_of_payments() -> None:
    assert filled(times(*[8] * 90), previous=0, seen=[(-99, 4)]) == [8] * 90


def test_two_doubled_spacings_among_shorter_ones_are_losses_if_quotes_say_so() -> None:
    assert filled(times(4, 4, 8, 8, 4), previous=0, seen=[(-1, 4)]) == [4] * 5


def test_rows_that_carry_their_interval_keep_it_and_are_witnesses() -> None:
    rows = [row(4, 4), row(8, 4), row(16), row(24), row(32, 8)]
    assert [r.interval_hours for r in fill(rows)] == [4, 4, 8, 8, 8]
    rows = [row(4, 4), row(8, 4), row(16), row(20, 4)]
    assert [r.interval_hours for r in fill(rows)] == [4, 4, 4, 4]
    rows = [row(8, 4), row(16, 4), row(24)]
    assert [r.interval_hours for r in fill(rows)] == [4, 4, None]


def test_special_payments_are_left_alone_and_are_no_neighbours() -> None:
    rows = [row(8), row(12, None, Kind.SPECIAL), row(16), row(16, None, Kind.SPECIAL), row(24)]
    assert [(r.kind, r.interval_hours) for r in fill(rows, previous=0)] == [
        (Kind.REGULAR, 8),
        (Kind.SPECIAL, None),
        (Kind.REGULAR, 8),
        (Kind.SPECIAL, None),
        (Kind.REGULAR, 8),
    ]


def test_a_row_sent_twice_is_one_payment() -> None:
    assert filled([8, 8, 16, 24], previous=0) == [8, 8, 8, 8]


def test_a_previous_time_that_is_not_before_the_rows_says_nothing() -> None:
    assert filled([8, 16], previous=8) == [None, 8]


def test_everything_but_the_interval_stays_as_it_was() -> None:
    before = Settlement("X", (DAY + 8) * HOUR, -0.0021, None, payment_usd=-0.4)
    (after,) = fill([before], previous=0)
    assert (after.symbol, after.funding_time, after.rate, after.payment_usd) == (
        "X",
        before.funding_time,
        -0.0021,
        -0.4,
    )


SPACINGS = st.lists(st.sampled_from([1, 1, 2, 3, 4, 4, 5, 8, 8, 12, 16, 24, 30]), min_size=1, max_size=30)
EVENTS = st.lists(st.tuples(st.floats(-40, 200), st.sampled_from([1.0, 2.0, 4.0, 8.0])), max_size=5).map(
    sorted
)


@settings(max_examples=400)
@given(SPACINGS, st.booleans(), EVENTS)
def test_a_row_never_covers_more_than_the_time_since_the_one_before(
    steps: list[int], has_previous: bool, seen: list[tuple[float, float]]
) -> None:
    hours = times(*steps)
    found = filled(hours, 0 if has_previous else None, seen)
    for spacing, interval in list(zip(steps, found, strict=True))[0 if has_previous else 1 :]:
        assert interval is None or 0 < interval <= spacing
    known = sum(interval or 0 for interval in found[1:])
    assert known <= hours[-1] - hours[0]


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([1, 2, 4, 8]), st.integers(3, 8)), min_size=1, max_size=4))
def test_any_succession_of_regimes_on_the_grid_is_told_by_spacing_but_for_odd_steps_between(
    regimes: list[tuple[int, int]],
) -> None:
    hours, now = [], 0
    truth, steady = [], []
    for interval, payments in regimes:
        for _ in range(payments):
            after = (now // interval + 1) * interval
            truth.append(after - now)
            steady.append(after - now == interval)
            hours.append(after)
            now = after
    found = filled(hours, previous=0)
    assert all(one == true or one is None for one, true in zip(found, truth, strict=True))
    assert all(one is not None for one, holds in zip(found, steady, strict=True) if holds)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 4, 8]), st.integers(4, 8)), min_size=2, max_size=4), st.data()
)
def test_a_payment_lost_at_a_change_never_gives_an_interval_that_is_not_true(
    regimes: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Unless the loss is invisible: the spacing over it is the interval before or after."""
    truth: dict[int, int] = {}
    edges: list[int] = []
    now = 0
    for interval, payments in regimes:
        edges += [now] if now else []
        for number in range(payments):
            after = (now // interval + 1) * interval
            edges += [after] if number == 0 and now else []
            truth[after] = after - now
            now = after
    lost = data.draw(st.sampled_from(edges))
    left = [hour for hour in truth if hour != lost]
    position = next(at for at, hour in enumerate(left) if hour > lost)
    spacings = [other - one for one, other in pairwise([0, *left])]
    invisible = spacings[position] in (spacings[position - 1], spacings[position + 1])
    found = filled(left, previous=0)
    for at, hour in enumerate(left):
        if not (invisible and at == position):
            assert found[at] in (None, truth[hour]), (hour, spacings)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 4, 8]), st.integers(7, 12)), min_size=1, max_size=3),
    st.data(),
)
def test_a_payment_lost_inside_a_regime_is_a_hole_and_nothing_else(
    regimes: list[tuple[int, int]], data: st.DataObject
) -> None:
    hours, now = [], 0
    inner = []
    for interval, payments in regimes:
        for number in range(payments):
            now = (now // interval + 1) * interval
            hours.append(now)
            if 2 < number < payments - 3:
                inner.append(now)
    lost = data.draw(st.sampled_from(inner))
    whole = dict(zip(hours, filled(hours, previous=0), strict=True))
    left = [hour for hour in hours if hour != lost]
    assert filled(left, previous=0) == [whole[hour] for hour in left]


@settings(max_examples=200)
@given(SPACINGS)
def test_filling_twice_changes_nothing(steps: list[int]) -> None:
    once = fill([row(hour) for hour in times(*steps)], previous=0)
    known = [found for found in once if found.interval_hours is not None]
    assert fill(known, previous=0) == known


def test_live_rows_one_at_a_time_are_told_by_quotes_as_a_batch_is_by_spacing() -> None:
    steps = [8, 8, 4, 4, 1, 1, 1, 1, 4, 4, 8]
    hours = [0, *times(*steps)]
    seen = [(-1.0, 8.0)]
    for (one, other), (hour, _) in zip(pairwise(steps), pairwise(hours[1:]), strict=True):
        if one != other:
            seen.append((hour + 0.1, float(other)))
    live = [filled([hour], previous, seen)[0] for previous, hour in pairwise(hours)]
    assert live == steps
    assert filled(hours[1:], previous=0, seen=seen) == steps


# While nobody looked

UNSEEN = [(-300, 1.0), (1, None), (148.2, 4.0)]
"""Quotes showed 1 h; then nobody looked for six days, and they show 4 h."""


def test_a_payment_that_stands_alone_takes_no_interval_from_before_nobody_looked() -> None:
    assert filled([1], seen=UNSEEN) == [1.0]
    assert filled([148], seen=UNSEEN) == [None]
    assert filled([152], seen=UNSEEN) == [None], "it may be the first of any interval"
    assert filled([156], seen=UNSEEN) == [4.0]


def test_few_payments_take_their_spacing_where_nobody_looked() -> None:
    assert filled([140, 144, 148], seen=UNSEEN) == [None, 4.0, 4.0]
    assert filled([144, 148], seen=UNSEEN[:2]) == [None, 4.0]


def test_a_payment_of_which_quotes_say_nothing_repeats_what_follows_it() -> None:
    rows = [row(0, 4.0), row(1), row(2, 1.0)]
    seen = [(-400, 4.0), (0, None), (1.1, 1.0)]
    assert [one.interval_hours for one in fill(rows, seen=seen)] == [4.0, 1.0, 1.0]
