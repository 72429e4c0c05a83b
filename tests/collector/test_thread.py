"""The collector in a thread of its own: starting, commanding, stopping."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fundwatch.clock import SystemClock
from fundwatch.collector import collector as collector_module
from fundwatch.collector import thread as thread_module
from fundwatch.collector.backfill import Job
from fundwatch.collector.build import collector_thread
from fundwatch.collector.collector import Collector
from fundwatch.collector.events import Event
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.thread import CollectorThread
from fundwatch.collector.tracker import Tracker
from fundwatch.config import Config, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.storage import lock, presence
from fundwatch.storage.database import reader
from fundwatch.storage.errors import WrongWorld
from fundwatch.storage.lock import Locked
from tests.collector.scripted import Scripted, break_disk, open_ledger, scripted, unheard

OFF = Config(exchanges={name: ExchangeSection(enabled=False) for name in REGISTRY})


class Housing:
    """A thread around one scripted exchange; `work` is what it does, by default nothing until stopped."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fundwatch.db"
        self.events: list[Event] = []
        self.exchange: Scripted | None = None
        self.ledger: Ledger | None = None
        self.thread = CollectorThread(lambda: self._build(folder), self._close, self._work)

    def _build(self, folder: Path) -> Collector:
        clock = SystemClock()
        self.ledger = open_ledger(folder, clock)
        self.exchange = scripted(clock, 21)
        tracker = Tracker(self.exchange, self.ledger, clock, self.events.append, history_days=1)
        return Collector(
            {"aster": tracker},
            self.ledger,
            clock,
            self.events.append,
            quotes_every_seconds=300,
            minutes={"aster": 5},
            pid=77,
        )

    async def _work(self, collector: Collector) -> str:
        collector.beat()
        await asyncio.Event().wait()
        return "never"

    async def _close(self) -> None:
        assert self.ledger is not None
        self.ledger.close()

    def outcomes(self) -> list[tuple[str, str | None]]:
        with reader(self.path) as db:
            return [tuple(row) for row in db.rows("SELECT kind, outcome FROM run ORDER BY id")]


@pytest.fixture
def housing(tmp_path: Path) -> Iterator[Housing]:
    housing = Housing(tmp_path)
    yield housing
    if housing.ledger is not None:
        housing.thread.stop(2)


def test_starting_brings_the_collector_and_stopping_frees_the_database(housing: Housing) -> None:
    collector = housing.thread.start()
    assert list(collector.trackers) == ["aster"]
    assert lock.holder(housing.path) is not None
    assert housing.thread.stop(2)
    assert lock.holder(housing.path) is None
    with reader(housing.path) as db:
        found = presence.presence(db)
        assert found is not None
        assert found.stopped is not None
    assert housing.thread.done.result(0) is None
    assert housing.thread.stop(2), "stopping twice does no harm"


def test_a_second_collector_is_refused_in_the_callers_thread(housing: Housing, tmp_path: Path) -> None:
    housing.thread.start()
    second = Housing(tmp_path)
    with pytest.raises(Locked, match="in use by collector"):
        second.thread.start()
    assert second.thread.stop(2)


def test_a_database_of_another_world_is_refused_in_the_callers_thread(tmp_path: Path) -> None:
    path = tmp_path / "fundwatch.db"
    first = collector_thread(OFF, path, "demo:7", unheard)
    first.start()
    assert first.stop(2)
    second = collector_thread(OFF, path, "real", unheard)
    with pytest.raises(WrongWorld):
        second.start()
    assert second.stop(2)
    assert lock.holder(path) is None, "the lock is free again"


def test_a_command_runs_in_the_collectors_loop_and_answers(housing: Housing) -> None:
    collector = housing.thread.start()

    async def where() -> str:
        return threading.current_thread().name

    assert housing.thread.submit(where).result(2) == "collector"
    outcomes: dict[str, Outcome] = housing.thread.submit(partial(collector.refresh, ["aster"])).result(2)
    assert outcomes["aster"].word == "ok"


async def test_a_command_that_comes_as_the_loop_ends_leaves_nothing_behind(
    housing: Housing,
) -> None:
    begun: list[str] = []

    async def work() -> None:
        begun.append("work")

    command = asyncio.create_task(housing.thread._command(work))
    command.cancel()
    with pytest.raises(asyncio.CancelledError):
        await command
    gc.collect()  # a coroutine that nobody awaited would be told of here
    assert begun == []


