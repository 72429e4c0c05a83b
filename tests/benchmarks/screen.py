"""The dashboard on a real pseudo terminal, 160x50, over a year of all markets.

The exchanges are a demo world in a process of its own; the collector works inside the app's process.
The lag of the app's loop is seen from outside: the time from a key to the first byte of its answer.
"""

import asyncio
import gc
import random
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

from fundwatch.answers.spreads import spreads
from fundwatch.answers.top import top
from fundwatch.clock import SystemClock
from fundwatch.config import Config
from fundwatch.models import HOUR
from fundwatch.storage.database import reader
from fundwatch.tui.rate_rows import RateRows
from fundwatch.tui.snapshot import Question, take_snapshot
from fundwatch.tui.words import Words
from tests.benchmarks.figures import percentile, row
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.world import served
from tests.benchmarks.year import WORLD, closed, make_month, make_year, opened

STARTS = 7
QUICK, DEMO = 1000.0, 100.0
"""Scales of the demo world: to make a database, and the pace that `--demo` has."""
ROUND_TRIP_SECONDS = 0.2
DOWN, UP, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~"

_RATE = re.compile(r"[+-]\d[\d,]*\.\d\d")
_BARE = (sys.executable, "-m", "tests.benchmarks.bare")


async def screen(folder: Path) -> None:
    """P6, P9, P10, P11, P13."""
    month, year = folder / "month.db", folder / "year.db"
    with served(QUICK, 0.0) as (urls, _):
        await make_month(month, urls, QUICK)
    count = await asyncio.to_thread(make_year, month, year)
    print(f"   (the year: {count:,} settlements, {year.stat().st_size / 1e6:,.0f} MB)")
    _answers(month, year)
    await _displayed(year)
    with served(DEMO, 0.05) as (urls, _):
        command = _command(folder, urls)
        _start([*command, str(year)], folder)
        _keys([*command, str(year)], folder)
        _lags(command, month, folder)
        _costs([*command, str(year)], year, folder)
        _headless([*command, str(year), "--collect-only"], folder)


def _command(folder: Path, urls: dict[str, str]) -> list[str]:
    """The dashboard with these exchanges; the database's path is still to follow.

    No hourly sweep and no quotes fall due while it is measured.
    """
    minute = (time.gmtime().tm_min + 40) % 60
    file = folder / "bench.toml"
    sections = [
        f'[exchanges.{name}]\nbase_url = "{url}"\nbudget_scale = {DEMO}\nminute = {minute}\n'
        for name, url in urls.items()
    ]
    file.write_text('[collector]\nquotes_every = "1h"\n' + "".join(sections))
    return [sys.executable, "-m", "fundwatch", "--config", str(file), "--db"]


# In process


def _answers(month: Path, year: Path) -> None:
    """P6: the rankings over a year, beside those over a month."""
    now, config = SystemClock().now(), Config()
    stale_after = config.collector.stale_after_seconds

    def seconds(database: Path, what: str, window: str) -> float:
        with reader(database, world=WORLD) as db:
            if what == "top":
                return _median(
                    lambda: top(db, now, window=window, limit=None, stale_after_seconds=stale_after)
                )
            return _median(lambda: spreads(db, config, now, window=window))

    for what, window in (("top", "now"), ("top", "30d"), ("spreads", "now"), ("spreads", "30d")):
        ours, less = seconds(year, what, window), seconds(month, what, window)
        _row_ms(f"P6 {what} {window}, all markets, a year", ours, 10)
        row("   against a month", f"{ours * 1e3:.1f} ms", f"{less * 1e3:.1f} ms", ours / less, 1.2)


async def _displayed(year: Path) -> None:
    """P13: quotes of all exchanges, warm, checked, stored, read and formatted."""
    with served(QUICK, ROUND_TRIP_SECONDS, ready_made=True) as (urls, _):
        ledger, collector = opened(year, urls, QUICK)
        config, rows, words = Config(), RateRows(), Words()
        walls, cpus, shots = [], [], []
        await asyncio.gather(*(tracker.sweep(hours=1) for tracker in collector.trackers.values()))
        for _ in range(6):
            gc.collect()
            begun, worked = time.perf_counter(), time.process_time()
            await asyncio.gather(*(tracker.quotes_pass() for tracker in collector.trackers.values()))
            read = time.perf_counter()
            snapshot = take_snapshot(year, WORLD, config, Question(), SystemClock().now())
            shots.append(time.perf_counter() - read)
            rows.take(snapshot, words)
            rows.rows()
            walls.append(time.perf_counter() - begun)
            cpus.append(time.process_time() - worked)
        await closed(ledger, collector)
    wall = statistics.median(walls[1:])
    row("P13 collected to displayed, warm", f"{wall:.3f} s", "0.200 s", wall / ROUND_TRIP_SECONDS, 1.6)
    _row_ms("   its CPU", statistics.median(cpus[1:]), 200)
    print(f"   (the snapshot in it: {statistics.median(shots) * 1e3:.0f} ms)")


# On the terminal


def _start(command: Sequence[str], home: Path) -> None:
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
            rates.append(_to_rates(terminal))
    limit = statistics.median(bare)
    for name, walls, budget in (
        ("P9 start to first text", text, 1.8),
        ("P9 start to filled overview", filled, 3.0),
        ("P9 start to filled rates table, 2 typed", rates, 3.0),
    ):
        wall = statistics.median(walls)
        row(name, f"{wall:.3f} s", f"{limit:.3f} s", wall / limit, budget)


