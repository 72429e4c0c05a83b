import asyncio
import socket
import time

import httpx
import pytest

from fundwatch.demo.world import DemoWorld
from tests.demo.conftest import HOUR, NOW, Asker, Clock


async def test_a_connection_serves_many_requests(ask: Asker) -> None:
    base = ask.world.base_urls["variational"].removeprefix("http://")
    host, port = base.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for _ in range(3):
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: demo\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


async def test_a_large_answer_is_compressed_for_those_who_ask_except_at_extended(ask: Asker) -> None:
    large = await ask.raw("variational", "/metadata/stats")
    small = await ask.raw("paradex", "/v1/markets/summary", market="BTC-USD-PERP")
    extended = await ask.raw("extended", "/api/v1/info/markets")
    assert large.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in small.headers
    assert "content-encoding" not in extended.headers
    plain = await ask.client.get(
        ask.world.base_urls["variational"] + "/metadata/stats", headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.json() == large.json()


async def test_a_request_above_the_limit_is_refused_and_told_when_to_come_back(clock: Clock) -> None:
    async with DemoWorld(now=clock, scale=1.0) as world, httpx.AsyncClient(trust_env=False) as client:
        url = world.base_urls["lighter"] + "/api/v1/funding-rates"
        answers = [await client.get(url) for _ in range(61)]
        assert [a.status_code for a in answers] == [200] * 60 + [429]
        assert answers[-1].json() == {"code": 23000, "message": "Too Many Requests!"}
        assert answers[-1].headers["retry-after"] == "60"
        clock.time += 60
        assert (await client.get(url)).status_code == 200


async def test_binance_counts_weight_and_bans_who_goes_on(clock: Clock) -> None:
    async with DemoWorld(now=clock, scale=0.05) as world, httpx.AsyncClient(trust_env=False) as client:
        url = world.base_urls["binance"] + "/fapi/v1/ticker/24hr"
        answers = [await client.get(url) for _ in range(10)]
        assert [a.status_code for a in answers[:4]] == [200, 200, 200, 429]
        assert [a.headers["x-mbx-used-weight-1m"] for a in answers[:3]] == ["40", "80", "120"]
        banned = answers[-1]
        assert banned.status_code == 418
        assert f"IP banned until {int((NOW + 120) * 1000)}" in banned.json()["msg"]
        clock.time += 121
        assert (await client.get(url)).status_code == 200


async def test_binance_history_has_a_budget_of_its_own(clock: Clock) -> None:
    async with DemoWorld(now=clock, scale=0.004) as world, httpx.AsyncClient(trust_env=False) as client:
        url = world.base_urls["binance"] + "/fapi/v1/fundingRate"
        statuses = [(await client.get(url, params={"symbol": "BTCUSDT"})).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_rows_of_hyperliquid_s_history_cost_extra(ask: Asker) -> None:
    start = (HOUR - 479 * 3600) * 1000
    rows = await ask.info(type="fundingHistory", coin="BTC", startTime=start)
    assert len(rows) == 480
    assert ask.world.log("hyperliquid")[-1].weight == {"weight": 20 + 24}


async def test_the_log_says_what_was_asked_and_answered(ask: Asker) -> None:
    await ask.raw("binance", "/fapi/v1/premiumIndex", symbol="NOSUCH")
    await ask.info(type="metaAndAssetCtxs", dex="mkts")
    asked = ask.world.log("binance")[-1]
    assert (asked.path, asked.params, asked.status) == ("/fapi/v1/premiumIndex", {"symbol": "NOSUCH"}, 400)
    assert asked.time == NOW
    assert ask.world.log("hyperliquid")[-1].params == {"type": "metaAndAssetCtxs", "dex": "mkts"}


async def test_a_delay_holds_answers_back(ask: Asker) -> None:
    ask.world.delay("variational", 0.2)
    start = time.monotonic()
    await ask.raw("variational", "/nothing")
    assert time.monotonic() - start >= 0.19


def test_a_world_can_live_in_its_own_thread_and_end() -> None:
    world = DemoWorld(exchanges=["variational"])
    assert list(world.start().base_urls) == ["variational"]
    url = world.base_urls["variational"] + "/metadata/stats"
    assert httpx.get(url, trust_env=False).status_code == 200
    world.stop()
    with pytest.raises(httpx.TransportError):
        httpx.get(url, trust_env=False)


def test_a_port_that_is_taken_is_an_error_not_a_hang() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="address already in use"):
            DemoWorld(port=taken.getsockname()[1], exchanges=["aster"]).start()


async def test_an_unknown_exchange_is_named() -> None:
    with pytest.raises(KeyError, match="no demo exchange 'kraken'"):
        DemoWorld().fault("kraken", "451")
