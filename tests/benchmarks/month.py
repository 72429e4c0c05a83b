"""P7, P8 and what P3 says of a backfill: on a month of all exchanges, as the collector stores it."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from fundwatch.clock import SystemClock
from fundwatch.collector.backfill import Job
from fundwatch.storage.keeping.compact import compact
from tests.benchmarks.figures import row
from tests.benchmarks.terminal import environment
from tests.benchmarks.world import served
from tests.benchmarks.year import closed, opened

SCALE = 1000.0


async def month(folder: Path) -> None:
    with served(SCALE, 0.0) as (urls, pipe):
        ledger, collector = opened(folder / "bench.db", urls, SCALE)
        await collector.once(hours=24, limit=None)
        await collector.backfill(Job(1, 30, tuple(urls)))
        refused = 0
        for name in urls:
            pipe.send(name)
            refused += sum(status != 200 for _, status in pipe.recv())
        row("P3 refused requests in a month's backfill", f"{refused}", "0", float(refused), 0.0)
        rows = ledger.writer.value("SELECT COUNT(*) FROM settlement")
        sql = "SELECT SUM(pgsize) FROM dbstat WHERE name = 'settlement'"
        ragged = ledger.writer.value(sql) / rows
        compact(ledger.writer, SystemClock().now())
        full = ledger.writer.value(sql) / rows
        row("P7 bytes a settled row, as inserted", f"{ragged:.1f}", "22.8", ragged / 22.8, 30 / 22.8)
        row("P7 bytes a settled row, compacted", f"{full:.1f}", "22.8", full / 22.8, 30 / 22.8)
        await closed(ledger, collector)
    _status(folder)


def _status(folder: Path) -> None:
    """P8: `status --json` as a process, beside a bare interpreter."""
    command = [sys.executable, "-m", "fundwatch", "--db", str(folder / "bench.db")]
    status = _median([*command, "status", "--json"], folder)
    bare = _median([sys.executable, "-c", "pass"], folder)
    row("P8 status --json as a process", f"{status:.3f} s", "0.200 s", status / 0.2, 1.0)
    print(f"   (a bare interpreter takes {bare:.3f} s here)")


def _median(command: list[str], home: Path) -> float:
    walls = []
    for _ in range(9):
        begun = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False, env=environment(home))
        walls.append(time.perf_counter() - begun)
    return statistics.median(walls)
