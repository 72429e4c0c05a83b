"""An exchange that says what the test has written down, and a ledger over a real file to say it to."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fundwatch.clock import Clock
from fundwatch.collector.events import Event
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Answer, Cost, Exchange, Facts, Listing, Quotes, Wanted
from fundwatch.exchanges.http import Http, Limit
from fundwatch.models import HOUR, Asset, AssetClass, Market, Quote, Refusal, Settlement, Window
from fundwatch.storage import trackers
from fundwatch.storage.trackers import TrackerState
from tests.virtual_time import LoopClock, VirtualClock

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""

RESTING = 0.0000125
"""10.95 % APR as a fraction per hour."""

Hook = Callable[[], Awaitable[None]]


class WallClock(LoopClock):
    """The running loop's time, as a wall clock that may be set; suspending moves nothing else."""

    def __init__(self, now: float = NOON + 6 * 60) -> None:
        super().__init__()
        self._ahead = now - self.monotonic()

    def now(self) -> float:
        return self._ahead + self.monotonic()

    def jump(self, seconds: float) -> None:
        self._ahead += seconds


def market(symbol: str, group: str = "", asset_class: AssetClass = AssetClass.CRYPTO) -> Market:
    return Market("aster", symbol, Asset(symbol, asset_class), group=group, listed_time=NOON - 400 * 86400)


def symbols(size: int, start: int = 0) -> list[str]:
    return [f"M{number:03}" for number in range(start, start + size)]


