import asyncio
import gc
import gzip
import json
import logging
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import which
from urllib.parse import quote

import pytest

from fundwatch.clock import Clock, SystemClock
from fundwatch.exchanges import http as http_module
from fundwatch.exchanges.bans import Ban, BanBook, MemoryBans
from fundwatch.exchanges.budget import in_background
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    Drift,
    ExchangeError,
    Refused,
    ServerFault,
    Throttled,
    TooSlow,
    Truncated,
    Unreachable,
)
from fundwatch.exchanges.http import Http, Limit
from tests.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    bomb,
    double_bomb,
    dripped,
    endless,
    gzipped,
    hang,
    head_of,
    json_answer,
    pieces,
    raw,
    then_close,
    then_hang,
    then_reset,
)
from tests.virtual_time import VirtualClock

SPEND = {"weight": 1.0}
DEADLINE = 0.25
GOOD = b'{"rate":"0.0000125"}'
COMPRESSED = gzip.compress(GOOD * 50)


@asynccontextmanager
async def door(
    url: str,
    *,
    clock: Clock | None = None,
    bans: BanBook | None = None,
    deadline_seconds: float = 5.0,
    limit: Limit = Limit(100_000, 60),
    proxy: str = "",
    hint: str = "",
) -> AsyncIterator[Http]:
    http = Http(
        name="venue",
        base_url=url,
        limits={"weight": limit},
        clock=clock or VirtualClock(),
        bans=MemoryBans() if bans is None else bans,
        deadline_seconds=deadline_seconds,
        proxy=proxy,
        blocked_hint=hint,
    )
    try:
        yield http
    finally:
        await http.aclose()


async def outcome(*script: Behaviour, deadline_seconds: float = 5.0) -> bytes | ExchangeError:
    async with FaultServer(*script) as server, door(server.url, deadline_seconds=deadline_seconds) as http:
        try:
            return await http.get("/markets", {"limit": 5}, spend=SPEND)
        except ExchangeError as error:
            return error


# What arrives whole


async def test_a_document_arrives_as_it_was_sent_and_the_request_names_us() -> None:
    async with FaultServer(json_answer(GOOD)) as server, door(server.url) as http:
        assert await http.get("/markets", {"symbol": "BTC USD", "limit": 5}, spend=SPEND) == GOOD
        assert http.requests == 1
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/markets?symbol=BTC+USD&limit=5")
    assert request.headers["user-agent"].startswith("fundwatch/")
    assert request.headers["accept-encoding"] == "gzip"


async def test_a_posted_body_is_json() -> None:
    async with FaultServer(json_answer(b"[]")) as server, door(server.url) as http:
        assert await http.post("/info", {"type": "perpDexs"}, spend=SPEND) == b"[]"
    (request,) = server.requests
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"type": "perpDexs"}


@pytest.mark.parametrize(
    "behaviour",
    [
        gzipped(gzip.compress(GOOD)),
        answer(200, GOOD, content_type="text/html"),
        answer(200, b"\xef\xbb\xbf" + GOOD),
        raw(b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + head_of(200, {"content-length": str(len(GOOD))}) + GOOD),
        then_close(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + GOOD),
    ],
    ids=["gzip", "wrong content-type", "byte order mark", "a 103 before it", "without a length"],
)
async def test_good_json_is_taken_however_it_is_wrapped(behaviour: Behaviour) -> None:
    assert await outcome(behaviour) == GOOD


async def test_null_is_a_document() -> None:
    assert await outcome(json_answer(b" null\n")) == b" null\n"


async def test_a_hostile_symbol_stays_one_segment_of_the_path() -> None:
    symbol = "../..//evil.example/x?y#z%00@\r\nHost: evil"
    async with FaultServer(json_answer()) as server, door(server.url) as http:
        await http.get(f"/info/{quote(symbol, safe='')}/funding", spend=SPEND)
    (request,) = server.requests
    assert request.target == f"/info/{quote(symbol, safe='')}/funding"
    assert request.headers["host"] == server.url.removeprefix("http://")


