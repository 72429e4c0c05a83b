"""Whether a number may be bet on, and the reason when not: a fixed list of words."""

from collections.abc import Mapping
from dataclasses import dataclass

from fundwatch.analytics.windows import RANKED_COVERAGE
from fundwatch.storage.queries import MarketRow, UnitCheck

UNIT_CHECK = "unit check failed"
STALE = "stale"
DELISTED = "delisted"
ABSENT = "absent from the market list"
FAILING = "failing"
NOT_SAME_ASSET = "not the same asset by price"
NO_PRICE = "no price to compare"
LOW_COVERAGE = "coverage below 90 %"
RECORDED = "recorded"

REASONS = (UNIT_CHECK, STALE, DELISTED, ABSENT, FAILING, NOT_SAME_ASSET, NO_PRICE, LOW_COVERAGE, RECORDED)
"""All reasons, the worst first; only `RECORDED` leaves a rate trusted."""

Groups = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trust:
    trusted: bool
    reason: str | None


def failed_units(checks: list[UnitCheck]) -> Mapping[Groups, str]:
    """The (exchange, group) pairs whose unit check failed, with the sentence."""
    return {(c.exchange, c.group_name): c.sentence for c in checks if c.verdict == "error"}


def market_trust(
    market: MarketRow, window: str, failed: Mapping[Groups, str], now: float, stale_after_seconds: float
) -> Trust:
    """Whether the rate of `market` over `window` may be ranked.

    An exchange whose main group failed its unit check is wrong as a whole, a builder dex by itself.
    """
    if (market.exchange, market.group_name) in failed or (market.exchange, "") in failed:
        return Trust(False, UNIT_CHECK)
    if market.status == "delisted" or (market.delisting_time or now + 1) <= now:
        return Trust(False, DELISTED)
    if market.status == "absent":
        return Trust(False, ABSENT)
    if market.observed_at is None or now - market.observed_at > stale_after_seconds:
        return Trust(False, STALE)
    if market.failure is not None and market.failures >= 3:
        return Trust(False, FAILING)
    if window != "now":
        coverage = getattr(market, f"coverage_{window}")
        if coverage is None or coverage < RANKED_COVERAGE:
            return Trust(False, LOW_COVERAGE)
        if market.recorded:
            return Trust(True, RECORDED)
    return Trust(True, None)
