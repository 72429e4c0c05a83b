"""The tracker of one exchange: its quotes passes, its hourly sweep, its backfills."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fundwatch.analytics.unit_check import Check, Sample, check_estimates
from fundwatch.assets import Overrides, overridden
from fundwatch.clock import Clock
from fundwatch.collector.events import Progress, Publish, RunEnded, RunStarted, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.settle import Tally, settle
from fundwatch.collector.unit_gate import UnitError, UnitGate
from fundwatch.exchanges.base import Exchange, Listing, Quotes, Wanted
from fundwatch.exchanges.budget import in_background
from fundwatch.exchanges.errors import Drift, ExchangeError, TooSlow
from fundwatch.models import HOUR, Market, Source
from fundwatch.storage.errors import StorageError
from fundwatch.text import clean

QUOTES_SECONDS = 60.0
LIVE_HOURS = 24
"""A sweep's own settlements part looks back so far; older holes are filled in the background."""

WHOLE_COST_FACTOR = 1.5
"""Where filling the whole horizon costs hardly more than the last day, the sweep does it at once."""

PARTIAL_SHARE = 0.01
VANISHED_SHARE, VANISHED_MARKETS = 0.05, 3
SHRUNK_SHARE, SHRUNK_FROM = 0.5, 4


Kind = Literal["sweep", "quotes", "backfill"]
Word = Literal["ok", "partial", "error", "interrupted", "cancelled"]


@dataclass(slots=True)
class Outcome:
    """How a run went. `open_hours` says that settlements due by now are still missing."""

    word: Word = "ok"
    error: str | None = None
    retry_at: float | None = None
    inserted: int = 0
    markets: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    open_hours: bool = False


Work = Callable[[int, Outcome], Awaitable[None]]


