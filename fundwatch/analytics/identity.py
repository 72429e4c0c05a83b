"""Whether markets of one name are about one thing: their prices tell."""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import NamedTuple, TypeGuard, TypeVar

PRICE_TOLERANCE = 0.03
"""Marks of one asset agree within 3 %, pairwise."""

SAMPLES_TO_CHANGE = 3
"""A verdict changes only after so many samples in a row say the same other thing."""

K = TypeVar("K", bound=Hashable)


def clusters(marks: Sequence[tuple[K, float | None]]) -> list[list[K]]:
    """Groups of markets whose prices (USD per asset, after the multiplier) agree within 3 % pairwise.

    The largest group comes first and takes its members first, so a price between two groups goes
    with the crowd; among equals the tighter one, then the one nearer to the median of all. A market
    of unknown price is a group of its own, at the end.
    """
    left = sorted((price, position) for position, (_, price) in enumerate(marks) if _is_price(price))
    middle = median(price for price, _ in left) if left else 0.0
    groups: list[list[K]] = []
    while left:
        first, last = _best_span([price for price, _ in left], middle)
        groups.append([marks[position][0] for _, position in left[first : last + 1]])
        del left[first : last + 1]
    return groups + [[key] for key, price in marks if not _is_price(price)]


def _is_price(price: float | None) -> TypeGuard[float]:
    return price is not None and math.isfinite(price) and price > 0


def _best_span(prices: Sequence[float], middle: float) -> tuple[int, int]:
    """The first and last index of the best group in ascending `prices`."""

    def rank(span: tuple[int, int]) -> tuple[int, float, float, int]:
        first, last = span
        centre = median(prices[first : last + 1])
        return (first - last, prices[last] / prices[first], abs(math.log(centre / middle)), first)

    spans = []
    last = 0
    for first, lowest in enumerate(prices):
        while last + 1 < len(prices) and prices[last + 1] <= lowest * (1 + PRICE_TOLERANCE):
            last += 1
        spans.append((first, max(last, first)))
        last = max(last, first)
    return min(spans, key=rank)


def labels(groups: Sequence[Sequence[K]], held: Mapping[K, int]) -> dict[K, int]:
    """A number for each market's group that stays the same from sample to sample.

    `held` are the numbers that markets have now, by their verdicts. Each group keeps the number that
    most of its members hold, unless a group with more of them claims it; a new group gets the lowest
    number that nobody holds, not even a market outside `groups`.
    """
    claims = []
    for position, group in enumerate(groups):
        for label, votes in Counter(held[key] for key in group if key in held).items():
            claims.append((-votes, label, position))
    taken: dict[int, int] = {}
    for _, label, position in sorted(claims):
        if position not in taken and label not in taken.values():
            taken[position] = label
    for position in range(len(groups)):
        if position not in taken:
            used = {*held.values(), *taken.values()}
            taken[position] = next(number for number in count() if number not in used)
    return {key: taken[position] for position, group in enumerate(groups) for key in group}


@dataclass(frozen=True, slots=True)
class IdentityState:
    """The verdict on one market: `cluster` among the markets of its asset, and what may replace it.

    `samples` is how many samples in a row said `candidate`; None and 0 while they say `cluster`.
    """

    cluster: int
    candidate: int | None = None
    samples: int = 0


def step(previous: IdentityState | None, sampled: int | None) -> IdentityState | None:
    """The verdict after one more sample; `sampled` is None where the price was not known.

    The first sample is the first verdict. No price is no sample: nothing changes.
    """
    if sampled is None:
        return previous
    if previous is None or sampled == previous.cluster:
        return IdentityState(sampled if previous is None else previous.cluster)
    samples = previous.samples + 1 if sampled == previous.candidate else 1
    if samples >= SAMPLES_TO_CHANGE:
        return IdentityState(sampled)
    return IdentityState(previous.cluster, sampled, samples)


class Traded(NamedTuple):
    exchange: str
    symbol: str
    volume_24h_usd: float | None


def representatives(markets: Iterable[Traded]) -> dict[str, Traded]:
    """For each exchange the one market that stands for the asset: the largest 24 h volume.

    Unknown volume comes last, ties go to the symbol that sorts first.
    """

    def rank(market: Traded) -> tuple[float, str]:
        volume = market.volume_24h_usd
        return (-volume if volume is not None and math.isfinite(volume) else math.inf, market.symbol)

    return {market.exchange: market for market in sorted(markets, key=rank, reverse=True)}
