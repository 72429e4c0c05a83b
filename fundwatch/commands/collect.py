"""Collecting without a screen: until a signal ends it, or one sweep of every exchange."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fundwatch.collector.build import collector_thread
from fundwatch.collector.collector import Collector
from fundwatch.collector.outcome import Outcome
from fundwatch.collector.thread import CollectorThread
from fundwatch.commands.log import LogFormat, log_writer
from fundwatch.commands.session import Session, exchanges_served

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_POLL_SECONDS = 0.5


def collect(session: Session, log_format: LogFormat) -> int:
    """Collects until SIGTERM, SIGINT or SIGHUP; 0 for a clean end, 1 when the collector died."""
    with exchanges_served(session) as served, stop_signals() as stop:
        thread = collector_thread(served.config, served.database, served.world, log_writer(log_format))
        thread.start()
        while not stop.wait(_POLL_SECONDS):
            if thread.done.done():
                thread.done.result()
                return 1
        return 0 if thread.stop() else 1


def collect_once(session: Session, log_format: LogFormat, *, hours: int, limit: int | None) -> int:
    """One sweep of each enabled exchange; 0 if all succeeded, 1 if any failed or was partial."""

    async def work(collector: Collector) -> dict[str, Outcome]:
        return await collector.once(hours=hours, limit=limit)

    with exchanges_served(session) as served, stop_signals() as stop:
        thread = collector_thread(served.config, served.database, served.world, log_writer(log_format), work)
        thread.start()
        outcomes = wait_for(thread, stop)
    return 0 if outcomes and all(outcome.word == "ok" for outcome in outcomes.values()) else 1


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

    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

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
