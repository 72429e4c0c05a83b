"""What Binance and its relatives have in common: the requests, their errors, the paging of payments."""

import asyncio
import re
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import ClassVar, NamedTuple

import msgspec

from fundwatch.clock import Clock
from fundwatch.exchanges.base import Answer, Cost, Exchange, Listing, Options, Quotes, Wanted
from fundwatch.exchanges.errors import Drift, ExchangeError, Refused
from fundwatch.exchanges.fapi import TermsBook
from fundwatch.exchanges.fapi_payments import Page, Reading, Recent
from fundwatch.exchanges.fapi_plan import LEAD_SECONDS, PAGE_ROWS, SINGLE_HOURS, Plan, plan
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.per_market import per_market, spans
from fundwatch.models import (
    EARLY_STAMP_SECONDS,
    LATE_STAMP_SECONDS,
    Window,
    without,
)
from fundwatch.text import clean

_TOO_MANY = -1003
_THROTTLED_SECONDS = 60.0
_UNTIL_MS = re.compile(r"until (\d{13})\b")
_OTHER_CAPS = (100, 200, 500)
"""Page sizes these venues are known to fall back to: such a page is not believed to be the last."""

_MOST_PAGES = 300
_BULK_RETRY_SECONDS = 86400.0

Spend = Mapping[str, float]


class Weights(NamedTuple):
    """What each request costs, by limit name."""

    markets: Spend
    premium: Spend
    terms: Spend
    ticker: Spend
    payments: Spend


class NotInBulk(Exception):
    """The venue does not answer fundingRate for all symbols at once."""


class _Told(msgspec.Struct):
    code: int | None = None
    msg: str = ""


