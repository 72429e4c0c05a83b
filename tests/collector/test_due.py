import pytest

from fundwatch.collector import due
from fundwatch.models import HOUR
from tests.collector.scripted import NOON

FIVE_MINUTES = 300


def test_a_slot_begins_a_minute_before_the_round_time() -> None:
    slot = due.quotes_slot(NOON, FIVE_MINUTES)
    assert due.quotes_slot(NOON - 61, FIVE_MINUTES) == slot - 1
    assert due.quotes_slot(NOON - 60, FIVE_MINUTES) == slot
    assert due.quotes_slot(NOON + 239.9, FIVE_MINUTES) == slot
    assert due.quotes_slot(NOON + 240, FIVE_MINUTES) == slot + 1


def test_every_full_hour_has_a_slot_that_begins_in_its_last_five_minutes() -> None:
    for every in (60, 120, 300, 600, 900, 1800, 3600):
        begin = due.next_quotes(NOON - 61, every)
        assert NOON - 300 < begin <= NOON - 60


def test_the_next_slot_is_in_the_future_and_is_another_slot() -> None:
    for now in (NOON - 60, NOON, NOON + 1.5, NOON + 239):
        following = due.next_quotes(now, FIVE_MINUTES)
        assert now < following <= now + FIVE_MINUTES
        assert due.quotes_slot(following, FIVE_MINUTES) == due.quotes_slot(now, FIVE_MINUTES) + 1


@pytest.mark.parametrize("minute", [0, 5, 59])
def test_a_sweep_is_due_at_its_own_minute(minute: int) -> None:
    begin = NOON + minute * 60
    hour = due.sweep_hour(begin, minute)
    assert due.sweep_hour(begin - 1, minute) == hour - 1
    assert due.sweep_hour(begin + HOUR - 1, minute) == hour
    assert due.next_sweep(begin, minute) == begin + HOUR
    assert due.next_sweep(begin - 1, minute) == begin


def test_a_clock_that_goes_back_or_forward_is_in_another_slot_and_hour() -> None:
    for jump in (-12 * HOUR, 8 * HOUR, 30 * 24 * HOUR):
        assert due.quotes_slot(NOON + jump, FIVE_MINUTES) != due.quotes_slot(NOON, FIVE_MINUTES)
        assert due.sweep_hour(NOON + jump, 5) - due.sweep_hour(NOON, 5) == jump // HOUR


def test_retries_wait_longer_each_time_and_never_an_hour() -> None:
    assert [due.retry_delay(n) for n in (0, 1, 2, 3, 4, 5, 50)] == [300, 300, 600, 1200, 2400, 2400, 2400]
