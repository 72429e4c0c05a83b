from dataclasses import replace

import pytest

from fundwatch.analytics.health import HealthWord, Signs, health_of, is_alive, oldest_but_worst

MINUTE = 60.0
WELL = Signs(
    quotes_every_seconds=5 * MINUTE,
    stale_after_seconds=120 * MINUTE,
    last_sweep_failed=False,
    markets_expected=200,
    quote_ages_seconds=[MINUTE] * 200,
)


def word(signs: Signs) -> HealthWord:
    return health_of(signs).word


def ages(old: int, age: float | None, of: int = 200) -> list[float | None]:
    return [MINUTE] * (of - old) + [age] * old


def test_all_is_well() -> None:
    health = health_of(WELL)
    assert (health.word, health.reason) == (HealthWord.OK, "")
    assert (health.age_seconds, health.markets, health.markets_fresh) == (MINUTE, 200, 200)


def test_each_word_yields_to_the_one_before_it() -> None:
    signs = replace(WELL, quote_ages_seconds=ages(100, 16 * MINUTE))
    assert word(signs) is HealthWord.LATE
    signs = replace(signs, markets_failed=3)
    assert word(signs) is HealthWord.PARTIAL
    signs = replace(signs, quote_ages_seconds=ages(100, 121 * MINUTE))
    assert word(signs) is HealthWord.STALE
    signs = replace(signs, last_sweep_failed=True, error="HTTP 503")
    assert word(signs) is HealthWord.ERROR
    signs = replace(signs, last_sweep_failed=None)
    assert word(signs) is HealthWord.NEVER
    assert word(replace(signs, paused=True)) is HealthWord.PAUSED


def test_one_fresh_market_does_not_hide_a_hundred_stale_ones() -> None:
    health = health_of(replace(WELL, quote_ages_seconds=ages(199, 5 * 3600)))
    assert health.word is HealthWord.STALE
    assert health.age_seconds == 5 * 3600
    assert health.markets_fresh == 1
    assert "5 h" in health.reason


@pytest.mark.parametrize(("old", "expected"), [(2, HealthWord.OK), (3, HealthWord.STALE)])
def test_the_worst_percent_is_left_out_and_no_more(old: int, expected: HealthWord) -> None:
    assert word(replace(WELL, quote_ages_seconds=ages(old, 1e6))) is expected


def test_a_small_exchange_has_no_market_to_leave_out() -> None:
    signs = replace(WELL, markets_expected=99, quote_ages_seconds=ages(1, 1e6, of=99))
    assert word(signs) is HealthWord.STALE
    assert oldest_but_worst([7.0]) == 7.0


def test_a_market_that_was_never_quoted_is_the_oldest_of_all() -> None:
    health = health_of(replace(WELL, quote_ages_seconds=ages(3, None)))
    assert health.word is HealthWord.STALE
    assert health.age_seconds is None
    assert health.reason == "3 of 200 markets have no quote"
    assert word(replace(WELL, quote_ages_seconds=ages(2, None))) is HealthWord.OK


def test_no_market_at_all_is_not_well() -> None:
    health = health_of(replace(WELL, markets_expected=0, quote_ages_seconds=[]))
    assert health.word is HealthWord.STALE
    assert (health.age_seconds, health.markets, health.markets_fresh) == (None, 0, 0)


@pytest.mark.parametrize(
    ("failed", "expected"), [(0, HealthWord.OK), (2, HealthWord.OK), (3, HealthWord.PARTIAL)]
)
def test_more_than_one_percent_failed_is_partial(failed: int, expected: HealthWord) -> None:
    health = health_of(replace(WELL, markets_failed=failed))
    assert health.word is expected
    assert ("3 of 200" in health.reason) is (expected is HealthWord.PARTIAL)


@pytest.mark.parametrize(
    ("gone", "expected", "word_"),
    [
        (10, 200, HealthWord.OK),
        (11, 200, HealthWord.PARTIAL),
        (3, 20, HealthWord.OK),
        (4, 20, HealthWord.PARTIAL),
    ],
)
def test_markets_that_vanish_without_a_word_make_it_partial(
    gone: int, expected: int, word_: HealthWord
) -> None:
    assert word(replace(WELL, markets_gone=gone, markets_expected=expected)) is word_


@pytest.mark.parametrize(
    ("quotes_every", "age", "expected"),
    [
        (5 * MINUTE, 15 * MINUTE, HealthWord.OK),
        (5 * MINUTE, 15 * MINUTE + 1, HealthWord.LATE),
        (MINUTE, 15 * MINUTE, HealthWord.OK),
        (10 * MINUTE, 30 * MINUTE, HealthWord.OK),
        (10 * MINUTE, 30 * MINUTE + 1, HealthWord.LATE),
    ],
)
def test_late_is_three_rounds_but_never_less_than_a_quarter(
    quotes_every: float, age: float, expected: HealthWord
) -> None:
    signs = replace(WELL, quotes_every_seconds=quotes_every, quote_ages_seconds=[age] * 200)
    assert word(signs) is expected


def test_stale_begins_after_its_limit() -> None:
    assert word(replace(WELL, quote_ages_seconds=[120 * MINUTE] * 200)) is HealthWord.LATE
    assert word(replace(WELL, quote_ages_seconds=[120 * MINUTE + 1] * 200)) is HealthWord.STALE


@pytest.mark.parametrize(
    ("silent", "alive"),
    [(0.0, True), (120.0, True), (120.1, False), (1e6, False), (float("inf"), False), (-30.0, True)],
)
def test_running_never_outlives_its_process(silent: float, alive: bool) -> None:
    health = health_of(replace(WELL, heartbeat_age_seconds=silent))
    assert health.word is (HealthWord.OK if alive else HealthWord.ERROR)
    assert health.reason.startswith("interrupted") is not alive
    assert is_alive(silent) is alive


def test_a_first_sweep_under_way_is_never_and_a_dead_one_is_an_error() -> None:
    fresh = Signs(quotes_every_seconds=300, stale_after_seconds=7200)
    assert health_of(fresh).reason == "not collected yet"
    assert health_of(replace(fresh, heartbeat_age_seconds=5)).reason == "its first sweep is under way"
    assert word(replace(fresh, heartbeat_age_seconds=5)) is HealthWord.NEVER
    assert word(replace(fresh, heartbeat_age_seconds=500)) is HealthWord.ERROR


def test_a_first_sweep_that_failed_is_an_error_and_not_never() -> None:
    signs = Signs(
        quotes_every_seconds=300, stale_after_seconds=7200, last_sweep_failed=True, error="HTTP 451"
    )
    assert (word(signs), health_of(signs).reason) == (HealthWord.ERROR, "HTTP 451")


def test_a_failed_unit_check_is_an_error_with_its_own_sentence() -> None:
    health = health_of(replace(WELL, unit_error="8 times the resting rate"))
    assert (health.word, health.reason) == (HealthWord.ERROR, "8 times the resting rate")
