import pytest

from fundwatch.exchanges.errors import (
    ExchangeError,
    ServerFault,
)
from fundwatch.exchanges.http import Limit
from tests.door import GOOD, SPEND, door
from tests.fault_server import (
    Behaviour,
    FaultServer,
    answer,
    json_answer,
)
from tests.virtual_time import VirtualClock


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 526])
async def test_a_fault_that_passes_is_survived(status: int) -> None:
    clock = VirtualClock()
    async with (
        FaultServer(answer(status), json_answer(GOOD)) as server,
        door(server.url, clock=clock) as http,
    ):
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
    async with FaultServer(answer(500)) as server, door(server.url) as http:
        for _ in range(5):
            with pytest.raises(ServerFault):
                await http.get("/", spend=SPEND)
        server.script[:] = [answer(500), json_answer()]
        with pytest.raises(ServerFault):
            await http.get("/", spend=SPEND)
        for _ in range(10):
            await http.get("/", spend=SPEND)
        server.script[:] = [answer(500), json_answer(GOOD)]
        assert await http.get("/", spend=SPEND) == GOOD


async def test_every_attempt_pays_from_the_budget() -> None:
    clock = VirtualClock()
    async with FaultServer(answer(500)) as server, door(server.url, clock=clock, limit=Limit(10, 60)) as http:
        with pytest.raises(ServerFault):
            await http.get("/", spend={"weight": 4})
    assert sum(clock.slept) > 59, "8 of 10 were spent by two attempts, the third waits for room"


@pytest.mark.parametrize("behaviour", [answer(400), answer(302), json_answer(b"OK"), answer(404)])
async def test_what_asking_again_cannot_help_is_not_asked_again(behaviour: Behaviour) -> None:
    async with FaultServer(behaviour) as server, door(server.url) as http:
        with pytest.raises(ExchangeError):
            await http.get("/", spend=SPEND)
    assert len(server.requests) == 1
