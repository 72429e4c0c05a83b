"""A real server on 127.0.0.1 that answers each request as a script says, mostly badly.

    async with FaultServer(answer(500), json_answer(b"{}")) as server:
        Http(base_url=server.url, ...)

Each request takes the next behaviour of the script; the last one stays for all that follow. A
behaviour is a coroutine function that writes raw bytes. `server.script` may be changed on the way;
what was asked is in `server.requests`.
"""

import asyncio
import gzip
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """`at` is monotonic seconds; `target` the path with its query as sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float


class FaultServer:
    def __init__(self, *script: Behaviour, tls: ssl.SSLContext | None = None, deaf: bool = False) -> None:
        """`deaf` accepts connections and never answers; `hung_up` counts those that gave up."""
        self.requests: list[Request] = []
        self.connections = 0
        self.hung_up = 0
        self.url = ""
        self.script = list(script)
        self._tls = tls
        self._deaf = deaf
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def hang_up(self) -> None:
        """Ends all connections in order, as servers do with idle ones."""
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._deaf:
                while await reader.read(4096):
                    pass
                self.hung_up += 1
                return
            while not writer.is_closing() and (request := await _read_request(reader)):
                self.requests.append(request)
                behave = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                await behave(writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    head = b""
    while line := await reader.readline():
        head += line
        if line == b"\r\n":
            break
    else:
        return None
    first, *rest = head.decode("latin-1").strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body, time.monotonic())


def head_of(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Behaviour:
    """A whole answer; `retry_after="3"` becomes the header Retry-After: 3."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw(head_of(status, {"content-length": str(len(body))} | named) + body)


def json_answer(body: bytes = b'{"ok":true}', **headers: str) -> Behaviour:
    return answer(200, body, content_type="application/json", **headers)


def gzipped(body: bytes) -> Behaviour:
    """`body` is sent as it is, under the header that says gzip."""
    return answer(200, body, content_encoding="gzip")


def raw(data: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return behave


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def then_hang(data: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await hang(writer)

    return behave


def then_close(data: bytes = b"") -> Behaviour:
    """Sends `data` and an orderly end of the connection."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return behave


def then_reset(data: bytes = b"") -> Behaviour:
    """Sends `data` and a TCP reset."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0.02)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    return behave


def dripped(data: bytes, prefix: bytes = b"", gap_seconds: float = 0.02) -> Behaviour:
    """`prefix` at once, then `data` byte by byte."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(prefix)
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(gap_seconds)

    return behave


def endless(prefix: bytes, piece: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(prefix)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    return behave


def pieces(prefix: bytes, parts: Callable[[], Iterator[bytes]]) -> Behaviour:
    """`prefix`, all of `parts()` and the end of the connection, never held in memory at once."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(prefix)
        for part in parts():
            writer.write(part)
            await writer.drain()
        writer.close()

    return behave


def bomb(megabytes: int) -> bytes:
    """A gzip stream of about a thousandth of the size that it inflates to."""
    packer = zlib.compressobj(9, wbits=31)
    block = bytes(2**20)
    return b"".join([*(packer.compress(block) for _ in range(megabytes)), packer.flush()])


def double_bomb(megabytes: int) -> bytes:
    """A gzip stream inside another: hundreds of megabytes in about a thousand bytes."""
    return gzip.compress(bomb(megabytes), 9)
