"""Who collects for a screen: with real processes, killed and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fundwatch.collector.doors.door import DoorClosed
from fundwatch.collector.events import CollectorStarted, CollectorStopped
from fundwatch.collector.seat import take_seat
from fundwatch.commands.session import Session, exchanges_served
from fundwatch.config import Config, Demo, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.storage import lock, queries
from fundwatch.storage.database import reader
from fundwatch.storage.errors import DamagedDatabase
from tests.collector.office import wait_until
from tests.collector.screen import Screen

CONFIG = """
[demo]
scale = 1000
faults = { aster = "hang" }
"""
ONLY_ASTER = CONFIG + "".join(
    f"[exchanges.{name}]\nenabled = false\n" for name in REGISTRY if name != "aster"
)


class Process:
    """A `fundwatch --collect-only` over the demo world, where one exchange hangs for ever."""

    def __init__(self, folder: Path, database: Path) -> None:
        config = folder / "config.toml"
        config.write_text(ONLY_ASTER)
        self.database = database
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "fundwatch", "--config", config, "--demo", "--db", database),
                "--collect-only",
            ],
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._is_ready, 30)

    def _is_ready(self) -> bool:
        return self.database.with_name(self.database.name + ".sock").exists()

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(10)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, tmp_path / "fundwatch.db")
    yield process
    if process.process.poll() is None:
        process.end(signal.SIGKILL)


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path / "fundwatch.db")
    yield screen
    screen.seat.close()


def open_runs(database: Path) -> int:
    with reader(database) as db:
        found: int = db.value("SELECT COUNT(*) FROM run WHERE ended IS NULL")
        return found


def test_where_nobody_collects_the_screens_process_does(screen: Screen, tmp_path: Path) -> None:
    assert (screen.role(), screen.seat.pid) == ("collector", os.getpid())
    wait_until(lambda: lock.holder(tmp_path / "fundwatch.db") is not None)
    assert screen.served == 1
    screen.seat.close()
    assert lock.holder(tmp_path / "fundwatch.db") is None
    assert screen.left == 1
    with pytest.raises(DoorClosed):
        screen.seat.refresh([]).result(5)


def test_beside_a_collector_a_screen_watches_and_commands_it(process: Process, tmp_path: Path) -> None:
    screen = Screen(tmp_path / "fundwatch.db")
    assert (screen.role(), screen.seat.pid) == ("viewer", process.process.pid)
    assert screen.served == 0, "a viewer needs no exchanges"
    screen.seat.pause("aster", True).result(10)
    with reader(tmp_path / "fundwatch.db") as db:
        assert queries.trackers(db)["aster"].paused
    screen.seat.poll()
    assert screen.said == []
    screen.seat.close()
    assert process.process.poll() is None


def test_a_killed_collector_is_replaced_and_leaves_no_run_behind(process: Process, tmp_path: Path) -> None:
    database = tmp_path / "fundwatch.db"
    screen = Screen(database)
    wait_until(lambda: open_runs(database) > 0)
    waiting = screen.seat.refresh(["aster"])
    process.end(signal.SIGKILL)
    with pytest.raises(DoorClosed):
        waiting.result(10)
    assert screen.heard_of(CollectorStopped) == 1
    with pytest.raises(DoorClosed):
        screen.seat.refresh([]).result(5)
    screen.poll_until(lambda: screen.role() == "collector")
    assert screen.said == ["the collector is gone: this fundwatch collects now"]
    assert screen.seat.pid == os.getpid()
    assert open_runs(database) == 0
    with reader(database) as db:
        (outage,) = db.rows("SELECT kind, message, until IS NOT NULL FROM alert")
    assert outage == ("collector", f"the collector (process {process.process.pid}) died without a word", 1)
    wait_until(lambda: screen.heard_of(CollectorStarted) == 1)
    screen.seat.close()


def test_a_stopped_collector_is_replaced_too_but_is_no_alert(process: Process, tmp_path: Path) -> None:
    screen = Screen(tmp_path / "fundwatch.db")
    process.end(signal.SIGTERM)
    assert process.process.returncode == 0
    screen.poll_until(lambda: screen.role() == "collector")
    with reader(tmp_path / "fundwatch.db") as db:
        assert db.value("SELECT COUNT(*) FROM alert") == 0
    screen.seat.close()


def test_of_two_screens_one_takes_over_and_the_other_watches_it(process: Process, tmp_path: Path) -> None:
    first, second = Screen(tmp_path / "fundwatch.db"), Screen(tmp_path / "fundwatch.db")
    process.end(signal.SIGKILL)
    first.poll_until(lambda: first.role() == "collector")
    second.poll_until(second.can_ask)
    assert (second.role(), second.seat.pid) == ("viewer", os.getpid())
    assert second.served == 0
    first.seat.close()
    second.poll_until(lambda: second.role() == "collector")
    second.seat.close()


def test_a_collector_that_cannot_be_asked_is_watched_and_said_to_be_so(tmp_path: Path) -> None:
    with lock.acquire(tmp_path / "fundwatch.db", "import"):
        screen = Screen(tmp_path / "fundwatch.db")
        assert (screen.role(), screen.seat.pid) == ("viewer", os.getpid())
        with pytest.raises(DoorClosed, match=r"the import .* cannot be asked"):
            screen.seat.refresh([]).result(5)
        screen.seat.poll()
        assert screen.role() == "viewer"
    screen.seat.poll()
    assert screen.role() == "collector"
    screen.seat.close()


def test_a_database_that_cannot_be_used_is_the_callers_error_at_the_start(tmp_path: Path) -> None:
    database = tmp_path / "fundwatch.db"
    database.write_bytes(b"not a database" * 1000)
    with pytest.raises(DamagedDatabase):
        Screen(database)
    assert lock.holder(database) is None


def test_trouble_when_taking_over_is_told_and_tried_again(tmp_path: Path) -> None:
    database = tmp_path / "fundwatch.db"
    with lock.acquire(database, "import"):
        screen = Screen(database)
    database.write_bytes(b"not a database" * 1000)
    screen.seat.poll()
    (told,) = screen.troubles()
    assert "damaged" in told
    screen.seat.poll()
    assert len(screen.troubles()) == 1, "not before its time"
    database.unlink()
    screen.clock.advance(5)
    screen.seat.poll()
    assert screen.role() == "collector"
    screen.seat.close()


def test_a_closed_seat_stays_empty(screen: Screen, tmp_path: Path) -> None:
    screen.seat.close()
    screen.seat.poll()
    assert lock.holder(tmp_path / "fundwatch.db") is None


def test_the_demo_world_serves_only_while_this_process_collects(tmp_path: Path) -> None:
    session = Session(
        Config(
            exchanges={name: ExchangeSection(enabled=name == "extended") for name in REGISTRY},
            demo=Demo(scale=1000),
        ),
        tmp_path / "fundwatch.db",
        demo=True,
    )
    seat = take_seat(session.database, session.world, lambda: exchanges_served(session))
    found: Any = seat.estimate(days=1).result(20)
    assert found["extended"].requests > 0
    seat.close()
