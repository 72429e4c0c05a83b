"""Paradex: funding accrues every second, so that any window can be settled from its funding index.

Sources: docs.paradex.trade (REST reference 1.127; rate limits; risk: funding mechanism; trading fees).

- Limits: 1500 public requests a minute and address.
- Taker fee 0.045 %: the base tier of Pro orders, which is what the API places (trading fees,
  2026-04). Retail orders of the app start at 0.024 %, and the home page has announced less.
- There is no resting level to check against: the rate is smoothed, and TradFi markets halve it.
- `funding_index` is exact for any window, while rows of /v1/funding/data are samples of a rate: they are
  never added up. Over a pause of more than 30 s the index stands still, as funding does.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import pairwise

from fundwatch.clock import Clock
from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Options, Quotes, Wanted
from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.errors import Banned, Blocked, Drift, ExchangeError, Throttled
from fundwatch.exchanges.http import Http, Limit
from fundwatch.exchanges.paradex_answers import (
    NAME,
    FundingIndex,
    Perp,
    parse_index,
    parse_markets,
    parse_quotes,
    parse_underlying_price,
    settlement,
)
from fundwatch.exchanges.per_market import per_market
from fundwatch.models import HOUR, Refusal, Settlement, Window, merged, without

PIECE_HOURS = 8
_SPEND = {"requests": 1}
_SETTLED_SECONDS = 60
"""A row for a boundary can arrive a little after it."""


def pieces(windows: Iterable[Window]) -> list[Window]:
    """`windows` cut at 00:00, 08:00 and 16:00 UTC, newest first: pieces of 1 to 8 hours."""
    result = []
    for window in reversed(merged(windows)):
        end = window.end
        while end > window.start:
            grid = (end - 1) // (PIECE_HOURS * HOUR) * PIECE_HOURS * HOUR
            result.append(Window(max(window.start, grid), end))
            end = result[-1].start
    return result


class Paradex(Exchange):
    facts = Facts(
        name=NAME,
        base_url="https://api.prod.paradex.trade",
        limits={"requests": Limit(1500, 60)},
        minute=14,
        taker_fee_percent=0.045,
        resting_apr_percent={},
        continuous=True,
    )

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._perps: dict[str, Perp] = {}
        self._newest: dict[str, tuple[int, FundingIndex]] = {}
        """The newest boundary and its index by symbol: the next hour starts where the last one ended."""

    async def fetch_markets(self) -> Listing:
        perps, refused = parse_markets(await self.http.get("/v1/markets", spend=_SPEND))
        if not perps:
            raise Drift("the market list holds no perpetual")
        self._perps = perps
        return Listing(tuple(perp.market for perp in perps.values()), refused=refused)

    async def fetch_quotes(self) -> Quotes:
        if not self._perps:
            await self.fetch_markets()
        body = await self.http.get("/v1/markets/summary", {"market": "ALL"}, spend=_SPEND)
        return Quotes(*parse_quotes(body, int(self.clock.now()), self._perps))

    def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        return per_market(wanted, self._settle)

    async def _settle(self, symbol: str, windows: Sequence[Window]) -> Answer:
        work = _Market(self, symbol, self._newest.get(symbol))
        for piece in pieces(self._over(windows)):
            try:
                await work.settle(piece)
            except ExchangeError as error:
                if not work.covered or isinstance(error, Throttled | Banned | Blocked):
                    raise
                return work.answer(error.message)  # what came before it is kept
            if newest := work.newest():
                self._newest[symbol] = newest
        return work.answer()

    def _over(self, windows: Iterable[Window]) -> list[Window]:
        """What of `windows` has passed, by our clock and by the venue's."""
        now = int(self.clock.now() - max(0.0, self.http.ahead_seconds()) - _SETTLED_SECONDS) // HOUR * HOUR
        return [Window(window.start, min(window.end, now)) for window in windows]

    async def index_at(self, symbol: str, boundary: int) -> FundingIndex | None:
        """The index at `boundary`; None before the market's first row, `BadNumber` where it is lost.

        A row of before a boundary that has not passed there yet would be taken for its index.
        """
        query: dict[str, str | int] = {"market": symbol, "end_at": boundary * 1000, "page_size": 1}
        body = await self.http.get("/v1/funding/data", query, spend=_SPEND)
        if self.clock.now() - self.http.ahead_seconds() < boundary:
            raise BadNumber("our clock is ahead: that hour has not ended there")
        return parse_index(body, symbol, boundary)

    async def underlying_price(self, symbol: str, boundary: int) -> float:
        query: dict[str, str | int] = {
            "symbol": symbol,
            "resolution": "60",
            "start_at": (boundary - HOUR) * 1000,
            "end_at": boundary * 1000,
            "price_kind": "underlying",
        }
        body = await self.http.get("/v1/markets/klines", query, spend=_SPEND)
        if (price := parse_underlying_price(body, boundary)) is None:
            raise BadNumber(f"no price of the underlying at {boundary}")
        return price

    def cost(self, wanted: Wanted) -> Cost:
        requests = 0
        for symbol, windows in wanted.items():
            cut = pieces(windows)
            boundaries = {piece.start for piece in cut} | {piece.end for piece in cut}
            requests += len(boundaries - {self._newest[symbol][0]} if symbol in self._newest else boundaries)
        return Cost(requests, self.http.seconds_for({"requests": requests}))