def test_an_error_of_a_command_is_the_callers(housing: Housing) -> None:
    collector = housing.thread.start()
    with pytest.raises(KeyError):
        housing.thread.submit(partial(collector.refresh, ["nosuch"])).result(2)
    assert not housing.thread.done.done()


async def hang() -> None:
    await asyncio.Event().wait()


def test_stopping_ends_a_job_that_was_submitted_before_the_database_closes(housing: Housing) -> None:
    collector = housing.thread.start()
    assert housing.exchange is not None
    housing.exchange.trouble = {"settlements": hang}
    job = housing.thread.submit(partial(collector.backfill, Job(1, 1, ("aster",))))
    sweep = housing.thread.submit(partial(collector.refresh, ["aster"]))
    deadline = time.monotonic() + 2
    while len(housing.exchange.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert housing.thread.stop(2)
    assert job.cancelled()
    assert sweep.cancelled()
    assert {("backfill", "cancelled"), ("sweep", "interrupted")} <= set(housing.outcomes())
    assert None not in [outcome for _, outcome in housing.outcomes()]
    with reader(housing.path) as db:
        assert db.value("SELECT COUNT(*) FROM run WHERE ended IS NULL") == 0


def test_stopping_is_bounded_when_an_exchange_does_not_let_go(
    housing: Housing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (collector_module, thread_module):
        monkeypatch.setattr(module, "STOP_SECONDS", 0.1)
    collector = housing.thread.start()
    assert housing.exchange is not None
    stubborn = True

    async def deaf() -> None:
        while stubborn:
            try:
                await asyncio.sleep(0.02)
            except asyncio.CancelledError:
                continue

    housing.exchange.trouble = {"list": deaf}
    housing.thread.submit(partial(collector.refresh, ["aster"]))
    while not housing.exchange.log:
        time.sleep(0.01)
    begin = time.monotonic()
    assert not housing.thread.stop(0.4)
    assert time.monotonic() - begin < 1
    assert lock.holder(housing.path) is None, "the database is closed all the same"
    stubborn = False
    assert housing.thread.stop(2)


def test_stopping_is_bounded_when_the_loop_is_blocked(housing: Housing) -> None:
    housing.thread.start()
    free = threading.Event()

    async def block() -> None:
        free.wait()

    housing.thread.submit(block)
    begin = time.monotonic()
    assert not housing.thread.stop(0.1)
    assert time.monotonic() - begin < 1
    free.set()
    assert housing.thread.stop(2)


def test_work_that_ends_by_itself_leaves_its_answer(housing: Housing) -> None:
    async def once(collector: Collector) -> Any:
        return await collector.once(hours=2, limit=None)

    housing.thread._work = once
    housing.thread.start()
    outcomes = housing.thread.done.result(2)
    assert outcomes["aster"].word == "ok"
    assert housing.thread.stop(2)
    assert housing.outcomes() == [("sweep", "ok")]


def test_a_collector_that_dies_is_seen_by_whoever_looks(housing: Housing) -> None:
    async def die(collector: Collector) -> None:
        raise RuntimeError("a bug")

    housing.thread._work = die
    housing.thread.start()
    with pytest.raises(RuntimeError, match="a bug"):
        housing.thread.done.result(2)
    assert lock.holder(housing.path) is None


def test_the_thread_never_keeps_the_process_alive(housing: Housing) -> None:
    assert housing.thread._thread.daemon


def test_closing_frees_the_lock_even_when_the_last_word_cannot_be_written(housing: Housing) -> None:
    housing.thread.start()

    async def fill_up() -> None:
        assert housing.ledger is not None
        break_disk(housing.ledger)

    housing.thread.submit(fill_up).result(2)
    assert housing.thread.stop(2)
    assert lock.holder(housing.path) is None


def test_a_name_that_is_still_looked_up_does_not_hold_up_the_end(
    housing: Housing, monkeypatch: pytest.MonkeyPatch
) -> None:
    over, asked = threading.Event(), threading.Event()

    def stalls(*_: Any, **__: Any) -> Any:
        asked.set()
        over.wait(60)

    async def work(collector: Collector) -> None:
        await asyncio.get_running_loop().getaddrinfo("venue.example", 443)

    monkeypatch.setattr("socket.getaddrinfo", stalls)
    housing.thread._work = work
    housing.thread.start()
    assert asked.wait(10)
    assert housing.thread.stop(5)
    over.set()
