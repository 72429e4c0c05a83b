"""Binance's open interest: one market a request, so it is asked for slowly, from spare budget.

Source: Open Interest documentation, GET /fapi/v1/openInterest: weight 1, `symbol` required,
`openInterest` in base units; -4108 for a market that is settling.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec

from fundwatch.exchanges.base import Quotes
from fundwatch.exchanges.decode import envelope, notional, optional
from fundwatch.exchanges.errors import Drift, Refused
from fundwatch.exchanges.http import Http

AT_A_TIME = 64
"""A round every five minutes is through all markets in about an hour."""

KEPT_SECONDS = 2 * 3600.0


class _Row(msgspec.Struct):
    openInterest: Any = None


def open_interest_base(body: bytes) -> float | None:
    """`openInterest` in base units; None for what is no number or below zero."""
    amount = optional(envelope(body, _Row).openInterest)
    return amount if amount is not None and amount >= 0 else None


class OpenInterest:
    """The last amounts (base units) by symbol, with the time (UTC seconds) they were asked for."""

    def __init__(self) -> None:
        self._amounts: dict[str, tuple[float | None, float]] = {}

    async def refresh(self, http: Http, symbols: Iterable[str], now: float) -> None:
        """Asks for the markets whose amounts are the oldest. Raises `ExchangeError` of the whole venue."""
        oldest = sorted(symbols, key=lambda symbol: self._amounts.get(symbol, (None, 0.0))[1])
        for symbol in oldest[:AT_A_TIME]:
            try:
                body = await http.get("/fapi/v1/openInterest", {"symbol": symbol}, spend={"weight": 1})
                self._amounts[symbol] = (open_interest_base(body), now)
            except (Refused, Drift):
                self._amounts[symbol] = (None, now)

    def beside(self, quotes: Quotes, now: float) -> Quotes:
        """`quotes` with the open interest (USD, at the mark price) that is known and not too old."""
        return replace(
            quotes,
            quotes=tuple(
                replace(q, open_interest_usd=self._usd(q.symbol, q.mark_price, now)) for q in quotes.quotes
            ),
        )

    def _usd(self, symbol: str, mark_price: float | None, now: float) -> float | None:
        amount, asked_at = self._amounts.get(symbol, (None, 0.0))
        return notional(amount, mark_price) if now - asked_at <= KEPT_SECONDS else None
