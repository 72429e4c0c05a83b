"""The door to a collector in another process: its control socket."""

import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from fundwatch.clock import SystemClock, pause
from fundwatch.collector.doors import protocol, sockets
from fundwatch.collector.doors.desk import Ended
from fundwatch.collector.doors.door import DoorClosed, Estimate, Listener, Refused
from fundwatch.collector.doors.local import Fanout
from fundwatch.collector.events import CollectorStopped, Event
from fundwatch.collector.importing.report import Order, Report
from fundwatch.storage import lock
from fundwatch.storage.errors import WrongWorld

GREETING_SECONDS = 5.0
_LONGEST_ANSWER = 1 << 20
_CHUNK = 1 << 16
_PAUSE_SECONDS = 0.1

_ESTIMATES = dict[str, tuple[int, float]]
_OUTCOMES = dict[str, tuple[str, str | None, int]] | None


class RemoteDoor:
    """A connection to the collector of another process; it has a thread that reads.

    Futures fail with `Refused` where the collector says no. A `JobEnded` may come before the future
    with its job id. When the collector goes, listeners hear a last `CollectorStopped`.
    """

    def __init__(self, connection: socket.socket) -> None:
        """Takes over a fresh connection. Raises `DoorClosed` where no collector greets us."""
        self._socket = connection
        self._buffer = b""
        self._sending = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[Future[Any], Callable[[Any], Any]]] = {}
        self._last_id = 0
        self._fanout = Fanout()
        self._listens = False
        self._was_told = False
        self.is_closed = False
        self.hello = self._greeting()
        self._thread = threading.Thread(target=self._listen, name="control socket", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        return self.hello.pid

    def listen(self, listener: Listener) -> Callable[[], None]:
        stop = self._fanout.listen(listener)
        if not self._listens:
            self._listens = True
            self._ask(protocol.Listen(self._number()))
        return stop

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        return self._ask(protocol.Refresh(self._number(), tuple(exchanges)))

    def estimate(
        self, *, days: float, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        def read(ok: Any) -> Mapping[str, Estimate]:
            return {name: Estimate(*found) for name, found in msgspec.convert(ok, _ESTIMATES).items()}

        return self._ask(
            protocol.Estimate(self._number(), float(days), tuple(exchanges), tuple(assets)), read
        )

    def backfill(
        self, *, days: float, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        return self._ask(
            protocol.Backfill(self._number(), float(days), tuple(exchanges), tuple(assets)), _job
        )

    def sweep(self, *, hours: int, exchanges: Sequence[str] = ()) -> "Future[int]":
        """Starts a sweep with settlements for the last `hours`; its job id."""
        return self._ask(protocol.Sweep(self._number(), hours, tuple(exchanges)), _job)

    def outcomes(self, job_id: int) -> "Future[dict[str, Ended] | None]":
        """How a job ended, by exchange, once it has; None for one that was cancelled."""

        def read(ok: Any) -> dict[str, Ended] | None:
            found: Any = msgspec.convert(ok, _OUTCOMES)
            return None if found is None else {name: Ended(*outcome) for name, outcome in found.items()}

        return self._ask(protocol.Outcomes(self._number(), job_id), read)

    def import_file(self, order: Order) -> "Future[int]":
        """Starts the import of a file; its job id."""
        return self._ask(
            protocol.Import(
                self._number(),
                order.path,
                order.exchange,
                order.file_format,
                order.symbol,
                order.accept_bad,
                order.time_unit,
            ),
            _job,
        )

    def imported(self, job_id: int) -> "Future[Report | None]":
        """What became of the file once the job has ended; None for one that was cancelled."""
        return self._ask(
            protocol.Imported(self._number(), job_id), lambda ok: msgspec.convert(ok, Report | None)
        )

    def cancel(self, job_id: int) -> "Future[bool]":
        return self._ask(protocol.Cancel(self._number(), job_id), bool)

    def pause(self, exchange: str, paused: bool) -> "Future[None]":
        return self._ask(protocol.Pause(self._number(), exchange, paused))

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]":
        return self._ask(protocol.Acknowledge(self._number(), tuple(alert_ids)))

    def close(self) -> None:
        """Hangs up; the collector goes on, with the jobs too that were started from here."""
        self._was_told = True
        self._end()
        if threading.current_thread() is not self._thread:
            self._thread.join(GREETING_SECONDS)

    # Sending

    def _number(self) -> int:
        with self._lock:
            self._last_id += 1
            return self._last_id

    def _ask(self, command: protocol.Command, read: Callable[[Any], Any] = lambda _: None) -> "Future[Any]":
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()
        line = protocol.encode(command)
        if len(line) > protocol.LONGEST_LINE:
            answer.set_exception(Refused("too much for one request: name fewer assets"))
            return answer
        with self._lock:
            is_closed = self.is_closed
            if not is_closed:
                self._waiting[command.id] = answer, read
        if is_closed:
            answer.set_exception(self._gone())
            return answer
        try:
            with self._sending:
                self._socket.sendall(line)
        except OSError:
            self._end()
        return answer

    # Reading, in a thread of its own

    def _greeting(self) -> protocol.Hello:
        self._socket.settimeout(GREETING_SECONDS)
        try:
            line = self._read_line()
            hello = None if line is None else protocol.line(line).hello
        except (OSError, *protocol.Nonsense) as error:
            self._socket.close()
            raise DoorClosed("the collector does not answer") from error
        if hello is None:
            self._socket.close()
            raise DoorClosed("the collector hung up")
        self._socket.settimeout(None)
        return hello

    def _read_line(self) -> bytes | None:
        """The next line, None at the end. Raises OSError, ValueError for one that is too long."""
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                return line
            if len(self._buffer) > _LONGEST_ANSWER:
                raise ValueError("an answer without end")
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                return None
            self._buffer += chunk

    def _listen(self) -> None:
        with suppress(OSError, *protocol.Nonsense):
            while (line := self._read_line()) is not None:
                self._take(protocol.line(line))
        self._end()
        if not self._was_told:
            self._tell(CollectorStopped("is gone without a word"))

    def _take(self, said: protocol.Line) -> None:
        if said.event is not None:
            event = protocol.event_of(said)
            if event is not None:
                self._tell(event)
        elif said.id is not None:
            with self._lock:
                found = self._waiting.pop(said.id, None)
            if found is not None:
                _settle(*found, said)

    def _tell(self, event: Event) -> None:
        if isinstance(event, CollectorStopped):
            self._was_told = True
        self._fanout(event)

    def _end(self) -> None:
        with self._lock:
            self.is_closed = True
            waiting, self._waiting = self._waiting, {}
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for answer, _ in waiting.values():
            answer.set_exception(self._gone())

    def _gone(self) -> DoorClosed:
        return DoorClosed(f"the collector (process {self.pid}) is gone")


def open_door(database: Path, *, world: str | None = None, wait_seconds: float = 0.0) -> RemoteDoor | None:
    """The door to the process that writes `database`; None where none runs, or none can be asked.

    A process that has just begun gets `wait_seconds` until it listens. Raises `WrongWorld` where it
    collects another world than `world`.
    """
    clock = SystemClock()
    give_up = clock.monotonic() + wait_seconds
    while lock.holder(database) is not None:
        for path in sockets.candidates(database):
            door = _connect(path)
            if door is None:
                continue
            if world is not None and door.hello.world != world:
                door.close()
                raise WrongWorld(
                    f"the collector of {database} holds the world {door.hello.world!r}, not {world!r}: real "
                    "and demo data are never mixed; name another file with --db"
                )
            return door
        if clock.monotonic() >= give_up:
            break
        pause(_PAUSE_SECONDS)
    return None


def _connect(path: Path) -> RemoteDoor | None:
    if not sockets.is_ours(path):
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(GREETING_SECONDS)
    try:
        connection.connect(os.fspath(path))
    except OSError:
        connection.close()
        return None
    try:
        return RemoteDoor(connection)
    except DoorClosed:
        return None


def _settle(answer: "Future[Any]", read: Callable[[Any], Any], said: protocol.Line) -> None:
    if said.error is not None:
        answer.set_exception(Refused(said.error))
        return
    try:
        answer.set_result(read(said.ok))
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        answer.set_exception(Refused(f"the collector's answer makes no sense: {error}"))


def _job(ok: Any) -> int:
    return msgspec.convert(ok, int)
