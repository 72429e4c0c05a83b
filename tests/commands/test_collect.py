import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from fundwatch.commands.collect import SIGNALS, heartbeat, stop_signals, wait_for
from fundwatch.storage.errors import DatabaseBusy


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_asks_to_stop_and_its_handler_goes_with_the_block(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with stop_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(5)
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_hangup_that_was_ignored_from_outside_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_second_signal_ends_the_process_at_once() -> None:
    program = (
        "import os, signal\n"
        "from fundwatch.commands.collect import stop_signals\n"
        "with stop_signals() as stop:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    assert stop.wait(5)\n"
        "    print('asked', flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "asked\n")


def test_a_signal_in_the_middle_of_waiting_never_waits_for_itself() -> None:
    """An Event is no thing for a handler: the thread that it interrupts may hold the Event's lock."""
    program = (
        "import os, signal, threading\n"
        "from fundwatch.commands.collect import stop_signals\n"
        "for _ in range(60):\n"
        "    with stop_signals() as stop:\n"
        "        threading.Timer(0.0005, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "        while not stop.wait(0):\n"
        "            pass\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr) == ("done\n", "")


class Worker:
    """What `wait_for` needs of a collector's thread."""

    def __init__(self) -> None:
        self.done: Future[Any] = Future()
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def test_waiting_brings_what_the_work_came_to() -> None:
    worker = Worker()
    worker.done.set_result({"aster": "ok"})
    assert wait_for(worker, threading.Event()) == {"aster": "ok"}  # type: ignore[arg-type,comparison-overlap]
    assert not worker.stopped


def test_a_signal_stops_the_work_and_there_is_no_outcome() -> None:
    worker, stop = Worker(), threading.Event()
    stop.set()
    assert wait_for(worker, stop) is None  # type: ignore[arg-type]
    assert worker.stopped


def test_what_the_work_raised_comes_out() -> None:
    worker = Worker()
    worker.done.set_exception(DatabaseBusy("waited in vain"))
    with pytest.raises(DatabaseBusy):
        wait_for(worker, threading.Event())  # type: ignore[arg-type]


class Heart:
    def __init__(self, trouble: Exception | None = None) -> None:
        self.beats = 0
        self.trouble = trouble

    def beat(self) -> None:
        self.beats += 1
        if self.trouble:
            raise self.trouble


@pytest.mark.parametrize("trouble", [None, DatabaseBusy("waited in vain")])
async def test_work_gives_signs_of_life_whatever_the_database_does(
    trouble: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.commands.collect.HEARTBEAT_SECONDS", 0.001)
    heart = Heart(trouble)
    with heartbeat(heart):  # type: ignore[arg-type]
        while heart.beats < 3:
            await asyncio.sleep(0.001)
    beats = heart.beats
    await asyncio.sleep(0.01)
    assert heart.beats == beats
