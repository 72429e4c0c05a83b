import asyncio
import os
import subprocess
import time

from tests.rigs.stopwatch import Stopwatch


async def test_waiting_and_working_count() -> None:
    async with Stopwatch() as watch:
        await asyncio.sleep(0.2)
        assert 0.19 < watch.seconds() < 0.3
        busy = time.process_time() + 0.3
        while time.process_time() < busy:
            pass
        assert watch.seconds() > 0.45


async def test_being_stopped_does_not_count() -> None:
    stopping = f"kill -STOP {os.getpid()}; sleep 0.6; kill -CONT {os.getpid()}"
    async with Stopwatch() as watch:
        began = time.monotonic()
        subprocess.Popen(["sh", "-c", stopping]).wait()
        assert time.monotonic() - began > 0.55
        assert watch.seconds() < 0.3
        await asyncio.sleep(0.1)
        assert watch.seconds() < 0.4
