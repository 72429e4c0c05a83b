"""The control socket itself, over real sockets: who may use it, and what bad clients cannot do."""

import asyncio
import errno
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fundwatch.collector.doors import control, protocol, sockets
from fundwatch.collector.doors.client import open_door
from fundwatch.collector.doors.door import Refused
from fundwatch.collector.events import Event, JobEnded, Progress, Trouble
from fundwatch.storage import lock
from tests.collector.office import Office, Raw, hang, socket_of, wait_until


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture
def raw(office: Office) -> Iterator[Raw]:
    with closing(Raw(socket_of(office))) as raw:
        assert raw.hear()["hello"]["role"] == "collector"
        yield raw


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n",
        b"hello?\n",
        b"\xff\xfe\x00\n",
        b"[]\n",
        b"{}\n",
        b'{"id": 1}\n',
        b'{"id": 1, "command": "drop_table"}\n',
        b'{"id": 1, "command": "backfill"}\n',
        b'{"id": 1, "command": "backfill", "days": -1}\n',
        b'{"id": 1, "command": "backfill", "days": 1e999}\n',
        b'{"id": 1, "command": "backfill", "days": "NaN"}\n',
        b'{"id": 1, "command": "sweep", "hours": 100000000}\n',
        b'{"id": 1, "command": "pause", "exchange": 7, "paused": true}\n',
        b'{"id": 1, "command": "acknowledge", "alerts": ["x"]}\n',
        b'{"id": 1, "command": "cancel", "job": null}\n',
        b'{"id": 99999999999999999999, "command": "listen"}\n',
        b'{"id": 1, "command": "listen", "x": ' + b"[" * 60_000 + b"}\n",
    ],
)
def test_what_makes_no_sense_is_answered_with_an_error_and_the_next_request_works(
    raw: Raw, garbage: bytes
) -> None:
    raw.say(garbage)
    answer = raw.hear()
    assert "ok" not in answer
    assert answer["error"]
    raw.say({"id": 5, "command": "cancel", "job": 1})
    assert raw.hear() == {"id": 5, "ok": False}


def test_an_error_names_the_request_it_belongs_to_where_that_can_be_read(raw: Raw) -> None:
    raw.say({"id": 42, "command": "nosuch"})
    assert raw.hear()["id"] == 42


def test_a_line_longer_than_any_request_ends_the_connection_only(raw: Raw, office: Office) -> None:
    raw.say(b'{"id": 1, "command": "' + b"x" * (protocol.LONGEST_LINE + 1000))
    assert "at most" in raw.hear()["error"]
    assert raw.is_hung_up()
    office.door().refresh([]).result(10)


def test_a_request_in_pieces_is_one_request(raw: Raw) -> None:
    for byte in b'{"id": 1, "command": "cancel", "job": 1}\n':
        raw.say(bytes([byte]))
    assert raw.hear() == {"id": 1, "ok": False}


def test_a_client_that_hangs_up_in_the_middle_harms_nobody(office: Office) -> None:
    office.exchange.trouble = {"list": hang}
    path = socket_of(office)
    for text in (
        b"",
        b'{"id": 1, "com',
        b'{"id": 1, "command": "listen"}\n{"id": 2, "command": "refresh"}\n',
    ):
        with closing(Raw(path)) as raw:
            raw.say(text)
    office.exchange.trouble = {}
    assert office.door().cancel(1).result(10) is False


def test_so_many_clients_and_no_more(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "CLIENTS", 4)
    path = socket_of(office)
    time.sleep(0.05)
    clients = [Raw(path) for _ in range(4)]
    for client in clients:
        client.hear()
    with closing(Raw(path)) as fifth:
        assert fifth.is_hung_up()
    clients[0].close()
    wait_until(lambda: open_door(office.path) is not None and True)
    for client in clients[1:]:
        client.say({"id": 1, "command": "cancel", "job": 1})
        assert client.hear()["ok"] is False
        client.close()


