"""Each adapter against servers that misbehave in every way, at each kind of request that it makes.

Everything over real sockets; the rest of what the adapter asks is answered as the exchange would.
"""

import asyncio
import gzip
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice
from typing import NamedTuple

import pytest

from fundwatch.exchanges import REGISTRY, load
from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Exchange, Options
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    ExchangeError,
    Throttled,
    TooSlow,
    Truncated,
    Unreachable,
)
from fundwatch.exchanges.http import Http
from tests.exchanges.test_http_faults import BROKEN, SLOW
from tests.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    gzipped,
    hang,
    head_of,
    json_answer,
    raw,
    then_close,
    then_reset,
)
from tests.rigs import sanity
from tests.rigs.kill import SEED, trials
from tests.rigs.memory import Memory
from tests.rigs.tape import NOON, Tape, adapter, kind_of, wanted_of
from tests.virtual_time import VirtualClock

NOW = NOON + 20 * 60
DEADLINE_SECONDS = 0.4
AMPLE_SECONDS = 20.0
MOST_REQUESTS = 1000
MOST_BYTES = 32 * 2**20

every_exchange = pytest.mark.parametrize("name", REGISTRY)

HEAVY = (
    "a header of a megabyte", "an endless chunk extension", "gzip twice", "a gzip bomb", "endless chunks",
    "17 MB",
)  # fmt: skip
CALM = {name: fault for name, fault in SLOW.items() if name != "sends 1xx for ever"}
QUICK = {name: fault for name, fault in BROKEN.items() if name not in HEAVY}

AWAY: dict[str, tuple[Behaviour, type[ExchangeError]]] = {
    "429": (answer(429), Throttled),
    "429 for 7 s": (answer(429, retry_after="7"), Throttled),
    "429 until a date": (answer(429, retry_after="Fri, 20 Nov 2026 12:40:00 GMT"), Throttled),
    "429 for 0 s": (answer(429, retry_after="0"), Throttled),
    "429 for -5 s": (answer(429, retry_after="-5"), Throttled),
    "429 for 30 years": (answer(429, retry_after="1000000000"), Throttled),
    "429 for nonsense": (answer(429, retry_after="soon \x85"), Throttled),
    "418": (answer(418, retry_after="120"), Banned),
    "418 until": (answer(418, b'{"code":-1003,"msg":"IP banned until 1795180800000"}'), Banned),
    "403": (answer(403), Blocked),
    "403 with a page": (answer(403, b"<html>denied</html>"), Blocked),
    "451": (answer(451), Blocked),
    "405": (answer(405), Banned),
    "a challenge": (answer(200, b"<html>Just a moment...</html>", content_type="text/html"), Banned),
    "503 for 9 s": (answer(503, retry_after="9"), Throttled),
}

DOCUMENTS = {
    "an error inside": b'{"code":-1121,"msg":"Invalid symbol.","message":"no","error":"no"}',
    "maintenance": b'{"status":"maintenance","message":"back soon"}',
    "another list": b'[{"a":1},{"b":2}]',
    "an empty list": b"[]",
    "an empty object": b"{}",
    "a list of nulls": b"[null,null]",
    "a pair of nothings": b"[{},{}]",
    "latin-1": '{"data":"é"}'.encode("latin-1"),
}
"""Whole documents that say nothing of what was asked."""

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

    server.script = [_by_request(server, behaviour)]
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


def cut_short(body: bytes, chance: random.Random) -> dict[str, tuple[Behaviour, type[ExchangeError]]]:
    """A true answer that ends too early, somewhere."""
    packed, at = gzip.compress(body), chance.randrange(len(body))
    packed_at = chance.randrange(1, len(packed))
    head = head_of(200, {"content-length": str(len(body))})
    return {
        f"cut at {at}": (then_close(head + body[:at]), Truncated),
        f"cut at {at}, no length": (then_close(head_of(200, {}) + body[:at]), Truncated),
        f"reset at {at}": (then_reset(head + body[:at]), Unreachable),
        f"gzip cut at {packed_at}": (
            then_close(head_of(200, {"content-encoding": "gzip"}) + packed[:packed_at]),
            Truncated,
        ),
    }


@every_exchange
async def test_every_broken_answer_is_an_error_of_its_class_at_every_kind_of_request(name: str) -> None:
    book, chance = await book_of(name), random.Random(f"{SEED} {name}")
    documents = {fault: (json_answer(body), None) for fault, body in DOCUMENTS.items()}
    cases = [
        Case(kind, fault, *of)
        for _ in range(trials(1))
        for kind, example in (book.lists | book.settlements).items()
        for fault, of in (
            QUICK | AWAY | documents | cut_short(book.tape.true_answer(example).body, chance)
        ).items()
    ]
    assert await all_outcomes(name, book, cases, AMPLE_SECONDS, 20) == [], f"FUNDWATCH_SEED={SEED}"


