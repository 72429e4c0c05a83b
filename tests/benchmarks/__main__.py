"""Figures against their limits, measured in one run: quotes, month, screen.

Nothing here is a test. Machines are noisy: read the ratios.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fundwatch.clock import SystemClock
from fundwatch.collector.backfill import Job
from fundwatch.storage.compact import compact
from tests.benchmarks.figures import heading, row
from tests.benchmarks.screen import LAST_MINUTES, PARTS, screen
from tests.benchmarks.terminal import environment
from tests.benchmarks.world import served
from tests.benchmarks.year import closed, opened

ROUND_TRIP_SECONDS = 0.2
SCALE = 1000.0


async def quotes(folder: Path) -> None:
    """P1: all quotes against one round trip (warm), and requests (P3)."""
    with served(SCALE, ROUND_TRIP_SECONDS, ready_made=True) as (urls, pipe):

        def asked() -> int:
            total = 0
            for name in urls:
                pipe.send(name)
                total += len(pipe.recv())
            return total

        ledger, collector = opened(folder / "bench.db", urls, SCALE)
        exchanges = [tracker.exchange for tracker in collector.trackers.values()]
        await asyncio.gather(*(exchange.fetch_markets_and_quotes() for exchange in exchanges))
        cold = asked()
        walls = []
        for _ in range(7):
            begun = time.perf_counter()
            await asyncio.gather(*(exchange.fetch_quotes() for exchange in exchanges))
            walls.append(time.perf_counter() - begun)
        warm = (asked() - cold) / 7
        fetched = statistics.median(walls)
        stored = []
        for _ in range(5):
            begun = time.perf_counter()
            await asyncio.gather(*(tracker.quotes_pass() for tracker in collector.trackers.values()))
            stored.append(time.perf_counter() - begun)
        row("P1 quotes of all seven, warm", f"{fetched:.3f} s", "0.200 s", fetched / ROUND_TRIP_SECONDS, 1.4)
        both = statistics.median(stored)
        row("   the same, checked and stored", f"{both:.3f} s", "0.200 s", both / ROUND_TRIP_SECONDS, 2.0)
        row("P3 requests: quotes, lists known", f"{warm:.0f}", "20", warm / 20, 1.0)
        row("P3 requests: quotes, cold", f"{cold}", "28", cold / 28, 1.0)
        await closed(ledger, collector)


async def month(folder: Path) -> None:
    """P3 (settled hour of Binance, broken limits) and P7 (bytes a row) on a month of all exchanges."""
    with served(SCALE, 0.0) as (urls, pipe):
        ledger, collector = opened(folder / "bench.db", urls, SCALE)
        await collector.trackers["binance"].sweep(hours=1)
        pipe.send("binance")
        settled = sum(path.endswith("/fundingRate") for path, _ in pipe.recv())
        row("P3 requests: settled hour of Binance", f"{settled}", "2", settled / 2, 1.0)
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


GROUPS = {"quotes": quotes, "month": month}


async def _measured(asked: argparse.Namespace) -> None:
    for group in asked.groups or [*GROUPS, "screen"]:
        with tempfile.TemporaryDirectory() as name:
            if group == "screen":
                await screen(Path(name), asked.year, tuple(asked.only), asked.minutes)
            else:
                await GROUPS[group](Path(name))


def _parts(names: str) -> list[str]:
    if unknown := set(names.split(",")) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))} among {', '.join(PARTS)}")
    return names.split(",")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="quotes, month, screen; all without one")
    parser.add_argument(
        "--year", type=Path, metavar="FILE", help="screen: a year made before, beside month.db"
    )
    parser.add_argument("--only", type=_parts, default=PARTS[:-1], metavar="PARTS", help=", ".join(PARTS))
    parser.add_argument("--minutes", type=int, default=LAST_MINUTES, help="how long the part `memory` runs")
    wanted = parser.parse_args()
    if unknown := set(wanted.groups) - {*GROUPS, "screen"}:
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    heading()
    asyncio.run(_measured(wanted))
