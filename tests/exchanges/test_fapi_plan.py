from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.fapi_plan import plan
from fundwatch.models import HOUR, Window, merged, without
from tests.exchanges.fapi_venue import NOON

DAY = 24 * HOUR
LAST_HOUR = Window(NOON - HOUR, NOON)
MONTH = Window(NOON - 30 * DAY, NOON)
ALL = [f"{n}USDT" for n in range(740)]


def test_one_settled_hour_of_every_market_takes_two_requests() -> None:
    drawn = plan({symbol: [LAST_HOUR] for symbol in ALL}, 160, bulk_served=True)
    assert (drawn.bulk, drawn.single, drawn.requests) == ((LAST_HOUR,), {}, 2)


def test_a_month_of_every_market_is_asked_in_bulk_newest_first_in_pieces_of_five_days() -> None:
    drawn = plan({symbol: [MONTH] for symbol in ALL}, 160, bulk_served=True)
    assert [window.end for window in drawn.bulk] == [NOON - n * 5 * DAY for n in range(6)]
    assert merged(drawn.bulk) == [MONTH]
    assert 120 <= drawn.requests <= 150


def test_a_few_markets_are_asked_one_by_one() -> None:
    drawn = plan({symbol: [MONTH] for symbol in ALL[:3]}, 160, bulk_served=True)
    assert (drawn.bulk, set(drawn.single), drawn.requests) == ((), set(ALL[:3]), 3)


def test_a_month_of_one_new_market_does_not_drag_in_the_month_of_all() -> None:
    wanted = {symbol: [LAST_HOUR] for symbol in ALL} | {"NEWUSDT": [MONTH]}
    drawn = plan(wanted, 160, bulk_served=True)
    assert drawn.bulk == (LAST_HOUR,)
    assert drawn.single == {"NEWUSDT": [Window(MONTH.start, LAST_HOUR.start)]}
    assert drawn.requests == 3


def test_without_bulk_every_market_is_asked_by_itself() -> None:
    drawn = plan({symbol: [LAST_HOUR] for symbol in ALL}, 160, bulk_served=False)
    assert (drawn.bulk, len(drawn.single), drawn.requests) == ((), 740, 740)


def test_nothing_wanted_costs_nothing() -> None:
    assert plan({}, 160, bulk_served=True) == ((), {}, 0)


@given(
    st.dictionaries(
        st.sampled_from(ALL[:30]),
        st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 900)), max_size=4),
        max_size=30,
    ),
    st.floats(0.1, 300),
    st.booleans(),
)
def test_every_wanted_hour_is_asked_for(
    holes: dict[str, list[tuple[int, int]]], rows_per_hour: float, bulk_served: bool
) -> None:
    wanted = {
        symbol: [Window(NOON + start * HOUR, NOON + (start + hours) * HOUR) for start, hours in windows]
        for symbol, windows in holes.items()
    }
    drawn = plan(wanted, rows_per_hour, bulk_served=bulk_served)
    for symbol, windows in wanted.items():
        assert without(windows, [*drawn.bulk, *drawn.single.get(symbol, [])]) == []
    assert all(0 < window.hours <= 120 for window in drawn.bulk)
    assert drawn.requests <= plan(wanted, rows_per_hour, bulk_served=False).requests
