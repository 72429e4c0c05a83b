"""Are an exchange's rates in the unit we think? The markets themselves tell.

Most crypto perpetuals rest at one level, 0.01 % per 8 hours on most exchanges, so the most frequent
rate of an exchange is known beforehand. A wrong unit moves it by a round factor, and moves settled
rates and estimates of one market apart. Both are checked, and nothing else is called an error: real
markets do run away from their resting level, but they do not stand still somewhere else in step.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal, NamedTuple

from fundwatch.models import AssetClass, apr_percent, hourly_rate

Verdict = Literal["ok", "unknown", "error"]
What = Literal["estimates", "settlements", "agreement", "second source"]

FACTORS = (2, 4, 8, 24, 100, 1000)
"""Interval mistaken for an hour or the other way round, percent for fraction, per mille."""

ENOUGH_MARKETS = 20
MODE_SHARE = 0.15
LEVEL_TOLERANCE = 0.04
STANDING_MARKETS = 5
STANDING_OUT = 2
"""To accuse: so many markets at the level, and so many times more than at any level without a meaning."""

COARSE_STEP = 0.01
"""From this share of the resting rate on, rounding alone makes rates coincide."""

RATIO_TOLERANCE = 0.05
RATIO_SHARE = 0.30
RATIO_PAIRS = 10
SMALL_STEPS = 8
SMALL_RATE = 1e-7
"""Two rates below 8 rounding steps, or below 1e-7 per hour, say nothing by their ratio."""

SCATTER_MEDIAN = 0.2
SCATTER_QUARTILES = 1.5
"""Rates that never rest: the median ratio within 20 % of a factor, the quartiles within 1.5 times of it."""

CLEAR_STEPS = 2
CLEAR_RATE = 2e-6
MIRRORED_PAIRS = 8
MIRRORED_SHARE = 0.4
MIRRORED_WITHIN = 2.0
"""Mirrored: the other sign in like size. A market that turned in between settles elsewhere."""


class Sample(NamedTuple):
    """The rate of one market now; `hourly_rate` is a signed fraction per hour."""

    symbol: str
    group: str
    asset_class: AssetClass
    hourly_rate: float


class Mode(NamedTuple):
    """The most frequent |APR| in percent, how many rates are not zero, and which share has it."""

    apr_percent: float
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Check:
    """What one look at one group found. `factor` is seen over expected: 8 is eight times too high,
    1/8 eight times too low, -1 the wrong sign; None where nothing can be said. `n` counts the rates or
    pairs that were looked at, `share` those of them that `sentence` is about.
    """

    group: str
    what: What
    verdict: Verdict
    modal_apr_percent: float | None
    factor: float | None
    n: int
    share: float | None
    sentence: str


def modal_apr(rates: Iterable[float]) -> Mode | None:
    """The mode of |rate| (fractions per hour), zeros left out; None when nothing is left.

    Rates are one when they agree to ten digits, so that 0.00005/4 and 0.0000125 coincide. They are
    not rounded to the venue's step, which would make one of all rates that are far too low.
    """
    counts = _levels(rates)
    if not counts:
        return None
    level, count = max(counts.items(), key=lambda entry: (entry[1], -entry[0]))
    n = counts.total()
    return Mode(apr_percent(level), n, count / n)


def _levels(rates: Iterable[float]) -> Counter[float]:
    """How many rates stand at each |rate|, to ten digits."""
    return Counter(float(f"{abs(rate):.9e}") for rate in rates if rate)


def check_estimates(
    samples: Iterable[Sample],
    resting: Mapping[str, float],
    step: float | None,
    override: Mapping[str, float] | None = None,
) -> list[Check]:
    """One check for each group in `samples`.

    `resting` is the APR (percent) at which the markets of each group rest, `override` what a person
    says instead; `step` the venue's rounding, a fraction per hour. The group "" is judged by its
    crypto markets, a group with a level of its own by all of its markets.
    """
    return _checked(samples, {**resting, **(override or {})}, step, "estimates")


def check_settlements(
    samples: Iterable[Sample],
    resting: Mapping[str, float],
    step: float | None,
    override: Mapping[str, float] | None = None,
) -> list[Check]:
    """The same for settled rates, which come through a converter of their own."""
    return _checked(samples, {**resting, **(override or {})}, step, "settlements")


def _checked(
    samples: Iterable[Sample], resting: Mapping[str, float], step: float | None, what: What
) -> list[Check]:
    groups: dict[str, list[float]] = {}
    for sample in samples:
        rates = groups.setdefault(sample.group, [])
        if sample.group or sample.asset_class is AssetClass.CRYPTO:
            rates.append(sample.hourly_rate)
    return [
        _check_level(group, what, rates, resting.get(group), step) for group, rates in sorted(groups.items())
    ]


def _check_level(
    group: str, what: What, rates: Sequence[float], resting: float | None, step: float | None
) -> Check:
    mode = modal_apr(rates)

    def check(verdict: Verdict, factor: float | None, sentence: str) -> Check:
        seen, n, share = mode or (None, 0, None)
        return Check(group, what, verdict, seen, factor, n, share, sentence)

    if mode is None or mode.n < ENOUGH_MARKETS:
        return check("unknown", None, f"only {mode.n if mode else 0} rates that are not zero")
    seen = f"the most frequent rate is {mode.apr_percent:.4g} % APR ({mode.share:.0%} of {mode.n})"
    if not resting:
        return check("unknown", None, f"{seen}; no resting level is known here")
    if mode.share < MODE_SHARE:
        return check("unknown", None, f"{seen}: too few to be a resting level")
    level = hourly_rate(mode.apr_percent)
    expected = hourly_rate(resting)
    tolerance = LEVEL_TOLERANCE + (step or 0.0) / 2 / expected
    factor = _factor(level / expected, tolerance)
    if factor is None:
        return check(
            "unknown", None, f"{seen}, neither the resting {resting:.4g} % nor a unit error away from it"
        )
    if not _stands_out(rates, expected, tolerance, mode) or not _fits_steps(rates, expected, factor, step):
        verdict: Verdict = "ok" if factor == 1 else "unknown"
        return check(verdict, factor if factor == 1 else None, f"{seen}; markets rest at {resting:.4g} %")
    at_level = [rate for rate in rates if rate and abs(abs(rate) / level - 1) < 1e-6]
    if sum(rate < 0 for rate in at_level) > 0.9 * len(at_level):
        return check("error", -factor, f"{seen}, and it is negative: the sign is turned around")
    if factor == 1:
        return check("ok", 1.0, f"{seen}; markets rest at {resting:.4g} %")
    return check("error", factor, f"{seen}, {_times(factor)} the resting {resting:.4g} %: a unit error")


def _stands_out(rates: Iterable[float], expected: float, tolerance: float, mode: Mode) -> bool:
    """Whether the mode is no accident of rounding: clearly above the levels that no factor explains."""
    meaningless = (
        count for level, count in _levels(rates).items() if _factor(level / expected, tolerance) is None
    )
    count = round(mode.share * mode.n)
    return count >= STANDING_MARKETS and count >= STANDING_OUT * max(meaningless, default=0)


def _fits_steps(rates: Iterable[float], expected: float, factor: float, step: float | None) -> bool:
    """Whether the rates stand where `factor` puts the venue's rounding steps.

    Steps of 8 % of the resting rate make many rates coincide, also at half or twice that rate. But
    rates that are twice too high keep to every second step, and some that are too low fall between.
    """
    if step is None or factor == 1 or step < COARSE_STEP * expected:
        return True
    steps = [abs(rate) / step for rate in rates if rate]

    def on_every(stride: float) -> float:
        return sum(abs(n / stride - round(n / stride)) < 0.01 for n in steps) / len(steps)

    on_venues_own = on_every(1.0)
    if factor < 1:
        return on_venues_own < 0.97
    return on_every(factor) > 0.95 or on_venues_own < 0.5


def _factor(ratio: float, tolerance: float) -> float | None:
    """1, or the factor of a unit error (8, 0.125), that `ratio` is; None when it is neither."""
    for factor in (1.0, *map(float, FACTORS), *(1 / factor for factor in FACTORS)):
        if abs(ratio / factor - 1) <= tolerance:
            return factor
    return None


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor > 1 else f"1/{1 / factor:.0f} of"


def check_agreement(
    pairs: Sequence[tuple[float, float]],
    step: float | None,
    group: str = "",
    what: What = "agreement",
    *,
    rests: bool = True,
) -> Check:
    """Settled rates against the last estimates of the same markets: pairs of hourly fractions.

    Markets at rest have a ratio of exactly 1; no market keeps to a ratio of exactly 8. So an error
    is a factor that at least 30 % of the pairs share, or rates that come back mirrored in sign.
    Where no market `rests` (Paradex) ratios scatter around 1, and an error is a factor around which
    half of them lie.
    """
    names = ("our", "the relayed") if what == "second source" else ("settled", "estimated")
    if mirrored := _mirrored(pairs, step):
        count, of, side = mirrored
        sentence = f"{count} of {of} rates are mirrored: {names[side]} negative, {names[1 - side]} positive"
        return Check(group, what, "error", None, -1.0, of, count / of, f"{sentence}: a lost sign")
    small = max(SMALL_STEPS * (step or 0.0), SMALL_RATE)
    ratios = [abs(one / other) for one, other in pairs if one and other and max(abs(one), abs(other)) > small]
    n = len(ratios)
    if n < ENOUGH_MARKETS:
        return Check(group, what, "unknown", None, None, n, None, f"only {n} pairs of rates to compare")
    if not rests:
        return _check_scatter(ratios, names, group, what)
    found = Counter(factor for ratio in ratios if (factor := _factor(ratio, RATIO_TOLERANCE)) is not None)
    equal = found.pop(1.0, 0)
    factor, count = max(found.items(), key=lambda entry: (entry[1], entry[0]), default=(1.0, 0))
    if count >= RATIO_PAIRS and count >= RATIO_SHARE * n:
        part = "" if equal < 0.1 * n else " in a part of the markets"
        sentence = (
            f"{count} of {n} {names[0]} rates are {_times(factor)} the {names[1].removeprefix('the ')} ones"
        )
        return Check(group, what, "error", None, factor, n, count / n, f"{sentence}: a unit error{part}")
    if equal < 0.1 * n:
        return Check(group, what, "unknown", None, None, n, equal / n, f"only {equal} of {n} pairs agree")
    return Check(group, what, "ok", None, 1.0, n, equal / n, f"{equal} of {n} pairs agree")


def _check_scatter(ratios: Sequence[float], names: tuple[str, str], group: str, what: What) -> Check:
    """The agreement of rates that never stand still, by the quartiles of their ratios."""
    n = len(ratios)
    low, middle, high = quantiles(ratios, n=4)
    for factor in (1.0, *map(float, FACTORS), *(1 / factor for factor in FACTORS)):
        around = abs(middle / factor - 1) <= SCATTER_MEDIAN
        if around and low >= factor / SCATTER_QUARTILES and high <= factor * SCATTER_QUARTILES:
            if factor == 1:
                return Check(
                    group, what, "ok", None, 1.0, n, None, f"the median ratio of {n} pairs is {middle:.2f}"
                )
            other = names[1].removeprefix("the ")
            words = f"half of {n} {names[0]} rates are about {_times(factor)} the {other} ones"
            return Check(group, what, "error", None, factor, n, 0.5, f"{words}: a unit error")
    return Check(
        group, what, "unknown", None, None, n, None, f"the median ratio of {n} pairs is {middle:.2f}"
    )


def check_against(
    own: Mapping[str, float], relayed: Mapping[str, float], step: float | None = None, group: str = ""
) -> Check:
    """Our hourly rates against those that another exchange relays of the same one, by asset."""
    pairs = [(own[asset], relayed[asset]) for asset in sorted(own.keys() & relayed.keys())]
    return check_agreement(pairs, step, group, "second source")


def _mirrored(pairs: Sequence[tuple[float, float]], step: float | None) -> tuple[int, int, int] | None:
    """(mirrored, clearly negative, side) where the negative rates of one side (0 or 1) are mirrored.

    The other side has next to no negative rate at all, or all of its signs are turned around.
    """
    clear = max(CLEAR_STEPS * (step or 0.0), CLEAR_RATE)
    for side in (1, 0):
        negative = [(pair[side], pair[1 - side]) for pair in pairs if pair[side] < -clear]
        positive = [(pair[side], pair[1 - side]) for pair in pairs if pair[side] > clear]
        mirrored = sum(map(_is_mirrored, negative))
        never_negative = sum(pair[1 - side] < 0 for pair in pairs) <= 0.02 * len(pairs)
        turned = 2 * sum(map(_is_mirrored, positive)) > len(positive)
        if not (never_negative or turned):
            continue
        if mirrored >= MIRRORED_PAIRS and mirrored >= MIRRORED_SHARE * len(negative):
            return mirrored, len(negative), side
    return None


def _is_mirrored(pair: tuple[float, float]) -> bool:
    one, other = pair
    return 1 / MIRRORED_WITHIN <= -other / one <= MIRRORED_WITHIN


def verdict(checks: Iterable[Check]) -> Verdict:
    """An error anywhere is an error; else ok as soon as one check could see that all is well."""
    found = {check.verdict for check in checks}
    return "error" if "error" in found else "ok" if "ok" in found else "unknown"
