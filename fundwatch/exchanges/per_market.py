"""Settlements from venues that serve them one market at a time: several markets side by side.

`spans` and `answered` are the arithmetic of asking for holes and of saying what was answered.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from itertools import islice

from fundwatch.exchanges.base import Answer, Wanted
from fundwatch.exchanges.errors import Drift, ExchangeError, Refused
from fundwatch.models import HOUR, LATE_STAMP_SECONDS, Refusal, Settlement, Window, merged

IN_FLIGHT = 4
TRANSIENT_IN_A_ROW = 3

Ask = Callable[[str, Sequence[Window]], Awaitable[Answer]]
"""All that is missing of one market, asked of the venue."""


async def per_market(wanted: Wanted, ask: Ask, *, in_flight: int = IN_FLIGHT) -> AsyncGenerator[Answer, None]:
    """The answers of `ask` for each market of `wanted`, as they complete, `in_flight` at a time.

    Markets are begun in the order of `wanted`. One that the venue refuses, or answers in an unknown
    shape, is in `failed`, and so is one with a transient error; the third transient error in a row
    is raised, and every other error at once: going on would make no sense. Closing the generator
    cancels what is under way.
    """
    waiting = iter(wanted.items())
    running: dict[asyncio.Task[Answer], str] = {}
    in_a_row = 0

    def begin() -> None:
        for symbol, windows in islice(waiting, in_flight - len(running)):
            running[asyncio.create_task(_answer(ask, symbol, windows))] = symbol

    begin()
    try:
        while running:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finished = [task for task in running if task.done()]
            answers: list[Answer] = []
            trouble: BaseException | None = None
            for task in finished:
                symbol = running.pop(task)
                error = task.exception()
                if error is None:
                    answers.append(task.result())
                    in_a_row = 0
                elif isinstance(error, Refused | Drift):
                    answers.append(_failed(symbol, error))
                    in_a_row = 0
                elif isinstance(error, ExchangeError) and error.transient:
                    in_a_row += 1
                    if in_a_row >= TRANSIENT_IN_A_ROW:
                        trouble = trouble or error
                    else:
                        answers.append(_failed(symbol, error))
                else:
                    trouble = trouble or error
            if trouble is None:
                begin()
            else:
                await _cancel(running)
            for answer in answers:
                yield answer
            if trouble is not None:
                raise trouble
    finally:
        await _cancel(running)


async def _answer(ask: Ask, symbol: str, windows: Sequence[Window]) -> Answer:
    return await ask(symbol, windows)


async def _cancel(tasks: Iterable[asyncio.Task[Answer]]) -> None:
    pending = list(tasks)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _failed(symbol: str, error: ExchangeError) -> Answer:
    return Answer(failed=(Refusal(symbol, error.message),))


def spans(windows: Iterable[Window], longest_hours: int) -> list[Window]:
    """The fewest windows of at most `longest_hours` that cover `windows`, newest first.

    Holes that one request can serve together become one window, with what lies between them.
    """
    longest = longest_hours * HOUR
    result: list[Window] = []
    for window in reversed(merged(windows)):
        end = window.end
        if result:
            oldest = result[-1].end - longest
            if window.start >= oldest:
                result[-1] = Window(window.start, result[-1].end)
                continue
            if window.end > oldest:
                result[-1] = Window(oldest, result[-1].end)
                end = oldest
        while end > window.start:
            result.append(Window(max(window.start, end - longest), end))
            end = result[-1].start
    return result


def answered(
    symbol: str, span: Window, rows: Sequence[Settlement], *, refused: bool, now: float, seen: bool = True
) -> tuple[tuple[str, Window], ...]:
    """The part of `span` that is settled for `symbol` by a complete answer with the hourly `rows`.

    A venue may stamp a payment up to 15 minutes late, so that younger hours without a row are still
    open at `now` (UTC seconds). A refused row may belong to any hour: then only the hours that have
    a row are answered. An answer in which no row at all was `seen`, not even outside `span`, settles nothing.
    """
    hours = [row.funding_time for row in rows if span.start < row.funding_time <= span.end]
    if refused or not seen:
        return tuple((symbol, window) for window in merged(Window(t - HOUR, t) for t in hours))
    published = int(now - LATE_STAMP_SECONDS) // HOUR * HOUR
    end = min(span.end, max([published, *hours]))
    return ((symbol, Window(span.start, end)),) if end > span.start else ()