@every_exchange
async def test_what_never_ends_ends_with_the_deadline_and_delays_no_other_exchange(name: str) -> None:
    book = await book_of(name)
    other = "variational" if name != "variational" else "lighter"
    neighbour = await book_of(other)
    cases = [
        Case(kind, fault, of, TooSlow)
        for _ in range(trials(1))
        for kind in kinds_of(book)
        for fault, of in CALM.items()
    ]
    async with served(other, neighbour.tape) as (healthy, _):
        working = asyncio.create_task(all_outcomes(name, book, cases, DEADLINE_SECONDS, len(cases)))
        took = []
        while not working.done():
            began = time.monotonic()
            assert await lists(healthy) == []
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.02)
        assert await working == []
    assert max(took) < 1.0


@every_exchange
async def test_what_is_far_too_large_costs_little_memory(name: str) -> None:
    book = await book_of(name)
    kinds = kinds_of(book)
    memory = Memory()
    for at, fault in enumerate(HEAVY * trials(1)):
        kind = kinds[(SEED + at) % len(kinds)]
        memory.begin()
        case = Case(kind, fault, *BROKEN[fault])
        assert await outcome(name, book, case, AMPLE_SECONDS, markets=1) == []
        assert memory.grown_bytes() < MOST_BYTES, (kind, fault)


@every_exchange
async def test_a_server_that_is_not_there_or_never_says_hello_is_an_error(name: str) -> None:
    async with FaultServer(hang) as gone:
        pass
    async with FaultServer(hang, deaf=True) as deaf:
        for url, error in (
            (gone.url, Unreachable),
            (deaf.url.replace("http:", "https:"), TooSlow),
            (deaf.url, TooSlow),
        ):
            exchange = at(name, url, DEADLINE_SECONDS)
            began = time.monotonic()
            with pytest.raises(error):
                await lists(exchange)
            assert time.monotonic() - began < DEADLINE_SECONDS + 1
            await exchange.http.aclose()


ODD: dict[str, Callable[[bytes], Behaviour]] = {
    "hangs up after each answer": lambda body: then_close(
        head_of(200, {"content-length": str(len(body))}) + body
    ),
    "tells no length": lambda body: then_close(head_of(200, {}) + body),
    "sends chunks": lambda body: raw(
        head_of(200, {"transfer-encoding": "chunked"}) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    ),
    "compresses": lambda body: gzipped(gzip.compress(body, 1)),
    "begins with a byte order mark": lambda body: json_answer(b"\xef\xbb\xbf" + body),
    "calls it a page": lambda body: answer(200, body, content_type="text/html; charset=latin-1"),
}


@every_exchange
@pytest.mark.parametrize("habit", ODD)
async def test_a_server_with_odd_habits_is_served_all_the_same(name: str, habit: str) -> None:
    book = await book_of(name)

    def odd(asked: str) -> Behaviour:
        return ODD[habit](book.tape.true_answer(asked).body)

    async with served(name, book.tape) as (exchange, server):
        server.script = [_by_request(server, odd)]
        for _ in range(2):
            assert await lists(exchange) == []
            assert await settlements(exchange) == []


@every_exchange
async def test_the_environment_sends_no_request_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book = await book_of(name)
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with served(name, book.tape) as (exchange, _):
        assert await lists(exchange) == []


@every_exchange
async def test_a_venue_that_gives_the_same_page_for_ever_is_not_asked_for_ever(name: str) -> None:
    """The first answer of each kind is repeated, whatever window or market is asked for."""
    book = await book_of(name)
    first: dict[str, bytes] = {}

    def same_again(asked: str) -> Behaviour:
        return json_answer(first.setdefault(kind_of(asked), book.tape.true_answer(asked).body))

    async with served(name, book.tape) as (exchange, server):
        server.script = [_by_request(server, same_again)]
        wanted = wanted_of(name, 10 * 24)
        with suppress(ExchangeError):
            async for found in exchange.fetch_settlements(wanted):
                assert list(sanity.of_answer(found, wanted, NOW)) == []
        assert len(server.requests) <= MOST_REQUESTS


def _by_request(server: FaultServer, behaviour: Callable[[str], Behaviour]) -> Behaviour:
    """What `behaviour` makes of the request that just came."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        request = server.requests[-1]
        await behaviour(f"{request.method} {request.target} {request.body.decode()}".strip())(writer)

    return behave