def test_so_many_requests_of_one_client_at_once_and_no_more(raw: Raw, office: Office) -> None:
    office.exchange.trouble = {"list": hang}
    for number in range(17):
        raw.say({"id": number, "command": "refresh"})
    assert raw.hear() == {"id": 16, "error": "too many requests at once: wait for the answers"}


def test_a_client_that_does_not_read_is_dropped_and_the_others_hear_everything(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Raw(socket_of(office))
    slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.hear()
    slow.say({"id": 1, "command": "listen"})
    assert slow.hear() == {"id": 1, "ok": None}
    heard: list[Event] = []
    door = office.door()
    door.listen(heard.append)
    door.cancel(1).result(10)  # it listens by now
    told = 20 * control.QUEUED_LINES

    async def flood() -> None:
        for number in range(told):
            office.fanout(Progress("aster", "backfill", 1, 1.0, 1.0, number))
            if number % 100 == 0:
                await asyncio.sleep(0)
                await asyncio.sleep(0.0005)

    office.thread.submit(flood).result(60)
    wait_until(lambda: len(heard) == told)
    assert door.cancel(1).result(10) is False
    kept = 0
    while not slow.is_hung_up():
        kept += 1
    assert kept < told
    slow.close()


def test_a_busy_process_refuses_work_and_still_takes_notes(tmp_path: Path) -> None:
    office = Office(tmp_path, busy="process 1 is at work of its own")
    door = office.door()
    for asked in (door.refresh([]), door.backfill(days=1), door.sweep(hours=1), door.estimate(days=1)):
        with pytest.raises(Refused, match="work of its own"):
            asked.result(10)
    door.pause("aster", True).result(10)
    office.close()


def test_stopping_takes_seconds_with_clients_that_wait_listen_and_do_not_read(office: Office) -> None:
    path = socket_of(office)
    office.exchange.trouble = {"list": hang}
    clients = [Raw(path) for _ in range(8)]
    for client in clients:
        client.say({"id": 1, "command": "listen"})
        client.say({"id": 2, "command": "refresh"})
    begin = time.monotonic()
    assert office.thread.stop(10)
    assert time.monotonic() - begin < 5
    assert lock.holder(office.path) is None
    for client in clients:
        while not client.is_hung_up():
            pass
        client.close()


def test_a_job_outlives_the_client_that_began_it(office: Office) -> None:
    door = office.door()
    door.backfill(days=1).result(10)
    door.close()
    wait_until(lambda: any(isinstance(e, JobEnded) and not e.cancelled for e in office.events))


def test_a_client_takes_what_it_does_not_know_for_no_event() -> None:
    assert protocol.event_of(protocol.line(b'{"event": "Newer", "fields": {"x": 1}}')) is None
    assert protocol.event_of(protocol.line(b'{"event": "Trouble", "fields": {"where": 1}}')) is None


def test_every_event_survives_the_way() -> None:
    event = Trouble("disk", "full [/] \u202e")
    assert protocol.event_of(protocol.line(protocol.encode_event(event))) == event


async def test_too_many_open_files_are_waited_out_without_a_spin(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "REST_SECONDS", 0.1)
    server = control.ControlSocket(office.collector.desk, protocol.Hello(1, "collector", "real"))
    listening, path = sockets.listen_beside(office.path.with_name("other.db"), 5)
    tries = 0

    class Full(socket.socket):
        """A listening socket of a process that has no file numbers left, for a while."""

        def accept(self) -> Any:
            nonlocal tries
            tries += 1
            if tries < 4:
                raise OSError(errno.EMFILE, "Too many open files")
            return super().accept()

    loop = asyncio.get_running_loop()
    with closing(Full(fileno=listening.detach())) as full:
        full.setblocking(False)
        loop.add_reader(full, server.let_in, full)
        reader, writer = await asyncio.open_unix_connection(path)
        async with asyncio.timeout(10):
            assert b"hello" in await reader.readline()
        assert tries == 4
        loop.remove_reader(full)
        await server.close()
        writer.close()