# What never arrives, or not whole

CHUNKED = head_of(200, {"transfer-encoding": "chunked"})
LONG = head_of(200, {"content-length": "1000000"})

SLOW: dict[str, Behaviour] = {
    "hangs after accepting": hang,
    "hangs inside the headers": then_hang(b"HTTP/1.1 200 OK\r\ncontent-"),
    "hangs after the headers": then_hang(LONG),
    "hangs inside the body": then_hang(LONG + b'{"a":'),
    "drips its headers": dripped(head_of(200, {"x": "y" * 1000})),
    "drips its body": dripped(b"[" * 1000, prefix=LONG),
    "drips chunks": dripped(b"1\r\n[\r\n" * 1000, prefix=CHUNKED),
    "sends 1xx for ever": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW.keys())
async def test_the_deadline_ends_what_never_ends(behaviour: Behaviour) -> None:
    began = time.monotonic()
    error = await outcome(behaviour, deadline_seconds=DEADLINE)
    assert isinstance(error, TooSlow)
    assert time.monotonic() - began < 2.5 * DEADLINE + 1, "with its one retry"


async def test_a_server_that_only_accepts_is_too_slow() -> None:
    async with (
        FaultServer(hang, deaf=True) as server,
        door(server.url, deadline_seconds=DEADLINE) as http,
    ):
        with pytest.raises(TooSlow):
            await http.get("/", spend=SPEND)


async def test_a_tls_handshake_that_never_completes_is_too_slow() -> None:
    async with (
        FaultServer(hang, deaf=True) as server,
        door(server.url.replace("http:", "https:"), deadline_seconds=DEADLINE) as http,
    ):
        with pytest.raises(TooSlow):
            await http.get("/", spend=SPEND)


async def test_a_cancelled_tls_handshake_leaves_no_socket_open() -> None:
    async with (
        FaultServer(hang, deaf=True) as server,
        door(server.url.replace("http:", "https:")) as http,
    ):
        asking = asyncio.create_task(http.get("/", spend=SPEND))
        await asyncio.sleep(0.1)
        assert server.connections == 1
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        gc.collect()


async def test_a_refused_connection_is_unreachable() -> None:
    async with FaultServer(hang) as server:
        pass
    async with door(server.url) as http:
        with pytest.raises(Unreachable):
            await http.get("/", spend=SPEND)


async def test_an_unknown_host_is_unreachable() -> None:
    async with door("https://venue.invalid") as http:
        with pytest.raises(Unreachable):
            await http.get("/", spend=SPEND)


