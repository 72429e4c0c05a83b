"""Extended (Starknet): hourly funding on every market; one request brings list, rates and prices.

Sources: api.docs.extended.exchange (info/markets, funding history, fees, rate limits),
docs.extended.exchange (trading/funding-payments, trading/trading-fees-and-rebates), answers recorded
2026-02 to 2026-09.

- Limit: 1000 requests a minute of one address, all endpoints together; no header tells our usage.
- Taker fee 0.025 % flat, maker 0 % (API documentation, "Get fees").
- Funding: (average premium + clamp(0.01 % - average premium, ±0.05 %)) / 8, paid every hour. The cap
  depends on a market's group (0.25 % to 2 % an hour), which no public answer names;
  `hourlyFundingRateCap` mixes units over the markets and is not read.
- Rates carry 6 decimals, so the neutral 0.01 % for 8 h prints as 0.000013: 11.388 % APR.
- A request without a User-Agent is refused with HTTP 403.
"""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar
from urllib.parse import quote

from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Quotes, Wanted
from fundwatch.exchanges.extended_answers import (
    NAME,
    hourly_rate_from_market_stats,
    parse_funding,
    parse_markets,
    parse_quotes,
    rate_from_funding_history,
)
from fundwatch.exchanges.hourly_history import LONGEST_HOURS, Page, hourly_history
from fundwatch.exchanges.http import Limit
from fundwatch.exchanges.per_market import per_market, spans
from fundwatch.models import LATE_STAMP_SECONDS, Window

__all__ = [
    "Extended",
    "hourly_rate_from_market_stats",
    "parse_funding",
    "parse_markets",
    "parse_quotes",
    "rate_from_funding_history",
]

_REQUEST = {"requests": 1.0}


class Extended(Exchange):
    facts: ClassVar[Facts] = Facts(
        name=NAME,
        base_url="https://api.starknet.extended.exchange",
        limits={"requests": Limit(1000, 60)},
        minute=12,
        taker_fee_percent=0.025,
        resting_apr_percent={"": 11.388},
        hourly_rate_step=1e-6,
        blocked_hint="Extended refuses requests that lost their User-Agent, as some proxies take it away.",
    )

    async def fetch_markets(self) -> Listing:
        return parse_markets(await self._get("markets"))

    async def fetch_quotes(self) -> Quotes:
        body = await self._get("markets")
        return parse_quotes(body, int(self.clock.now()))

    async def fetch_markets_and_quotes(self) -> tuple[Listing, Quotes]:
        body = await self._get("markets")
        return parse_markets(body), parse_quotes(body, int(self.clock.now()))

    def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        return per_market(wanted, self._history)

    def cost(self, wanted: Wanted) -> Cost:
        requests = sum(len(spans(windows, LONGEST_HOURS)) for windows in wanted.values())
        return Cost(requests, self.http.seconds_for({"requests": requests}))

    async def _history(self, symbol: str, windows: Sequence[Window]) -> Answer:
        async def page(window: Window) -> Page:
            body = await self._get(
                f"{quote(symbol, safe='')}/funding",
                {"startTime": window.start * 1000, "endTime": (window.end + LATE_STAMP_SECONDS) * 1000},
            )
            return parse_funding(body, symbol, self.clock.now())

        return await hourly_history(symbol, windows, page, self.clock.now)

    async def _get(self, path: str, params: dict[str, str | int] | None = None) -> bytes:
        return await self.http.get(f"/api/v1/info/{path}", params, spend=_REQUEST)
