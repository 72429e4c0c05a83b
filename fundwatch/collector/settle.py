"""The settlements part of a sweep or a backfill: ask, judge the unit, store, answer by answer."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from fundwatch.collector.ledger import Ledger
from fundwatch.collector.unit_gate import UnitError, UnitGate
from fundwatch.exchanges.base import Answer, Exchange, Wanted
from fundwatch.exchanges.errors import TooSlow
from fundwatch.models import Window

NO_PROGRESS_SECONDS = 360.0
"""A budget may stretch this part to many minutes, and its longest window (Binance, 5 min) may be spent
before the first request; standing still for longer is a fault."""


@dataclass(slots=True)
class Tally:
    """What became of the wanted hours; `failed` is by symbol with the reason."""

    hours_wanted: float = 0.0
    hours_done: float = 0.0
    inserted: int = 0
    conflicts: int = 0
    refused: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


async def settle(
    exchange: Exchange,
    ledger: Ledger,
    run_id: int,
    wanted: Wanted,
    gate: UnitGate,
    tally: Tally,
    report: Callable[[Tally], None],
) -> None:
    """Fetches `wanted` and stores what comes, filling `tally` on the way.

    Rows are held back until the unit gate has seen enough markets, and taken back if it changes its
    mind later. Raises `UnitError`, `ExchangeError` or `StorageError`; what was stored before stays.
    """
    tally.hours_wanted = sum(w.hours for windows in wanted.values() for w in windows)
    report(tally)
    held: list[Answer] = []

    def store() -> None:
        for answer in held:
            stored = ledger.settlements(
                run_id, exchange.facts.name, answer, continuous=exchange.facts.continuous
            )
            tally.inserted += stored.inserted
            tally.conflicts += stored.conflicts
            tally.hours_done += sum(window.hours for _, window in answer.answered)
            tally.refused += [f"{r.symbol}: {r.reason}" for r in answer.refused]
            tally.failed |= {r.symbol: r.reason for r in answer.failed}
        held.clear()
        report(tally)

    try:
        try:
            async for bare in _steadily(exchange.fetch_settlements(wanted)):
                answer = _clipped(ledger.with_intervals(exchange.facts.name, bare), wanted)
                gate.add(answer.rows)
                held.append(answer)
                if gate.is_due:
                    gate.judge()
                if gate.may_store:
                    store()
        finally:
            if not isinstance(sys.exception(), asyncio.CancelledError | UnitError):
                gate.judge()
                store()
    except UnitError:
        ledger.take_back(run_id)
        tally.inserted = 0
        raise
    finally:
        ledger.unit_checks(exchange.facts.name, gate.checks)


def _clipped(answer: Answer, wanted: Wanted) -> Answer:
    """Answered is only what was wanted: the hours around it were fetched for spacing, not for keeps."""
    both = tuple(
        (symbol, Window(max(done.start, want.start), min(done.end, want.end)))
        for symbol, done in answer.answered
        for want in wanted.get(symbol, ())
        if max(done.start, want.start) < min(done.end, want.end)
    )
    return replace(answer, answered=both)


async def _steadily(stream: AsyncIterator[Answer]) -> AsyncGenerator[Answer, None]:
    """The same answers; raises `TooSlow` when none comes for `NO_PROGRESS_SECONDS`."""
    try:
        while True:
            try:
                async with asyncio.timeout(NO_PROGRESS_SECONDS):
                    answer = await anext(stream)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise TooSlow(f"no settlements came for {NO_PROGRESS_SECONDS:g} s") from None
            yield answer
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
