"""The tracker of one exchange: its quotes passes, its hourly sweep, its backfills."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress

from fundwatch.analytics.unit_check import Check, Sample, check_estimates
from fundwatch.assets import Overrides
from fundwatch.clock import Clock
from fundwatch.collector.believed import believed, of_listed, unlisted
from fundwatch.collector.events import Progress, Publish, unfailing
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Kind, judge
from fundwatch.collector.outcome import Outcome as Outcome
from fundwatch.collector.runs import Runs
from fundwatch.collector.settle import Tally, settle
from fundwatch.collector.unit_gate import UnitError, UnitGate
from fundwatch.exchanges.base import Exchange, Listing, Wanted
from fundwatch.exchanges.budget import in_background
from fundwatch.exchanges.errors import ExchangeError, TooSlow
from fundwatch.exchanges.standing import CLOCK_WRONG_SECONDS
from fundwatch.models import HOUR, Market, Source

QUOTES_SECONDS = 60.0
LIVE_HOURS = 24
"""A sweep's own settlements part looks back so far; older holes are filled in the background."""

WHOLE_COST_FACTOR = 1.5
"""Where filling the whole horizon costs hardly more than the last day, the sweep does it at once."""

SILENT_HOURS = 10
"""A market that lacks so many hours in a row after a sweep, with no reason given, was not answered:
more than the longest usual interval and the time that a venue may take to publish."""


