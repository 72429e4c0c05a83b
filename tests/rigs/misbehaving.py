"""An adapter before a server that misbehaves at one kind of request, and what is wrong with how it does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from typing import NamedTuple

from fundwatch.exchanges import load
from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Exchange, Options
from fundwatch.exchanges.errors import Banned, Blocked, ExchangeError, Throttled
from fundwatch.exchanges.http import Http
from tests.fault_server import Behaviour, FaultServer, answer
from tests.rigs import sanity
from tests.rigs.tape import NOON, Tape, adapter, kind_of, wanted_of
from tests.virtual_time import VirtualClock

NOW = NOON + 20 * 60
AMPLE_SECONDS = 20.0

TOLERATED = {"GET /fapi/v1/ticker/24hr", "POST /info metaAndAssetCtxs xyz"}
"""Without these an exchange still has quotes."""


class Case(NamedTuple):
    kind: str
    fault: str
    behaviour: Behaviour
    error: type[ExchangeError] | None
    """What must be raised or noted; None for whatever the adapter makes of a document."""


class Book(NamedTuple):
    """What an adapter asks when all is well: an example of each kind, for its lists and for settlements."""

    tape: Tape
    lists: dict[str, str]
    settlements: dict[str, str]


async def book_of(name: str) -> Book:
    tape, clock = Tape(name), VirtualClock(NOW)
    tape.now = lambda: NOW
    kinds = []
    for part in (lists, settlements):
        tape.asked.clear()
        exchange = adapter(tape, name, clock)
        assert await part(exchange) == []
        await exchange.http.aclose()
        kinds.append({kind_of(asked): asked for asked in tape.asked})
    return Book(tape, *kinds)


async def lists(exchange: Exchange) -> list[str]:
    """Takes the market list and the quotes; what was refused of them."""
    listing, quotes = await exchange.fetch_markets_and_quotes()
    assert list(sanity.of_lists(listing, quotes, NOW)) == []
    return [refusal.reason for refusal in (*listing.refused, *quotes.refused)]


async def settlements(exchange: Exchange, markets: int = 4) -> list[str]:
    """Takes settlements of so many markets; what was refused of them or failed."""
    wanted = dict(islice(wanted_of(exchange.facts.name).items(), markets))
    reasons = []
    async for found in exchange.fetch_settlements(wanted):
        assert list(sanity.of_answer(found, wanted, NOW)) == []
        reasons += [refusal.reason for refusal in (*found.refused, *found.failed)]
    return reasons


@asynccontextmanager
async def served(
    name: str, tape: Tape, kind: str = "", fault: Behaviour | None = None, *, deadline: float = AMPLE_SECONDS
) -> AsyncIterator[tuple[Exchange, FaultServer]]:
    """An adapter before a server that answers as it should, but for requests of one kind."""
    server = FaultServer()

    def behaviour(asked: str) -> Behaviour:
        if fault is not None and kind_of(asked) == kind:
            return fault
        made = tape.true_answer(asked)
        return answer(made.status, made.body)

    server.script = [by_request(server, behaviour)]
    async with server:
        exchange = at(name, server.url, deadline)
        try:
            yield exchange, server
        finally:
            await exchange.http.aclose()


def at(name: str, url: str, deadline: float, proxy: str = "") -> Exchange:
    """An adapter whose requests are sent once, so that its deadline is the end of them."""
    kind, clock = load(name), VirtualClock(NOW)
    http = Http(
        name=name,
        base_url=url,
        limits=kind.facts.limits,
        clock=clock,
        bans=MemoryBans(),
        budget_scale=1e6,
        deadline_seconds=deadline,
        proxy=proxy,
        retries=False,
    )
    return kind(http, clock, Options(dexes=("xyz",)))


async def outcome(name: str, book: Book, case: Case, deadline: float, markets: int = 4) -> list[str]:
    """What is wrong with how an adapter takes a fault."""
    part = lists if case.kind in book.lists else partial(settlements, markets=markets)
    problems: list[str] = []
    async with served(name, book.tape, case.kind, case.behaviour, deadline=deadline) as (exchange, server):
        began = time.monotonic()
        reasons: list[str] = []
        raised: ExchangeError | None = None
        try:
            reasons = await part(exchange)
        except ExchangeError as error:
            raised = error
            problems += sanity.of_error(error)
        if time.monotonic() - began > deadline + 1:
            problems.append(f"took {time.monotonic() - began:.1f} s")
        if raised is not None and case.error is not None and type(raised) is not case.error:
            problems.append(f"is {raised!r}")
        if raised is None and not reasons and case.kind not in TOLERATED and case.error is not None:
            problems.append("was not noticed")
        if case.error in (Throttled, Banned, Blocked):
            sent = len(server.requests)
            if raised is not None and (raised.retry_at is None or raised.retry_at < NOW + 1):
                problems.append(f"may be asked again at {raised.retry_at}")
            try:
                await part(exchange)
                problems.append("was asked again")
            except (Throttled, Banned, Blocked):
                pass
            if len(server.requests) != sent:
                problems.append(f"{len(server.requests) - sent} requests inside a ban")
    return [f"{case.kind}, {case.fault}: {problem}" for problem in problems]


async def all_outcomes(name: str, book: Book, cases: list[Case], deadline: float, at_once: int) -> list[str]:
    gate = asyncio.Semaphore(at_once)

    async def one(case: Case) -> list[str]:
        async with gate:
            return await outcome(name, book, case, deadline)

    return [problem for found in await asyncio.gather(*map(one, cases)) for problem in found]


def kinds_of(book: Book) -> list[str]:
    return list(book.lists | book.settlements)


def by_request(server: FaultServer, behaviour: Callable[[str], Behaviour]) -> Behaviour:
    """What `behaviour` makes of the request that just came."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        request = server.requests[-1]
        await behaviour(f"{request.method} {request.target} {request.body.decode()}".strip())(writer)

    return behave
