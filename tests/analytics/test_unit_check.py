import random
from collections.abc import Callable, Mapping

import pytest

from fundwatch.analytics.unit_check import (
    Check,
    Sample,
    check_against,
    check_agreement,
    check_estimates,
    check_settlements,
    modal_apr,
    verdict,
)
from fundwatch.models import AssetClass, apr_percent

CRYPTO, EQUITY = AssetClass.CRYPTO, AssetClass.EQUITY
FACTORS = [2.0, 4.0, 8.0, 24.0, 100.0, 1000.0]
BOTH_WAYS = [*FACTORS, *(1 / factor for factor in FACTORS)]

VENUES: Mapping[str, tuple[float, float | None]] = {
    "hyperliquid": (1.25e-5, None),
    "binance": (1.25e-5, 1.25e-9),
    "lighter": (1.2e-5, 1e-6),
    "extended": (1.3e-5, 1e-6),
}
"""Resting hourly rate and rounding step of exchanges as they are."""


def rounded(rate: float, step: float | None) -> float:
    return round(rate / step) * step if step else rate


def market_rates(rng: random.Random, n: int, venue: str, at_rest: float = 0.45) -> list[float]:
    """Rates as they are on a normal day: a part rests, the others move on both sides of zero."""
    resting, step = VENUES[venue]
    return [
        resting
        if rng.random() < at_rest
        else rounded(rng.choice([1, 1, -1]) * resting * rng.lognormvariate(0, 1.3), step)
        for _ in range(n)
    ]


def samples(rates: list[float], group: str = "", asset_class: AssetClass = CRYPTO) -> list[Sample]:
    return [Sample(f"M{i}", group, asset_class, rate) for i, rate in enumerate(rates)]


def look(rates: list[float], venue: str = "hyperliquid", **kwargs: Mapping[str, float]) -> Check:
    resting, step = VENUES[venue]
    (check,) = check_estimates(samples(rates), {"": apr_percent(resting)}, step, **kwargs)
    return check


def test_the_mode_joins_equal_rates_that_floats_tell_apart() -> None:
    found = modal_apr([0.0001 / 8, 0.00005 / 4, 0.0000125, -0.1095 / 8760, 3e-6, 0.0])
    assert found is not None
    assert found.apr_percent == pytest.approx(10.95)
    assert (found.n, found.share) == (5, 0.8)


def test_zero_rates_have_no_mode() -> None:
    assert modal_apr([0.0, -0.0]) is None
    assert modal_apr([]) is None


@pytest.mark.parametrize("venue", VENUES)
def test_a_normal_market_is_ok(venue: str) -> None:
    for seed in range(250):
        rng = random.Random(seed)
        check = look(market_rates(rng, rng.choice([60, 120, 400]), venue), venue)
        assert (check.verdict, check.factor) == ("ok", 1.0), check.sentence


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("factor", BOTH_WAYS)
def test_every_unit_error_is_found_and_named(venue: str, factor: float) -> None:
    for seed in range(10):
        rates = [rate * factor for rate in market_rates(random.Random(seed), 120, venue)]
        check = look(rates, venue)
        assert check.verdict == "error", check.sentence
        assert check.factor == pytest.approx(factor)
        assert check.modal_apr_percent == pytest.approx(apr_percent(VENUES[venue][0]) * factor)
        assert ("times" if factor > 1 else "1/") in check.sentence


def test_the_sentence_tells_a_person_what_was_seen() -> None:
    check = look([1e-4] * 30 + [i * 1e-7 for i in range(1, 21)])
    assert (
        check.sentence
        == "the most frequent rate is 87.6 % APR (60% of 50), 8 times the resting 10.95 %: a unit error"
    )
    low = look([1.25e-5 / 24] * 30 + [i * 1e-7 for i in range(1, 21)])
    assert low.sentence.endswith("1/24 of the resting 10.95 %: a unit error")


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("at_rest", [0.0, 0.03, 0.1, 0.2, 0.45, 0.9])
def test_real_markets_are_never_called_wrong(venue: str, at_rest: float) -> None:
    for seed in range(170):
        rng = random.Random(seed)
        n = rng.choice([20, 21, 25, 40, 90, 230])
        check = look(market_rates(rng, n, venue, at_rest), venue)
        assert check.verdict != "error", (seed, n, check.sentence)


