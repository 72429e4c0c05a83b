"""Hyperliquid: its own perpetuals and those of the builder dexes (HIP-3), all settled every hour.

Sources: hyperliquid.gitbook.io (info endpoint: perpetuals; funding; rate limits; fees), recorded
answers of 2023-07, 2025-08, 2025-12, 2026-02, 2026-05 and 2026-07.

- Limits: 1200 weight a minute and address; an info request weighs 20, `fundingHistory` 1 more for
  every 20 rows it brings. No header tells our usage.
- Taker fee 0.045 % (trading/fees, base tier of the main dex). Builder dexes charge differently, by
  their own scale.
- Resting levels, APR: the main dex 10.95 % (0.01 % for 8 h). A builder scales the rate or sets its
  interest: `perpDexs` of 2026-07 states a multiplier of 0.5 on xyz and cash, 0.6 on para, none on
  hyna, and 0.0000456621 for 8 h on km. flx and vntl have no level in common.
- The rate is capped at 4 % an hour.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from fundwatch.clock import Clock
from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Options, Quotes, Wanted
from fundwatch.exchanges.errors import Banned, Blocked, Drift, ExchangeError, Throttled
from fundwatch.exchanges.http import Http, Limit
from fundwatch.exchanges.hyperliquid_answers import (
    NAME,
    DexAnswer,
    History,
    parse_dex,
    parse_dexes,
    parse_settlements,
)
from fundwatch.exchanges.per_market import answered, per_market, spans
from fundwatch.models import (
    EARLY_STAMP_SECONDS,
    HOUR,
    LATE_STAMP_SECONDS,
    Quote,
    Refusal,
    Settlement,
    Window,
)

MAX_ROWS = 500
SPAN_HOURS = 480
"""Fewer than `MAX_ROWS`, so that one answer holds a whole span."""

_REQUEST_WEIGHT = 20
_ROWS_PER_WEIGHT = 20
_EARLY_MS = EARLY_STAMP_SECONDS * 1000
_LATE_MS = LATE_STAMP_SECONDS * 1000
_AWAY = (Throttled, Banned, Blocked)


def _weight(span: Window) -> float:
    return _REQUEST_WEIGHT + span.hours / _ROWS_PER_WEIGHT


class Hyperliquid(Exchange):
    facts = Facts(
        name=NAME,
        base_url="https://api.hyperliquid.xyz",
        limits={"weight": Limit(1200, 60)},
        minute=4,
        taker_fee_percent=0.045,
        resting_apr_percent={"": 10.95, "hyna": 10.95, "xyz": 5.475, "cash": 5.475, "para": 6.57, "km": 5.0},
        hourly_rate_step=1e-10,
    )

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        super().__init__(http, clock, options)
        self._listed: dict[str, tuple[str, ...]] = {}
        """Live symbols by dex. A dex whose list never came is not in it."""
        self._unlisted: tuple[str, ...] = ()
        """Dexes that should have a list and have none."""
        self._known: set[str] = set()
        """Every coin the venue has named, closed ones included."""

    async def fetch_markets(self) -> Listing:
        return (await self.fetch_markets_and_quotes())[0]

    async def fetch_quotes(self) -> Quotes:
        if not self._listed:
            return (await self.fetch_markets_and_quotes())[1]
        dexes = [dex for dex, symbols in self._listed.items() if symbols or not dex]
        answers, refused = await self._ask_dexes(dexes)
        refused += [Refusal(f"{dex}:*", "its list could not be fetched yet") for dex in self._unlisted]
        quotes: list[Quote] = []
        for dex, answer in answers.items():
            found = {quote.symbol: quote for quote in answer.quotes}
            reasons = {refusal.symbol: refusal.reason for refusal in answer.refused}
            for symbol in self._listed[dex]:
                if symbol in found:
                    quotes.append(found[symbol])
                else:
                    gone = "closed by the exchange" if symbol in answer.closed else "not in the answer"
                    refused.append(Refusal(symbol, reasons.get(symbol, gone)))
        return Quotes(tuple(quotes), tuple(refused))

    async def fetch_markets_and_quotes(self) -> tuple[Listing, Quotes]:
        dexes, missing = await self._dexes()
        answers, failed = await self._ask_dexes(["", *dexes])
        if not answers[""].markets:
            raise Drift("the list of the main dex holds no market")
        wanted = {"", *dexes}
        self._listed = {dex: symbols for dex, symbols in self._listed.items() if dex in wanted}
        for dex, answer in answers.items():
            self._listed[dex] = tuple(market.symbol for market in answer.markets)
            self._known.update(self._listed[dex], answer.closed)
        self._unlisted = tuple(dex for dex in dexes if dex not in self._listed)
        bad_rows = [refusal for answer in answers.values() for refusal in answer.refused]
        return (
            Listing(
                tuple(market for answer in answers.values() for market in answer.markets),
                frozenset().union(*(answer.closed for answer in answers.values())),
                (*missing, *failed, *(r for r in bad_rows if r.symbol not in self._known)),
            ),
            Quotes(
                tuple(quote for answer in answers.values() for quote in answer.quotes),
                (*missing, *failed, *bad_rows),
            ),
        )

    async def _dexes(self) -> tuple[list[str], list[Refusal]]:
        """The builder dexes to ask, and those of the configuration that do not exist."""
        named = [dex for dex in self.options.dexes if dex]
        if not named:
            return [], []
        offered = parse_dexes(await self._info({"type": "perpDexs"}, _REQUEST_WEIGHT))
        if "*" in named:
            return list(offered), []
        missing = [Refusal(f"{dex}:*", "no such dex") for dex in named if dex not in offered]
        return [dex for dex in dict.fromkeys(named) if dex in offered], missing

    async def _ask_dexes(self, dexes: Collection[str]) -> tuple[dict[str, DexAnswer], list[Refusal]]:
        """What each of `dexes` answers, and a refusal for each market of those that failed.

        Raises when the main dex fails, or when no dex would be served.
        """
        outcomes = await asyncio.gather(*(self._ask_dex(dex) for dex in dexes))
        answers: dict[str, DexAnswer] = {}
        refused: list[Refusal] = []
        for dex, outcome in zip(dexes, outcomes, strict=True):
            if isinstance(outcome, DexAnswer):
                answers[dex] = outcome
            elif not dex or isinstance(outcome, _AWAY):
                raise outcome
            else:
                symbols = self._listed.get(dex) or (f"{dex}:*",)
                refused += [
                    Refusal(symbol, f"its dex did not answer: {outcome.message}") for symbol in symbols
                ]
        return answers, refused

    async def _ask_dex(self, dex: str) -> DexAnswer | ExchangeError:
        try:
            body = await self._info({"type": "metaAndAssetCtxs", "dex": dex}, _REQUEST_WEIGHT)
            return parse_dex(body, int(self.clock.now()), dex)
        except ExchangeError as error:
            return error

    async def _info(self, question: dict[str, str | int], weight: float) -> bytes:
        return await self.http.post("/info", question, spend={"weight": weight})

    def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        return per_market(wanted, self._ask_settlements)

    async def _ask_settlements(self, symbol: str, windows: Sequence[Window]) -> Answer:
        settlements: list[Settlement] = []
        covered: list[tuple[str, Window]] = []
        refused: list[Refusal] = []
        failed: list[Refusal] = []
        for span in spans(windows, SPAN_HOURS):
            try:
                history = await self._ask_span(symbol, span)
            except ExchangeError as error:
                if not covered or isinstance(error, _AWAY):
                    raise
                failed.append(Refusal(symbol, error.message))  # what came before it is kept
                break
            if history.row_count:
                self._known.add(symbol)
            elif history.row_count is None or symbol not in self._known:
                failed.append(Refusal(symbol, "the exchange does not know this coin"))
                break
            settlements += history.settlements
            refused += history.refused
            covered += answered(
                symbol,
                _served(history, span),
                history.settlements,
                refused=bool(history.refused),
                now=self.clock.now(),
            )
        settlements.sort(key=lambda settlement: settlement.funding_time)
        return Answer(tuple(settlements), tuple(covered), tuple(refused), tuple(failed))

    async def _ask_span(self, symbol: str, span: Window) -> History:
        question: dict[str, str | int] = {
            "type": "fundingHistory",
            "coin": symbol,
            "startTime": (span.start + HOUR) * 1000 - _EARLY_MS,
            "endTime": span.end * 1000 + _LATE_MS,
        }
        return parse_settlements(await self._info(question, _weight(span)), symbol, span)

    def cost(self, wanted: Wanted) -> Cost:
        asked = [span for windows in wanted.values() for span in spans(windows, SPAN_HOURS)]
        return Cost(len(asked), self.http.seconds_for({"weight": sum(map(_weight, asked))}))


def _served(history: History, span: Window) -> Window:
    """The part of `span` that the answer had room for: a full one ends at its last row."""
    if history.row_count is None or history.row_count < MAX_ROWS:
        return span
    return Window(span.start, max((row.funding_time for row in history.settlements), default=span.start))
