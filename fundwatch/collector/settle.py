"""The settlements part of a sweep or a backfill: ask, judge the unit, store, answer by answer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from fundwatch.collector.ledger import Ledger
from fundwatch.collector.unit_gate import UnitError, UnitGate
from fundwatch.exchanges.base import Answer, Exchange, Wanted
from fundwatch.exchanges.errors import TooSlow
from fundwatch.models import Window
from fundwatch.storage.errors import StorageError

NO_PROGRESS_SECONDS = 360.0
"""A budget may stretch this part to many minutes, and its longest window (Binance, 5 min) may be spent
before the first request; standing still for longer is a fault."""


@dataclass(slots=True)
class Tally:
    """What became of the wanted hours. `refused` rows and `failed` markets are by symbol with a reason."""

    hours_wanted: float = 0.0
    hours_done: float = 0.0
    inserted: int = 0
    conflicts: int = 0
    rows_refused: int = 0
    refused: dict[str, str] = field(default_factory=dict)
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
    mind later; those of a group of its own (a builder's dex) go alone. Raises `UnitError`,
    `StorageError`, and what the exchange raised after storing what came before.
    """
    name, continuous = exchange.facts.name, exchange.facts.continuous
    tally.hours_wanted = sum(w.hours for windows in wanted.values() for w in windows)
    report(tally)
    held: list[Answer] = []

    def store() -> None:
        while held:
            answer = _without_wrong(held[0], gate)
            stored = ledger.settlements(run_id, name, answer, continuous=continuous)
            del held[0]
            tally.inserted += stored.inserted
            tally.conflicts += stored.conflicts
            tally.hours_done += sum(window.hours for _, window in answer.answered)
            tally.rows_refused += len(answer.refused)
            tally.refused |= {r.symbol: r.reason for r in answer.refused}
            tally.failed |= {r.symbol: r.reason for r in answer.failed}
        report(tally)

    def judge(*, at_the_end: bool = False) -> None:
        known = set(gate.wrong)
        gate.judge(at_the_end=at_the_end)
        for group in gate.wrong.keys() - known:
            tally.inserted -= ledger.take_back(run_id, group)

    async def take_all() -> None:
        async with aclosing(_steadily(exchange.fetch_settlements(wanted))) as answers:
            async for bare in answers:
                answer = _clipped(ledger.with_intervals(name, bare), wanted)
                gate.add(answer.rows)
                held.append(answer)
                if gate.is_due:
                    judge()
                if gate.may_store:
                    store()

    try:
        trouble: Exception | None = None
        try:
            await take_all()
        except (UnitError, StorageError):
            raise
        except Exception as error:
            trouble = error
        judge(at_the_end=True)
        store()
        tally.failed |= {symbol: why for symbol in wanted if (why := gate.wrong_about(symbol))}
        if trouble is not None:
            raise trouble
    except UnitError:
        ledger.take_back(run_id)
        tally.inserted = 0
        raise
    finally:
        ledger.unit_checks(name, gate.checks)


def _without_wrong(answer: Answer, gate: UnitGate) -> Answer:
    """The answer without the markets of groups whose unit check failed: their holes stay open."""
    if not gate.wrong:
        return answer
    return replace(
        answer,
        rows=tuple(row for row in answer.rows if not gate.wrong_about(row.symbol)),
        answered=tuple(done for done in answer.answered if not gate.wrong_about(done[0])),
    )


def _clipped(answer: Answer, wanted: Wanted) -> Answer:
    """Answered is only what was wanted: the hours around it were fetched for spacing, not for keeps.

    Their rows are welcome as far as their interval is known.
    """
    both = tuple(
        (symbol, Window(max(done.start, want.start), min(done.end, want.end)))
        for symbol, done in answer.answered
        for want in wanted.get(symbol, ())
        if max(done.start, want.start) < min(done.end, want.end)
    )
    rows = tuple(
        row
        for row in answer.rows
        if row.interval_hours is not None
        or any(want.start < row.funding_time for want in wanted.get(row.symbol, ()))
    )
    return replace(answer, rows=rows, answered=both)


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