class Tracker:
    """Runs do not raise: whatever happens is in the outcome, the tracker's row and the events.

    `baseline_percent` replaces the resting level of the exchange's main group where the
    configuration accepts another. What is older than `retention_days` (0: nothing) is not kept, and so
    never asked for.
    """

    def __init__(
        self,
        exchange: Exchange,
        ledger: Ledger,
        clock: Clock,
        publish: Publish,
        *,
        history_days: int,
        retention_days: int = 0,
        overrides: Overrides | None = None,
        baseline_percent: float | None = None,
    ) -> None:
        self.exchange = exchange
        self.name = exchange.facts.name
        self._ledger = ledger
        self._clock = clock
        self._publish = unfailing(publish)
        self._history_seconds = history_days * 24 * HOUR
        self._retention_seconds = retention_days * 24 * HOUR
        self._overrides = overrides
        self._resting = dict(exchange.facts.resting_apr_percent)
        if baseline_percent is not None:
            self._resting[""] = baseline_percent
        self._markets: dict[str, Market] = {}
        self._estimates: dict[str, float] = {}
        self._wrong: dict[str, Check] = {}
        self.relayed: Mapping[str, Mapping[str, float]] = {}
        """What this exchange last said of others' estimates: exchange -> ticker -> hourly rate."""
        self._limit: int | None = None
        self.jobs: set[asyncio.Task[None]] = set()
        """Its parts of backfills that a person asked for."""
        self._runs = Runs(exchange, ledger, clock, self._publish)

    async def quotes_pass(self) -> Outcome:
        """Quotes of all markets: what the screens show until the next pass."""
        return await self._runs.run("quotes", self._quotes_work)

    async def sweep(self, *, hours: int | None = None, limit: int | None = None) -> Outcome:
        """Market list, quotes, and the settlements of the last `hours` that are missing.

        `limit` takes only so many markets, for a quick try: stored, but never counted as a success.
        """
        self._limit = limit

        async def work(run_id: int, outcome: Outcome) -> None:
            await self._sweep_work(run_id, outcome, hours)

        return await self._runs.run("sweep", work)

    async def fill(self, wanted: Wanted) -> Outcome:
        """Settlements of `wanted` in the background: gives way to quotes and sweeps."""

        async def work(run_id: int, outcome: Outcome) -> None:
            if not self._markets:
                await self._take_quotes(run_id, outcome, fresh_list=True)
            tally = await self._settle(run_id, "backfill", wanted, outcome)
            outcome.failed |= tally.failed
            self._judge(outcome)

        token = in_background.set(True)
        try:
            return await self._runs.run("backfill", work)
        finally:
            in_background.reset(token)

    async def use_spare_budget(self) -> None:
        """What is nice to have, behind everything else; a failure here is no failure of the tracker."""
        token = in_background.set(True)
        try:
            with suppress(ExchangeError):
                await self.exchange.use_spare_budget()
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
        # What has not happened there is neither asked for nor noted as absent, however our clock stands.
        facts, now = self.exchange.facts, min(self._clock.now(), self._time_there())
        if facts.source is not Source.EXCHANGE:
            return {}
        back = self._history_seconds if seconds_back is None else seconds_back
        if facts.history_days is not None:
            back = min(back, facts.history_days * 24 * HOUR)
        if self._retention_seconds:
            back = min(back, self._retention_seconds)
        horizon = int(now - back) // HOUR * HOUR
        found = self._ledger.missing(self.name, horizon, now=now, again=again, continuous=facts.continuous)
        if not assets:
            return found
        return {s: w for s, w in found.items() if s in self._markets and self._asset(s) in assets}

    def _time_there(self) -> float:
        """UTC seconds by our clock, or by the exchange's where ours is known to be wrong."""
        ahead = self.exchange.http.ahead_seconds()
        return self._clock.now() - (ahead if abs(ahead) > CLOCK_WRONG_SECONDS else 0.0)

    def missing_behind(self) -> Wanted:
        """What is missing up to the horizon and not, or not only, the work of the hourly sweep."""
        recent = self._clock.now() - LIVE_HOURS * HOUR
        older = {s: [w for w in windows if w.start < recent] for s, windows in self.missing().items()}
        return {symbol: windows for symbol, windows in older.items() if windows}

    # What a run does

    async def _quotes_work(self, run_id: int, outcome: Outcome) -> None:
        await self._take_quotes(run_id, outcome, fresh_list=not self._markets)
        self._judge(outcome)

    async def _sweep_work(self, run_id: int, outcome: Outcome, hours: int | None) -> None:
        await self._take_quotes(run_id, outcome, fresh_list=True)
        recent = (hours or LIVE_HOURS) * HOUR
        wanted = self.missing(seconds_back=recent)
        if hours is None and wanted:
            whole = self.missing()
            if self.exchange.cost(whole).seconds <= WHOLE_COST_FACTOR * self.exchange.cost(wanted).seconds:
                wanted = whole
        wanted = {s: w for s, w in wanted.items() if s in self._markets or self._limit is None}
        tally = await self._settle(run_id, "sweep", wanted, outcome)
        left = self.missing(seconds_back=recent)
        outcome.open_hours = bool(left)
        self._hold_to_account(outcome, tally, wanted, left)
        self._judge(outcome)
        if self._limit is None:
            outcome.listed = set(self._markets)
        elif outcome.word == "ok":
            outcome.word = "partial"
            outcome.error = f"only {self._limit} markets were asked for"

    def _hold_to_account(self, outcome: Outcome, tally: Tally, wanted: Wanted, left: Wanted) -> None:
        """Adds the listed markets without their settlements to those that failed, where that is a fault.

        Old hours that became due only while others were fetched were not asked for.
        """
        failed = {symbol: tally.refused[symbol] for symbol in left if symbol in tally.refused}
        for symbol, windows in left.items():
            asked = wanted.get(symbol, ())
            unanswered = [w for w in windows if any(w.start < a.end and a.start < w.end for a in asked)]
            if max((window.hours for window in unanswered), default=0) > SILENT_HOURS:
                failed.setdefault(symbol, "its settlements do not come")
        failed |= tally.failed
        for symbol, why in failed.items():
            if symbol in self._markets:
                outcome.failed.setdefault(symbol, why)

    async def _settle(self, run_id: int, kind: Kind, wanted: Wanted, outcome: Outcome) -> Tally:
        if "" in self._wrong:
            raise UnitError(self._wrong[""].sentence)
        tally = Tally()
        wanted = {s: w for s, w in wanted.items() if self._group(s) not in self._wrong}
        if not wanted:
            return tally
        gate = UnitGate(
            self._markets,
            self._estimates,
            self._resting,
            self.exchange.facts.hourly_rate_step,
            self._clock.now(),
            self._ledger.failed_checks(self.name, "settlements", "agreement"),
        )

        def report(tally: Tally) -> None:
            self._publish(
                Progress(self.name, kind, run_id, tally.hours_wanted, tally.hours_done, tally.inserted)
            )

        try:
            await settle(self.exchange, self._ledger, run_id, wanted, gate, tally, report)
        finally:
            outcome.inserted += tally.inserted
            outcome.refused += tally.rows_refused
        return tally

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
        markets, active = self._markets, set[str]()
        if listing is not None:
            active = self._ledger.active(self.name)
            listing = believed(listing, len(active), self._overrides, self._limit)
            markets = {m.symbol: m for m in listing.markets}
        relayed = quotes.relayed
        quotes, outcome.failed = of_listed(quotes, markets)
        estimates = {q.symbol: q.hourly_rate for q in quotes.quotes if q.hourly_rate is not None}
        checks = self._checks(markets, estimates)
        taken = self._ledger.quotes(
            run_id,
            self.exchange.facts,
            listing,
            quotes,
            checks,
            whole=self._limit is None,
            listed_at=self._time_there(),
        )
        self._markets, self._estimates, self.relayed = markets, estimates, relayed
        self._wrong = {check.group: check for check in checks if check.verdict == "error"}
        outcome.markets = len(markets)
        outcome.inserted += taken.recorded
        if listing is not None and self._limit is None:
            outcome.failed |= unlisted(listing.refused, taken.vanished, active, markets)
        for symbol, market in markets.items():
            if market.group in self._wrong:
                outcome.failed[symbol] = self._wrong[market.group].sentence
        if "" in self._wrong:
            outcome.word, outcome.error = "error", self._wrong[""].sentence

    def _checks(self, markets: Mapping[str, Market], estimates: Mapping[str, float]) -> list[Check]:
        samples = [
            Sample(symbol, market.group, market.asset.asset_class, estimates[symbol])
            for symbol, market in markets.items()
            if symbol in estimates
        ]
        return list(check_estimates(samples, self._resting, self.exchange.facts.hourly_rate_step))

    def _judge(self, outcome: Outcome) -> None:
        judge(outcome, self._markets, self._ledger.failing(self.name))

    def _asset(self, symbol: str) -> str:
        return self._markets[symbol].asset.ticker

    def _group(self, symbol: str) -> str:
        market = self._markets.get(symbol)
        return market.group if market else ""
