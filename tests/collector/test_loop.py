"""The loop that ticks: it beats, outlives its own bugs and a clock that is set, and ends cleanly."""

import asyncio
import datetime
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import schedule

from fundwatch.collector import collector as collector_module
from fundwatch.collector.events import CollectorStarted, CollectorStopped
from fundwatch.models import HOUR
from fundwatch.storage import presence
from fundwatch.storage.errors import StorageError
from tests.collector.bench import DAY, Bench
from tests.collector.scripted import WallClock
from tests.virtual_time import run_virtually


def naive(clock: WallClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """`schedule` and we see the bench's clock as naive local time."""

    class Moved(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> "Moved":
            return cls.fromtimestamp(clock.now(), datetime.UTC).replace(tzinfo=None)

    fake = SimpleNamespace(datetime=Moved, timedelta=datetime.timedelta, time=datetime.time)
    monkeypatch.setattr(schedule, "datetime", fake)
    monkeypatch.setattr(collector_module, "local_now", Moved.now)


def in_loop(
    folder: Path, monkeypatch: pytest.MonkeyPatch, script: Callable[[Bench], Coroutine[Any, Any, None]]
) -> None:
    async def main() -> None:
        bench = Bench(folder)
        naive(bench.clock, monkeypatch)
        life = asyncio.create_task(bench.collector.run())
        try:
            await script(bench)
        finally:
            bench.collector.stop()
            await life
            bench.ledger.close()

    run_virtually(main())


def test_the_loop_beats_and_collects_until_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(bench: Bench) -> None:
        begin = bench.clock.now()
        await bench.clock.sleep(130)
        alive = presence.presence(bench.ledger.writer)
        assert alive is not None
        assert (alive.pid, alive.role, alive.stopped) == (77, "collector", None)
        assert alive.started == int(begin)
        assert bench.clock.now() - alive.heartbeat <= collector_module.HEARTBEAT_SECONDS + 1
        assert bench.ended("sweep") == ["ok"]
        bench.collector.stop()
        await bench.clock.sleep(1)
        last = presence.presence(bench.ledger.writer)
        assert last is not None
        assert last.stopped == pytest.approx(bench.clock.now(), abs=2)
        assert isinstance(bench.events[0], CollectorStarted)
        assert bench.events[0].exchanges == ("aster", "lighter")
        assert isinstance(bench.events[-1], CollectorStopped)

    in_loop(tmp_path, monkeypatch, script)


@pytest.mark.parametrize("jump", [-12 * HOUR, -HOUR, HOUR, 30 * DAY])
def test_the_loop_goes_on_when_the_clock_is_set(
    jump: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(bench: Bench) -> None:
        await bench.clock.sleep(30)
        bench.clock.jump(jump)
        bench.forget()
        await bench.clock.sleep(30)
        alive = presence.presence(bench.ledger.writer)
        assert alive is not None
        assert abs(bench.clock.now() - alive.heartbeat) <= collector_module.HEARTBEAT_SECONDS + 2
        assert len(bench.started("sweep")) == 1

    in_loop(tmp_path, monkeypatch, script)


def test_schedule_never_sees_an_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(bench: Bench) -> None:
        ticks = iter(range(10**6))
        real = bench.collector.tick

        def sometimes() -> None:
            if next(ticks) < 5:
                raise RuntimeError("a bug")
            real()

        def refuse(pid: int) -> None:
            raise StorageError("no room left")

        monkeypatch.setattr(bench.collector, "tick", sometimes)
        monkeypatch.setattr(bench.ledger, "beat", refuse)
        await bench.clock.sleep(60)
        assert bench.ended("sweep") == ["ok"]
        told = {(trouble.where, trouble.message) for trouble in bench.troubles()}
        assert ("database", "no room left") in told

    in_loop(tmp_path, monkeypatch, script)
