"""Each adapter behind a network that misbehaves: names, certificates, dead connections, toxic lines.

Everything over real sockets. `FUNDWATCH_TRIALS=10` multiplies the mixed lines, `FUNDWATCH_SEED` moves them; a
failure names its seed.
"""

import asyncio
import random
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.exchanges import http as http_module
from fundwatch.exchanges.base import Exchange
from fundwatch.exchanges.errors import ExchangeError, TooSlow, Truncated, Unreachable
from fundwatch.exchanges.lookups import Lookups
from tests.commands.processes import Household
from tests.rigs.certificates import Certificates, made_in
from tests.rigs.kill import SEED, trials
from tests.rigs.misbehaving import (
    AMPLE_SECONDS,
    Book,
    at,
    book_of,
    lists,
    served,
    serving,
    settlements,
    truly,
)
from tests.rigs.stopwatch import Stopwatch
from tests.rigs.toxics import PURE, Relay, Toxic

DEADLINE_SECONDS = 0.4
RESUME_DEADLINE_SECONDS, RESUMED_SECONDS = 0.8, 10.0
"""For each request, and for lists and settlements when each connection is half-open: two deadlines for each
request in a row."""
TRIES = 5
"""On a busy machine a request may miss so short a deadline though nothing is wrong."""

RETRIES_EARNED_BY = 60
"""Good answers, of which each earns a part of a retry."""

every_exchange = pytest.mark.parametrize("name", REGISTRY)


async def taken(exchange: Exchange, book: Book) -> list[str]:
    """What was refused or failed of lists and settlements."""
    return [*await lists(exchange), *(await settlements(exchange) if book.settlements else [])]


async def recovered(exchange: Exchange, book: Book) -> bool:
    """Whether all comes now that the line is well."""
    for _ in range(TRIES):
        with suppress(ExchangeError):
            if await taken(exchange, book) == []:
                return True
    return False


async def raised(exchange: Exchange, book: Book) -> list[str]:
    """The class of error that lists come to, and settlements where they are asked for."""
    found = []
    with pytest.raises(ExchangeError) as of_lists:
        await lists(exchange)
    found.append(of_lists.type.__name__)
    if book.settlements:
        try:
            assert await settlements(exchange) != []
        except ExchangeError as error:
            found.append(type(error).__name__)
    return found


# Names

Resolver = Callable[..., Any]