class Tracker:
    """Runs do not raise: whatever happens is in the outcome, the tracker's row and the events.

    `baseline_percent` replaces the resting level of the exchange's main group where the
    configuration accepts another.
    """

    def __init__(
        self,
        exchange: Exchange,
        ledger: Ledger,
        clock: Clock,
        publish: Publish,
        *,
        history_days: int,
        overrides: Overrides | None = None,
        baseline_percent: float | None = None,
    ) -> None:
        self.exchange = exchange
        self.name = exchange.facts.name
        self._ledger = ledger
        self._clock = clock
        self._publish = publish
        self._history_seconds = history_days * 24 * HOUR
        self._overrides = overrides
        self._resting = dict(exchange.facts.resting_apr_percent)
        if baseline_percent is not None:
            self._resting[""] = baseline_percent
        self._markets: dict[str, Market] = {}
        self._estimates: dict[str, float] = {}
        self._wrong: dict[str, Check] = {}
        self._limit: int | None = None

    async def quotes_pass(self) -> Outcome:
        """Quotes of all markets: what the screens show until the next pass."""
        return await self._run("quotes", self._quotes_work)

    async def sweep(self, *, hours: int | None = None, limit: int | None = None) -> Outcome:
        """Market list, quotes, and the settlements of the last `hours` that are missing.

        `limit` takes only so many markets, for a quick try: stored, but never counted as a success.
        """
        self._limit = limit

        async def work(run_id: int, outcome: Outcome) -> None:
            await self._sweep_work(run_id, outcome, hours)

        return await self._run("sweep", work)

    async def fill(self, wanted: Wanted) -> Outcome:
        """Settlements of `wanted` in the background: gives way to quotes and sweeps."""

        async def work(run_id: int, outcome: Outcome) -> None:
            if not self._markets:
                await self._take_quotes(run_id, outcome, fresh_list=True)
            await self._settle(run_id, "backfill", wanted, outcome)

        token = in_background.set(True)
        try:
            return await self._run("backfill", work)
        finally:
            in_background.reset(token)

    async def know_markets(self) -> Outcome:
        """Sees to it that the market list is known; a quotes pass where it is not."""
        return Outcome() if self._markets else await self.quotes_pass()

    def missing(
        self,
        *,
        seconds_back: float | None = None,
        assets: Collection[str] = (),
        again: bool = False,
    ) -> Wanted:
        """What is due, not stored and still served, newest first, the largest markets first.

        `seconds_back` defaults to the horizon; `assets` are canonical tickers, empty for all;
        `again` also asks for what was answered empty before.
        """
        facts, now = self.exchange.facts, self._clock.now()
        if facts.source is not Source.EXCHANGE:
            return {}
        back = self._history_seconds if seconds_back is None else seconds_back
        if facts.history_days is not None:
            back = min(back, facts.history_days * 24 * HOUR)
        horizon = int(now - back) // HOUR * HOUR
        found = self._ledger.missing(self.name, horizon, again=again, continuous=facts.continuous)
        if not assets:
            return found
        return {s: w for s, w in found.items() if s in self._markets and self._asset(s) in assets}

    # How a run goes

    async def _run(self, kind: Kind, work: Work) -> Outcome:
        started, requests = self._clock.monotonic(), self.exchange.http.requests
        outcome = Outcome()
        try:
            run_id = self._ledger.begin(self.name, kind, self.exchange.facts)
        except StorageError as error:
            return self._storage_trouble(outcome, error)
        self._publish(RunStarted(self.name, kind, run_id))
        try:
            await work(run_id, outcome)
        except (ExchangeError, UnitError) as error:
            outcome.word, outcome.error = "error", str(error)
            outcome.retry_at = getattr(error, "retry_at", None)
        except StorageError as error:
            self._storage_trouble(outcome, error)
        except asyncio.CancelledError:
            outcome.word = "cancelled" if kind == "backfill" else "interrupted"
            outcome.error = "stopped before it was complete"
            raise
        except Exception as error:  # the last door: a bug here must not stop the other exchanges
            outcome.word, outcome.error = "error", f"fundwatch itself failed: {clean(repr(error))}"
            self._publish(Trouble(self.name, outcome.error))
        finally:
            self._end(kind, run_id, outcome, started, self.exchange.http.requests - requests)
        return outcome

    def _end(self, kind: Kind, run_id: int, outcome: Outcome, started: float, requests: int) -> None:
        try:
            judged = kind == "sweep" and outcome.markets > 0
            self._ledger.end(
                run_id,
                self.name,
                outcome=outcome.word,
                error=outcome.error,
                requests=requests,
                budget=self.exchange.http.budget,
                expected=self._expected() if judged else None,
                failed=outcome.failed if judged else None,
            )
        except StorageError as error:
            self._storage_trouble(outcome, error)
        self._publish(
            RunEnded(
                exchange=self.name,
                kind=kind,
                run_id=run_id,
                outcome=outcome.word,
                error=outcome.error,
                inserted=outcome.inserted,
                markets=outcome.markets,
                markets_failed=len(outcome.failed),
                seconds=self._clock.monotonic() - started,
                requests=requests,
            )
        )

    def _storage_trouble(self, outcome: Outcome, error: StorageError) -> Outcome:
        outcome.word, outcome.error = "error", str(error)
        self._publish(Trouble("database", str(error)))
        return outcome

    # What a run does

    async def _quotes_work(self, run_id: int, outcome: Outcome) -> None:
        await self._take_quotes(run_id, outcome, fresh_list=not self._markets)
        self._judge_partial(outcome)

    async def _sweep_work(self, run_id: int, outcome: Outcome, hours: int | None) -> None:
        await self._take_quotes(run_id, outcome, fresh_list=True)
        recent = (hours or LIVE_HOURS) * HOUR
        wanted = self.missing(seconds_back=recent)
        if hours is None and wanted:
            whole = self.missing()
            if self.exchange.cost(whole).seconds <= WHOLE_COST_FACTOR * self.exchange.cost(wanted).seconds:
                wanted = whole
        wanted = {s: w for s, w in wanted.items() if s in self._markets or self._limit is None}
        await self._settle(run_id, "sweep", wanted, outcome)
        outcome.open_hours = bool(self.missing(seconds_back=recent))
        if self._limit is not None and outcome.word == "ok":
            outcome.word = "partial"
            outcome.error = f"only {self._limit} markets were asked for"

    async def _settle(self, run_id: int, kind: Kind, wanted: Wanted, outcome: Outcome) -> None:
        if "" in self._wrong:
            raise UnitError(self._wrong[""])
        wanted = {s: w for s, w in wanted.items() if self._group(s) not in self._wrong}
        if wanted:
            gate = UnitGate(
                self._markets,
                self._estimates,
                self._resting,
                self.exchange.facts.hourly_rate_step,
                self._clock.now(),
            )
            tally = Tally()

            def report(tally: Tally) -> None:
                self._publish(
                    Progress(self.name, kind, run_id, tally.hours_wanted, tally.hours_done, tally.inserted)
                )

            try:
                await settle(self.exchange, self._ledger, run_id, wanted, gate, tally, report)
            finally:
                outcome.inserted += tally.inserted
                outcome.refused += len(tally.refused)
                outcome.failed |= tally.failed
        self._judge_partial(outcome)

    async def _take_quotes(self, run_id: int, outcome: Outcome, *, fresh_list: bool) -> None:
        try:
            async with asyncio.timeout(QUOTES_SECONDS):
                listing: Listing | None = None
                if fresh_list:
                    listing, quotes = await self.exchange.fetch_markets_and_quotes()
                else:
                    quotes = await self.exchange.fetch_quotes()
        except TimeoutError:
            raise TooSlow(f"quotes were not complete within {QUOTES_SECONDS:g} s") from None
        if listing is not None:
            listing = self._believed(listing)
            self._markets = {m.symbol: m for m in listing.markets}
        quotes = self._of_known_markets(quotes, outcome)
        self._estimates = {q.symbol: q.hourly_rate for q in quotes.quotes if q.hourly_rate is not None}
        checks = self._checks()
        vanished = self._ledger.quotes(
            run_id, self.exchange.facts, listing, quotes, checks, whole=self._limit is None
        )
        outcome.markets = len(self._markets)
        if len(vanished) > max(VANISHED_MARKETS, VANISHED_SHARE * (len(self._markets) + len(vanished))):
            outcome.failed |= dict.fromkeys(vanished, "gone from the market list without a word")
        self._wrong = {check.group: check for check in checks if check.verdict == "error"}
        for symbol, market in self._markets.items():
            if market.group in self._wrong:
                outcome.failed[symbol] = self._wrong[market.group].sentence
        if "" in self._wrong:
            outcome.word, outcome.error = "error", self._wrong[""].sentence

    def _believed(self, listing: Listing) -> Listing:
        """The listing with our corrections; raises `Drift` when most markets are suddenly gone."""
        before = self._ledger.active_markets(self.name)
        if not listing.markets or (before >= SHRUNK_FROM and len(listing.markets) < SHRUNK_SHARE * before):
            raise Drift(f"its list shrank from {before} markets to {len(listing.markets)}: not believed")
        markets = tuple(overridden(m, self._overrides) if self._overrides else m for m in listing.markets)
        return Listing(markets[: self._limit], listing.closed, listing.refused)

    def _of_known_markets(self, quotes: Quotes, outcome: Outcome) -> Quotes:
        kept = tuple(q for q in quotes.quotes if q.symbol in self._markets)
        refused = tuple(r for r in quotes.refused if r.symbol in self._markets or self._limit is None)
        outcome.failed |= {r.symbol: r.reason for r in refused}
        quoted = {q.symbol for q in kept}
        silent = [s for s in self._markets if s not in quoted and s not in outcome.failed]
        outcome.failed |= dict.fromkeys(silent, "listed, but without a quote")
        if self._markets and not kept:
            raise Drift(f"none of its {len(self._markets)} markets has a readable quote")
        return Quotes(kept, refused)

    def _checks(self) -> list[Check]:
        samples = [
            Sample(symbol, market.group, market.asset.asset_class, self._estimates[symbol])
            for symbol, market in self._markets.items()
            if symbol in self._estimates
        ]
        return list(check_estimates(samples, self._resting, self.exchange.facts.hourly_rate_step))

    def _asset(self, symbol: str) -> str:
        return self._markets[symbol].asset.ticker

    def _group(self, symbol: str) -> str:
        market = self._markets.get(symbol)
        return market.group if market else ""

    def _expected(self) -> set[str]:
        """The listed markets without those that fail sweep after sweep."""
        return set(self._markets) - self._ledger.failing(self.name)

    def _judge_partial(self, outcome: Outcome) -> None:
        """More than 1 % of the expected markets failed: partial. Long failing ones are not expected."""
        expected = self._expected()
        failed = {s: why for s, why in outcome.failed.items() if s in expected or s not in self._markets}
        if outcome.word == "ok" and len(failed) > PARTIAL_SHARE * max(1, len(expected)):
            outcome.word = "partial"
            outcome.error = _summary_of(failed, len(expected))


def _summary_of(failed: Mapping[str, str], expected: int) -> str:
    """`partial 187/190: 2 rate is missing, 1 listed, but without a quote (BTC, ETH ...)`."""
    reasons: dict[str, int] = {}
    for why in failed.values():
        reasons[why] = reasons.get(why, 0) + 1
    most = sorted(reasons.items(), key=lambda item: -item[1])[:3]
    told = ", ".join(f"{n} {why}" for why, n in most)
    names = ", ".join(sorted(failed)[:3]) + (" ..." if len(failed) > 3 else "")
    return clean(f"partial {max(0, expected - len(failed))}/{expected}: {told} ({names})", 300)