BROKEN: dict[str, tuple[Behaviour, type[ExchangeError]]] = {
    "reset at once": (then_reset(), Unreachable),
    "reset inside the headers": (then_reset(b"HTTP/1.1 200 OK\r\nx: "), Unreachable),
    "reset inside the body": (then_reset(LONG + b'{"a":'), Unreachable),
    "closed at once": (then_close(), Truncated),
    "closed inside the headers": (then_close(b"HTTP/1.1 200 OK\r\nx: "), Truncated),
    "cut before its length": (then_close(LONG + b'{"a":'), Truncated),
    "cut inside a chunk": (then_close(CHUNKED + b'ff\r\n{"a":'), Truncated),
    "cut before the last chunk": (then_close(CHUNKED + b"2\r\n{}\r\n"), Truncated),
    "cut without a length": (then_close(b"HTTP/1.1 200 OK\r\n\r\n" + b'{"a":[{"b":1}'), Truncated),
    "empty": (answer(200), Truncated),
    "gzip cut short": (gzipped(COMPRESSED[:-9]), Truncated),
    "gzip cut without a length": (
        then_close(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + COMPRESSED[:-4]),
        Truncated,
    ),
    "gzip corrupt": (gzipped(COMPRESSED[:15] + b"\xff\xff" + COMPRESSED[17:]), Truncated),
    "gzip with a wrong checksum": (gzipped(COMPRESSED[:-8] + bytes(8)), Truncated),
    "data after gzip": (gzipped(gzip.compress(GOOD) + b"more"), Truncated),
    "a second gzip after gzip": (gzipped(gzip.compress(GOOD) * 2), Truncated),
    "gzip in name only": (gzipped(GOOD), Truncated),
    "not HTTP": (then_close(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Truncated),
    "a header of a megabyte": (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2**20), Truncated),
    "an endless chunk extension": (endless(CHUNKED + b"1;", b"x" * 4096), Truncated),
    "brotli": (answer(200, GOOD, content_encoding="br"), Drift),
    "gzip twice": (answer(200, double_bomb(64), content_encoding="gzip, gzip"), Drift),
    "a gzip bomb": (gzipped(bomb(64)), Drift),
    "endless chunks": (endless(CHUNKED + b"1\r\n[\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"), Drift),
    "17 MB": (
        pieces(head_of(200, {"content-length": str(17 * 2**20)}), lambda: (bytes(2**16) for _ in range(272))),
        Drift,
    ),
    "UTF-16": (json_answer(GOOD.decode().encode("utf-16")), Drift),
    "no JSON": (json_answer(b"OK"), Drift),
    "nested without end": (json_answer(b"[" * 100_000), Drift),
    "NaN": (json_answer(b'{"rate":NaN}'), Truncated),
    "204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), Drift),
    "500": (answer(500), ServerFault),
    "502 with a page": (answer(502, b"<html>Bad Gateway</html>"), ServerFault),
    "525": (answer(525), ServerFault),
    "400": (answer(400, b'{"code":-1121,"msg":"Invalid symbol."}'), Refused),
    "401": (answer(401), Refused),
    "404 with a page": (answer(404, b"<html>nowhere</html>"), Refused),
    "422": (answer(422, b"Failed to deserialize"), Refused),
}


@pytest.mark.parametrize(("behaviour", "error"), BROKEN.values(), ids=BROKEN.keys())
async def test_every_broken_answer_is_an_error_of_its_class(
    behaviour: Behaviour, error: type[ExchangeError]
) -> None:
    result = await outcome(behaviour)
    assert type(result) is error
    assert result.message.isprintable()
    assert "limit=5" not in result.message


