"""Are the rates of a file in the unit, of the sign and of the exchange that they are said to be? Pure.

A file is judged before anything of it is stored: against the level at which markets rest, and against
what is stored already of the same hours. Payments that happened are equal wherever they are read,
so what disagrees there is another unit, another sign, or another exchange.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from fundwatch.analytics.unit_check import (
    ENOUGH_MARKETS,
    FACTORS,
    LEVEL_TOLERANCE,
    MODE_SHARE,
    Sample,
    check_settlements,
    modal_apr,
)
from fundwatch.models import AssetClass

BIG_FACTORS = tuple(factor for factor in FACTORS if factor >= 24)
"""Rates of a few markets may rest at twice or eight times the usual level (a 4 h market at 0.01 %), but
at no such multiple of it."""
EQUAL_WITHIN = 1e-3
LAST_DECIMAL = 1e-8
"""Files round to so much of a payment, if they round; venues' own steps are in both alike."""
FACTOR_WITHIN = 0.02
FEWEST_PAIRS = 5
FACTOR_SHARE = 0.3
"""So many payments of the same hours, and such a share of them off by one factor, are an error."""
PAIRS_TO_DISAGREE = 20
AGREEING_SHARE = 0.2
SMALLEST_RATE = 1e-7
"""Two rates below it (fractions of one payment), or below two rounding steps, say nothing by their ratio."""


class Finding(NamedTuple):
    """`sentence` says what was seen; `is_foreign` that the file seems to be of another exchange."""

    sentence: str
    is_wrong: bool
    is_foreign: bool = False


def check_levels(
    markets: Iterable[tuple[Sample, Sequence[float]]], resting: Mapping[str, float], step: float | None
) -> Finding:
    """`markets` are each market's newest rate and its last hourly rates; `resting` is APR in percent.

    With enough markets the mode of their newest rates is judged as a sweep's is; with fewer the mode
    of all their rates, where only a factor of 24 or more is taken for an error.
    """
    found = list(markets)
    checks = check_settlements([sample for sample, _ in found], resting, step)
    for check in checks:
        if check.verdict == "error":
            return Finding(check.sentence, True)
    for check in checks:
        if check.n >= ENOUGH_MARKETS:
            return Finding(check.sentence, False)
    crypto = [
        rate
        for sample, rates in found
        if not sample.group and sample.asset_class is AssetClass.CRYPTO
        for rate in rates
    ]
    mode, level = modal_apr(crypto), resting.get("")
    if mode is None or level is None or mode.n < ENOUGH_MARKETS or mode.share < MODE_SHARE:
        return Finding("no level stands out by which to know the unit", False)
    seen = f"the most frequent rate is {mode.apr_percent:.4g} % APR ({mode.share:.0%} of {mode.n:,})"
    for factor in (*map(float, BIG_FACTORS), *(1 / factor for factor in BIG_FACTORS)):
        if abs(mode.apr_percent / (level * factor) - 1) <= LEVEL_TOLERANCE:
            return Finding(f"{seen}, {_times(factor)} the resting {level:.4g} %: a unit error", True)
    return Finding(f"{seen}; markets rest at {level:.4g} %", False)


def check_stored(pairs: Sequence[tuple[float, float]], step: float | None) -> Finding | None:
    """(rate in the file, rate stored) of the same markets and hours, fractions; None without a pair."""
    small = max(SMALLEST_RATE, 2 * (step or 0.0))
    told = [pair for pair in pairs if min(abs(pair[0]), abs(pair[1])) > 0 and max(map(abs, pair)) > small]
    equal = sum(_is_equal(one, other) for one, other in told)
    n = len(told)
    if not n:
        return None
    seen = f"{equal:,} of {n:,} payments that are stored already agree"
    if n < FEWEST_PAIRS:
        return Finding(seen, False)
    negative = [pair for pair in told if pair[1] < 0]
    lost = sum(_is_equal(-one, other) for one, other in negative)
    if lost >= FEWEST_PAIRS and lost > 0.5 * len(negative):
        return Finding(
            f"{lost:,} of {len(negative):,} payments stored as negative are positive here: a lost sign", True
        )
    turned = sum(_is_equal(-one, other) for one, other in told)
    if turned > 0.5 * n:
        return Finding(
            f"{turned:,} of {n:,} payments have the other sign than what is stored: a lost sign", True
        )
    ratios = [abs(one / other) for one, other in told]
    for factor in (*map(float, FACTORS), *(1 / factor for factor in FACTORS)):
        off = sum(abs(ratio / factor - 1) <= FACTOR_WITHIN for ratio in ratios)
        if off >= FEWEST_PAIRS and off >= FACTOR_SHARE * n:
            return Finding(
                f"{off:,} of {n:,} payments are {_times(factor)} what is stored: a unit error", True
            )
    if n >= PAIRS_TO_DISAGREE and equal < AGREEING_SHARE * n:
        return Finding(f"only {seen}: it seems to be of another exchange", True, is_foreign=True)
    return Finding(seen, False)


def _is_equal(one: float, other: float) -> bool:
    return abs(one - other) <= max(EQUAL_WITHIN * abs(other), LAST_DECIMAL)


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor > 1 else f"1/{1 / factor:.0f} of"
