"""Intervals that rows do not carry come from spacing, across answers and sweeps."""

from collections.abc import Iterable

from fundwatch.collector.ledger import Ledger
from fundwatch.exchanges.base import Answer
from fundwatch.models import HOUR, Kind, Settlement, Window
from tests.collector.scripted import NOON, HandClock, Watch, scripted

RATE = 0.0001


def bare(*hours: int, symbol: str = "M001") -> list[Settlement]:
    return [Settlement(symbol, NOON + hour * HOUR, RATE, None) for hour in hours]


def answer(rows: Iterable[Settlement], start: int, end: int, symbol: str = "M001") -> Answer:
    return Answer(tuple(rows), ((symbol, Window(NOON + start * HOUR, NOON + end * HOUR)),))


def hours_of(answer: Answer) -> list[float | None]:
    return [row.interval_hours for row in answer.rows]


async def prepared(watch: Watch, *stored: int) -> int:
    """A run of a market with four-hourly rows at the hours `stored`."""
    watch.exchange.interval_hours = 4
    await watch.tracker.quotes_pass()
    run_id = watch.ledger.begin("aster", "sweep", watch.exchange.facts)
    rows = tuple(Settlement("M001", NOON + hour * HOUR, RATE, 4.0) for hour in stored)
    watch.ledger.settlements(run_id, "aster", Answer(rows), continuous=False)
    return run_id


async def test_an_answer_that_reaches_back_to_the_stored_row_knows_its_first_interval(watch: Watch) -> None:
    await prepared(watch, -12)
    found = watch.ledger.with_intervals("aster", answer(bare(-8, -4, 0), -12, 0))
    assert hours_of(found) == [4.0, 4.0, 4.0]


async def test_an_answer_that_does_not_reach_back_leaves_its_first_row_unknown(watch: Watch) -> None:
    await prepared(watch, -24)
    found = watch.ledger.with_intervals("aster", answer(bare(-8, -4, 0), -9, 0))
    assert hours_of(found) == [None, 4.0, 4.0]


async def test_a_stored_row_beyond_a_gap_is_no_neighbour(watch: Watch) -> None:
    await prepared(watch, -8)
    assert hours_of(watch.ledger.with_intervals("aster", answer(bare(0), -1, 0))) == [None]


async def test_a_lost_payment_does_not_turn_its_neighbour_into_one_of_eight_hours(watch: Watch) -> None:
    await prepared(watch, -20)
    found = watch.ledger.with_intervals("aster", answer(bare(-16, -12, -4, 0), -20, 0))
    assert hours_of(found) == [4.0] * 4


async def test_payments_of_eight_hours_keep_them_in_a_market_that_pays_every_four_today(watch: Watch) -> None:
    await prepared(watch)
    found = watch.ledger.with_intervals("aster", answer(bare(-32, -24, -16, -8, -4, 0), -40, 0))
    assert hours_of(found) == [None, 8.0, 8.0, 8.0, 4.0, 4.0]


async def test_rows_that_carry_their_interval_are_left_alone(watch: Watch) -> None:
    await prepared(watch)
    whole = answer([Settlement("M001", NOON, RATE, 2.0)], -4, 0)
    assert watch.ledger.with_intervals("aster", whole) is whole
    mixed = answer([*bare(-4), Settlement("M001", NOON, RATE, 2.0)], -8, 0)
    assert hours_of(watch.ledger.with_intervals("aster", mixed))[1] == 2.0


async def test_special_rows_are_nobodys_neighbour(watch: Watch) -> None:
    await prepared(watch, -8)
    extra = Settlement("M001", NOON - 2 * HOUR, 0.001, 0.0, Kind.SPECIAL)
    found = watch.ledger.with_intervals("aster", answer([*bare(-4, 0), extra], -8, 0))
    assert hours_of(found) == [4.0, 0.0, 4.0]


async def test_each_market_of_an_answer_is_judged_by_its_own_rows(watch: Watch) -> None:
    await prepared(watch, -8)
    both = Answer(
        (*bare(-4, 0), *bare(-8, 0, symbol="M002"), *bare(0, symbol="STRANGER")),
        (("M001", Window(NOON - 8 * HOUR, NOON)), ("M002", Window(NOON - 16 * HOUR, NOON))),
    )
    found = watch.ledger.with_intervals("aster", both)
    assert [(r.symbol, r.interval_hours) for r in found.rows if r.symbol == "M001"] == [("M001", 4.0)] * 2
    assert [r.interval_hours for r in found.rows if r.symbol == "STRANGER"] == [None]


async def test_a_later_answer_with_a_row_before_teaches_the_interval_of_a_stored_one(watch: Watch) -> None:
    """Newest first: the older answer brings the witness for the newer one's first row."""
    run_id = await prepared(watch)

    def store(one: Answer) -> None:
        watch.ledger.settlements(run_id, "aster", watch.ledger.with_intervals("aster", one), continuous=False)

    store(answer(bare(-8, -4, 0), -8, 0))
    assert watch.rows("M001")[0][2] is None
    store(answer(bare(-16, -12, -8), -16, -8))
    assert [hours for _, _, hours in watch.rows("M001")] == [None, 4.0, 4.0, 4.0, 4.0]


async def test_sweep_after_sweep_of_bare_rows_keeps_the_interval(ledger: Ledger, clock: HandClock) -> None:
    watch = Watch(ledger, scripted(clock), clock, history_days=3)
    watch.exchange.interval_hours = 4
    watch.exchange.says_interval = False
    watch.exchange.seconds_per_hour = 0.0
    await watch.tracker.sweep()
    for _ in range(4):
        clock.advance(4 * HOUR)
        await watch.tracker.sweep()
    rows = watch.rows("M001")
    assert [time for time, _, _ in rows] == list(range(rows[0][0], NOON + 17 * HOUR, 4 * HOUR))
    assert {hours for _, _, hours in rows[1:]} == {4.0}


async def test_a_payment_that_could_not_be_read_parts_its_neighbours(watch: Watch) -> None:
    """It was made, so the time around it tells nothing: not 8 hours of a market that went over to 4."""
    await prepared(watch)
    windows = [Window(NOON + start * HOUR, NOON + end * HOUR) for start, end in ((-40, -12), (-8, 0))]
    torn = Answer(tuple(bare(-32, -24, -16, -12, -4, 0)), tuple(("M001", window) for window in windows))
    assert hours_of(watch.ledger.with_intervals("aster", torn)) == [None, 8.0, 8.0, None, None, 4.0]