@pytest.mark.parametrize("cut", range(0, len(GOOD), 3))
@pytest.mark.parametrize("prefix", [LONG, CHUNKED + b"ff\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
async def test_an_answer_cut_anywhere_is_never_taken(prefix: bytes, cut: int) -> None:
    assert isinstance(await outcome(then_close(prefix + GOOD[:cut])), Truncated)


@pytest.mark.parametrize("name", ["a gzip bomb", "gzip twice", "endless chunks", "17 MB", "a header of a megabyte"])
async def test_a_hostile_answer_costs_little_memory(name: str) -> None:
    async with FaultServer(BROKEN[name][0]) as server, door(server.url) as http:
        tracemalloc.start()
        try:
            with pytest.raises(ExchangeError):
                await http.get("/", spend=SPEND)
            assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
        finally:
            tracemalloc.stop()


async def test_a_large_honest_answer_is_taken() -> None:
    body = b"[" + b'"0123456789abcdef",' * 700_000 + b"0]"
    assert 12 * 2**20 < len(body) < 16 * 2**20
    assert await outcome(gzipped(gzip.compress(body, 1))) == body


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "where",
    ["/markets", "http://169.254.169.254/latest", "//evil.example", "http://[bad", "", "\x7f:\xff", "file:///etc"],
)
async def test_a_redirect_is_never_followed(status: int, where: str) -> None:
    async with FaultServer(answer(status, location=where)) as server, door(server.url) as http:
        with pytest.raises(Refused, match="redirects elsewhere"):
            await http.post("/info", {}, spend=SPEND)
    assert len(server.requests) == 1


async def test_a_redirect_to_another_server_leaves_that_server_alone() -> None:
    async with (
        FaultServer(json_answer()) as other,
        FaultServer(answer(307, location=other.url + "/x")) as server,
        door(server.url) as http,
    ):
        with pytest.raises(Refused):
            await http.get("/", spend=SPEND)
    assert other.connections == 0


async def test_the_venues_words_are_told_without_control_characters() -> None:
    body = json.dumps({"code": -1121, "msg": "Invalid \x1b]52;c;ZXZpbA==\x07sym\u202ebol.\nx" + "y" * 500}).encode()
    error = await outcome(answer(400, body))
    assert isinstance(error, Refused)
    assert error.message.startswith("refused the request (HTTP 400): -1121 Invalid ]52;c;ZXZpbA==symbol. x")
    assert error.message.isprintable()
    assert len(error.message) < 200


async def test_a_library_error_with_outside_bytes_is_cleaned() -> None:
    error = await outcome(raw(b"HTTP/1.1 200 OK\r\n\x1b]0;evil\x07: x\r\n\r\n"))
    assert isinstance(error, Truncated)
    assert error.message.isprintable()


# Connections


async def test_connections_are_kept_between_requests() -> None:
    async with FaultServer(json_answer()) as server, door(server.url) as http:
        for _ in range(5):
            await http.get("/", spend=SPEND)
        assert server.connections == 1


async def test_a_connection_that_the_server_closed_in_between_costs_nothing() -> None:
    async with (
        FaultServer(then_close(head_of(200, {"content-length": "2"}) + b"{}")) as server,
        door(server.url) as http,
    ):
        for _ in range(4):
            assert await http.get("/", spend=SPEND) == b"{}"
            await asyncio.sleep(0.02)
        assert (server.connections, http.requests) == (4, 4)


async def test_a_connection_that_died_unseen_is_replaced_by_the_retry() -> None:
    async with FaultServer(json_answer(), hang, json_answer()) as server:
        async with door(server.url, deadline_seconds=DEADLINE) as http:
            await http.get("/", spend=SPEND)
            assert await http.get("/", spend=SPEND) == b'{"ok":true}'
        assert server.connections == 2


async def test_cancelled_requests_give_back_their_places() -> None:
    async with FaultServer(*[hang] * 60, json_answer()) as server, door(server.url) as http:
        for background in (False, True, False):
            in_background.set(background)
            tasks = [asyncio.create_task(http.get("/", spend=SPEND)) for _ in range(20)]
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        server._script[:] = [json_answer()]
        async with asyncio.timeout(3):
            assert await asyncio.gather(*(http.get("/", spend=SPEND) for _ in range(30)))


async def test_requests_at_once_are_few_and_background_leaves_room_for_live_ones() -> None:
    async with FaultServer(hang) as server, door(server.url) as http:
        in_background.set(True)
        waiting = [asyncio.create_task(http.get("/", spend=SPEND)) for _ in range(40)]
        await asyncio.sleep(0.1)
        assert len(server.requests) == 8
        in_background.set(False)
        waiting += [asyncio.create_task(http.get("/live", spend=SPEND)) for _ in range(2)]
        await asyncio.sleep(0.1)
        assert [r.target for r in server.requests[8:]] == ["/live", "/live"]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_cookies_are_not_kept() -> None:
    async with FaultServer(json_answer(set_cookie="track=1; Path=/")) as server, door(server.url) as http:
        await http.get("/", spend=SPEND)
        await http.get("/", spend=SPEND)
    assert "cookie" not in server.requests[1].headers


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await outcome(json_answer(GOOD)) == GOOD


async def test_a_configured_proxy_is_the_only_way_there() -> None:
    async with FaultServer(json_answer(GOOD)) as proxy, door("http://venue.invalid", proxy=proxy.url) as http:
        assert await http.get("/markets", spend=SPEND) == GOOD
    assert proxy.requests[0].target == "http://venue.invalid/markets"


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[[str], tuple[ssl.SSLContext, Path]]:
    def make(name: str) -> tuple[ssl.SSLContext, Path]:
        if not which("openssl"):
            pytest.skip("no openssl here to make a certificate with")
        cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
        options = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x -keyout {key}"
        subprocess.run(
            ["openssl", *options.split(), "-out", cert, "-addext", f"subjectAltName={name}"],
            check=True,
            capture_output=True,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context, cert

    return make


@pytest.fixture
def fresh_trust() -> Iterator[None]:
    http_module._ssl_context.cache_clear()
    yield
    http_module._ssl_context.cache_clear()


async def test_a_self_signed_certificate_is_refused(
    certificate: Callable[[str], tuple[ssl.SSLContext, Path]],
) -> None:
    context, _ = certificate("IP:127.0.0.1")
    async with FaultServer(json_answer(), tls=context) as server, door(server.url) as http:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await http.get("/", spend=SPEND)
    assert server.requests == []


@pytest.mark.usefixtures("fresh_trust")
async def test_a_certificate_of_a_trusted_authority_must_also_be_for_this_host(
    certificate: Callable[[str], tuple[ssl.SSLContext, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, cert = certificate("IP:127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    async with FaultServer(json_answer(GOOD), tls=context) as server:
        async with door(server.url) as http:
            assert await http.get("/", spend=SPEND) == GOOD
        async with door(server.url.replace("127.0.0.1", "localhost")) as http:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await http.get("/", spend=SPEND)
    assert len(server.requests) == 1


# Retries


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 526])
async def test_a_fault_that_passes_is_survived(status: int) -> None:
    clock = VirtualClock()
    async with FaultServer(answer(status), json_answer(GOOD)) as server, door(server.url, clock=clock) as http:
        assert await http.get("/", spend=SPEND) == GOOD
        assert http.requests == len(server.requests) == 2
    (pause,) = clock.slept
    assert 0.5 <= pause <= 1.0


async def test_a_fault_that_stays_is_asked_three_times_with_growing_pauses() -> None:
    clock = VirtualClock()
    async with FaultServer(answer(503)) as server, door(server.url, clock=clock) as http:
        with pytest.raises(ServerFault):
            await http.get("/", spend=SPEND)
    assert len(server.requests) == 3
    assert 0.5 <= clock.slept[0] <= 1.0 <= clock.slept[1] <= 2.0


async def test_a_server_that_stays_down_soon_gets_one_request_for_each_of_ours() -> None:
    async with FaultServer(answer(500)) as server, door(server.url) as http:
        for _ in range(50):
            with pytest.raises(ServerFault):
                await http.get("/", spend=SPEND)
    assert len(server.requests) <= 53


async def test_retries_come_back_when_the_server_does() -> None:
    async with FaultServer(*[answer(500)] * 10, json_answer()) as server, door(server.url) as http:
        for _ in range(4):
            with pytest.raises(ServerFault):
                await http.get("/", spend=SPEND)
        for _ in range(20):
            await http.get("/", spend=SPEND) if len(server.requests) >= 10 else await _ignored(http)
        server._script[:] = [answer(500), json_answer()]
        assert await http.get("/", spend=SPEND) == b'{"ok":true}'


async def _ignored(http: Http) -> None:
    with pytest.raises(ServerFault):
        await http.get("/", spend=SPEND)


async def test_every_attempt_pays_from_the_budget() -> None:
    clock = VirtualClock()
    async with FaultServer(answer(500)) as server:
        async with door(server.url, clock=clock, limit=Limit(10, 60)) as http:
            with pytest.raises(ServerFault):
                await http.get("/", spend={"weight": 4})
    assert sum(clock.slept) >= 60, "8 of 10 were spent by two attempts, the third waits for room"


@pytest.mark.parametrize("behaviour", [answer(400), answer(302), json_answer(b"OK"), answer(404)])
async def test_what_asking_again_cannot_help_is_not_asked_again(behaviour: Behaviour) -> None:
    async with FaultServer(behaviour) as server, door(server.url) as http:
        with pytest.raises(ExchangeError):
            await http.get("/", spend=SPEND)
    assert len(server.requests) == 1


# Bans


async def test_nothing_is_sent_inside_a_ban_and_a_success_after_it_ends_it() -> None:
    clock, bans = VirtualClock(), MemoryBans()
    async with FaultServer(answer(429, retry_after="120"), json_answer()) as server:
        async with door(server.url, clock=clock, bans=bans) as http:
            with pytest.raises(Throttled) as caught:
                await http.get("/", spend=SPEND)
            until = clock.now() + 121
            assert caught.value.retry_at == pytest.approx(until)
            while clock.now() < until - 10:
                with pytest.raises(Throttled, match="nothing is sent before"):
                    await http.get("/", spend=SPEND)
                clock.advance(10)
            assert len(server.requests) == 1
            assert http.ban() is not None
            clock.advance(11)
            assert http.ban() is None
            await http.get("/", spend=SPEND)
            assert bans == {}
        assert len(server.requests) == http.requests == 2


async def test_a_ban_outlives_the_process() -> None:
    clock, bans = VirtualClock(), MemoryBans()
    until_ms = int((clock.now() + 3 * 86400) * 1000)
    told = json.dumps({"code": -1003, "msg": f"Way too many requests; IP banned until {until_ms}."}).encode()
    async with FaultServer(answer(418, told)) as server:
        async with door(server.url, clock=clock, bans=bans) as http:
            with pytest.raises(Banned):
                await http.get("/", spend=SPEND)
        for _ in range(71):
            clock.advance(3600)
            async with door(server.url, clock=clock, bans=bans) as http:
                with pytest.raises(Banned):
                    await http.get("/", spend=SPEND)
        assert len(server.requests) == 1
        clock.advance(3601)
        async with door(server.url, clock=clock, bans=bans) as http:
            with pytest.raises(Banned):
                await http.get("/", spend=SPEND)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "behaviour",
    [
        then_hang(head_of(429, {"retry-after": "600", "content-length": "10"})),
        then_reset(head_of(429, {"retry-after": "600", "content-length": "10"})),
        answer(429, b"???", retry_after="600", content_encoding="br"),
        answer(429, b"not gzip", retry_after="600", content_encoding="gzip"),
        answer(429, bomb(20), retry_after="600", content_encoding="gzip"),
        endless(head_of(429, {"retry-after": "600"}), b"x" * 4096),
        dripped(b"x" * 1000, prefix=head_of(429, {"retry-after": "600", "content-length": "1000"})),
    ],
    ids=["hangs", "is reset", "brotli", "bad gzip", "a bomb", "endless", "drips"],
)
async def test_a_ban_counts_whatever_becomes_of_its_body(behaviour: Behaviour) -> None:
    async with FaultServer(behaviour) as server, door(server.url, deadline_seconds=DEADLINE) as http:
        for _ in range(2):
            with pytest.raises(Throttled):
                await http.get("/", spend=SPEND)
    assert len(server.requests) == 1


async def test_requests_in_flight_together_earn_one_strike_and_keep_the_longest_ban() -> None:
    clock, bans = VirtualClock(), MemoryBans()
    script = [answer(429), answer(418, retry_after="3000"), *[answer(429)] * 4, json_answer()]
    async with FaultServer(*script) as server, door(server.url, clock=clock, bans=bans) as http:
        results = await asyncio.gather(
            *(http.get("/", spend=SPEND) for _ in range(7)), return_exceptions=True
        )
        ban = http.ban()
    assert len(server.requests) == 7
    assert [type(r) for r in results].count(bytes) == 1, "a good answer of the same moment ends no ban"
    assert ban is not None
    assert (ban.kind, ban.strikes) == ("banned", 1)
    assert ban.until == pytest.approx(clock.now() + 3001, abs=1)


async def test_a_ban_stops_those_that_wait_for_the_budget_or_for_their_retry() -> None:
    async with FaultServer(answer(500), answer(429)) as server, door(server.url) as http:
        results = await asyncio.gather(
            *(http.get("/", spend=SPEND) for _ in range(2)), return_exceptions=True
        )
    assert [type(r) for r in results] == [Throttled, Throttled]
    assert len(server.requests) == 2


async def test_bans_in_a_row_double_and_a_success_starts_over() -> None:
    clock = VirtualClock()
    script = [answer(429), answer(429), answer(429), json_answer(), json_answer(), answer(429)]
    async with FaultServer(*script) as server, door(server.url, clock=clock) as http:
        waits = []
        for _ in script:
            try:
                await http.get("/", spend=SPEND)
            except Throttled as error:
                assert error.retry_at is not None
                waits.append(error.retry_at - clock.now())
                clock.advance(waits[-1] + 1)
    for wait, own in zip(waits, (30, 60, 120, 30), strict=True):
        assert own <= wait <= own * 1.25


async def test_a_ban_told_inside_a_200_doubles_too() -> None:
    clock = VirtualClock()
    async with FaultServer(json_answer()) as server, door(server.url, clock=clock) as http:
        for own in (60, 120, 240):
            await http.get("/", spend=SPEND)
            error = http.stay_away("throttled", 60, "too many visits")
            assert isinstance(error, Throttled)
            assert error.retry_at is not None
            assert own <= error.retry_at - clock.now() <= own * 1.25
            with pytest.raises(Throttled, match="too many visits"):
                await http.get("/", spend=SPEND)
            clock.advance(own * 1.25 + 1)
    assert len(server.requests) == 3


async def test_a_ban_slows_us_down_afterwards() -> None:
    async with FaultServer(answer(429, retry_after="0")) as server, door(server.url) as http:
        before = http.seconds_for({"weight": 1000})
        with pytest.raises(Throttled):
            await http.get("/", spend=SPEND)
        assert http.seconds_for({"weight": 1000}) == pytest.approx(2 * before)


async def test_a_clock_set_back_by_a_month_does_not_keep_us_away_for_a_month() -> None:
    clock, bans = VirtualClock(), MemoryBans()
    bans.put("venue at 127.0.0.1", Ban("throttled", clock.now() + 30 * 86400, "too many requests"))
    async with FaultServer(json_answer()) as server, door(server.url, clock=clock, bans=bans) as http:
        with pytest.raises(Throttled):
            await http.get("/", spend=SPEND)
        clock.advance(1801)
        await http.get("/", spend=SPEND)


async def test_a_ban_concerns_one_exchange_at_one_host_by_one_way() -> None:
    bans = MemoryBans()
    async with FaultServer(answer(403)) as server, FaultServer(json_answer()) as proxy:
        async with door(server.url, bans=bans, hint="Use a proxy.") as http:
            with pytest.raises(Blocked, match=r"Use a proxy; nothing is sent before"):
                await http.get("/", spend=SPEND)
        async with door(server.url, bans=bans, proxy=proxy.url) as http:
            await http.get("/", spend=SPEND)
    assert len(bans) == 1


async def test_one_exchange_that_hangs_delays_no_other() -> None:
    async with FaultServer(hang) as dead, FaultServer(json_answer()) as alive:
        async with door(dead.url, deadline_seconds=1) as slow, door(alive.url, clock=SystemClock()) as fast:
            hanging = asyncio.create_task(slow.get("/", spend=SPEND))
            began = time.monotonic()
            for _ in range(20):
                await fast.get("/", spend=SPEND)
            assert time.monotonic() - began < 0.9
            assert not hanging.done()
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)


async def test_usage_that_the_venue_tells_is_counted_also_from_an_error() -> None:
    limits = {"weight": Limit(1000, 60, "X-Used")}
    async with FaultServer(answer(400, x_used="700"), json_answer(x_used="300")) as server:
        clock = VirtualClock()
        http = Http(name="v", base_url=server.url, limits=limits, clock=clock, bans=MemoryBans())
        with pytest.raises(Refused):
            await http.get("/", spend=SPEND)
        assert http.budget.snapshot() == {"weight": 700}
        await http.get("/", spend=SPEND)
        assert http.budget.snapshot() == {"weight": 701}
        await http.aclose()


async def test_bodies_of_errors_never_enter_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="fundwatch")
    error = await outcome(answer(405, b"<html>" + b"challenge" * 1000, x_amzn_waf_action="captcha"))
    assert isinstance(error, Banned)
    assert len(error.message) < 200
    assert "<html>" not in error.message
    assert caplog.records == []