@pytest.mark.parametrize("venue", ["lighter", "extended"])
@pytest.mark.parametrize("widest", [3, 6, 12, 24, 48, 100])
def test_a_coarse_step_makes_rates_coincide_and_that_is_no_error(venue: str, widest: int) -> None:
    for seed in range(170):
        rng = random.Random(seed)
        rates = [rng.randint(-widest, widest) * 1e-6 for _ in range(rng.choice([20, 25, 40, 90, 230]))]
        check = look(rates, venue)
        assert check.verdict != "error", (seed, check.sentence)


EXTREMES: Mapping[str, Callable[[random.Random], float]] = {
    "everything at zero": lambda rng: 0.0,
    "a crash, all negative": lambda rng: -abs(rng.gauss(2e-4, 1e-4)),
    "everything at the cap of 4 % an hour": lambda rng: 0.04,
    "everything at the floor of -0.5 % an hour": lambda rng: -0.005,
    "everything at 2 % in 4 hours": lambda rng: 0.005,
    "everything at 0.75 % in 8 hours": lambda rng: 0.0075 / 8,
    "a mania": lambda rng: rng.lognormvariate(0, 0.8) * 1e-4,
}


@pytest.mark.parametrize("what", EXTREMES)
@pytest.mark.parametrize("venue", VENUES)
def test_extreme_markets_are_not_called_wrong(what: str, venue: str) -> None:
    for seed in range(20):
        rng = random.Random(seed)
        check = look([rounded(EXTREMES[what](rng), VENUES[venue][1]) for _ in range(150)], venue)
        assert check.verdict == "unknown", check.sentence


def test_resting_rates_that_are_negative_have_their_sign_turned_around() -> None:
    rates = [-rate for rate in market_rates(random.Random(1), 200, "hyperliquid")]
    check = look(rates)
    assert (check.verdict, check.factor) == ("error", -1.0)
    assert "sign" in check.sentence


@pytest.mark.parametrize(("n", "expected"), [(19, "unknown"), (20, "ok")])
def test_fewer_than_twenty_rates_say_nothing(n: int, expected: str) -> None:
    check = look([1.25e-5] * n + [0.0] * 100)
    assert (check.verdict, check.n) == (expected, n)


@pytest.mark.parametrize(("standing", "expected"), [(14, "unknown"), (15, "ok")])
def test_a_mode_needs_fifteen_percent(standing: int, expected: str) -> None:
    rates = [1.25e-5] * standing + [(i + 1) * 1.7e-7 for i in range(100 - standing)]
    assert look(rates).verdict == expected


def test_only_coins_are_held_against_the_level_of_the_main_group() -> None:
    at_rest = samples([1.25e-5] * 40)
    shares = samples([6.25e-6] * 400, asset_class=EQUITY)
    (check,) = check_estimates(at_rest + shares, {"": 10.95}, None)
    assert (check.verdict, check.n) == ("ok", 40)
    (check,) = check_estimates(shares, {"": 10.95}, None)
    assert (check.verdict, check.n) == ("unknown", 0)


def test_a_group_with_a_level_of_its_own_is_judged_by_all_of_its_markets() -> None:
    both = samples([1.25e-5] * 40) + samples([6.25e-6] * 40, "xyz", EQUITY)
    main, xyz = check_estimates(both, {"": 10.95, "xyz": 5.475}, None)
    assert (main.group, main.verdict, xyz.group, xyz.verdict) == ("", "ok", "xyz", "ok")
    wrong = samples([1.25e-5] * 40) + samples([5e-5] * 40, "xyz", EQUITY)
    main, xyz = check_estimates(wrong, {"": 10.95, "xyz": 5.475}, None)
    assert (main.verdict, xyz.verdict, xyz.factor) == ("ok", "error", 8.0)


