"""One demo exchange over real HTTP/1.1 on loopback: keep-alive, gzip, limits, faults, a log of requests."""

import asyncio
import gzip
import math
import struct
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from functools import cache
from socket import SO_LINGER, SOL_SOCKET
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import h11
import msgspec

from fundwatch.demo.faults import ROWS, TRANSPORT, Fault, Faults
from fundwatch.demo.limits import Limiter
from fundwatch.demo.spoiling import spoil
from fundwatch.demo.venues.base import Reply, Request, Venue, page, reply
from fundwatch.demo.venues.fapi import Fapi

_GZIP_ABOVE_BYTES = 1024
_DRIP_SECONDS = 0.05
_BOMB_BYTES = 64 * 2**20
_REMEMBERED_REQUESTS = 50_000
_RETRY_AFTER = {429: 30, 418: 300}


class Asked(NamedTuple):
    """One request as it came in; `weight` is what it cost by limit name."""

    time: float
    method: str
    path: str
    params: Mapping[str, Any]
    weight: Mapping[str, float]
    status: int


class Server:
    """`delay_seconds` is waited before each answer; `faults` can change while it runs."""

    def __init__(self, venue: Venue, now: Callable[[], float], scale: float) -> None:
        self.venue = venue
        self.faults = Faults()
        self.delay_seconds = 0.0
        self.log: deque[Asked] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._now = now
        self._limiter = Limiter(venue.limits, scale, bans=isinstance(venue, Fapi))
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> str:
        """Begins to serve; the address, without a path."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, h11.RemoteProtocolError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        while request := await _receive(connection, reader):
            if self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            faults = self.faults.take(request.path)
            answer = self._answer(request, faults)
            transport = next((f.kind for f in faults if f.kind in TRANSPORT), "")
            if transport == "hang":
                await reader.read()
                return
            sent = self._sent(connection, request, answer)
            if transport:
                await _SENDERS[transport](writer, sent)
                return
            writer.write(sent)
            await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()

    def _answer(self, request: Request, faults: list[Fault]) -> Reply:
        now = self._now()
        weight = dict(self.venue.weight(request))
        if not (answer := next(filter(None, map(self._whole, faults)), None)):
            wait = self._limiter.admit(weight, now)
            answer = self._refusal(wait, now) if wait else self.venue.answer(request, now)
            for name, more in answer.extra.items():
                weight[name] = weight.get(name, 0) + more
                self._limiter.add({name: more}, now)
            inside = [fault for fault in faults if fault.kind in ROWS]
            if inside and answer.status == 200:
                answer = answer._replace(body=spoil(answer.body, inside, self.venue, request))
        params = dict(request.params) or _json_object(request.body)
        self.log.append(Asked(now, request.method, request.path, params, weight, answer.status))
        return answer

    def _refusal(self, wait: float, now: float) -> Reply:
        seconds = ("Retry-After", str(math.ceil(wait)))
        if now < self._limiter.banned_until:
            until = int(self._limiter.banned_until * 1000)
            told = (
                f"Way too many requests; IP banned until {until}. Please use the websocket for live updates."
            )
            return reply({"code": -1003, "msg": told}, 418)._replace(headers=(seconds,))
        return self.venue.too_many(wait, now)._replace(headers=(seconds,))

    def _whole(self, fault: Fault) -> Reply | None:
        """The answer of a fault that replaces the whole of it."""
        if fault.status:
            if fault.status not in _RETRY_AFTER:
                return reply({"code": 0, "msg": f"demo fault {fault.status}"}, fault.status)
            wait = fault.number if fault.number is not None else _RETRY_AFTER[fault.status]
            seconds = ("Retry-After", str(int(wait)))
            return self.venue.too_many(wait, self._now())._replace(status=fault.status, headers=(seconds,))
        if fault.kind == "html":
            return page(200, "Just a moment...")
        if fault.kind == "redirect":
            return Reply(302, b"", headers=(("Location", "http://169.254.169.254/latest/meta-data/"),))
        if fault.kind == "gzip-bomb":
            return Reply(200, _bomb(), headers=(("Content-Encoding", "gzip"),))
        return None

    def _sent(self, connection: h11.Connection, request: Request, answer: Reply) -> bytes:
        body = answer.body
        headers = [("Date", formatdate(self._now(), usegmt=True)), ("Content-Type", answer.content_type)]
        headers += answer.headers
        if isinstance(self.venue, Fapi):
            used = self._limiter.used("weight", self._now())
            headers.append((self.venue.usage_header, str(int(used))))
        encoded = any(name == "Content-Encoding" for name, _ in headers)
        asked = "gzip" in request.headers.get("accept-encoding", "")
        if asked and self.venue.compresses and not encoded and len(body) > _GZIP_ABOVE_BYTES:
            body = gzip.compress(body, 1)
            headers.append(("Content-Encoding", "gzip"))
        headers.append(("Content-Length", str(len(body))))
        events = (
            h11.Response(status_code=answer.status, headers=headers),
            h11.Data(data=b"" if request.method == "HEAD" else body),
            h11.EndOfMessage(),
        )
        return b"".join(connection.send(event) or b"" for event in events)


async def _receive(connection: h11.Connection, reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, None at its end."""
    head: h11.Request | None = None
    body = b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            url = urlsplit(head.target.decode("ascii"))
            params = dict(parse_qsl(url.query, keep_blank_values=True))
            headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode("ascii"), unquote(url.path), params, headers, body)
        else:
            return None


async def _drip(writer: asyncio.StreamWriter, sent: bytes) -> None:
    for at in range(len(sent)):
        writer.write(sent[at : at + 1])
        await writer.drain()
        await asyncio.sleep(_DRIP_SECONDS)


async def _truncate(writer: asyncio.StreamWriter, sent: bytes) -> None:
    start = sent.index(b"\r\n\r\n") + 4
    writer.write(sent[: start + (len(sent) - start) // 2])
    await writer.drain()


async def _reset(writer: asyncio.StreamWriter, sent: bytes) -> None:
    await _truncate(writer, sent)
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


_SENDERS = {"drip": _drip, "truncate": _truncate, "reset": _reset}


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(_BOMB_BYTES), 9)


def _json_object(body: bytes) -> Mapping[str, Any]:
    with suppress(msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(body, type=dict[str, Any])
    return {}
