"""`--once` and `backfill` beside a collector: it does the work, they show it and answer as if they had."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.collector.doors.client import open_door
from fundwatch.collector.events import Event, JobEnded, Progress, RunEnded, RunStarted, Trouble
from fundwatch.commands.handover import only_runs_of
from fundwatch.storage import lock
from fundwatch.storage.database import reader
from tests.collector.office import wait_until

CONFIG = """
[demo]
scale = 1000
[exchanges]
lighter = { enabled = false }
hyperliquid = { enabled = false }
binance = { enabled = false }
aster = { enabled = false }
paradex = { enabled = false }
"""


class Beside:
    """A folder with a running `--collect-only --demo` of Extended and Variational."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "fundwatch.db"
        self.config = folder / "config.toml"
        self.config.write_text(CONFIG)
        self.collector = self.start("--collect-only")
        wait_until(lambda: open_door_closed(self.database), 30)

    def start(self, *words: str, demo: bool = True) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "fundwatch", "--config", str(self.config)),
                *(["--demo"] if demo else []),
                *("--db", str(self.database), *words),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, demo: bool = True) -> tuple[int, str]:
        process = self.start(*words, demo=demo)
        _, told = process.communicate(timeout=60)
        return process.returncode, told

    def hours(self, asset: str) -> int:
        with reader(self.database) as db:
            found: int = db.value(
                "SELECT COUNT(*) FROM settlement JOIN market ON market.id = market_id WHERE ticker = ?", asset
            )
            return found


def open_door_closed(database: Path) -> bool:
    door = open_door(database)
    if door is not None:
        door.close()
    return door is not None


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    beside = Beside(tmp_path_factory.mktemp("beside"))
    yield beside
    beside.collector.terminate()
    beside.collector.communicate(timeout=15)
    assert beside.collector.returncode == 0


def test_a_second_collector_is_refused_and_told_of_the_first(beside: Beside) -> None:
    code, told = beside.run("--collect-only")
    assert code == 1
    assert f"in use by collector (process {beside.collector.pid}" in told


def test_once_is_done_by_the_collector(beside: Beside) -> None:
    code, told = beside.run("--collect-only", "--once")
    assert code == 0, told
    assert "extended sweep ok" in told
    assert "variational sweep ok" in told
    assert "quotes" not in told


def test_a_quick_try_is_refused_since_it_would_cut_the_collectors_lists(beside: Beside) -> None:
    code, told = beside.run("--collect-only", "--once", "--limit", "3")
    assert code == 1
    assert f"process {beside.collector.pid} collects" in told


def test_a_backfill_is_done_by_the_collector_with_its_progress_shown_here(beside: Beside) -> None:
    code, told = beside.run("backfill", "--days", "60", "--asset", "btc", "--exchange", "extended")
    assert code == 0, told
    assert f"process {beside.collector.pid} collects: it does the work" in told
    assert "1 requests" in told or "2 requests" in told
    assert "extended: ok" in told
    assert beside.hours("BTC") >= 59 * 24


def test_an_asset_that_nobody_lists_is_bad_usage_here_too(beside: Beside) -> None:
    code, told = beside.run("backfill", "--asset", "NOSUCHCOIN")
    assert code == 2, told


def test_another_world_is_refused(beside: Beside) -> None:
    code, told = beside.run("backfill", demo=False)
    assert code == 2, told
    assert "never mixed" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_the_job_and_leaves_the_collector_at_work(
    beside: Beside, number: signal.Signals
) -> None:
    heard: list[Event] = []
    door = open_door(beside.database)
    assert door is not None
    door.listen(heard.append)
    command = beside.start("backfill", "--days", "3000", "--exchange", "extended")
    wait_until(lambda: any(isinstance(e, RunStarted) and e.kind == "backfill" for e in heard), 30)
    begin = time.monotonic()
    command.send_signal(number)
    _, told = command.communicate(timeout=15)
    assert command.returncode == 130, told
    assert time.monotonic() - begin < 10
    assert "Cancelled" in told
    wait_until(lambda: any(isinstance(e, JobEnded) and e.cancelled for e in heard))
    assert door.cancel(1).result(10) is False, "the collector answers"
    door.close()


def test_a_collector_that_is_killed_meanwhile_is_said_to_be_gone(tmp_path: Path) -> None:
    beside = Beside(tmp_path)
    command = beside.start("backfill", "--days", "3000", "--exchange", "extended")
    door = open_door(beside.database)
    assert door is not None
    heard: list[Event] = []
    door.listen(heard.append)
    assert command.stderr is not None
    assert any("it does the work" in line for line in iter(command.stderr.readline, ""))
    heard.clear()
    wait_until(lambda: any(isinstance(e, Progress) and e.kind == "backfill" for e in heard), 30)
    os.kill(beside.collector.pid, signal.SIGKILL)
    _, told = command.communicate(timeout=15)
    beside.collector.communicate()
    door.close()
    assert command.returncode == 1
    assert f"Error: the collector (process {beside.collector.pid}) is gone" in told
    code, told = beside.run("backfill", "--days", "1", "--exchange", "extended")
    assert code == 0, told
    with reader(beside.database) as db:
        assert db.value("SELECT COUNT(*) FROM run WHERE ended IS NULL") == 0
        assert db.value("SELECT COUNT(*) FROM alert WHERE kind = 'collector' AND until IS NOT NULL") == 1


def test_beside_a_backfill_everything_else_is_told_to_try_later(tmp_path: Path) -> None:
    beside = Beside(tmp_path)
    beside.collector.terminate()
    beside.collector.communicate(timeout=15)
    first = beside.start("backfill", "--days", "3000", "--exchange", "extended")
    wait_until(lambda: open_door_closed(beside.database), 30)
    for words in (["backfill", "--exchange", "extended"], ["--collect-only", "--once"]):
        code, told = beside.run(*words)
        assert code == 1
        assert f"process {first.pid} is at work of its own (backfill)" in told
    first.terminate()
    first.communicate(timeout=15)
    assert first.returncode == 130
    assert lock.holder(beside.database) is None


def test_only_the_runs_of_the_job_are_shown() -> None:
    shown: list[Event] = []
    tell = only_runs_of(["aster"], "backfill", shown.append)
    mine: list[Event] = [
        Progress("aster", "backfill", 7, 10, 1, 1),
        RunEnded("aster", "backfill", 7, "ok", None, 1, 1, 0, 1.0, 1),
        Trouble("disk", "full"),
    ]
    tell(Progress("aster", "backfill", 3, 10, 9, 9))  # begun before
    tell(RunStarted("aster", "backfill", 7))
    tell(RunStarted("lighter", "backfill", 8))
    tell(Progress("lighter", "backfill", 8, 10, 1, 1))
    tell(Progress("aster", "sweep", 9, 10, 1, 1))
    tell(JobEnded(1, 1, (), False))
    for event in mine:
        tell(event)
    assert shown == mine
