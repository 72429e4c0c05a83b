"""Where one exchange relays the rates of another: a second opinion on how we read the other."""

from collections.abc import Mapping
from dataclasses import replace

from fundwatch.analytics.unit_check import check_against
from fundwatch.collector.ledger import Ledger
from fundwatch.storage import queries, verdicts

Relayed = Mapping[str, Mapping[str, float]]

LOST_SIGN = -1.0
"""The factor of a check that found rates mirrored."""

COMPARED_SECONDS = 900
"""Estimates older than this are not held against relayed ones of now."""


def compare(ledger: Ledger, teller: str, relayed: Relayed, now: float) -> None:
    """Checks our estimates of other exchanges against what `teller` relays of them.

    Only while the teller's own rates, which come in the same unit, rest where they should. An
    exchange whose own rates do so too is not accused of a factor by hearsay: that is noted as unknown.
    A lost sign is another matter, since the resting level looks the same with and without it.
    """
    if not _rests(ledger, teller):
        return
    for exchange, told in relayed.items():
        own = _estimates(ledger, exchange, now)
        if not own:
            continue
        check = check_against(own, told)
        if check.verdict == "error" and check.factor != LOST_SIGN and _rests(ledger, exchange):
            check = replace(check, verdict="unknown", sentence=f"{teller} tells otherwise: {check.sentence}")
        ledger.unit_checks(exchange, [check])


def _rests(ledger: Ledger, exchange: str) -> bool:
    checks = verdicts.load_unit_checks(ledger.writer, exchange)
    return any(c.what == "estimates" and not c.group_name and c.verdict == "ok" for c in checks)


def _estimates(ledger: Ledger, exchange: str, now: float) -> dict[str, float]:
    """Our fresh estimates of the exchange's main markets by ticker, of the most traded market each."""
    markets: dict[str, queries.MarketRow] = {}
    for market in queries.market_rows(ledger.writer, exchange):
        if market.group_name or market.hourly_rate is None or market.observed_at is None:
            continue
        if now - market.observed_at > COMPARED_SECONDS:
            continue
        other = markets.get(market.ticker)
        if other is None or (other.volume_24h_usd or 0.0) < (market.volume_24h_usd or 0.0):
            markets[market.ticker] = market
    return {
        ticker: market.hourly_rate for ticker, market in markets.items() if market.hourly_rate is not None
    }