def _to_rates(terminal: Terminal) -> float:
    terminal.wait(lambda seen: "Overview" in seen)
    terminal.drain(0.1)  # what is typed before the terminal is in raw mode is thrown away
    terminal.type("2")
    return terminal.wait(lambda seen: _rates(seen.rpartition("every market")[2]) >= 100)


def _rates(text: str) -> int:
    return len(_RATE.findall(text))


def _keys(command: Sequence[str], home: Path) -> None:
    """P10: keys on an app that has nothing else to do."""
    with Terminal(_BARE, home) as terminal:
        terminal.wait(lambda seen: "ready" in seen)
        terminal.drain(1.0)
        paints = [terminal.press("x")[1] for _ in range(100)]
    _print_both("a bare app", paints)
    with Terminal(command, home) as terminal:
        _to_rates(terminal)
        terminal.drain(12.0)
        kinds: dict[str, tuple[tuple[str, ...], int]] = {
            "arrow down": ((DOWN,) * 9 + (UP,) * 9, 180),
            "page down": ((PAGE_DOWN,) * 9 + (PAGE_UP,) * 9, 108),
            "digits": (("1", "2", "3", "4", "5"), 100),
        }
        for name, (keys, times) in kinds.items():
            answers = []
            for index in range(times):
                answers.append(terminal.press(keys[index % len(keys)]))
                terminal.drain(random.uniform(0.02, 0.06))
            paints = [paint for _, paint in answers]
            _row_ms(f"P10 {name}: key to paint p99", percentile(paints, 0.99), 30)
            _print_both("to the last byte", paints)
            _print_both("to the first", [first for first, _ in answers])


def _lags(command: Sequence[str], month: Path, folder: Path) -> None:
    """P10: keys while the collector works in the same process."""
    with closing(sqlite3.connect(month)) as db, db:
        since = time.time() - 12 * HOUR
        db.execute("DELETE FROM settlement WHERE funding_time > ?", (since,))
        db.execute("DELETE FROM absence WHERE end_time > ?", (since,))
    demo = [sys.executable, "-m", "fundwatch", "--demo", "--db", str(folder / "demo.db")]
    for name, arguments, seconds in (
        ("in a full sweep", [*command, str(month)], 10.0),
        ("in a backfill", [*command, str(folder / "fresh.db")], 25.0),
        ("in --demo's first seconds", demo, 25.0),
    ):
        with Terminal(arguments, folder) as terminal:
            _to_rates(terminal)
            answers: list[tuple[float, float]] = []
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                answers.append(terminal.press(DOWN if len(answers) % 40 < 20 else UP))
                terminal.drain(random.uniform(0.01, 0.04))
        firsts = [first for first, _ in answers]
        _row_ms(f"P10 {name}: key echo p99", percentile(firsts, 0.99), 30)
        _print_both(f"of {len(firsts)} keys", firsts)


def _costs(command: Sequence[str], year: Path, home: Path) -> None:
    """P11, on the rates table."""
    with Terminal(command, home) as terminal:
        _to_rates(terminal)
        terminal.drain(20.0)
        idle = _cpu_percent(terminal, 20.0)
        ending = Event()
        writer = Thread(target=_write, args=(year, ending), daemon=True)
        writer.start()
        busy = _cpu_percent(terminal, 20.0)
        ending.set()
        writer.join()
        memory = terminal.memory_mb()
    row("P11 idle CPU over 20 s", f"{idle:.2f} %", "0.50 %", idle / 0.5, 1.0)
    row("P11 CPU, all quotes written each second", f"{busy:.2f} %", "3.00 %", busy / 3, 1.0)
    row("P11 memory after a minute", f"{memory:.0f} MB", "120 MB", memory / 120, 1.0)


def _write(year: Path, ending: Event) -> None:
    """Other quotes of all markets each second."""
    with closing(sqlite3.connect(year, timeout=1.0)) as db:
        while not ending.wait(1.0):
            with suppress(sqlite3.OperationalError), db:  # the app's collector had the word
                db.execute(
                    "UPDATE quote SET observed_at = ?, hourly_rate = hourly_rate * 1.001", (int(time.time()),)
                )


def _headless(command: Sequence[str], home: Path) -> None:
    with Terminal(command, home) as terminal:
        terminal.drain(20.0)
        memory = terminal.memory_mb()
    row("P11 memory of --collect-only", f"{memory:.0f} MB", "90 MB", memory / 90, 1.0)


def _cpu_percent(terminal: Terminal, seconds: float) -> float:
    before = terminal.cpu_seconds()
    terminal.drain(seconds)
    return (terminal.cpu_seconds() - before) / seconds * 100


def _row_ms(name: str, seconds: float, limit_ms: float) -> None:
    row(name, f"{seconds * 1e3:.1f} ms", f"{limit_ms:.0f} ms", seconds * 1e3 / limit_ms, 1.0)


def _print_both(name: str, seconds: Sequence[float]) -> None:
    p50, p99 = (percentile(seconds, share) * 1e3 for share in (0.5, 0.99))
    print(f"   ({name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms)")


def _median(work: Callable[[], object]) -> float:
    walls = []
    for _ in range(15):
        begun = time.perf_counter()
        work()
        walls.append(time.perf_counter() - begun)
    return statistics.median(walls)
