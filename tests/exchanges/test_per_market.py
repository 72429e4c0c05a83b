import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from contextvars import ContextVar

import pytest

from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    Drift,
    ExchangeError,
    Refused,
    ServerFault,
    Throttled,
    TooSlow,
)
from fundwatch.exchanges.per_market import per_market
from fundwatch.models import HOUR, Refusal, Window

ONE_HOUR = (Window(0, HOUR),)


def wanted(*symbols: str) -> dict[str, Sequence[Window]]:
    return dict.fromkeys(symbols, ONE_HOUR)


def answer_of(symbol: str) -> Answer:
    return Answer(answered=((symbol, ONE_HOUR[0]),))


async def collected(answers: AsyncIterator[Answer]) -> list[str]:
    """Symbols in the order of their answers, a failed one with an exclamation mark."""
    names = []
    async for answer in answers:
        names += [symbol for symbol, _ in answer.answered] + [f"{f.symbol}!" for f in answer.failed]
    return names


async def collected_until(
    error: type[BaseException], answers: AsyncIterator[Answer]
) -> tuple[list[str], str]:
    """What came before `error` was raised, and its words."""
    names: list[str] = []
    try:
        async for answer in answers:
            names += [symbol for symbol, _ in answer.answered] + [f"{f.symbol}!" for f in answer.failed]
    except error as raised:
        return names, str(raised)
    raise AssertionError(f"{error.__name__} was not raised")


async def test_every_market_is_asked_once_with_its_own_windows() -> None:
    asked: dict[str, Sequence[Window]] = {}

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        asked[symbol] = windows
        return answer_of(symbol)

    want = {"A": (Window(0, HOUR),), "B": (Window(HOUR, 3 * HOUR), Window(5 * HOUR, 6 * HOUR))}
    assert await collected(per_market(want, ask)) == ["A", "B"]
    assert asked == want


async def test_nothing_wanted_yields_nothing() -> None:
    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        raise AssertionError("nothing was wanted")

    assert await collected(per_market({}, ask)) == []


async def test_answers_come_as_they_complete_and_few_are_in_flight() -> None:
    gates = {symbol: asyncio.Event() for symbol in "ABCDE"}
    begun: list[str] = []

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        begun.append(symbol)
        await gates[symbol].wait()
        return answer_of(symbol)

    async with aclosing(per_market(wanted(*"ABCDE"), ask, in_flight=2)) as answers:
        first = asyncio.ensure_future(anext(answers))
        await asyncio.sleep(0.001)
        assert begun == ["A", "B"]
        gates["B"].set()
        assert (await first).answered[0][0] == "B"
        await asyncio.sleep(0.001)
        assert begun == ["A", "B", "C"]
        for gate in gates.values():
            gate.set()
        assert sorted(await collected(answers)) == ["A", "C", "D", "E"]


@pytest.mark.parametrize("error", [Refused("no such market"), Drift("another shape")])
async def test_a_market_of_its_own_trouble_fails_alone(error: ExchangeError) -> None:
    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        if symbol == "BAD":
            raise error
        return answer_of(symbol)

    answers = [a async for a in per_market(wanted("A", "BAD", "B"), ask, in_flight=1)]
    assert [a.failed for a in answers] == [(), (Refusal("BAD", error.message),), ()]


@pytest.mark.parametrize("error", [Throttled("wait"), Banned("go"), Blocked("no"), KeyError("a bug of ours")])
async def test_what_concerns_the_whole_exchange_is_raised_at_once(error: Exception) -> None:
    asked: list[str] = []

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        asked.append(symbol)
        if symbol == "B":
            raise error
        return answer_of(symbol)

    seen, _ = await collected_until(type(error), per_market(wanted(*"ABCDEFGH"), ask, in_flight=2))
    assert seen == ["A"]
    assert asked == ["A", "B"]


async def test_answers_that_are_already_there_are_not_lost_to_a_ban() -> None:
    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        if symbol == "A":
            raise Banned("go")
        return answer_of(symbol)

    seen, _ = await collected_until(Banned, per_market(wanted("A", "B", "C"), ask, in_flight=3))
    assert seen == ["B", "C"]


async def test_the_third_transient_failure_in_a_row_is_raised() -> None:
    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        raise ServerFault(f"broken at {symbol}") if symbol != "A" else TooSlow("slow")

    seen, words = await collected_until(ServerFault, per_market(wanted(*"ABCDE"), ask, in_flight=1))
    assert seen == ["A!", "B!"]
    assert words == "broken at C"


async def test_an_answer_between_transient_failures_starts_the_count_anew() -> None:
    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        if symbol in "ABDE":
            raise TooSlow("slow")
        if symbol == "C":
            raise Refused("unknown")
        return answer_of(symbol)

    names = await collected(per_market(wanted(*"ABCDEF"), ask, in_flight=1))
    assert names == ["A!", "B!", "C!", "D!", "E!", "F"]


async def test_closing_the_generator_cancels_what_is_under_way() -> None:
    cancelled: list[str] = []

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        if symbol == "A":
            return answer_of(symbol)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(symbol)
            raise
        return answer_of(symbol)

    async with aclosing(per_market(wanted("A", "B", "C"), ask)) as answers:
        await anext(answers)
        await asyncio.sleep(0.001)
    assert sorted(cancelled) == ["B", "C"]
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_the_reader_cancels_the_requests() -> None:
    cancelled: list[str] = []

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(symbol)
        return answer_of(symbol)

    reader = asyncio.create_task(collected(per_market(wanted("A", "B"), ask)))
    await asyncio.sleep(0.001)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert sorted(cancelled) == ["A", "B"]


async def test_requests_keep_the_context_of_the_reader() -> None:
    colour: ContextVar[str] = ContextVar("colour", default="none")
    seen: list[str] = []

    async def ask(symbol: str, windows: Sequence[Window]) -> Answer:
        seen.append(colour.get())
        return answer_of(symbol)

    colour.set("background")
    await collected(per_market(wanted(*"ABCDEF"), ask, in_flight=2))
    assert seen == ["background"] * 6
