"""A collector of one scripted exchange in a thread, with its control socket: both doors lead to it."""

import asyncio
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fundwatch.clock import SystemClock
from fundwatch.collector.collector import Collector
from fundwatch.collector.doors import sockets
from fundwatch.collector.doors.client import RemoteDoor, open_door
from fundwatch.collector.doors.control import ControlSocket, control_socket
from fundwatch.collector.doors.local import Fanout, LocalDoor
from fundwatch.collector.doors.protocol import Hello
from fundwatch.collector.events import Event
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.thread import CollectorThread
from fundwatch.collector.tracker import Tracker
from fundwatch.storage.database import reader
from tests.collector.scripted import Scripted, open_ledger, scripted

MARKETS = 60
"""So many that the first rows are stored before the last are asked for."""


class Office:
    """Idle until asked; `path` is the database. `busy` as of `ControlSocket`."""

    def __init__(self, folder: Path, busy: str | None = None) -> None:
        self.path = folder / "fundwatch.db"
        self.folder = folder
        self.busy = busy
        self.events: list[Event] = []
        self.fanout = Fanout(self.events.append)
        self.exchange: Scripted
        self.ledger: Ledger | None = None
        self.thread = CollectorThread(self._build, self._close, self._work)
        self.collector = self.thread.start()
        self.local = LocalDoor(self.thread, self.collector, self.fanout)
        self._doors: list[RemoteDoor] = []

    def _build(self) -> Collector:
        clock = SystemClock()
        self.ledger = open_ledger(self.folder, clock)
        self.exchange = scripted(clock, MARKETS)
        tracker = Tracker(self.exchange, self.ledger, clock, self.fanout, history_days=1)
        self.ledger.enable(["aster"], ["aster"])
        return Collector(
            {"aster": tracker},
            self.ledger,
            clock,
            self.fanout,
            quotes_every_seconds=300,
            minutes={"aster": 5},
            pid=os.getpid(),
        )

    async def _work(self, collector: Collector) -> None:
        control = ControlSocket(collector.desk, Hello(os.getpid(), "collector", "real"), self.busy)
        async with control_socket(control, self.path, self.fanout):
            collector.beat()
            await asyncio.Event().wait()

    async def _close(self) -> None:
        assert self.ledger is not None
        self.ledger.close()

    def door(self) -> RemoteDoor:
        """One more client."""
        door = open_door(self.path, wait_seconds=5)
        assert door is not None
        self._doors.append(door)
        return door

    def value(self, sql: str) -> object:
        with reader(self.path) as db:
            return db.value(sql)

    def close(self) -> None:
        for door in self._doors:
            door.close()
        self.thread.stop(5)


async def hang() -> None:
    await asyncio.Event().wait()


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


class Raw:
    """A client that may say anything."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(os.fspath(path))
        self._file = self.socket.makefile("rb")

    def say(self, text: bytes | dict[str, Any]) -> None:
        self.socket.sendall(text if isinstance(text, bytes) else json.dumps(text).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._file.readline())
        return found

    def is_hung_up(self) -> bool:
        try:
            return self._file.readline() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()


def socket_of(office: Office) -> Path:
    path = office.path.with_name("fundwatch.db.sock")
    wait_until(lambda: sockets.is_ours(path))
    office.door().close()  # it listens too
    return path
