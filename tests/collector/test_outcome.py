import pytest

from fundwatch.collector.outcome import Outcome, judge
from tests.collector.scripted import symbols


@pytest.mark.parametrize(("failed", "word"), [(0, "ok"), (1, "ok"), (2, "ok"), (3, "partial")])
def test_more_than_one_percent_failed_is_partial(failed: int, word: str) -> None:
    outcome = Outcome(failed=dict.fromkeys(symbols(failed), "rate is missing"))
    judge(outcome, symbols(200), ())
    assert outcome.word == word


def test_one_of_a_few_markets_is_more_than_one_percent() -> None:
    outcome = Outcome(failed={"M000": "rate is missing"})
    judge(outcome, symbols(4), ())
    assert outcome.error == "partial 3/4: 1 rate is missing (M000)"


def test_the_summary_names_the_three_commonest_reasons_and_three_markets() -> None:
    reasons = ["a", "b", "b", "c", "c", "c", "d", "d", "d", "d"]
    outcome = Outcome(failed=dict(zip(symbols(10), reasons, strict=True)))
    judge(outcome, symbols(190), ())
    assert outcome.error == "partial 180/190: 4 d, 3 c, 2 b (M000, M001, M002 ...)"


def test_a_market_that_failed_for_long_is_not_expected() -> None:
    outcome = Outcome(failed={"M000": "rate is missing"})
    judge(outcome, symbols(4), {"M000"})
    assert (outcome.word, outcome.error) == ("ok", None)


def test_markets_that_are_missing_from_the_list_are_expected_too() -> None:
    outcome = Outcome(failed=dict.fromkeys(symbols(10, 90), "gone"))
    judge(outcome, symbols(90), ())
    assert outcome.error == "partial 90/100: 10 gone (M090, M091, M092 ...)"


def test_an_error_is_not_made_better() -> None:
    outcome = Outcome("error", "banned", failed=dict.fromkeys(symbols(9), "x"))
    judge(outcome, symbols(10), ())
    assert (outcome.word, outcome.error) == ("error", "banned")
