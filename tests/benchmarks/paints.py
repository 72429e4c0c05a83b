"""P9 and P10: how soon the dashboard answers, to its start and to keys, on a real pseudo terminal.

The lag of the app's loop is seen from outside: the time from a key to the first byte of its answer.
"""

import random
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from fundwatch.models import HOUR
from tests.benchmarks.figures import percentile, row, row_ms
from tests.benchmarks.terminal import Terminal

STARTS = 7
DOWN, UP, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~"

_RATE = re.compile(r"[+-]\d[\d,]*\.\d\d")
_BACKFILL = re.compile(r"backfill\s+\d+ %")
_BARE = (sys.executable, "-m", "tests.benchmarks.bare")


def start(command: Sequence[str], home: Path) -> None:
    """P9, with bytecode as an installation has it. The rates are asked for as soon as there is a screen."""
    bare, text, filled, rates = [], [], [], []
    for warm_up in (_BARE, command):
        with Terminal(warm_up, home) as terminal:
            terminal.drain(4.0)
    for _ in range(STARTS):
        with Terminal(_BARE, home) as terminal:
            bare.append(terminal.wait(lambda seen: "ready" in seen))
        with Terminal(command, home) as terminal:
            text.append(terminal.wait(lambda seen: "fundwatch" in seen))
            filled.append(terminal.wait(lambda seen: _rates(seen) >= 30))
        with Terminal(command, home) as terminal:
            rates.append(to_rates(terminal))
    limit = statistics.median(bare)
    for name, walls, budget in (
        ("P9 start to first text", text, 1.8),
        ("P9 start to filled overview", filled, 3.0),
        ("P9 start to filled rates table, 2 typed", rates, 3.0),
    ):
        wall = statistics.median(walls)
        row(name, f"{wall:.3f} s", f"{limit:.3f} s", wall / limit, budget)


def to_rates(terminal: Terminal) -> float:
    """Seconds from the start until the rates table is filled."""
    terminal.wait(lambda seen: "Overview" in seen)
    terminal.drain(0.1)  # what is typed before the terminal is in raw mode is thrown away
    terminal.type("2")
    return terminal.wait(lambda seen: _rates(seen.rpartition("every market")[2]) >= 100)


def _rates(text: str) -> int:
    return len(_RATE.findall(text))


def keys(command: Sequence[str], home: Path) -> None:
    """P10: keys on an app that has nothing else to do."""
    with Terminal(_BARE, home) as terminal:
        terminal.wait(lambda seen: "ready" in seen)
        terminal.drain(1.0)
        paints = [terminal.press("x")[1] for _ in range(100)]
    _print_both("a bare app", paints)
    with Terminal(command, home) as terminal:
        to_rates(terminal)
        terminal.drain(12.0)
        kinds: dict[str, tuple[tuple[str, ...], int]] = {
            "arrow down": ((DOWN,) * 9 + (UP,) * 9, 180),
            "page down": ((PAGE_DOWN,) * 9 + (PAGE_UP,) * 9, 108),
            "digits": (("1", "2", "3", "4", "5"), 100),
        }
        for name, (typed, times) in kinds.items():
            answers = []
            for index in range(times):
                answers.append(terminal.press(typed[index % len(typed)]))
                terminal.drain(random.uniform(0.02, 0.06))
            paints = [paint for _, paint in answers]
            row_ms(f"P10 {name}: key to paint p99", percentile(paints, 0.99), 30)
            _print_both("to the last byte", paints)
            _print_both("to the first", [first for first, _ in answers])


def sweep(command: Sequence[str], month: Path, home: Path) -> None:
    """P10: keys while a sweep of all exchanges goes on; twelve hours are taken out of `month` for it."""
    with closing(sqlite3.connect(month)) as db, db:
        since = time.time() - 12 * HOUR
        db.execute("DELETE FROM settlement WHERE funding_time > ?", (since,))
        db.execute("DELETE FROM absence WHERE end_time > ?", (since,))
    _echo("in a full sweep", [*command, str(month)], home, 10.0)


def first_run(command: Sequence[str], home: Path) -> None:
    """P10: keys while a new database is filled for the first time."""
    _echo("in a first run", [*command, str(home / "fresh.db")], home, 25.0)


def backfill(command: Sequence[str], home: Path) -> None:
    """P10: keys while the history of all exchanges is fetched, as after the first sweep of a new database."""
    with Terminal([*command, str(home / "backfill.db")], home) as terminal:
        terminal.wait(lambda seen: _BACKFILL.search(seen), 120.0)
        terminal.type("2")
        terminal.drain(1.0)
        _print_echo("in a backfill", terminal, 20.0)
        terminal.forget()
        terminal.drain(1.5)
        if not _BACKFILL.search(terminal.text):
            print("   (the backfill ended before the measurement did)")


def demo(home: Path) -> None:
    """P10: keys in --demo, whose world lives in the same process."""
    command = [sys.executable, "-m", "fundwatch", "--demo", "--db", str(home / "demo.db")]
    _echo("in --demo's first seconds", command, home, 25.0)


def _echo(name: str, command: Sequence[str], home: Path, seconds: float) -> None:
    with Terminal(command, home) as terminal:
        to_rates(terminal)
        _print_echo(name, terminal, seconds)


def _print_echo(name: str, terminal: Terminal, seconds: float) -> None:
    firsts: list[float] = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        firsts.append(terminal.press(DOWN if len(firsts) % 40 < 20 else UP)[0])
        terminal.drain(random.uniform(0.01, 0.04))
    row_ms(f"P10 {name}: key echo p99", percentile(firsts, 0.99), 30)
    _print_both(f"of {len(firsts)} keys", firsts)


def _print_both(name: str, seconds: Sequence[float]) -> None:
    p50, p99, most = (percentile(seconds, share) * 1e3 for share in (0.5, 0.99, 1.0))
    print(f"   ({name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {most:.1f} ms)")
