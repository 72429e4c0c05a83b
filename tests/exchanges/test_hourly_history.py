import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.hourly_history import MAX_PAGES, Page, hour_of, hourly_history
from fundwatch.exchanges.per_market import answered, spans
from fundwatch.models import HOUR, Refusal, Settlement, Window, merged, without

DAWN = 1_778_700_000 // HOUR * HOUR


def at(hour: int) -> int:
    return DAWN + hour * HOUR


def window(first: int, last: int) -> Window:
    return Window(at(first), at(last))


def row(hour: int, rate: float = 1e-5) -> Settlement:
    return Settlement("A", at(hour), rate, 1.0)


class Venue:
    """A venue with rows at `hours` that answers the newest `cap` rows of what is asked."""

    def __init__(self, hours: set[int], cap: int = 1000, refused: tuple[Refusal, ...] = ()) -> None:
        self.hours = hours
        self.cap = cap
        self.refused = refused
        self.asked: list[Window] = []

    async def page(self, asked: Window) -> Page:
        self.asked.append(asked)
        found = sorted(h for h in self.hours if asked.start <= at(h) <= asked.end)[-self.cap :]
        refused, self.refused = self.refused, ()
        return Page(tuple(map(row, found)), refused, frozenset(map(at, found)))

    async def history(self, *windows: Window, now: int | None = None) -> Answer:
        now = at(5000) if now is None else now
        return await hourly_history("A", windows, self.page, lambda: now)


def hours_of(answer: Answer) -> list[int]:
    return [(r.funding_time - DAWN) // HOUR for r in answer.rows]


async def test_holes_near_each_other_cost_one_request() -> None:
    venue = Venue(set(range(100)))
    answer = await venue.history(window(9, 10), window(60, 62))
    assert len(venue.asked) == 1
    assert hours_of(answer) == list(range(10, 63))
    assert answer.answered == (("A", window(9, 62)),)


async def test_a_short_answer_is_followed_backwards_to_the_beginning() -> None:
    venue = Venue(set(range(1000)), cap=100)
    answer = await venue.history(window(200, 700))
    assert hours_of(answer) == list(range(201, 701))
    assert answer.answered == (("A", window(200, 700)),)
    assert len(venue.asked) == 5


async def test_history_older_than_the_market_is_answered_though_it_is_empty() -> None:
    venue = Venue(set(range(50, 100)))
    answer = await venue.history(window(0, 99))
    assert hours_of(answer) == list(range(50, 100))
    assert answer.answered == (("A", window(0, 99)),)


async def test_an_hour_that_was_not_published_is_answered_beside_its_neighbour() -> None:
    venue = Venue({9, 11})
    answer = await venue.history(window(9, 10))
    assert answer.rows == ()
    assert answer.answered == (("A", window(9, 10)),)


async def test_an_answer_without_any_row_settles_nothing() -> None:
    assert await Venue(set()).history(window(9, 10)) == Answer()


async def test_the_newest_hour_stays_open_while_its_row_may_still_come() -> None:
    venue = Venue(set(range(10)))
    assert (await venue.history(window(5, 10), now=at(10) + 120)).answered == (("A", window(5, 9)),)
    assert (await venue.history(window(5, 10), now=at(10) + 900)).answered == (("A", window(5, 10)),)


async def test_pages_are_limited_and_only_what_was_reached_is_answered() -> None:
    venue = Venue(set(range(1000)), cap=1)
    answer = await venue.history(window(200, 700))
    assert len(venue.asked) == MAX_PAGES
    assert answer.answered == (("A", window(700 - MAX_PAGES, 700)),)


async def test_a_venue_that_ignores_the_end_is_not_asked_for_ever() -> None:
    newest = frozenset(at(h) for h in range(650, 701))
    asked = []

    async def same(span: Window) -> Page:
        asked.append(span)
        return Page(tuple(row(h) for h in range(650, 701)), (), newest)

    answer = await hourly_history("A", [window(200, 700)], same, lambda: at(5000))
    assert len(asked) == 2
    assert answer.answered == (("A", window(649, 700)),)


async def test_hours_without_a_row_stay_open_beside_a_refused_row() -> None:
    refused = (Refusal("A", "rate is missing"),)
    answer = await Venue({6, 7, 9}, refused=refused).history(window(4, 10))
    assert answer.answered == (("A", window(5, 7)), ("A", window(8, 9)))
    assert answer.refused == refused


async def test_the_same_hour_with_another_rate_is_refused_and_the_first_kept() -> None:
    async def twice(span: Window) -> Page:
        return Page((row(5), row(5), row(5, 2e-5)), (), frozenset({at(5)}))

    answer = await hourly_history("A", [window(4, 5)], twice, lambda: at(50))
    assert answer.rows == (row(5),)
    assert len(answer.refused) == 1


async def test_rows_outside_of_what_was_asked_are_left_out() -> None:
    async def all_day(span: Window) -> Page:
        return Page(tuple(row(h) for h in range(24)), (), frozenset(at(h) for h in range(24)))

    assert hours_of(await hourly_history("A", [window(4, 6)], all_day, lambda: at(50))) == [5, 6]


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), max_size=4), st.integers(80, 1000))
async def test_whatever_is_asked_arrives_once(holes: list[tuple[int, int]], cap: int) -> None:
    asked = [window(start, start + length) for start, length in holes]
    answer = await Venue(set(range(2000)), cap).history(*asked)
    times = [r.funding_time for r in answer.rows]
    assert times == sorted(set(times))
    assert without(asked, [w for _, w in answer.answered]) == []
    assert {t for w in asked for t in range(w.start + HOUR, w.end + HOUR, HOUR)} <= set(times)


@pytest.mark.parametrize("late", [-60, 0, 0.077, 559, 900])
def test_a_stamp_near_the_hour_means_that_hour(late: float) -> None:
    assert hour_of(at(3) + late, at(4)) == at(3)


@pytest.mark.parametrize("stamp", [at(3) + 901, at(3) - 61, at(3) * 1000, at(3) / 1000, 0, -1, at(30)])
def test_a_stamp_that_cannot_be_true_is_refused(stamp: float) -> None:
    with pytest.raises(BadNumber):
        hour_of(stamp, at(4))


def test_near_holes_share_a_request_and_far_ones_do_not() -> None:
    holes = [window(0, 1), window(900, 901), window(1500, 1502)]
    assert spans(holes, 720) == [window(900, 1502), window(0, 1)]


def test_a_long_hole_is_cut_into_requests_of_the_longest_kind() -> None:
    assert spans([window(0, 1500)], 720) == [window(780, 1500), window(60, 780), window(0, 60)]


hours = st.integers(0, 3000)


@given(st.lists(st.tuples(hours, hours)), st.integers(1, 900))
def test_spans_cover_every_hole_and_none_is_too_long(pairs: list[tuple[int, int]], longest: int) -> None:
    holes = [window(min(pair), max(pair)) for pair in pairs]
    cover = spans(holes, longest)
    assert without(holes, cover) == []
    assert all(0 < span.hours <= longest for span in cover)
    assert cover == sorted(cover, reverse=True)
    assert len(cover) <= sum(-(-int(w.hours) // longest) for w in merged(holes))


def test_nothing_is_answered_of_a_span_in_the_future() -> None:
    assert answered("A", window(0, 10), [], refused=False, now=at(0) + 60) == ()


def test_beside_a_refused_row_only_hours_with_a_row_are_answered() -> None:
    found = [row(3), row(4), row(8), row(40)]
    expected = (("A", window(2, 4)), ("A", window(7, 8)))
    assert answered("A", window(0, 10), found, refused=True, now=at(99)) == expected
