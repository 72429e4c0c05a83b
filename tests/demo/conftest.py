"""A demo world whose clock stands at a fixed moment, and a client that speaks plain HTTP to it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fundwatch.demo.world import DemoWorld

NOW = 1_795_171_363.0
"""2026-11-20 10:42:43 UTC."""

HOUR = int(NOW) // 3600 * 3600
MONTH_AGO = HOUR - 720 * 3600


@dataclass
class Clock:
    time: float = NOW

    def __call__(self) -> float:
        return self.time


@dataclass
class Asker:
    """Asks one exchange of a world and gives back status and document."""

    world: DemoWorld
    client: httpx.AsyncClient

    async def get(self, exchange: str, path: str, **params: Any) -> Any:
        response = await self.raw(exchange, path, **params)
        assert response.status_code == 200, response.text[:200]
        return response.json()

    async def raw(self, exchange: str, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(self.world.base_urls[exchange] + path, params=params)

    async def info(self, **body: Any) -> Any:
        response = await self.client.post(self.world.base_urls["hyperliquid"] + "/info", json=body)
        assert response.status_code == 200, response.text[:200]
        return response.json()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def world(clock: Callable[[], float]) -> AsyncIterator[DemoWorld]:
    async with DemoWorld(now=clock) as running:
        yield running


@pytest.fixture
async def ask(world: DemoWorld) -> AsyncIterator[Asker]:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        yield Asker(world, client)
