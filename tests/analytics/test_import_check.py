import random

import pytest

from fundwatch.analytics.import_check import check_levels, check_stored
from fundwatch.analytics.unit_check import Sample
from fundwatch.models import AssetClass

RESTING = {"": 10.95}
AT_REST = 0.0000125


def one_market(factor: float, n: int = 90, share: float = 0.5) -> list[tuple[Sample, list[float]]]:
    dice = random.Random(5)
    rates = [factor * (AT_REST if k < n * share else dice.uniform(-9e-5, 9e-5)) for k in range(n)]
    return [(Sample("BTC", "", AssetClass.CRYPTO, rates[-1]), rates)]


@pytest.mark.parametrize("factor", [24, 100, 1000, 1 / 24, 1 / 100, 1 / 1000])
def test_one_market_tells_a_big_factor_by_its_own_rest(factor: float) -> None:
    finding = check_levels(one_market(factor), RESTING, None)
    assert (finding.is_wrong, finding.sentence.endswith("a unit error")) == (True, True)


@pytest.mark.parametrize("factor", [1, 2, 4, 8, 1 / 2, 1 / 8, 3.7])
def test_a_few_markets_may_rest_at_a_small_multiple(factor: float) -> None:
    assert not check_levels(one_market(factor), RESTING, None).is_wrong


def test_a_market_that_never_rests_tells_nothing() -> None:
    assert not check_levels(one_market(100, share=0.05), RESTING, None).is_wrong
    assert not check_levels([], RESTING, None).is_wrong
    assert not check_levels(one_market(100), {}, None).is_wrong, "an exchange without a resting level"


@pytest.mark.parametrize("factor", [2, 4, 8, 1 / 8])
def test_many_markets_are_judged_as_a_sweep_is(factor: float) -> None:
    dice = random.Random(6)
    rates = [factor * (AT_REST if n % 3 else dice.uniform(-9e-5, 9e-5)) for n in range(60)]
    markets = [(Sample(f"M{n}", "", AssetClass.CRYPTO, rate), [rate]) for n, rate in enumerate(rates)]
    assert check_levels(markets, RESTING, None).is_wrong
    right = [(sample._replace(hourly_rate=sample.hourly_rate / factor), rates) for sample, rates in markets]
    assert not check_levels(right, RESTING, None).is_wrong


def pairs(n: int = 60) -> list[tuple[float, float]]:
    dice = random.Random(7)
    return [(rate, rate) for rate in (dice.uniform(-9e-5, 9e-5) for _ in range(n))]


def test_equal_payments_agree_and_rounding_is_no_difference() -> None:
    finding = check_stored([(round(one, 8), other) for one, other in pairs()], None)
    assert finding == ("60 of 60 payments that are stored already agree", False, False)


def test_without_common_payments_there_is_nothing_to_say() -> None:
    assert check_stored([], None) is None
    assert check_stored([(0.0, 0.0)], None) is None


@pytest.mark.parametrize("factor", [2, 8, 100, 1 / 4, 1 / 1000])
def test_a_factor_that_a_third_of_the_payments_share_is_an_error(factor: float) -> None:
    off = [(one * factor, other) if n % 3 == 0 else (one, other) for n, (one, other) in enumerate(pairs())]
    finding = check_stored(off, None)
    assert finding is not None
    assert (finding.is_wrong, finding.is_foreign) == (True, False)


def test_lost_and_turned_signs_are_errors() -> None:
    lost = check_stored([(abs(one), other) for one, other in pairs()], None)
    turned = check_stored([(-one, other) for one, other in pairs() if one > 0], None)
    assert lost is not None
    assert turned is not None
    assert [lost.is_wrong, "lost sign" in lost.sentence, turned.is_wrong] == [True, True, True]


def test_payments_that_hardly_ever_agree_are_another_exchanges() -> None:
    shuffled = [one for one, _ in pairs()]
    foreign = [(one, other) for one, (_, other) in zip(shuffled[::-1], pairs(), strict=True)]
    finding = check_stored(foreign, None)
    assert finding is not None
    assert finding.is_foreign
    assert not check_stored(foreign[:10], None).is_foreign  # type: ignore[union-attr]
    mixed = check_stored(foreign + pairs(), None)
    assert mixed is not None
    assert not mixed.is_wrong, "an exchange revised some, or the file is older"
