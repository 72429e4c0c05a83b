"""Lighter (zkLighter mainnet): hourly funding on every market, list and prices in one request.

Sources: apidocs.lighter.xyz (orderBookDetails, funding-rates, fundings, rate limits, account types),
docs.lighter.xyz (trading/funding, trading/trading-fees), lighter-sdk 1.1.8, answers recorded
2025-10 to 2026-05.

- Limit without a key: 60 requests in any 60 s of one address, all endpoints together; going over it
  brings HTTP 429, a firewall's 405, or code 23000 inside a 200 or 400.
- Taker fee 0 % for standard accounts (account types; premium accounts pay up to 0.028 %).
- Funding: the average premium divided by 8, paid on each full hour, at most 0.5 % an hour.
- The venue rounds to 0.0001 % an hour, so the neutral 0.01 % for 8 h rests at 0.0012 %/h: 10.512 % APR.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar, TypeVar

from fundwatch.clock import Clock
from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Options, Quotes, Wanted
from fundwatch.exchanges.errors import Refused
from fundwatch.exchanges.hourly_history import LONGEST_HOURS, Page, hourly_history
from fundwatch.exchanges.http import Http, Limit
from fundwatch.exchanges.lighter_answers import (
    NAME,
    Book,
    parse_book,
    parse_fundings,
    parse_markets,
    parse_quotes,
    quotes_of,
    without_error,
)
from fundwatch.exchanges.per_market import per_market, spans
from fundwatch.models import HOUR, Window

__all__ = [
    "Lighter",
    "parse_fundings",
    "parse_markets",
    "parse_quotes",
]

T = TypeVar("T")

COOLDOWN_SECONDS = 60.0
_REQUEST = {"requests": 1.0}
_LIMIT_WORDS = re.compile(r"too many requests|\(23000\)", re.IGNORECASE)


class Lighter(Exchange):
    facts: ClassVar[Facts] = Facts(
        name=NAME,
        base_url="https://mainnet.zklighter.elliot.ai",
        limits={"requests": Limit(60, 60)},
        minute=2,
        taker_fee_percent=0.0,
        resting_apr_percent={"": 10.512},
        hourly_rate_step=1e-6,
        blocked_hint="Lighter turns away some countries and networks; a proxy can be set for it.",
    )

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._known: Book | None = None

    async def fetch_markets(self) -> Listing:
        return (await self._fetch_book()).listing

    async def fetch_quotes(self) -> Quotes:
        """Two requests; the list is renewed on the way, since it comes with the prices."""
        book, rates = await asyncio.gather(self._fetch_book(), self._get("funding-rates", {}, without_error))
        return quotes_of(book, rates, int(self.clock.now()))

    async def fetch_markets_and_quotes(self) -> tuple[Listing, Quotes]:
        quotes = await self.fetch_quotes()
        assert self._known
        return self._known.listing, quotes

    async def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        if not wanted:
            return
        book = self._book_for(wanted) or await self._fetch_book()

        async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
            return await self._history(book, symbol, windows)

        async with aclosing(per_market(wanted, ask)) as answers:
            async for answer in answers:
                yield answer

    def cost(self, wanted: Wanted) -> Cost:
        requests = sum(len(spans(windows, LONGEST_HOURS)) for windows in wanted.values())
        if requests and self._book_for(wanted) is None:
            requests += 1
        return Cost(requests, self.http.seconds_for({"requests": requests}))

    def _book_for(self, wanted: Wanted) -> Book | None:
        """What is known, if it names every market of `wanted`."""
        return self._known if self._known and wanted.keys() <= self._known.ids.keys() else None

    async def _fetch_book(self) -> Book:
        book = await self._get("orderBookDetails", {"filter": "perp"}, parse_book)
        self._known = book
        return book

    async def _history(self, book: Book, symbol: str, windows: Sequence[Window]) -> Answer:
        if symbol not in book.ids:
            raise Refused("the market is not in the exchange's list")
        market_id, mark_price = book.ids[symbol], book.mark(symbol)

        async def page(window: Window) -> Page:
            return await self._get(
                "fundings",
                {
                    "market_id": market_id,
                    "resolution": "1h",
                    "start_timestamp": window.start,
                    "end_timestamp": window.end + HOUR,  # the end is exclusive
                    "count_back": int(window.hours) + 1,
                },
                lambda body: parse_fundings(body, symbol, self.clock.now(), mark_price),
            )

        return await hourly_history(symbol, windows, page, self.clock.now)

    async def _get(self, path: str, params: Mapping[str, str | int], parse: Callable[[bytes], T]) -> T:
        """What `parse` makes of the answer; the venue's own "too many requests" becomes a ban."""
        try:
            return parse(await self.http.get(f"/api/v1/{path}", params, spend=_REQUEST))
        except Refused as error:
            if _LIMIT_WORDS.search(error.message):
                reason = "too many requests (code 23000)"
                raise self.http.stay_away("throttled", COOLDOWN_SECONDS, reason) from None
            raise