class _Market:
    """The settling of one market: the indexes looked up so far, and what they give."""

    def __init__(self, exchange: Paradex, symbol: str, newest: tuple[int, FundingIndex] | None) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._indexes: dict[int, FundingIndex | str | None] = dict([newest] if newest else [])
        self._rows: list[Settlement] = []
        self._refused: list[Refusal] = []
        self.covered: list[Window] = []

    async def settle(self, piece: Window) -> None:
        """Settles `piece` as one row, or between those of its hours whose index is known."""
        times = [piece.start, piece.end]
        ends = [await self._index(time) for time in times]
        if not all(isinstance(index, FundingIndex) for index in ends):
            times = list(range(piece.start, piece.end + 1, HOUR))
        known: list[tuple[int, FundingIndex]] = []
        reasons: dict[int, str] = {}
        covered: list[Window] = []
        for time in times:
            index = await self._index(time)
            if isinstance(index, FundingIndex):
                known.append((time, index))
            elif isinstance(index, str):
                reasons[time] = index
            else:
                # Nothing was published up to here, and the next hour began without an index.
                covered = [Window(piece.start, min(time + HOUR, piece.end))]
        for (start, first), (end, last) in pairwise(known):
            if await self._row(start, first, end, last):
                covered.append(Window(start, end))
        self.covered += covered
        for hole in without([piece], covered):
            lost = [reason for time, reason in reasons.items() if hole.start <= time <= hole.end]
            self._refused += [Refusal(self._symbol, reason) for reason in lost[:1]]

    async def _row(self, start: int, first: FundingIndex, end: int, last: FundingIndex) -> bool:
        try:
            spot = last.spot_price or await self._exchange.underlying_price(self._symbol, end)
            hours = (end - start) // HOUR
            self._rows.append(settlement(self._symbol, first, last, spot, end, hours))
        except BadNumber as error:
            self._refused.append(Refusal(self._symbol, str(error)))
            return False
        return True

    async def _index(self, time: int) -> FundingIndex | str | None:
        if time not in self._indexes:
            try:
                found: FundingIndex | str | None = await self._exchange.index_at(self._symbol, time)
            except BadNumber as error:
                found = str(error)
            if found is None and any(
                isinstance(i, FundingIndex) and t < time for t, i in self._indexes.items()
            ):
                found = f"no funding row up to {time}, where there were some before"
            self._indexes[time] = found
        return self._indexes[time]

    def newest(self) -> tuple[int, FundingIndex] | None:
        known = [(time, index) for time, index in self._indexes.items() if isinstance(index, FundingIndex)]
        return max(known, default=None)

    def answer(self, failure: str = "") -> Answer:
        return Answer(
            tuple(sorted(self._rows, key=lambda row: row.funding_time)),
            tuple((self._symbol, window) for window in merged(self.covered)),
            tuple(self._refused),
            (Refusal(self._symbol, failure),) if failure else (),
        )
