"""The control socket: other processes of the same user ask the running collector, and hear its events."""

import asyncio
import errno
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fundwatch.collector.doors import protocol, sockets
from fundwatch.collector.doors.desk import Desk
from fundwatch.collector.doors.door import Refused
from fundwatch.collector.doors.local import Fanout
from fundwatch.collector.events import Event, Trouble
from fundwatch.collector.importing.report import Order
from fundwatch.storage.errors import StorageError
from fundwatch.text import clean

CLIENTS = 32
COMMANDS_AT_ONCE = 16
"""Of one client."""
QUEUED_LINES = 2000
"""A client that is so far behind with its reading is dropped."""
FLUSH_SECONDS = 0.5
REST_SECONDS = 1.0


class ControlSocket:
    """Serves the clients of one collector, in its loop.

    `busy` is why this process takes no work from others; None where it does.
    """

    def __init__(self, desk: Desk, hello: protocol.Hello, busy: str | None = None) -> None:
        self.desk = desk
        self.hello = protocol.encode(protocol.Line(hello=hello))
        self.busy = busy
        self._clients: set[_Client] = set()
        self._serving: set[asyncio.Task[None]] = set()

    def let_in(self, listening: socket.socket) -> None:
        """Takes the next client; called when one knocks."""
        try:
            connection, _ = listening.accept()
        except OSError as error:  # it went away, or it knocks on for ever while too many files are open
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._rest(listening)
            return
        if len(self._serving) >= CLIENTS or not _is_same_user(connection):
            connection.close()
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: connection.close())  # also when it was cancelled unstarted

    def _rest(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)

        def go_on() -> None:
            if listening.fileno() >= 0:
                loop.add_reader(listening, self.let_in, listening)

        loop.call_later(REST_SECONDS, go_on)

    def tell(self, event: Event) -> None:
        """Gives `event` to all who listen."""
        listening = [client for client in self._clients if client.listens]
        if listening:
            line = protocol.encode_event(event)
            for client in listening:
                client.say(line)

    async def close(self) -> None:
        """Lets go of all clients; what they were still to hear gets a moment."""
        loop = asyncio.get_running_loop()
        if flushing := [loop.create_task(client.flush()) for client in self._clients]:
            await asyncio.wait(flushing)
        if serving := tuple(self._serving):
            for task in serving:
                task.cancel()
            await asyncio.wait(serving)

    async def _serve(self, connection: socket.socket) -> None:
        client: _Client | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=protocol.LONGEST_LINE)
            client = _Client(self, reader, writer)
            self._clients.add(client)
            await client.serve()
        except OSError:  # it hung up
            pass
        finally:
            if client is not None:
                self._clients.discard(client)
                client.drop()


class _Client:
    def __init__(
        self, control: ControlSocket, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.listens = False
        self._control = control
        self._reader = reader
        self._writer = writer
        self._lines: asyncio.Queue[bytes] = asyncio.Queue(QUEUED_LINES)
        self._commands: set[asyncio.Task[None]] = set()
        self._sending: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Answers until the client hangs up or sends what is longer than any request."""
        self._sending = asyncio.get_running_loop().create_task(self._send())
        self.say(self._control.hello)
        try:
            while line := await self._reader.readline():
                self._take(line)
        except ValueError:
            self._refuse(None, f"a request has at most {protocol.LONGEST_LINE} bytes")
            await self.flush()

    def say(self, line: bytes) -> None:
        try:
            self._lines.put_nowait(line)
        except asyncio.QueueFull:
            self.drop()

    async def flush(self) -> None:
        """Waits until the client has got everything, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._lines.join()

    def drop(self) -> None:
        """Hangs up. What the client has started goes on; what only it waits for ends."""
        self.listens = False
        for task in (*self._commands, self._sending):
            if task is not None:
                task.cancel()
        self._writer.transport.abort()

    async def _send(self) -> None:
        with suppress(OSError):
            while True:
                self._writer.write(await self._lines.get())
                await self._writer.drain()
                self._lines.task_done()

    def _take(self, line: bytes) -> None:
        try:
            request = protocol.request(line)
        except protocol.Nonsense as error:
            self._refuse(protocol.number_of(line), f"no request of ours: {clean(str(error), 300)}")
            return
        if isinstance(request, protocol.Listen):
            self.listens = True
            self._answer(request.id, None)
        elif len(self._commands) >= COMMANDS_AT_ONCE:
            self._refuse(request.id, "too many requests at once: wait for the answers")
        else:
            task = asyncio.get_running_loop().create_task(self._carry_out(request))
            self._commands.add(task)
            task.add_done_callback(self._commands.discard)

    async def _carry_out(self, request: protocol.Request) -> None:
        try:
            self._answer(request.id, await self._work(request))
        except (Refused, StorageError) as error:
            self._refuse(request.id, str(error))
        except Exception as error:  # the last door: a bug here must not touch the collecting
            self._refuse(request.id, f"fundwatch itself failed: {clean(repr(error), 300)}")

    def _work(self, request: protocol.Request) -> Awaitable[Any]:
        desk = self._control.desk
        match request:
            case protocol.Pause(exchange=exchange, paused=paused):
                return desk.pause(exchange, paused)
            case protocol.Acknowledge(alerts=alerts):
                return desk.acknowledge(alerts)
            case _ if self._control.busy is not None:
                raise Refused(self._control.busy)
            case protocol.Refresh(exchanges=exchanges):
                return desk.refresh(exchanges)
            case protocol.Estimate(days=days, exchanges=exchanges, assets=assets):
                return desk.estimate(days, exchanges, assets)
            case protocol.Backfill(days=days, exchanges=exchanges, assets=assets):
                return desk.backfill(days, exchanges, assets)
            case protocol.Sweep(hours=hours, exchanges=exchanges):
                return desk.sweep(hours, exchanges)
            case protocol.Outcomes(job=job):
                return desk.outcomes(job)
            case protocol.Import():
                order = Order(
                    request.path,
                    request.exchange,
                    request.format,
                    request.symbol,
                    request.accept_bad,
                    request.time_unit,
                )
                return desk.import_file(order)
            case protocol.Imported(job=job):
                return desk.imported(job)
            case protocol.Cancel(job=job):
                return desk.cancel(job)
        raise Refused(f"this collector does not know {type(request).__name__.lower()}")

    def _answer(self, number: int, ok: Any) -> None:
        self.say(protocol.encode(protocol.Line(id=number, ok=ok)))

    def _refuse(self, number: int | None, error: str) -> None:
        self.say(protocol.encode(protocol.Line(id=number, error=error)))


@asynccontextmanager
async def control_socket(control: ControlSocket, database: Path, told: Fanout) -> AsyncIterator[None]:
    """Serves `control` inside the block. Where there can be no socket, that is told and nothing else."""
    try:
        listening, path = sockets.listen_beside(database, CLIENTS)
    except OSError as error:
        why = error.strerror or str(error)
        told(Trouble("control socket", f"other processes cannot ask this one: {clean(why)}"))
        yield
        return
    forget = told.listen(control.tell)
    loop = asyncio.get_running_loop()
    loop.add_reader(listening, control.let_in, listening)
    try:
        yield
    finally:
        loop.remove_reader(listening)
        listening.close()
        path.unlink(missing_ok=True)
        forget()
        await control.close()


def _is_same_user(connection: socket.socket) -> bool:
    """Asks the kernel where it can be asked; elsewhere the mode of the socket's file must do."""
    if sys.platform != "linux":
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return bool(uid == os.geteuid())
