"""P4, P5 and P12: how fast the past comes in, from exchanges and from files."""

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from fundwatch.clock import SystemClock
from fundwatch.collector.backfill import Job
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges.base import Answer, Wanted
from fundwatch.exchanges.budget import BACKGROUND_SHARE, PACE, Budget, Limit
from fundwatch.models import HOUR, Kind
from tests.benchmarks.figures import at_least, row
from tests.benchmarks.terminal import environment
from tests.benchmarks.world import served
from tests.benchmarks.year import closed, opened

SCALE = 1000.0
TIMES_FASTER = {"lighter": 10, "hyperliquid": 60}
"""Venues whose budget binds a month of history; their windows are made shorter by so much."""

IMPORTED_ROWS = 1_000_000
_MARKETS = 125


class _Counted(Budget):
    """Remembers all that was spent."""

    def __init__(self, limits: Mapping[str, Limit], clock: SystemClock) -> None:
        super().__init__(limits, clock)
        self.spent: dict[str, float] = dict.fromkeys(limits, 0.0)

    async def take(self, spend: Mapping[str, float]) -> None:
        await super().take(spend)
        for name, weight in spend.items():
            self.spent[name] += weight


async def p4(folder: Path) -> None:
    """A month of history against what was spent over what may be, in a time that runs faster."""
    for name, faster in TIMES_FASTER.items():
        with served(SCALE, 0.0) as (urls, _):
            ledger, collector = opened(folder / f"{name}.db", {name: urls[name]}, SCALE)
            tracker = collector.trackers[name]
            await tracker.sweep(hours=0)
            facts = tracker.exchange.facts
            limits = {key: Limit(limit.weight, limit.seconds / faster) for key, limit in facts.limits.items()}
            tracker.exchange.http.budget = budget = _Counted(limits, SystemClock())
            begun = time.perf_counter()
            await collector.backfill(Job(1, 30, (name,)))
            wall = time.perf_counter() - begun
            await closed(ledger, collector)
        floor = max(_floor(limits[key], spent) for key, spent in budget.spent.items())
        row(
            f"P4 month of {name}, {faster} x the pace",
            f"{wall:.1f} s",
            f"{floor:.1f} s",
            wall / floor,
            1.15,
        )
        print(f"   (at its own pace {floor * faster / 60:.1f} minutes)")


def _floor(limit: Limit, spent: float) -> float:
    """Seconds until `spent` fits the rolling windows, of which the first may be spent at once."""
    window = limit.weight * PACE * BACKGROUND_SHARE
    return max(0.0, (spent / window - 1) * limit.seconds)


async def p5(folder: Path) -> None:
    """What a month's answers take to be checked, judged and stored, against nothing but executemany."""
    for name, what in (("lighter", "rows with intervals"), ("binance", "intervals by spacing")):
        with served(SCALE, 0.0) as (urls, _):
            ledger, collector = opened(folder / f"{name}.db", {name: urls[name]}, SCALE)
            tracker = collector.trackers[name]
            await tracker.sweep(hours=0)
            wanted = tracker.missing(seconds_back=30 * 24 * HOUR)
            answers = [answer async for answer in tracker.exchange.fetch_settlements(wanted)]
            ledger.writer.checkpoint()
            shutil.copy(folder / f"{name}.db", folder / "limit.db")
            ours = await _stored(tracker, wanted, answers)
            least = await asyncio.to_thread(_executed, folder / "limit.db", answers)
            count = ledger.writer.value("SELECT COUNT(*) FROM settlement")
            await closed(ledger, collector)
        ratio = least / ours
        at_least(f"P5 storing, {what}", f"{count / ours:,.0f}/s", f"{count / least:,.0f}/s", ratio, 0.3)


async def _stored(tracker: Tracker, wanted: Wanted, answers: Sequence[Answer]) -> float:
    async def again(wanted: Wanted) -> AsyncIterator[Answer]:
        for answer in answers:
            yield answer

    tracker.exchange.fetch_settlements = again  # type: ignore[method-assign]
    begun = time.perf_counter()
    await tracker.fill(wanted)
    return time.perf_counter() - begun


def _executed(database: Path, answers: Sequence[Answer]) -> float:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = FULL")
        ids = dict(db.execute("SELECT symbol, id FROM market"))
        batches = [
            [
                (
                    ids[one.symbol],
                    one.funding_time,
                    int(one.kind is Kind.SPECIAL),
                    one.rate,
                    one.interval_hours,
                    1,
                    one.payment_usd,
                )
                for one in answer.rows
            ]
            for answer in answers
        ]
        begun = time.perf_counter()
        for batch in batches:
            db.execute("BEGIN")
            db.executemany("INSERT OR REPLACE INTO settlement VALUES (?, ?, ?, ?, ?, ?, ?)", batch)
            db.execute("COMMIT")
        return time.perf_counter() - begun


class _Import(NamedTuple):
    seconds: float
    memory_mb: float


async def p12(folder: Path) -> None:
    """A million rows of CSV as a process, and a tenth of them: rows a second, and memory at its most."""
    small = await asyncio.to_thread(_imported, folder, IMPORTED_ROWS // 10)
    large = await asyncio.to_thread(_imported, folder, IMPORTED_ROWS)
    speed = IMPORTED_ROWS / large.seconds
    at_least("P12 import of 1 M rows of CSV", f"{speed:,.0f}/s", "150,000/s", speed / 150_000, 1.0)
    row(
        "   its memory, against a tenth of the rows",
        f"{large.memory_mb:.0f} MB",
        f"{small.memory_mb:.0f} MB",
        large.memory_mb / small.memory_mb,
        1.1,
    )


def _imported(folder: Path, rows: int) -> _Import:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        command = [
            *(sys.executable, "-m", "fundwatch", "--db", str(place / "past.db")),
            *("import", "--exchange", "hyperliquid", str(_written(place / "past.csv", rows))),
        ]
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(place)
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.stderr is not None
        with process.stderr as said:
            if process.returncode:
                raise RuntimeError(f"the import failed: {said.read().decode()[-400:]}")
        with closing(sqlite3.connect(place / "past.db")) as db:
            assert db.execute("SELECT COUNT(*) FROM settlement").fetchone() == (rows,)
    return _Import(seconds, usage.ru_maxrss / 1000)


def _written(path: Path, rows: int) -> Path:
    """Hourly payments of many markets, by time, most of them at rest: as a whole venue's past looks."""
    end = int(time.time()) // HOUR * HOUR - 24 * HOUR
    dice = random.Random(7)
    hours = rows // _MARKETS
    with path.open("w") as out:
        out.write("symbol,funding_time_s,rate,interval_hours\n")
        for hour in range(end - (hours - 1) * HOUR, end + 1, HOUR):
            for market in range(_MARKETS):
                rate = 0.0000125 if dice.random() < 0.5 else round(dice.uniform(-5e-5, 5e-5), 10)
                out.write(f"C{market:03},{hour},{rate:.10f},1\n")
    return path
