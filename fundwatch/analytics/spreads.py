"""Long one exchange, short another: which pair of one asset pays most, and what is left after costs.

The short leg receives while its rate is positive, so it stands where the rate is highest. Rates are
APRs in percent, signed, positive when longs pay; costs are percent of one leg's notional.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

from fundwatch.models import HOUR, HOURS_PER_YEAR, Window

SAME_RATE = 1e-12
"""Rates per hour that differ by less (0.000001 % APR) are one rate: the rest is rounding of floats."""


class Leg(NamedTuple):
    """One market as half of a pair.

    `asset` is its class and ticker. Markets of one asset with the same `cluster` agree in price; None
    is a market whose price nobody knows, so it agrees with none. One that is not `trusted` is never
    in a ranked pair.
    """

    market_id: int
    exchange: str
    symbol: str
    asset: tuple[str, str]
    cluster: int | None
    apr_percent: float
    volume_24h_usd: float | None
    trusted: bool


class Pair(NamedTuple):
    """`ranked` where both legs are trusted and are the same asset by price."""

    long: Leg
    short: Leg
    ranked: bool

    @property
    def spread_apr_percent(self) -> float:
        """What the pair earns before costs, simple APR in percent: short minus long."""
        return self.short.apr_percent - self.long.apr_percent

    @property
    def same_cluster(self) -> bool:
        return self.long.cluster is not None and self.long.cluster == self.short.cluster


def best_pairs(legs: Iterable[Leg]) -> list[Pair]:
    """For each asset the pair with the widest spread, in no particular order.

    Each exchange is represented by its market of the largest volume; a pair is never within one
    exchange. An asset whose prices form several clusters has a pair in each. Besides the ranked pair
    there is one that is not ranked where an untrusted leg would make it wider, and one across the
    clusters, so that what is set aside can be shown.
    """
    by_asset: defaultdict[tuple[str, str], list[Leg]] = defaultdict(list)
    for leg in legs:
        by_asset[leg.asset].append(leg)
    pairs: list[Pair] = []
    for markets in by_asset.values():
        if len(markets) < 2:
            continue
        by_price: defaultdict[int | None, list[Leg]] = defaultdict(list)
        for leg in markets:
            by_price[leg.cluster].append(leg)
        for cluster, members in by_price.items():
            if cluster is not None and len(members) > 1:
                pairs += _within(members)
        if len(by_price) > 1 or None in by_price:
            pairs += _across(by_price)
    return pairs


def _within(members: Sequence[Leg]) -> list[Pair]:
    trusted = [leg for leg in members if leg.trusted]
    ranked = _widest(trusted, ranked=True)
    if len(trusted) == len(members):
        return ranked
    anyone = [
        pair
        for pair in _widest(members, ranked=False)
        if not (pair.long.trusted and pair.short.trusted)
        and not (ranked and ranked[0].spread_apr_percent >= pair.spread_apr_percent)
    ]
    return ranked + anyone


def _across(by_price: Mapping[int | None, Sequence[Leg]]) -> list[Pair]:
    """The widest pair of markets that share a name, but no price."""
    legs: list[Leg] = []
    for cluster, members in by_price.items():
        legs += members if cluster is None else _representatives(members)
    pairs = [Pair(long, short, False) for long, short in permutations(legs, 2)]
    apart = [p for p in pairs if p.long.exchange != p.short.exchange and not p.same_cluster]
    return [max(apart, key=_width)] if apart else []


def _width(pair: Pair) -> tuple[float, tuple[str, ...]]:
    """Sorts by spread; between equals the names decide, so that every run agrees."""
    return (
        pair.spread_apr_percent,
        (pair.long.exchange, pair.long.symbol, pair.short.exchange, pair.short.symbol),
    )


def _widest(members: Sequence[Leg], *, ranked: bool) -> list[Pair]:
    legs = _representatives(members)
    if len(legs) < 2:
        return []
    legs.sort(key=lambda leg: (leg.apr_percent, leg.exchange))
    return [Pair(legs[0], legs[-1], ranked)]


def _representatives(members: Iterable[Leg]) -> list[Leg]:
    """One market for each exchange: the largest volume, unknown last, then the first symbol."""
    best: dict[str, Leg] = {}
    for leg in members:
        held = best.get(leg.exchange)
        if held is None or _standing(leg) < _standing(held):
            best[leg.exchange] = leg
    return list(best.values())


def _standing(leg: Leg) -> tuple[float, str]:
    volume = leg.volume_24h_usd
    return (math.inf if volume is None else -volume, leg.symbol)


class Cost(NamedTuple):
    """What trading one leg costs, in percent of its notional; None where it is not known.

    `taker_fee_percent` is for one trade, `quoted_spread_percent` the full width between buying and
    selling (0 where the venue's fee is all that it publishes).
    """

    taker_fee_percent: float | None
    quoted_spread_percent: float | None = 0.0


def round_trip_percent(long: Cost, short: Cost) -> float | None:
    """Entering and leaving both legs: each fee twice, and each quoted width once, half of it per trade."""
    total = 0.0
    for leg in (long, short):
        if leg.taker_fee_percent is None or leg.quoted_spread_percent is None:
            return None
        total += 2 * leg.taker_fee_percent + leg.quoted_spread_percent
    return total


def net_apr_percent(gross_apr_percent: float, round_trip: float | None, hold_hours: float) -> float | None:
    """The gross spread less one round trip spread over `hold_hours`; None where the costs are not known."""
    return None if round_trip is None else gross_apr_percent - round_trip * HOURS_PER_YEAR / hold_hours


def break_even_hours(gross_apr_percent: float, round_trip: float | None) -> float | None:
    """Hours until a pair has earned its round trip; None where it never does or the costs are not known.

    Rebates that exceed the costs break even at once: 0.
    """
    if round_trip is None or gross_apr_percent <= 0:
        return None
    hours = max(0.0, round_trip) * HOURS_PER_YEAR / gross_apr_percent
    return hours if math.isfinite(hours) else None


def price_gap_percent(long_price: float | None, short_price: float | None) -> float | None:
    """How much dearer the short leg is, in percent of the middle; prices in USD per asset.

    Positive helps (sold dear, bought cheap), negative is what entering costs once the prices meet.
    """
    if long_price is None or short_price is None or min(long_price, short_price) <= 0:
        return None
    return (short_price - long_price) / ((short_price + long_price) / 2) * 100


Row = tuple[int, float, float | None, bool]
"""A settlement: funding_time (UTC seconds), rate (fraction for its interval), interval_hours, is_special."""


def hourly_rates(
    settlements: Iterable[Row], window: Window, hourly: Mapping[int, float] | None = None
) -> dict[int, float]:
    """What was paid in each known hour of `window`: end of the hour (UTC seconds) -> fraction.

    A payment is spread evenly over the hours that it covers; a special one adds to the hour it came in.
    `hourly` are further payments of the window, of one hour each, in the form of the result.
    """
    rates: dict[int, float] = dict(hourly or ())
    special: list[tuple[int, float]] = []
    for funding_time, rate, interval_hours, is_special in settlements:
        if is_special:
            special.append((funding_time, rate))
        elif interval_hours:
            first = max(funding_time - int(interval_hours) * HOUR, window.start) + HOUR
            last = min(funding_time, window.end)
            rates |= dict.fromkeys(range(first, last + 1, HOUR), rate / interval_hours)
    for hour, rate in special:
        if hour in rates:
            rates[hour] += rate
    return rates


def share_positive(long: Mapping[int, float], short: Mapping[int, float]) -> float | None:
    """The share (0 to 1) of the hours known of both legs in which the pair earned; None without any."""
    both = long.keys() & short.keys()
    if not both:
        return None
    return sum([short[hour] - long[hour] > SAME_RATE for hour in both]) / len(both)
