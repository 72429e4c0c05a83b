"""Where the control socket lies, and whose it is."""

import os
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.collector.doors import sockets
from fundwatch.collector.doors.client import open_door
from fundwatch.collector.doors.door import DoorClosed, Refused
from fundwatch.collector.events import Trouble
from fundwatch.storage import lock
from fundwatch.storage.errors import WrongWorld
from tests.collector.office import Office, Raw, socket_of, wait_until


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


def test_the_socket_belongs_to_its_user_alone_and_goes_with_the_collector(office: Office) -> None:
    path = socket_of(office)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    office.thread.stop(9)
    assert not path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for the peer, which is Linux")
def test_another_user_is_turned_away(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = socket_of(office)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with closing(Raw(path)) as raw:
        assert raw.is_hung_up()


def test_a_socket_of_somebody_else_is_not_spoken_to(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    socket_of(office)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert open_door(office.path) is None


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fundwatch.db.sock"
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(os.fspath(path))
    office = Office(tmp_path)
    assert office.door().cancel(1).result(10) is False
    office.close()


def test_a_file_in_the_way_is_left_alone_and_the_socket_lies_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "fundwatch.db.sock"
    path.write_text("mine")
    office = Office(tmp_path)
    office.door().refresh([]).result(10)
    office.close()
    assert path.read_text() == "mine"


def test_a_path_too_long_for_a_socket_gets_a_short_one_in_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temp = Path(tempfile.mkdtemp(prefix="fw"))
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(temp))
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10)
    folder.mkdir(parents=True)
    office = Office(folder)
    office.door().refresh([]).result(10)
    (path,) = sockets.candidates(office.path)
    assert len(os.fsencode(path)) <= sockets.LONGEST_BYTES
    assert path.parent.parent == temp
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    office.close()
    assert not path.exists()
    path.parent.rmdir()
    temp.rmdir()


def test_all_spellings_of_a_database_lead_to_one_socket(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert sockets.candidates(tmp_path / "link" / "x.db") == sockets.candidates(tmp_path / "x.db")


def test_without_any_place_for_a_socket_it_collects_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fundwatch.db.sock").write_text("in the way")
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path / "gone"))
    office = Office(tmp_path)
    wait_until(lambda: any(isinstance(e, Trouble) and e.where == "control socket" for e in office.events))
    office.local.refresh([]).result(10)
    assert open_door(office.path) is None
    office.close()


def test_a_folder_of_another_user_is_not_used_for_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="somebody else"):
        sockets.make_private_folder(theirs / "x.sock")


def test_a_folder_that_was_too_open_is_closed(tmp_path: Path) -> None:
    loose = tmp_path / "loose"
    loose.mkdir(mode=0o755)
    loose.chmod(0o777)
    sockets.make_private_folder(loose / "x.sock")
    assert stat.S_IMODE(loose.stat().st_mode) == 0o700


def test_no_door_leads_to_a_database_that_nobody_writes(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(os.fspath(tmp_path / "fundwatch.db.sock"))
    assert open_door(tmp_path / "fundwatch.db") is None


def test_no_door_leads_to_a_process_that_does_not_listen(tmp_path: Path) -> None:
    with lock.acquire(tmp_path / "fundwatch.db", "collector"):
        assert open_door(tmp_path / "fundwatch.db") is None


def test_a_listener_that_says_nothing_is_no_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.collector.doors.client.GREETING_SECONDS", 0.2)
    path = tmp_path / "fundwatch.db"
    with lock.acquire(path, "collector"), closing(socket.socket(socket.AF_UNIX)) as mute:
        mute.bind(os.fspath(tmp_path / "fundwatch.db.sock"))
        mute.listen()
        assert open_door(path) is None


def test_real_and_demo_are_not_mixed_over_the_socket(office: Office) -> None:
    socket_of(office)
    with pytest.raises(WrongWorld, match="never mixed"):
        open_door(office.path, world="demo:7")


def test_a_collector_that_answers_garbage_is_left(tmp_path: Path) -> None:
    path = tmp_path / "fundwatch.db"
    with lock.acquire(path, "collector"), closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(os.fspath(tmp_path / "fundwatch.db.sock"))
        server.listen()
        server.settimeout(10)
        import threading

        def talk() -> None:
            client, _ = server.accept()
            with closing(client):
                client.sendall(b'{"hello": {"pid": 1, "role": "collector", "world": "real"}}\n')
                client.recv(1000)
                client.sendall(b'{"id": 1, "ok": "seven"}\n')
                client.recv(1000)
                client.sendall(b"garbage\n")
                client.recv(1000)

        talking = threading.Thread(target=talk)
        talking.start()
        door = open_door(path)
        assert door is not None
        with pytest.raises(Refused, match="makes no sense"):
            door.backfill(days=1).result(10)
        with pytest.raises(DoorClosed):
            door.backfill(days=1).result(10)
        assert door.is_closed
        door.close()
        talking.join(10)
