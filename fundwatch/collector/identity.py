"""One sample of which markets are the same asset: by name, then by price."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fundwatch.analytics.identity import IdentityState, clusters, labels, step
from fundwatch.storage.queries import MarketRow
from fundwatch.storage.verdicts import IdentityRow

SAMPLE_SECONDS = 15 * 60
"""Marks within so many seconds are compared; an older one says nothing about now."""


def same_assets(
    markets: Sequence[MarketRow], known: Mapping[int, IdentityRow], now: float
) -> list[IdentityRow]:
    """The verdict on every market after this sample; a lone market of its name is itself."""
    by_name: defaultdict[tuple[str, str], list[MarketRow]] = defaultdict(list)
    for market in markets:
        by_name[market.asset_class, market.ticker].append(market)
    result = []
    for group in by_name.values():
        marks = [(m.market_id, _price(m, now)) for m in group]
        priced = {market_id for market_id, price in marks if price is not None}
        states = {m.market_id: _state(known.get(m.market_id)) for m in group}
        held = {market_id: state.cluster for market_id, state in states.items() if state}
        sampled = labels([c for c in clusters(marks) if c[0] in priced], held)
        verdicts = {m.market_id: step(states[m.market_id], sampled.get(m.market_id)) for m in group}
        crowd = _crowd(verdicts.values())
        result += [_row(market, verdicts[market.market_id], crowd, len(group)) for market in group]
    return result


def _crowd(verdicts: Iterable[IdentityState | None]) -> int | None:
    """The cluster of most markets by their verdicts, so that it changes no sooner than they do."""
    sizes = Counter(state.cluster for state in verdicts if state)
    return min(sizes, key=lambda cluster: (-sizes[cluster], cluster), default=None)


def _price(market: MarketRow, now: float) -> float | None:
    """USD per asset, where it is fresh."""
    if not market.mark_price or market.mark_price < 0:
        return None
    if market.observed_at is None or now - market.observed_at > SAMPLE_SECONDS:
        return None
    return market.mark_price / market.multiplier


def _state(row: IdentityRow | None) -> IdentityState | None:
    if row is None or row.same_as_group is None:
        return None
    return IdentityState(row.same_as_group, row.candidate, row.samples)


def _row(market: MarketRow, state: IdentityState | None, crowd: int | None, of: int) -> IdentityRow:
    if state is None:
        return IdentityRow(market.market_id, None, None, 0, "no mark price to compare" if of > 1 else None)
    apart = crowd is not None and state.cluster != crowd
    reason = "its price is not that of the others with this name" if apart else None
    return IdentityRow(market.market_id, state.cluster, state.candidate, state.samples, reason)