@contextmanager
def resolving(name: str, answer: Resolver, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`answer` is what comes of looking up `name`; other names are looked up as ever."""
    real = socket.getaddrinfo

    def lookup(host: str | bytes, *more: Any, **named: Any) -> Any:
        asked = host.decode() if isinstance(host, bytes) else host
        return answer() if asked == name else real(host, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", lookup)
        yield


@every_exchange
@pytest.mark.parametrize("code", [socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL])
async def test_a_name_that_cannot_be_looked_up_is_unreachable(
    name: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = await book_of(name)

    def fails() -> Any:
        raise socket.gaierror(code, "Temporary failure in name resolution")

    async with at(name, "http://venue.example", AMPLE_SECONDS) as exchange:
        with resolving("venue.example", fails, monkeypatch):
            assert set(await raised(exchange, book)) == {"Unreachable"}


@every_exchange
async def test_a_lookup_that_stalls_ends_with_the_deadline_and_delays_no_other_exchange(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.get_running_loop().set_default_executor(Lookups())
    other = "variational" if name != "variational" else "lighter"
    neighbour = await book_of(other)
    over = threading.Event()
    async with AsyncExitStack() as held:
        server = await held.enter_async_context(serving(truly(neighbour.tape)))
        url = server.url.replace("127.0.0.1", "localhost")
        healthy = await held.enter_async_context(at(other, url, AMPLE_SECONDS))
        stalled = [
            await held.enter_async_context(at(name, "http://venue.example", DEADLINE_SECONDS))
            for _ in range(20)
        ]
        with resolving("venue.example", lambda: over.wait(30), monkeypatch):
            async with Stopwatch() as watch:
                ended = await asyncio.gather(*map(lists, stalled), return_exceptions=True)
                assert {type(error) for error in ended} == {TooSlow}
                assert watch.seconds() < DEADLINE_SECONDS + 1
            assert await lists(healthy) == [], "the resolver still has not answered the others"
        over.set()


_STALLING = """
import socket, sys, time
def stalls(*words, **named):
    print("asked", flush=True)
    time.sleep(60)
socket.getaddrinfo = stalls
from fundwatch.cli import main
main(sys.argv[1:])
"""


def test_a_process_ends_at_once_also_while_names_are_looked_up(tmp_path: Path) -> None:
    household = Household(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-c", _STALLING, "--db", str(tmp_path / "f.db"), "--collect-only"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=household.environment,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"asked")
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


# Certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if not which("openssl"):
        pytest.skip("no openssl here to make certificates with")
    return made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Certificates]:
    """The authority is trusted as those are that SSL_CERT_FILE names."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    http_module._ssl_context.cache_clear()
    yield certificates
    http_module._ssl_context.cache_clear()


@every_exchange
@pytest.mark.parametrize("wrong", ["expired", "elsewhere", "stranger", "self-signed"])
async def test_a_server_with_a_wrong_certificate_hears_nothing(
    name: str, wrong: str, trusted: Certificates
) -> None:
    book = await book_of(name)
    async with (
        serving(truly(book.tape), trusted.contexts[wrong]) as server,
        at(name, server.url, AMPLE_SECONDS) as exchange,
    ):
        assert set(await raised(exchange, book)) == {"Unreachable"}
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await lists(exchange)
    assert server.requests == []


@every_exchange
async def test_a_server_with_a_right_certificate_is_served(name: str, trusted: Certificates) -> None:
    book = await book_of(name)
    async with (
        serving(truly(book.tape), trusted.contexts["good"]) as server,
        at(name, server.url, AMPLE_SECONDS) as exchange,
    ):
        assert await taken(exchange, book) == []


@every_exchange
async def test_a_server_that_speaks_no_tls_where_it_should_is_an_error(name: str) -> None:
    book = await book_of(name)
    async with (
        serving(truly(book.tape)) as server,
        at(name, server.url.replace("http:", "https:"), DEADLINE_SECONDS) as exchange,
    ):
        assert set(await raised(exchange, book)) <= {"Unreachable", "TooSlow"}
    assert server.requests == []


# Connections that end between two sweeps


@every_exchange
async def test_connections_that_the_server_ends_between_sweeps_cost_no_request(name: str) -> None:
    book = await book_of(name)
    async with served(name, book.tape) as (exchange, server):
        sent = []
        for _ in range(3):
            assert await taken(exchange, book) == []
            sent.append(len(server.requests))
            await server.hang_up()
        assert sent[2] - sent[1] <= sent[0], "each request was sent once"


@every_exchange
async def test_after_a_resume_half_open_connections_lose_nothing(name: str) -> None:
    """However many of them lie in the pool: what is asked again goes a new way."""
    book = await book_of(name)
    async with (
        serving(truly(book.tape)) as server,
        Relay(server.url) as relay,
        at(name, relay.url, RESUME_DEADLINE_SECONDS, retries=True) as exchange,
    ):
        while exchange.http.requests < RETRIES_EARNED_BY:
            assert await taken(exchange, book) == []
        await asyncio.gather(*(lists(exchange) for _ in range(3)))
        relay.forget()
        half_open = relay.connections
        async with Stopwatch() as watch:
            assert await taken(exchange, book) == []
            assert watch.seconds() < RESUMED_SECONDS
        assert relay.connections > half_open


# Lines

BEARABLE = {
    "late": Toxic(latency_seconds=0.03, jitter_seconds=0.03),
    "narrow": Toxic(bytes_per_second=500_000, slice_bytes=4096),
    "in slices": Toxic(slice_bytes=61),
    "slow to close": Toxic(linger_seconds=0.1),
}
UNBEARABLE = {
    "far too late": (Toxic(latency_seconds=2.0), TooSlow),
    "far too narrow": (Toxic(bytes_per_second=100, slice_bytes=10), TooSlow),
    "cut off": (Toxic(most_bytes=60), Truncated),
}


@every_exchange
@pytest.mark.parametrize("line", BEARABLE)
async def test_a_line_that_is_only_bad_brings_everything(name: str, line: str) -> None:
    book = await book_of(name)
    async with serving(truly(book.tape)) as server, Relay(server.url) as relay:
        relay.toxic = BEARABLE[line]
        async with at(name, relay.url, AMPLE_SECONDS) as exchange:
            assert await taken(exchange, book) == []


@every_exchange
@pytest.mark.parametrize("line", UNBEARABLE)
async def test_a_line_that_is_too_bad_is_an_error_of_its_class(name: str, line: str) -> None:
    book = await book_of(name)
    toxic, error = UNBEARABLE[line]
    async with serving(truly(book.tape)) as server, Relay(server.url) as relay:
        relay.toxic = toxic
        async with at(name, relay.url, DEADLINE_SECONDS) as exchange:
            assert set(await raised(exchange, book)) == {error.__name__}
            relay.toxic = PURE
            assert await recovered(exchange, book)


@every_exchange
async def test_a_line_that_is_down_is_unreachable_until_it_is_up_again(name: str) -> None:
    book = await book_of(name)
    async with (
        serving(truly(book.tape)) as server,
        Relay(server.url) as relay,
        at(name, relay.url, AMPLE_SECONDS) as exchange,
    ):
        assert await taken(exchange, book) == []
        await relay.down()
        assert set(await raised(exchange, book)) == {"Unreachable"}
        await relay.up()
        assert await taken(exchange, book) == []


def drawn(dice: random.Random) -> Toxic:
    """Half of the lines can be lived with."""
    return Toxic(
        latency_seconds=dice.choice([0, 0, 0.02, 0.1, 1.0]),
        jitter_seconds=dice.choice([0, 0.02, 0.2]),
        bytes_per_second=dice.choice([1e9, 1e9, 1e6, 1e4]),
        slice_bytes=dice.choice([7, 97, 1000, 65_536, 65_536]),
        linger_seconds=dice.choice([0, 0, 0.1]),
        most_bytes=dice.choice([1e9, 1e9, 1e9, 5000, 300, 1]),
    )


@every_exchange
async def test_mixed_lines_bring_what_is_right_or_an_error_and_leave_nothing_behind(name: str) -> None:
    """What comes in spite of them is held against sanity inside; once the line is well all is there again."""
    book = await book_of(name)
    async with (
        serving(truly(book.tape)) as server,
        Relay(server.url, f"{SEED} {name}") as relay,
        at(name, relay.url, DEADLINE_SECONDS, retries=True) as exchange,
    ):
        for trial in range(trials(2)):
            told = f"FUNDWATCH_SEED={SEED}, {name}, line {trial}"
            dice = random.Random(f"{SEED} {name} {trial}")
            relay.draw = partial(drawn, dice)
            for part in (lists, settlements):
                with suppress(ExchangeError):
                    await part(exchange)
                assert exchange.http.ban() is None, told
                if dice.random() < 0.3:
                    await relay.down()
                    await relay.up()
            relay.toxic = PURE
            assert await recovered(exchange, book), told
