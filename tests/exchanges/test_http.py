import asyncio
import gzip
import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import which
from urllib.parse import quote

import pytest

from fundwatch.exchanges import http as http_module
from fundwatch.exchanges.budget import in_background
from fundwatch.exchanges.errors import (
    Unreachable,
)
from tests.door import DEADLINE, GOOD, SPEND, door, outcome, until
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
)


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
        raw(
            b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + head_of(200, {"content-length": str(len(GOOD))}) + GOOD
        ),
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
            await asyncio.sleep(0.05)
        assert (server.connections, http.requests) == (4, 4)


async def test_a_connection_that_died_unseen_is_replaced_by_the_retry() -> None:
    async with FaultServer(json_answer(), hang, json_answer()) as server:
        async with door(server.url, deadline_seconds=2 * DEADLINE) as http:
            await http.get("/", spend=SPEND)
            assert await http.get("/", spend=SPEND) == b'{"ok":true}'
        assert server.connections == 2


async def test_a_retry_takes_a_new_connection_though_others_lie_idle() -> None:
    """After a sleep all that lie idle may be dead."""
    async with (
        FaultServer(json_answer()) as server,
        door(server.url, deadline_seconds=2 * DEADLINE) as http,
    ):
        await asyncio.gather(*(http.get("/", spend=SPEND) for _ in range(3)))
        assert server.connections == 3
        server.script[:] = [hang, json_answer()]
        assert await http.get("/", spend=SPEND) == b'{"ok":true}'
        assert server.connections == 4
        await http.get("/", spend=SPEND)
        assert server.connections == 4, "what is sent for the first time goes by one that is there"


async def test_cancelled_requests_give_back_their_places() -> None:
    async with FaultServer(*[hang] * 60, json_answer()) as server, door(server.url) as http:
        for background in (False, True, False):
            in_background.set(background)
            tasks = [asyncio.create_task(http.get("/", spend=SPEND)) for _ in range(20)]
            await asyncio.sleep(0.05)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        server.script[:] = [json_answer()]
        async with asyncio.timeout(3):
            assert await asyncio.gather(*(http.get("/", spend=SPEND) for _ in range(30)))


async def test_requests_at_once_are_few_and_background_leaves_room_for_live_ones() -> None:
    async with FaultServer(hang) as server, door(server.url) as http:
        in_background.set(True)
        waiting = [asyncio.create_task(http.get("/", spend=SPEND)) for _ in range(40)]
        await until(lambda: len(server.requests) == 8)
        in_background.set(False)
        waiting += [asyncio.create_task(http.get("/live", spend=SPEND)) for _ in range(2)]
        await until(lambda: len(server.requests) == 10)
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
        options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
        subprocess.run(
            ["openssl", *options.split(), "-keyout", key, "-out", cert, "-addext", f"subjectAltName={name}"],
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
