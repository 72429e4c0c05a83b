"""P11: what the dashboard takes of the machine, on a real pseudo terminal."""

import sqlite3
import statistics
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

from tests.benchmarks.figures import row
from tests.benchmarks.paints import to_rates
from tests.benchmarks.terminal import Terminal

MINUTE = 60
QUIET_AFTER_SECONDS = 60.0
PIECE_SECONDS = 10.0
LOOKED_AT_MINUTES = 5


def processor(command: Sequence[str], year: Path, home: Path, *, seconds: float = 60.0) -> None:
    """On the rates table, idle and with other quotes of all markets every second.

    Idle is the median of pieces of ten seconds, from when the collector has looked twice at what it found:
    a sweep that is tried again is work. What the first of the quotes cost is not counted: the screen shows
    those at once, and a stream less often.
    """
    with Terminal(command, home) as terminal:
        to_rates(terminal)
        terminal.drain(QUIET_AFTER_SECONDS)
        pieces = [_cpu_percent(terminal, PIECE_SECONDS) for _ in range(int(seconds / PIECE_SECONDS))]
        idle = statistics.median(pieces)
        ending = Event()
        writer = Thread(target=_write, args=(year, ending), daemon=True)
        writer.start()
        terminal.drain(10.0)
        busy = _cpu_percent(terminal, seconds)
        ending.set()
        writer.join()
        memory = terminal.memory_mb()
    print(f"   (pieces of {PIECE_SECONDS:.0f} s: {', '.join(f'{piece:.2f}' for piece in pieces)} %)")
    row(f"P11 idle CPU over {seconds:.0f} s", f"{idle:.2f} %", "0.50 %", idle / 0.5, 1.0)
    row("P11 CPU, all quotes written each second", f"{busy:.2f} %", "3.00 %", busy / 3, 1.0)
    row("P11 memory after some minutes", f"{memory:.0f} MB", "120 MB", memory / 120, 1.0)


def _write(year: Path, ending: Event) -> None:
    """Other quotes of all markets each second."""
    with closing(sqlite3.connect(year, timeout=1.0)) as db:
        while not ending.wait(1.0):
            with suppress(sqlite3.OperationalError), db:  # the app's collector had the word
                db.execute(
                    "UPDATE quote SET observed_at = ?, hourly_rate = hourly_rate * 1.001", (int(time.time()),)
                )


def headless(command: Sequence[str], home: Path) -> None:
    with Terminal([*command, "--collect-only"], home) as terminal:
        terminal.drain(20.0)
        memory = terminal.memory_mb()
    row("P11 memory of --collect-only", f"{memory:.0f} MB", "90 MB", memory / 90, 1.0)


def memory(command: Sequence[str], home: Path, minutes: int) -> None:
    """Resident memory every five minutes, while panes are changed every minute; for by-hand use."""
    with Terminal(command, home) as terminal:
        to_rates(terminal)
        started, worked = time.perf_counter(), terminal.cpu_seconds()
        for minute in range(1, minutes + 1):
            for digit in "12345":
                terminal.type(digit)
                terminal.drain(1.0)
            terminal.forget()
            while (left := started + minute * MINUTE - time.perf_counter()) > 0:
                terminal.drain(min(left, 5.0))
                terminal.forget()
            if minute % LOOKED_AT_MINUTES == 0 or minute == minutes:
                resident = terminal.memory_mb()
                share = (terminal.cpu_seconds() - worked) / (minute * MINUTE) * 100
                row(f"P11 memory after {minute} minutes", f"{resident:.1f} MB", "120 MB", resident / 120, 1.0)
                print(f"   (CPU so far {share:.2f} %)", flush=True)


def _cpu_percent(terminal: Terminal, seconds: float) -> float:
    before = terminal.cpu_seconds()
    terminal.drain(seconds)
    return (terminal.cpu_seconds() - before) / seconds * 100