@pytest.mark.parametrize("resting", [{}, {"": 10.95}])
def test_a_group_without_a_known_level_is_unknown(resting: dict[str, float]) -> None:
    (check,) = check_estimates(samples([1e-4] * 40, "new"), resting, None)
    assert check.verdict == "unknown"
    assert check.modal_apr_percent == pytest.approx(87.6)


def test_a_person_can_accept_another_level() -> None:
    rates = [2.5e-5] * 40
    assert look(rates).verdict == "error"
    assert look(rates, override={"": 21.9}).verdict == "ok"


def test_another_level_that_no_unit_error_explains_is_not_called_wrong() -> None:
    check = look([1.25e-5 * 3] * 40)
    assert (check.verdict, check.factor) == ("unknown", None)
    assert "32.85 %" in check.sentence


def test_settlements_are_checked_in_the_same_way_under_their_own_name() -> None:
    (check,) = check_settlements(samples([1e-4] * 40), {"": 10.95}, None)
    assert (check.what, check.verdict, check.factor) == ("settlements", "error", 8.0)


def settled(
    rng: random.Random, estimates: list[float], venue: str, drift: float = 0.2
) -> list[tuple[float, float]]:
    """(settled, estimated): markets at rest stay, the others move on a little until the hour."""
    resting, step = VENUES[venue]
    return [
        (
            one
            if one == resting
            else rounded(one + rng.gauss(0, drift) * abs(one) + rng.gauss(0, 3e-6), step),
            one,
        )
        for one in estimates
    ]


def pairs(seed: int, venue: str, n: int = 120, at_rest: float = 0.45) -> list[tuple[float, float]]:
    rng = random.Random(seed)
    return settled(rng, market_rates(rng, n, venue, at_rest), venue)


@pytest.mark.parametrize("venue", VENUES)
def test_settlements_that_follow_their_estimates_agree(venue: str) -> None:
    for seed in range(250):
        check = check_agreement(pairs(seed, venue), VENUES[venue][1])
        assert (check.what, check.verdict) == ("agreement", "ok"), check.sentence


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("factor", BOTH_WAYS)
def test_a_unit_error_on_either_side_breaks_the_agreement(venue: str, factor: float) -> None:
    for seed in range(10):
        found = pairs(seed, venue)
        check = check_agreement([(one * factor, other) for one, other in found], VENUES[venue][1])
        assert check.verdict == "error", check.sentence
        assert check.factor == pytest.approx(factor)
        check = check_agreement([(one, other * factor) for one, other in found], VENUES[venue][1])
        assert check.verdict == "error", check.sentence
        assert check.factor == pytest.approx(1 / factor)


def test_an_error_in_half_of_the_markets_is_an_error() -> None:
    found = [
        (one * (2 if i % 2 else 1), other) for i, (one, other) in enumerate(pairs(5, "hyperliquid", 400, 0.7))
    ]
    check = check_agreement(found, None)
    assert (check.verdict, check.factor) == ("error", 2.0)
    assert check.sentence.endswith("in a part of the markets")


@pytest.mark.parametrize("venue", VENUES)
def test_a_lost_sign_is_found_on_either_side(venue: str) -> None:
    for seed in range(50):
        found = pairs(seed, venue, 300)
        for lost in ([(abs(a), b) for a, b in found], [(a, abs(b)) for a, b in found]):
            check = check_agreement(lost, VENUES[venue][1])
            assert (check.verdict, check.factor) == ("error", -1.0), check.sentence
            assert "lost sign" in check.sentence


