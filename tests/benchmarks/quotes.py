"""P1, P2 and P3: what all quotes take, in time, requests, work and memory; ccxt beside it."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fundwatch.models import HOUR
from tests.acceptance.house import NOON, house
from tests.benchmarks.figures import row, unmeasured
from tests.benchmarks.world import served
from tests.benchmarks.year import closed, opened

ROUND_TRIP_SECONDS = 0.2
SCALE = 1000.0
SETTLED_HOURS = 9
"""Any 8 h hold an hour in which markets of every interval pay, and one after it."""

THREE = ("binance", "hyperliquid", "aster")
"""Which ccxt reads from the same servers; of Hyperliquid the main dex."""

_HERE = Path(__file__).parent
_ENVIRONMENT_SECONDS = 300


async def p1(folder: Path) -> None:
    """All quotes against one round trip, warm, with the requests they take (P3)."""
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


async def p3(folder: Path) -> None:
    """The settled hours of Binance one after the other, as a collector meets them."""
    most = 0
    async with house(folder, exchanges=("binance",), now=NOON + 6 * 60) as at:
        await at.sweep("binance", hours=1)
        for _ in range(SETTLED_HOURS):
            at.clock.advance(HOUR)
            before = _payments_asked(at.world.log("binance"))
            await at.sweep("binance", hours=1)
            most = max(most, _payments_asked(at.world.log("binance")) - before)
    row("P3 requests: settled hour of Binance, at most", f"{most}", "2", most / 2, 1.0)


def _payments_asked(log: list[Any]) -> int:
    return sum(asked.path.endswith("/fundingRate") for asked in log)


async def p2(folder: Path) -> None:
    """Three exchanges as one process: ours, and ccxt in an environment of its own."""
    python = await asyncio.to_thread(ccxt_python, folder)
    if isinstance(python, str):
        unmeasured("P2 three exchanges beside ccxt", python)
        return
    with served(SCALE, 0.01, ready_made=True) as (urls, _):
        addresses = json.dumps({name: urls[name] for name in THREE})
        ours = await asyncio.to_thread(_figures, Path(sys.executable), "side_ours.py", addresses)
        theirs = await asyncio.to_thread(_figures, python, "side_ccxt.py", addresses)
    if isinstance(ours, str) or isinstance(theirs, str):
        unmeasured("P2 three exchanges beside ccxt", f"{ours} {theirs}")
        return
    for name, key, unit, digits in (
        ("P2 three exchanges, CPU of a warm round", "round_ms", "ms", 0),
        ("   CPU of a process with one cold round", "cold_ms", "ms", 0),
        ("   memory at its most", "memory_mb", "MB", 0),
    ):
        row(
            name,
            f"{ours[key]:.{digits}f} {unit}",
            f"{theirs[key]:.{digits}f} {unit}",
            ours[key] / theirs[key],
            0.5,
        )
    print(f"   (ccxt {theirs['version']}: {theirs['rates']} rates; ours: {ours['rates']} quotes)")


def ccxt_python(folder: Path) -> Path | str:
    """The interpreter of an environment with ccxt in it, or why there is none.

    `FUNDWATCH_CCXT` names an interpreter that has it already.
    """
    if kept := os.environ.get("FUNDWATCH_CCXT"):
        return Path(kept)
    place = folder / "ccxt"
    python = place / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "ccxt"],
    ):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_ENVIRONMENT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return "pip did not end in time"
        if done.returncode:
            return f"pip could not install ccxt: {(done.stderr.strip().splitlines() or ['?'])[-1][:120]}"
    return python


def _figures(python: Path, script: str, addresses: str) -> dict[str, Any] | str:
    """What the script printed last, or its last words."""
    done = subprocess.run(
        [str(python), str(_HERE / script), addresses],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        return f"{script}: {(done.stderr.strip().splitlines() or ['?'])[-1][:160]}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
