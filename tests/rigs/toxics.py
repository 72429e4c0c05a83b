"""A bad network between an adapter and its server: everything that passes goes through a relay.

async with Relay(server.url) as relay:
    relay.toxic = Toxic(latency_seconds=0.1, slice_bytes=7)
    Http(base_url=relay.url, ...)
"""

import asyncio
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Toxic:
    """What becomes of the bytes that a server sends. The end of a connection is passed on `linger_seconds`
    late; after `most_bytes` it is cut off."""

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float = math.inf
    slice_bytes: int = 2**16
    linger_seconds: float = 0.0
    most_bytes: float = math.inf


PURE = Toxic()


class Relay:
    """`draw` gives the toxic of each new connection; setting `toxic` gives all the same."""

    def __init__(self, url: str, seed: str = "") -> None:
        self.url = ""
        self.connections = 0
        self.draw: Callable[[], Toxic] = lambda: PURE
        self._server_port = urlsplit(url).port
        self._port = 0
        self._chance = random.Random(seed)
        self._age = 0
        """Connections that are older are forgotten."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def toxic(self) -> Toxic:
        return self.draw()

    @toxic.setter
    def toxic(self, toxic: Toxic) -> None:
        self.draw = lambda: toxic

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    async def up(self) -> None:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def down(self) -> None:
        """Nobody listens any more, and what was open is reset."""
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)
        self._writers.clear()

    def forget(self) -> None:
        """Connections up to now are half-open: they stand, and nothing passes in either direction, as after
        a sleep in which the other side, or the NAT between, has let go of them."""
        self._age = self.connections

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.create_task(self._serve(self.connections, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        toxic = self.draw()
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers.add(to_server)
        up = asyncio.create_task(self._pass_on(number, reader, to_server, PURE))
        try:
            await self._pass_on(number, from_server, writer, toxic)
        finally:
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)

    async def _pass_on(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, toxic: Toxic
    ) -> None:
        left = toxic.most_bytes
        try:
            while left > 0 and (data := await reader.read(2**16)):
                await asyncio.sleep(toxic.latency_seconds + toxic.jitter_seconds * self._chance.random())
                for start in range(0, len(data), toxic.slice_bytes):
                    piece = data[start : start + toxic.slice_bytes]
                    if number <= self._age or left <= 0:
                        break
                    piece = piece[: int(min(left, len(piece)))]
                    left -= len(piece)
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(len(piece) / toxic.bytes_per_second)
            await asyncio.sleep(toxic.linger_seconds)
        except ConnectionError:
            pass
        if number > self._age:
            writer.close()