class Scripted(Exchange):
    """Two of three markets rest; all that it publishes is true unless a field here says otherwise.

    `rates` are the estimates by symbol; settlements are the same times `factor`, or those of `factors`
    by symbol. `trouble` holds what the calls `list`, `quotes` and `settlements` raise, or a coroutine
    function that they wait for; settlements fall into it after `answers_first` answers. `lost` are
    (symbol, hour) that were never published, `silent` markets that get no answer at all. `log` tells
    the calls, `asked` what of.
    """

    facts = Facts(
        name="aster",
        base_url="http://127.0.0.1:9",
        limits={"weight": Limit(1_000_000, 60)},
        minute=5,
        taker_fee_percent=None,
        resting_apr_percent={"": 10.95},
    )

    def __init__(self, clock: Clock, size: int = 30, http: Http | None = None) -> None:
        facts = self.facts
        super().__init__(
            http
            or Http(
                name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans()
            ),
            clock,
        )
        self.interval_hours = 1
        self.listed: dict[str, Market] = {symbol: market(symbol) for symbol in symbols(size)}
        self.rates: dict[str, float | None] = {
            symbol: RESTING if number % 3 else RESTING * (0.311 + number / 7)
            for number, symbol in enumerate(self.listed)
        }
        self.open_interest_usd: dict[str, float] = {}
        self.closed: set[str] = set()
        self.list_refused: tuple[Refusal, ...] = ()
        self.quote_refused: dict[str, str] = {}
        self.factor: float = 1.0
        self.factors: dict[str, float] = {}
        self.says_interval = True
        self.published_after = 0.0
        self.lost: set[tuple[str, int]] = set()
        self.silent: set[str] = set()
        self.failing: dict[str, str] = {}
        self.refused_rows: dict[str, str] = {}
        self.trouble: dict[str, BaseException | Hook] = {}
        self.answers_first = 0
        self.seconds_per_hour = 1.0
        self.log: list[tuple[str, float]] = []
        self.asked: list[dict[str, list[Window]]] = []
        self.closed_streams = 0

    async def _call(self, what: str) -> None:
        self.log.append((what, self.clock.now()))
        await self._meet(what)

    async def _meet(self, what: str) -> None:
        trouble = self.trouble.get(what)
        if isinstance(trouble, BaseException):
            raise trouble
        if trouble is not None:
            await trouble()

    async def fetch_markets(self) -> Listing:
        await self._call("list")
        return Listing(tuple(self.listed.values()), frozenset(self.closed), self.list_refused)

    async def fetch_quotes(self) -> Quotes:
        await self._call("quotes")
        now = int(self.clock.now())
        step = self.interval_hours * HOUR
        quotes = tuple(
            Quote(
                self.facts.name,
                symbol,
                now,
                rate,
                float(self.interval_hours),
                (now // step + 1) * step,
                mark_price=100.0,
                open_interest_usd=self.open_interest_usd.get(symbol),
            )
            for symbol, rate in self.rates.items()
            if symbol not in self.quote_refused
        )
        return Quotes(quotes, tuple(Refusal(s, why) for s, why in self.quote_refused.items()))

    async def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        self.log.append(("settlements", self.clock.now()))
        self.asked.append({symbol: list(windows) for symbol, windows in wanted.items()})
        try:
            for number, (symbol, windows) in enumerate(wanted.items()):
                if number == self.answers_first:
                    await self._meet("settlements")
                await asyncio.sleep(0)
                if symbol in self.failing:
                    yield Answer(failed=(Refusal(symbol, self.failing[symbol]),))
                elif symbol in self.refused_rows:
                    yield Answer(refused=(Refusal(symbol, self.refused_rows[symbol]),))
                elif symbol not in self.silent:
                    yield self._answer(symbol, list(windows))
        finally:
            self.closed_streams += 1

    def _answer(self, symbol: str, windows: list[Window]) -> Answer:
        newest = int(self.clock.now() - self.published_after) // HOUR * HOUR
        rows = tuple(
            Settlement(
                symbol,
                hour,
                (self.rates.get(symbol) or 0.0) * self.interval_hours * self.factors.get(symbol, self.factor),
                float(self.interval_hours) if self.says_interval else None,
            )
            for window in sorted(windows)
            for hour in range(window.start + HOUR, min(window.end, newest) + 1, HOUR)
            if hour % (self.interval_hours * HOUR) == 0 and (symbol, hour) not in self.lost
        )
        answered = tuple(
            (symbol, Window(window.start, min(window.end, newest)))
            for window in windows
            if window.start < newest
        )
        return Answer(rows, answered)

    def cost(self, wanted: Wanted) -> Cost:
        hours = sum(window.hours for windows in wanted.values() for window in windows)
        return Cost(len(wanted), hours * self.seconds_per_hour)


def scripted(clock: Clock, size: int = 30, http: Http | None = None, **facts: Any) -> Scripted:
    """A scripted exchange with other facts."""
    kind: type[Scripted] = type("Scripted", (Scripted,), {"facts": replace(Scripted.facts, **facts)})
    return kind(clock, size, http)


def open_ledger(folder: Path, clock: Clock) -> Ledger:
    ledger = Ledger.open(
        folder / "fundwatch.db", world="real", role="collector", clock=clock, exchanges=("aster", "lighter")
    )
    ledger.writer.connection().execute("PRAGMA synchronous = OFF")  # no test here pulls the plug
    return ledger


class Watch:
    """One tracker of a scripted exchange over a real database, and what the tests ask about it."""

    def __init__(self, ledger: Ledger, exchange: Scripted, clock: Clock, history_days: int = 1) -> None:
        self.ledger = ledger
        self.exchange = exchange
        self.clock = clock
        self.events: list[Event] = []
        self.tracker = Tracker(exchange, ledger, clock, self.events.append, history_days=history_days)

    @property
    def name(self) -> str:
        return self.exchange.facts.name

    @property
    def state(self) -> TrackerState:
        found = trackers.state(self.ledger.writer, self.name)
        assert found is not None
        return found

    def restart(self, history_days: int = 1) -> None:
        """The same exchange in a new process: nothing but the database is remembered."""
        self.tracker = Tracker(
            self.exchange, self.ledger, self.clock, self.events.append, history_days=history_days
        )

    def stored(self, symbol: str | None = None) -> int:
        """How many settlements are stored, of one market or of all."""
        count: int = self.ledger.writer.value(
            "SELECT COUNT(*) FROM settlement s JOIN market m ON m.id = s.market_id"
            " JOIN exchange e ON e.id = m.exchange_id WHERE e.name = ? AND (?2 IS NULL OR m.symbol = ?2)",
            self.name,
            symbol,
        )
        return count

    def rows(self, symbol: str) -> list[tuple[int, float, float | None]]:
        """(funding_time, rate, interval_hours), oldest first."""
        return self.ledger.writer.rows(
            "SELECT funding_time, rate, interval_hours FROM settlement s"
            " JOIN market m ON m.id = s.market_id JOIN exchange e ON e.id = m.exchange_id"
            " WHERE e.name = ? AND m.symbol = ? ORDER BY funding_time",
            self.name,
            symbol,
        )

    def runs(self) -> list[tuple[str, str]]:
        """(kind, outcome) in the order in which they began."""
        return self.ledger.writer.rows(
            "SELECT kind, outcome FROM run JOIN exchange e ON e.id = exchange_id WHERE e.name = ?"
            " ORDER BY run.id",
            self.name,
        )

    def open_runs(self) -> int:
        count: int = self.ledger.writer.value("SELECT COUNT(*) FROM run WHERE ended IS NULL")
        return count

    def status_of(self, symbol: str) -> str:
        status: str = self.ledger.writer.value("SELECT status FROM market WHERE symbol = ?", symbol)
        return status


def break_disk(ledger: Ledger) -> None:
    """From now on the database takes nothing, as if the disk were full."""
    ledger.writer.connection().execute("PRAGMA query_only = ON")


def mend_disk(ledger: Ledger) -> None:
    ledger.writer.connection().execute("PRAGMA query_only = OFF")


class HandClock(VirtualClock):
    """A clock at a few minutes past noon that only tests move."""

    def __init__(self, now: float = NOON + 6 * 60) -> None:
        super().__init__(now)


def unheard(event: Event) -> None:
    """A listener that does not listen."""
