"""Collecting without a screen: until a signal ends it, or one sweep of every exchange."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType

from fundwatch.clock import SystemClock
from fundwatch.collector.breath import Breath
from fundwatch.collector.build import collector_thread
from fundwatch.collector.collector import HEARTBEAT_SECONDS, Collector
from fundwatch.collector.doors.client import RemoteDoor
from fundwatch.collector.doors.door import Refused
from fundwatch.collector.events import Trouble
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.thread import CollectorThread
from fundwatch.commands.handover import Stopped, hand_over, only_runs_of, running_collector, said_in_words
from fundwatch.commands.log import LogFormat, log_writer
from fundwatch.commands.session import Session, exchanges_served
from fundwatch.storage.errors import StorageError

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_POLL_SECONDS = 0.5
_HANGS_SECONDS = 90.0
"""What could be broken off has been by then."""
_HUNG = 70


def collect(session: Session, log_format: LogFormat) -> int:
    """Collects until SIGTERM, SIGINT or SIGHUP; 0 for a clean end, 1 when the collector died.

    A collector that hangs ends the process with 70, so that whoever watches over it starts it again.
    """
    with exchanges_served(session) as served, stop_signals() as stop:
        write = log_writer(log_format)
        thread = collector_thread(served.config, served.database, served.world, write)
        thread.start()
        breath = Breath(thread, SystemClock())
        while not stop.wait(_POLL_SECONDS):
            if thread.done.done():
                thread.done.result()
                return 1
            if breath.silence() >= _HANGS_SECONDS:
                write(Trouble("collector", f"no answer for {_HANGS_SECONDS:g} s: this process ends"))
                os._exit(_HUNG)
        return 0 if thread.stop() else 1


def collect_once(session: Session, log_format: LogFormat, *, hours: int, limit: int | None) -> int:
    """One sweep of each enabled exchange; 0 if all succeeded, 1 if any failed or was partial.

    Beside a running collector that one does it, joining the sweeps that are under way.
    """
    with running_collector(session) as door:
        if door is not None:
            return _once_beside(door, session, log_format, hours=hours, limit=limit)

    async def work(collector: Collector) -> dict[str, Outcome]:
        with heartbeat(collector):
            return await collector.once(hours=hours, limit=limit)

    with exchanges_served(session) as served, stop_signals() as stop:
        thread = collector_thread(served.config, served.database, served.world, log_writer(log_format), work)
        thread.start()
        outcomes = wait_for(thread, stop)
    return 0 if outcomes and all(outcome.word == "ok" for outcome in outcomes.values()) else 1


def _once_beside(
    door: RemoteDoor, session: Session, log_format: LogFormat, *, hours: int, limit: int | None
) -> int:
    names = session.config.enabled()
    with said_in_words(), stop_signals() as stop:
        if limit is not None:
            raise Refused(f"--limit is not for a database that process {door.pid} collects into")
        door.listen(only_runs_of(names, "sweep", log_writer(log_format)))
        try:
            outcomes = hand_over(door, door.sweep(hours=hours, exchanges=names), stop)
        except Stopped:
            return 1
    return 0 if outcomes and all(outcome.word == "ok" for outcome in outcomes.values()) else 1


@contextmanager
def heartbeat(collector: Collector) -> Iterator[None]:
    """Signs of life while a collector does one piece of work: its runs are not those of a dead process."""

    async def beat() -> None:
        while True:
            with suppress(StorageError):  # the runs themselves tell of it
                collector.beat()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.get_running_loop().create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def wait_for(thread: CollectorThread, stop: threading.Event) -> dict[str, Outcome] | None:
    """What the thread's work came to; None when a signal ended it first."""
    while not thread.done.done():
        if stop.wait(_POLL_SECONDS / 5):
            thread.stop()
            return None
    found: dict[str, Outcome] | None = thread.done.result()
    return found


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM, SIGINT and SIGHUP set; a second signal ends the process at once.

    A SIGHUP that was ignored from outside (nohup) stays ignored.
    """
    stop = threading.Event()
    # A handler runs between two steps of the main thread, which may hold the lock of `stop` just then:
    # only a SimpleQueue can be used there without waiting for oneself. A thread carries the word on.
    asked: SimpleQueue[int | None] = SimpleQueue()
    is_asked = False

    def ask(number: int, _: FrameType | None) -> None:
        nonlocal is_asked
        if is_asked:
            os._exit(128 + number)
        is_asked = True
        asked.put(number)

    def carry() -> None:
        if asked.get() is not None:
            stop.set()

    courier = threading.Thread(target=carry, name="signals", daemon=True)
    courier.start()
    before = {}
    for number in SIGNALS:
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.put(None)
        courier.join()