class FapiExchange(Exchange):
    """A venue with `/fapi/v1`. A subclass knows its units, its weights and how its rows are read."""

    weights: ClassVar[Weights]
    typical_rows_per_hour: ClassVar[float]
    """Payments of all symbols in one hour, where the intervals are not known yet."""

    bulk_proven: ClassVar[bool]
    """Whether fundingRate without a symbol is known to answer for all of them."""

    ends_single_requests: ClassVar[bool] = True
    """Whether a request for one symbol names its end too."""

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._listed: dict[str, None] | None = None
        self._terms = TermsBook({})
        self._terms_body = b""
        self._bulk_served = self.bulk_proven
        self._no_bulk_before = 0.0
        self._longest_page = 0
        self._recent = Recent()

    @abstractmethod
    def read_markets(self, body: bytes) -> Listing: ...

    @abstractmethod
    def read_terms(self, body: bytes) -> TermsBook: ...

    @abstractmethod
    def read_volumes(self, body: bytes) -> dict[str, float]: ...

    @abstractmethod
    def read_quotes(
        self, body: bytes, listed: Collection[str], terms: TermsBook, volumes: Mapping[str, float]
    ) -> Quotes: ...

    @abstractmethod
    def read_page(self, body: bytes) -> Page: ...

    async def fetch_markets(self) -> Listing:
        listing = self.read_markets(await self._get("exchangeInfo", {}, self.weights.markets))
        if not listing.markets:
            raise Drift("the market list holds no perpetual that trades")
        self._listed = dict.fromkeys(market.symbol for market in listing.markets)
        return listing

    async def fetch_quotes(self) -> Quotes:
        """Without the ticker the quotes have no volume; without the intervals there are none."""
        if self._listed is None:
            await self.fetch_markets()
        premium, terms, ticker = await asyncio.gather(
            self._get("premiumIndex", {}, self.weights.premium),
            self._get("fundingInfo", {}, self.weights.terms),
            self._get("ticker/24hr", {}, self.weights.ticker),
            return_exceptions=True,
        )
        for answer in (premium, terms):
            if isinstance(answer, BaseException):
                raise answer
        assert isinstance(premium, bytes)
        assert isinstance(terms, bytes)
        if terms != self._terms_body:  # the same bytes for hours, and a fifth of all the decoding
            self._terms, self._terms_body = self._believed(self.read_terms(terms)), terms
        volumes: dict[str, float] = {}
        if isinstance(ticker, bytes):
            try:
                volumes = self.read_volumes(ticker)
            except Drift:
                volumes = {}
        elif not isinstance(ticker, ExchangeError):
            raise ticker
        return self.read_quotes(premium, self._listed or {}, self._terms, volumes)

    def _believed(self, terms: TermsBook) -> TermsBook:
        """A list that lost half of its symbols would turn 4 h markets into markets of 8 h."""
        now, before = len(terms.by_symbol), len(self._terms.by_symbol)
        if not now or 2 * now < before:
            raise Drift(f"fundingInfo names {now} symbols, {before} before")
        return terms

    def cost(self, wanted: Wanted) -> Cost:
        requests = self._plan(wanted, bulk_served=self._bulk_served).requests
        spend = {name: weight * requests for name, weight in self.weights.payments.items()}
        return Cost(requests, self.http.seconds_for(spend))

    def _plan(self, wanted: Wanted, *, bulk_served: bool) -> Plan:
        intervals = [term.interval_hours for term in self._terms.by_symbol.values() if term.interval_hours]
        rows_per_hour = sum(1 / hours for hours in intervals)
        return plan(wanted, max(rows_per_hour, self.typical_rows_per_hour), bulk_served=bulk_served)

    async def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        """In bulk where that is cheaper, then market by market; also a market that bulk left out."""
        try_bulk = self._bulk_served or self.clock.now() >= self._no_bulk_before
        bulk, single, _ = self._plan(wanted, bulk_served=try_bulk)
        done: list[Window] = []
        try:
            for window in bulk:
                answer, left_out = await self._all_symbols(window, wanted)
                self._bulk_served = True
                done.append(window)
                for symbol, left in left_out.items():
                    single.setdefault(symbol, []).extend(left)
                yield answer
        except NotInBulk:
            self._bulk_served = False
            self._no_bulk_before = self.clock.now() + _BULK_RETRY_SECONDS
            for symbol, windows in wanted.items():
                if left := without(windows, done):
                    single.setdefault(symbol, []).extend(left)
        async with aclosing(per_market(single, self._one_symbol)) as answers:
            async for answer in answers:
                yield answer

    async def _all_symbols(self, window: Window, wanted: Wanted) -> tuple[Answer, dict[str, list[Window]]]:
        """All payments of `window` and the 8 h before it, and what is left of symbols without any."""
        asked = Window(window.start - LEAD_SECONDS, window.end)
        reading = Reading(wanted)
        for page in await self._bulk(asked, window.start, wanted):
            reading.add(page)
        seen = reading.seen(asked)
        left_out: dict[str, list[Window]] = {}
        for symbol in wanted.keys() - seen:
            windows = without(wanted[symbol], without(wanted[symbol], [window]))
            if windows:
                left_out[symbol] = windows
        answer = reading.answer([(symbol, asked) for symbol in wanted if symbol in seen], self.clock.now())
        return answer, left_out

    async def _bulk(self, asked: Window, wanted_from: int, everyone: Iterable[str]) -> list[Page]:
        """All of `asked`; what lies before `wanted_from` may have been read by an earlier sweep."""
        known_until = min(wanted_from, self._recent.reaches(asked))
        if known_until > asked.start:
            lead = self._recent.page(asked.start, known_until)
            try:
                return [lead, *await self._all_pages(Window(known_until, asked.end), everyone)]
            except NotInBulk:  # or nothing was paid in so few hours
                pass
        return await self._all_pages(asked, everyone)

    async def _all_pages(self, asked: Window, everyone: Iterable[str]) -> list[Page]:
        pages = [page async for page in self._pages(None, asked, everyone)]
        if not any(self._is_full(page.count) and len(set(page.stamps_ms)) == 1 for page in pages):
            self._recent.keep(pages, asked, self.clock.now())  # else one instant was read of `everyone` only
        return pages

    async def _one_symbol(self, symbol: str, windows: Sequence[Window]) -> Answer:
        reading = Reading((symbol,))
        covered: list[tuple[str, Window]] = []
        for span in spans(windows, SINGLE_HOURS):
            asked = Window(span.start - LEAD_SECONDS, span.end)
            async for page in self._pages(symbol, asked, (symbol,)):
                if any(row.symbol != symbol for row in page.rows):
                    raise Drift("payments of another market than was asked for")
                reading.add(page)
            if reading.seen(asked):
                covered.append((symbol, asked))
        return reading.answer(covered, self.clock.now())

    async def _pages(
        self, symbol: str | None, asked: Window, everyone: Iterable[str]
    ) -> AsyncGenerator[Page, None]:
        """Pages of `asked` in ascending time; neighbours share the instant at which one was cut."""
        start_ms = (asked.start - EARLY_STAMP_SECONDS) * 1000
        end_ms = (asked.end + LATE_STAMP_SECONDS) * 1000
        for number in range(_MOST_PAGES):
            page = await self._page(symbol, start_ms, end_ms, first=number == 0)
            yield page
            self._longest_page = max(self._longest_page, page.count)
            if not self._is_full(page.count):
                return
            if list(page.stamps_ms) != sorted(page.stamps_ms) or not page.stamps_ms:
                raise Drift("payments are not in ascending order of time")
            last_ms = page.stamps_ms[-1]
            if last_ms > end_ms:
                return
            if last_ms > start_ms:
                start_ms = last_ms
                continue
            if symbol is not None:
                raise Drift("a full page of payments of one market at one instant")
            for one in everyone:
                yield await self._page(one, last_ms, last_ms)
            start_ms = last_ms + 1
        raise Drift(f"more than {_MOST_PAGES} pages of payments")

    def _is_full(self, count: int) -> bool:
        return count >= PAGE_ROWS or (count in _OTHER_CAPS and count >= self._longest_page)

    async def _page(self, symbol: str | None, start_ms: int, end_ms: int, *, first: bool = False) -> Page:
        params: dict[str, str | int] = {"startTime": start_ms, "limit": PAGE_ROWS}
        if symbol is None or self.ends_single_requests:
            params["endTime"] = end_ms
        if symbol is not None:
            params["symbol"] = symbol
        try:
            page = self.read_page(await self._get("fundingRate", params, self.weights.payments))
        except Refused as error:
            if symbol is None and first:
                raise NotInBulk from error
            raise
        if (
            symbol is None
            and first
            and not _holds_all_symbols(page, start_ms, full=self._is_full(page.count))
        ):
            raise NotInBulk
        return page

    async def _get(self, name: str, params: Mapping[str, str | int], spend: Spend) -> bytes:
        """The document, or the error that these venues also put inside a 200 or a 400."""
        try:
            body = await self.http.get(f"/fapi/v1/{name}", params, spend=spend)
        except Refused as error:
            if f"({_TOO_MANY})" in error.message:
                raise self._stay_away(error.message) from None
            raise
        if body.lstrip()[:1] == b"{":
            try:
                told = msgspec.json.decode(body, type=_Told)
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                return body
            if told.code == _TOO_MANY:
                raise self._stay_away(told.msg)
            if told.code is not None and told.code < 0:
                raise Refused(f"refused the request: {clean(told.msg, 120)} ({told.code})")
        return body

    def _stay_away(self, message: str) -> ExchangeError:
        until = _UNTIL_MS.search(message)
        if until is None:
            return self.http.stay_away("throttled", _THROTTLED_SECONDS, "too many requests (-1003)")
        seconds = max(1.0, int(until[1]) / 1000 - self.clock.now())
        return self.http.stay_away("banned", seconds, "banned for too many requests (-1003)")


def _holds_all_symbols(page: Page, start_ms: int, *, full: bool) -> bool:
    """Whether the first page of a bulk request is what it should be.

    The 8 h before a window always hold payments of many symbols, the first of them soon after the start.
    """
    if page.count == 0 or len({row.symbol for row in page.rows}) == 1:
        return False
    if not page.stamps_ms or not full:
        return True
    soon_ms = start_ms + (LEAD_SECONDS + LATE_STAMP_SECONDS) * 1000
    return start_ms <= page.stamps_ms[0] <= soon_ms