def test_a_sign_turned_around_is_found_in_a_market_without_a_single_negative_rate() -> None:
    found = [(-abs(one), abs(other)) for one, other in pairs(5, "hyperliquid")]
    assert check_agreement(found, None).verdict == "error"


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("at_rest", [0.0, 0.1, 0.45])
@pytest.mark.parametrize("later", [0.5, 1.5])
def test_estimates_from_hours_before_are_no_proof_of_anything(
    venue: str, at_rest: float, later: float
) -> None:
    for seed in range(90):
        rng = random.Random(seed)
        before = market_rates(rng, rng.choice([20, 40, 120]), venue, at_rest)
        check = check_agreement(settled(rng, before, venue, later), VENUES[venue][1])
        assert check.verdict != "error", (seed, check.sentence)


@pytest.mark.parametrize("venue", VENUES)
def test_a_whole_market_that_turns_from_negative_to_positive_is_not_a_lost_sign(venue: str) -> None:
    for seed in range(100):
        rng = random.Random(seed)
        crash = [-abs(rate) * 10 for rate in market_rates(rng, 100, venue, 0.0)]
        recovery = [abs(rate) for rate in market_rates(rng, 100, venue)]
        check = check_agreement(list(zip(recovery, crash, strict=True)), VENUES[venue][1])
        assert check.verdict != "error", (seed, check.sentence)


def test_rates_of_a_few_steps_say_nothing_by_their_ratio() -> None:
    check = check_agreement([(2e-6, 1e-6)] * 200, 1e-6)
    assert (check.verdict, check.n) == ("unknown", 0)


@pytest.mark.parametrize(("n", "expected"), [(19, "unknown"), (20, "ok")])
def test_fewer_than_twenty_pairs_say_nothing(n: int, expected: str) -> None:
    assert check_agreement([(1.25e-5, 1.25e-5)] * n + [(0.0, 1e-5)] * 50, None).verdict == expected


def test_no_pairs_say_nothing() -> None:
    assert check_agreement([], None, "xyz").verdict == "unknown"
    assert check_agreement([], None, "xyz").group == "xyz"


def test_a_second_source_is_compared_by_asset() -> None:
    own = {f"A{i}": rate for i, rate in enumerate(market_rates(random.Random(4), 100, "binance"))}
    relayed = {**own, "ELSEWHERE": 0.05}
    check = check_against({**own, "OURS ALONE": -0.05}, relayed)
    assert (check.what, check.verdict) == ("second source", "ok")
    wrong = check_against({asset: rate / 8 for asset, rate in own.items()}, relayed)
    assert (wrong.verdict, wrong.factor) == ("error", 1 / 8)
    assert "1/8 of the relayed" in wrong.sentence


def test_one_error_outweighs_every_ok_and_one_ok_every_unknown() -> None:
    ok, wrong = look([1.25e-5] * 40), look([1e-4] * 40)
    unknown = look([1e-5])
    assert verdict([]) == "unknown"
    assert verdict([unknown]) == "unknown"
    assert verdict([unknown, ok]) == "ok"
    assert verdict([ok, wrong, unknown]) == "error"


SCATTERED = [
    (0.00001 * (1 + place / 10), 0.00001 * (1 + place / 10) * (0.7 + place % 7 / 10)) for place in range(60)
]
"""(settled, estimated) of an exchange whose markets never rest: ratios between 0.77 and 1.43."""


@pytest.mark.parametrize("factor", [*FACTORS, *(1 / factor for factor in FACTORS)])
def test_where_no_market_rests_a_factor_shows_in_the_middle_of_the_ratios(factor: float) -> None:
    check = check_agreement([(one * factor, other) for one, other in SCATTERED], None, rests=False)
    assert (check.verdict, check.factor) == ("error", factor)
    assert check.sentence.endswith("a unit error")


def test_where_no_market_rests_rates_that_merely_moved_are_no_error() -> None:
    assert check_agreement(SCATTERED, None, rests=False).verdict == "ok"
    moved = [(one * (0.3 + place % 30 / 10), other) for place, (one, other) in enumerate(SCATTERED)]
    assert check_agreement(moved, None, rests=False).verdict == "unknown"
