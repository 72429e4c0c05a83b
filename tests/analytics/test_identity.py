import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.analytics.identity import (
    IdentityState,
    Traded,
    clusters,
    labels,
    representatives,
    step,
)

PRICES = st.lists(st.one_of(st.none(), st.floats(1e-6, 1e6)), max_size=12)


def test_markets_within_three_percent_are_one_asset() -> None:
    assert clusters([("a", 100.0), ("b", 102.9), ("c", 101.0)]) == [["a", "c", "b"]]


def test_two_things_of_one_name_are_told_apart_by_price() -> None:
    marks = [("aster", 0.0021), ("binance", 4.31), ("extended", 4.29), ("xyz", 4.30)]
    assert clusters(marks) == [["extended", "xyz", "binance"], ["aster"]]


def test_a_share_and_its_fund_of_a_tenth_are_two() -> None:
    assert sorted(map(sorted, clusters([("SP500", 7766.0), ("US500", 773.7)]))) == [["SP500"], ["US500"]]


def test_agreement_is_pairwise_so_a_chain_does_not_join_its_ends() -> None:
    groups = clusters([("a", 100.0), ("b", 102.5), ("c", 105.0)])
    assert len(groups) == 2
    assert {"a", "c"} not in map(set, groups)


def test_a_price_between_two_groups_goes_with_the_crowd() -> None:
    marks = [("a", 100.0), ("between", 102.5), ("x", 105.0), ("y", 105.1), ("z", 105.2)]
    assert clusters(marks)[0] == ["between", "x", "y", "z"]


@pytest.mark.parametrize("price", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_market_without_a_price_is_alone(price: float | None) -> None:
    assert clusters([("a", price), ("b", 1.0), ("c", 1.0), ("d", price)]) == [["b", "c"], ["a"], ["d"]]


def test_no_markets_make_no_groups() -> None:
    assert clusters([]) == []


@given(PRICES)
def test_every_market_is_in_one_group_and_groups_agree_pairwise(prices: list[float | None]) -> None:
    groups = clusters(list(enumerate(prices)))
    assert sorted(key for group in groups for key in group) == list(range(len(prices)))
    for group in groups:
        found = [price for key in group if (price := prices[key]) is not None]
        assert not found or max(found) <= min(found) * 1.03
        assert len(group) == 1 or len(found) == len(group)


@given(PRICES.map(lambda prices: [p for p in prices if p is not None]), st.randoms(use_true_random=False))
def test_the_order_of_markets_does_not_matter(prices: list[float], rng: random.Random) -> None:
    marks = [(f"m{i}", price) for i, price in enumerate(sorted(set(prices)))]
    shuffled = marks[:]
    rng.shuffle(shuffled)
    assert clusters(shuffled) == clusters(marks)


def test_the_largest_group_is_the_largest_possible() -> None:
    rng = random.Random(3)
    for _ in range(200):
        prices = [100 * (1 + 0.01 * rng.randrange(12)) for _ in range(9)]
        best = max(sum(low <= p <= low * 1.03 for p in prices) for low in prices)
        assert len(clusters(list(enumerate(prices)))[0]) == best


def sampled(*clusters_: int | None) -> list[int | None]:
    """The verdict after each of the samples."""
    state: IdentityState | None = None
    verdicts = []
    for sample in clusters_:
        state = step(state, sample)
        verdicts.append(state.cluster if state else None)
    return verdicts


def test_the_first_sample_is_the_first_verdict() -> None:
    assert sampled(4) == [4]
    assert sampled(None, 4) == [None, 4]


def test_a_verdict_changes_after_three_samples_in_a_row() -> None:
    assert sampled(0, 1, 1, 1, 1) == [0, 0, 0, 1, 1]


def test_a_single_outlier_changes_nothing_and_starts_the_count_anew() -> None:
    assert sampled(0, 1, 1, 0, 1, 1, 0) == [0] * 7
    assert sampled(0, 1, 1, 2, 1, 1, 1) == [0, 0, 0, 0, 0, 0, 1]


def test_no_price_is_no_sample() -> None:
    assert sampled(0, 1, None, 1, None, 1) == [0, 0, 0, 0, 0, 1]


def test_numbers_stay_with_their_groups_from_sample_to_sample() -> None:
    assert labels([["a", "b"], ["c"]], {}) == {"a": 0, "b": 0, "c": 1}
    held = {"a": 0, "b": 0, "c": 1}
    assert labels([["c"], ["b", "a"]], held) == held
    assert labels([["c", "d", "e"], ["b", "a"]], held) == {**held, "d": 1, "e": 1}


def test_a_new_group_takes_no_number_that_a_market_without_a_price_still_holds() -> None:
    assert labels([["new"]], {"silent": 0}) == {"new": 1}
    assert labels([["new", "silent"]], {"silent": 0, "new": 1}) == {"new": 0, "silent": 0}


def test_a_market_that_leaves_its_group_gets_a_number_of_its_own_and_keeps_it() -> None:
    held = {"a": 3, "b": 3, "c": 3}
    assert labels([["a", "b"], ["c"]], held) == {"a": 3, "b": 3, "c": 0}
    states = {key: IdentityState(3) for key in "abc"}
    for _ in range(3):
        now = labels([["a", "b"], ["c"]], {key: state.cluster for key, state in states.items()})
        states = {key: after for key, state in states.items() if (after := step(state, now[key]))}
    assert [states[key].cluster for key in "abc"] == [3, 3, 0]


@given(st.permutations(list("abcdef")), st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)))
def test_two_groups_never_share_a_number(keys: list[str], held: dict[str, int]) -> None:
    groups = [keys[:3], keys[3:5], keys[5:]]
    found = labels(groups, held)
    assert sorted(found) == sorted(keys)
    assert len({found[group[0]] for group in groups}) == 3
    assert all(len({found[key] for key in group}) == 1 for group in groups)


def test_the_largest_volume_stands_for_an_exchange() -> None:
    markets = [
        Traded("binance", "BTCUSDC", 5e8),
        Traded("binance", "BTCUSDT", 9e9),
        Traded("binance", "BTCBUSD", None),
        Traded("lighter", "BTC", None),
    ]
    chosen = representatives(markets)
    assert {exchange: market.symbol for exchange, market in chosen.items()} == {
        "binance": "BTCUSDT",
        "lighter": "BTC",
    }
    assert representatives(reversed(markets)) == chosen


def test_unknown_volume_comes_last_and_ties_go_to_the_first_symbol() -> None:
    assert representatives([Traded("e", "A", None), Traded("e", "Z", 0.0)])["e"].symbol == "Z"
    assert representatives([Traded("e", "B", 7.0), Traded("e", "A", 7.0)])["e"].symbol == "A"
    assert representatives([Traded("e", "B", None), Traded("e", "A", None)])["e"].symbol == "A"
