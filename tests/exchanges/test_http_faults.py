import asyncio
import gzip
import json
import time
import tracemalloc

import pytest

from fundwatch.exchanges.errors import (
    Drift,
    ExchangeError,
    Refused,
    ServerFault,
    TooSlow,
    Truncated,
    Unreachable,
)
from tests.door import COMPRESSED, DEADLINE, GOOD, SPEND, door, outcome, until
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
        await until(lambda: server.connections == 1)
        await asyncio.sleep(0.05)
        assert server.hung_up == 0
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: server.hung_up == 1)


async def test_what_hangs_is_asked_only_once_more() -> None:
    async with FaultServer(hang) as server, door(server.url, deadline_seconds=DEADLINE) as http:
        with pytest.raises(TooSlow):
            await http.get("/", spend=SPEND)
    assert len(server.requests) == 2


async def test_answers_that_are_not_read_to_their_end_give_back_their_connections() -> None:
    script = [answer(200, GOOD, content_encoding="br")] * 40
    async with FaultServer(*script, json_answer(GOOD)) as server, door(server.url) as http:
        for _ in script:
            with pytest.raises(Drift):
                await http.get("/", spend=SPEND)
        assert await http.get("/", spend=SPEND) == GOOD


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


@pytest.mark.parametrize(
    "name", ["a gzip bomb", "gzip twice", "endless chunks", "17 MB", "a header of a megabyte"]
)
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
    [
        "/markets",
        "http://169.254.169.254/latest",
        "//evil.example",
        "http://[bad",
        "",
        "\x7f:\xff",
        "file:///etc",
    ],
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
    body = json.dumps(
        {"code": -1121, "msg": "Invalid \x1b]52;c;ZXZpbA==\x07sym\u202ebol.\nx" + "y" * 500}
    ).encode()
    error = await outcome(answer(400, body))
    assert isinstance(error, Refused)
    assert error.message.startswith("refused the request (HTTP 400): Invalid ]52;c;ZXZpbA==symbol. x")
    assert error.message.isprintable()
    assert len(error.message) < 200


async def test_a_library_error_with_outside_bytes_is_cleaned() -> None:
    error = await outcome(raw(b"HTTP/1.1 200 OK\r\n\x1b]0;evil\x07: x\r\n\r\n"))
    assert isinstance(error, Truncated)
    assert error.message.isprintable()
