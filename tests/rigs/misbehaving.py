"""An adapter before a server that misbehaves at one kind of request, and what is wrong with how it does."""

import asyncio
import ssl
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
from tests.rigs.stopwatch import Stopwatch
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
    assert list(sanity.of_lists(listing, quotes, exchange.clock.now())) == []
    return [refusal.reason for refusal in (*listing.refused, *quotes.refused)]


async def settlements(exchange: Exchange, markets: int = 4) -> list[str]:
    """Takes settlements of so many markets; what was refused of them or failed."""
    wanted = dict(islice(wanted_of(exchange.facts.name).items(), markets))
    reasons = []
    async for found in exchange.fetch_settlements(wanted):
        assert list(sanity.of_answer(found, wanted, exchange.clock.now())) == []
        reasons += [refusal.reason for refusal in (*found.refused, *found.failed)]
    return reasons


@asynccontextmanager
async def served(
    name: str, tape: Tape, kind: str = "", fault: Behaviour | None = None, *, deadline: float = AMPLE_SECONDS
) -> AsyncIterator[tuple[Exchange, FaultServer]]:
    """An adapter before a server that answers as it should, but for requests of one kind."""
    true = truly(tape)

    def behaviour(asked: str) -> Behaviour:
        return fault if fault is not None and kind_of(asked) == kind else true(asked)

    async with serving(behaviour) as server, at(name, server.url, deadline) as exchange:
        yield exchange, server


def serving(behaviour: Callable[[str], Behaviour], tls: ssl.SSLContext | None = None) -> FaultServer:
    """A server that does what `behaviour` makes of what is asked (written as in `Tape.asked`)."""
    server = FaultServer(tls=tls)
    server.script = [by_request(server, behaviour)]
    return server


def truly(tape: Tape) -> Callable[[str], Behaviour]:
    """Answers as the exchange would."""

    def behaviour(asked: str) -> Behaviour:
        made = tape.true_answer(asked)
        return answer(made.status, made.body)

    return behaviour


@asynccontextmanager
async def at(name: str, url: str, deadline: float, *, retries: bool = False) -> AsyncIterator[Exchange]:
    """An adapter whose requests are sent once unless told, so that its deadline is the end of them."""
    kind, clock = load(name), VirtualClock(NOW)
    http = Http(
        name=name,
        base_url=url,
        limits=kind.facts.limits,
        clock=clock,
        bans=MemoryBans(),
        budget_scale=1e6,
        deadline_seconds=deadline,
        retries=retries,
    )
    try:
        yield kind(http, clock, Options(dexes=("xyz",)))
    finally:
        await http.aclose()


async def outcome(name: str, book: Book, case: Case, deadline: float, markets: int = 4) -> list[str]:
    """What is wrong with how an adapter takes a fault."""
    part = lists if case.kind in book.lists else partial(settlements, markets=markets)
    problems: list[str] = []
    async with served(name, book.tape, case.kind, case.behaviour, deadline=deadline) as (exchange, server):
        reasons: list[str] = []
        raised: ExchangeError | None = None
        async with Stopwatch() as watch:
            try:
                reasons = await part(exchange)
            except ExchangeError as error:
                raised = error
                problems += sanity.of_error(error)
            took = watch.seconds()
        if took > deadline + 1:
            problems.append(f"took {took:.1f} s")
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
