"""Each adapter against servers that misbehave in every way, at each kind of request that it makes.

Everything over real sockets; the rest of what the adapter asks is answered as the exchange would.
`FUNDWATCH_TRIALS=10` multiplies the trials, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import asyncio
import gzip
import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    ExchangeError,
    Throttled,
    TooSlow,
    Truncated,
    Unreachable,
)
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
from tests.rigs.misbehaving import (
    AMPLE_SECONDS,
    NOW,
    Case,
    all_outcomes,
    at,
    book_of,
    by_request,
    kinds_of,
    lists,
    outcome,
    served,
    settlements,
)
from tests.rigs.stopwatch import Stopwatch
from tests.rigs.tape import kind_of, wanted_of

DEADLINE_SECONDS = 0.4
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
        working = asyncio.create_task(all_outcomes(name, book, cases, DEADLINE_SECONDS, 40))
        took = []
        while not working.done():
            async with Stopwatch() as watch:
                assert await lists(healthy) == []
                took.append(watch.seconds())
            await asyncio.sleep(0.02)
        assert await working == []
    assert max(took) < DEADLINE_SECONDS + 5


@every_exchange
async def test_what_is_far_too_large_costs_little_memory(name: str) -> None:
    book = await book_of(name)
    kinds = kinds_of(book)
    memory = Memory()
    for number, fault in enumerate(HEAVY * trials(1)):
        kind = kinds[(SEED + number) % len(kinds)]
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
            async with at(name, url, DEADLINE_SECONDS) as exchange, Stopwatch() as watch:
                with pytest.raises(error):
                    await lists(exchange)
                assert watch.seconds() < DEADLINE_SECONDS + 1


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
        server.script = [by_request(server, odd)]
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
        server.script = [by_request(server, same_again)]
        wanted = wanted_of(name, 10 * 24)
        with suppress(ExchangeError):
            async for found in exchange.fetch_settlements(wanted):
                assert list(sanity.of_answer(found, wanted, NOW)) == []
        assert len(server.requests) <= MOST_REQUESTS
