"""The dashboard over a year of all markets: P6 and P13 in process, the others on a terminal of 160x50.

The exchanges are a demo world in a process of its own; the collector works inside the app's process.
`--year FILE` takes a year that was made before, with its month beside it (`month.db`); `--only p9,p10`
measures these parts alone.
"""

import asyncio
import gc
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fundwatch.answers.spreads import spreads
from fundwatch.answers.top import top
from fundwatch.clock import SystemClock
from fundwatch.config import Config
from fundwatch.storage.database import reader
from fundwatch.tui.reading import take_snapshot
from fundwatch.tui.rows.rate_rows import RateRows, columns
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.tables.model import TableModel
from fundwatch.tui.words import Words
from tests.benchmarks import costs, paints
from tests.benchmarks.figures import row, row_ms
from tests.benchmarks.terminal import COLUMNS, LINES
from tests.benchmarks.world import served
from tests.benchmarks.year import WORLD, closed, make_month, make_year, opened

QUICK, DEMO = 1000.0, 100.0
"""Scales of the demo world: to make a database, and the pace that `--demo` has."""
ROUND_TRIP_SECONDS = 0.2

PARTS = ("p6", "p13", "p9", "keys", "sweep", "first", "backfill", "demo", "cpu", "headless", "memory")
"""All of them but `memory`, which takes an hour, are measured where none is named."""
LAST_MINUTES = 60


async def screen(
    folder: Path, kept: Path | None = None, only: tuple[str, ...] = PARTS[:-1], minutes: int = LAST_MINUTES
) -> None:
    """`kept` is a year made before: what it lacks of today is fetched, and a copy of it measured."""
    month, year = folder / "month.db", folder / "year.db"
    with served(QUICK, 0.0) as (urls, _):
        if kept is None:
            await make_month(month, urls, QUICK)
            count = await asyncio.to_thread(make_year, month, year)
            print(f"   (the year: {count:,} settlements, {year.stat().st_size / 1e6:,.0f} MB)")
        else:
            for source, copy in ((kept.with_name("month.db"), month), (kept, year)):
                await _brought_up(source, urls)
                shutil.copy(source, copy)
    if "p6" in only:
        _answers(month, year)
    if "p13" in only:
        await _displayed(year)
    with served(DEMO, 0.05) as (urls, _):
        command = _command(folder, urls)
        on_year = [*command, str(year)]
        measured: dict[str, Callable[[], object]] = {
            "p9": lambda: paints.start(on_year, folder),
            "keys": lambda: paints.keys(on_year, folder),
            "sweep": lambda: paints.sweep(command, month, folder),
            "first": lambda: paints.first_run(command, folder),
            "backfill": lambda: paints.backfill(command, folder),
            "demo": lambda: paints.demo(folder),
            "cpu": lambda: costs.processor(on_year, year, folder),
            "headless": lambda: costs.headless(on_year, folder),
            "memory": lambda: costs.memory([*_command(folder, urls, busy=True), str(year)], folder, minutes),
        }
        for name, measure in measured.items():
            if name in only:
                measure()


async def _brought_up(database: Path, urls: dict[str, str]) -> None:
    """Fetches what fell due since it was made, as a collector would."""
    ledger, collector = opened(database, urls, QUICK)
    await collector.once(hours=24, limit=None)
    await closed(ledger, collector)


def _command(folder: Path, urls: dict[str, str], *, busy: bool = False) -> list[str]:
    """The dashboard with these exchanges; the database's path is still to follow.

    Unless `busy`, no hourly sweep and no quotes fall due while it is measured.
    """
    minute = (time.gmtime().tm_min + 40) % 60
    file = folder / ("busy.toml" if busy else "bench.toml")
    rest = f"minute = {minute}\n" if not busy else ""
    sections = [
        f'[exchanges.{name}]\nbase_url = "{url}"\nbudget_scale = {DEMO}\n{rest}' for name, url in urls.items()
    ]
    quotes = "" if busy else 'quotes_every = "1h"\n'
    file.write_text(f"[collector]\n{quotes}" + "".join(sections))
    return [sys.executable, "-m", "fundwatch", "--config", str(file), "--db"]


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
        row_ms(f"P6 {what} {window}, all markets, a year", ours, 10)
        row("   against a month", f"{ours * 1e3:.1f} ms", f"{less * 1e3:.1f} ms", ours / less, 1.2)


async def _displayed(year: Path) -> None:
    """P13: quotes of all exchanges, warm, checked, stored, read, sorted, and formatted as far as seen."""
    with served(QUICK, ROUND_TRIP_SECONDS, ready_made=True) as (urls, _):
        ledger, collector = opened(year, urls, QUICK)
        config, rows, words = Config(), RateRows(), Words()
        table = TableModel(columns(words, COLUMNS))
        table.sorted_by, table.descending = "now", True
        walls, cpus, shots = [], [], []
        snapshot: Snapshot | None = None
        await asyncio.gather(*(tracker.sweep(hours=1) for tracker in collector.trackers.values()))
        for _ in range(6):
            gc.collect()
            begun, worked = time.perf_counter(), time.process_time()
            await asyncio.gather(*(tracker.quotes_pass() for tracker in collector.trackers.values()))
            read = time.perf_counter()
            snapshot = take_snapshot(year, WORLD, config, Question(), SystemClock().now(), snapshot)
            shots.append(time.perf_counter() - read)
            rows.take(snapshot, words)
            table.replace(rows.rows())
            table.arrange()
            for shown in table.visible[:LINES]:
                assert shown.cells
            walls.append(time.perf_counter() - begun)
            cpus.append(time.process_time() - worked)
        await closed(ledger, collector)
    wall = statistics.median(walls[1:])
    row("P13 collected to displayed, warm", f"{wall:.3f} s", "0.200 s", wall / ROUND_TRIP_SECONDS, 1.6)
    row_ms("   its CPU", statistics.median(cpus[1:]), 200)
    print(f"   (the snapshot in it: {statistics.median(shots) * 1e3:.0f} ms)")


def _median(work: Callable[[], object]) -> float:
    walls = []
    for _ in range(15):
        begun = time.perf_counter()
        work()
        walls.append(time.perf_counter() - begun)
    return statistics.median(walls)
