"""Whether a number may be bet on, and the reason when not: a fixed list of words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf, nextafter
from typing import TYPE_CHECKING

from fundwatch.analytics.windows import RANKED_COVERAGE

if TYPE_CHECKING:
    from fundwatch.storage.queries import UnitCheck
    from fundwatch.storage.rates import RateRow

UNIT_CHECK = "unit check failed"
STALE = "stale"
DELISTED = "delisted"
ABSENT = "absent from the market list"
FAILING = "failing"
NOT_SAME_ASSET = "not the same asset by price"
NO_PRICE = "no price to compare"
NOT_COMPARED = "prices not compared yet"
LOW_COVERAGE = "coverage below 90 %"
RECORDED = "recorded"

REASONS = (
    UNIT_CHECK,
    STALE,
    DELISTED,
    ABSENT,
    FAILING,
    NOT_SAME_ASSET,
    NO_PRICE,
    NOT_COMPARED,
    LOW_COVERAGE,
    RECORDED,
)
"""All reasons, the worst first; only `RECORDED` leaves a rate trusted."""

Groups = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trust:
    trusted: bool
    reason: str | None


_YES, _RECORDED = Trust(True, None), Trust(True, RECORDED)
_NOT = {reason: Trust(False, reason) for reason in REASONS}


def failed_units(checks: "list[UnitCheck]") -> Mapping[Groups, str]:
    """The (exchange, group) pairs whose unit check failed, with the sentence."""
    return {(c.exchange, c.group_name): c.sentence for c in checks if c.verdict == "error"}


def market_trust(
    market: "RateRow", window: str, failed: Mapping[Groups, str], now: float, stale_after_seconds: float
) -> Trust:
    """Whether the rate of `market`, which is that of `window`, may be ranked.

    An exchange whose main group failed its unit check is wrong as a whole, a builder dex by itself.
    """
    if failed and ((market.exchange, market.group_name) in failed or (market.exchange, "") in failed):
        return _NOT[UNIT_CHECK]
    status, delisting_time, observed_at = market.status, market.delisting_time, market.observed_at
    if status == "delisted" or (delisting_time is not None and delisting_time <= now):
        return _NOT[DELISTED]
    if status == "absent":
        return _NOT[ABSENT]
    if observed_at is None or now - observed_at > stale_after_seconds:
        return _NOT[STALE]
    if market.failure is not None and market.failures >= 3:
        return _NOT[FAILING]
    if window != "now":
        if market.coverage is None or market.coverage < RANKED_COVERAGE:
            return _NOT[LOW_COVERAGE]
        if market.recorded:
            return _RECORDED
    return _YES


def trusts(
    markets: "Iterable[RateRow]",
    window: str,
    failed: Mapping[Groups, str],
    now: float,
    stale_after_seconds: float,
) -> dict[int, Trust]:
    """`market_trust` of each, by market id."""
    return {m.market_id: market_trust(m, window, failed, now, stale_after_seconds) for m in markets}


def not_compared(mark_price: float | None) -> str:
    """Why a market has no verdict on its price; one is reached some seconds after its first price."""
    return NO_PRICE if mark_price is None or mark_price <= 0 else NOT_COMPARED


def turning_times(markets: "Iterable[RateRow]", stale_after_seconds: float) -> list[float]:
    """When time alone may change what `trusts` says, UTC seconds, ascending: from each of them on, a rate
    is stale or a market delisted. Between two of them it says the same."""
    times: set[float] = set()
    for market in markets:
        if market.observed_at is not None:
            times.add(nextafter(market.observed_at + stale_after_seconds, inf))
        if market.delisting_time is not None:
            times.add(market.delisting_time)
    return sorted(times)
