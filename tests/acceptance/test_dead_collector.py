"""A collector that dies or hangs in a dashboard that is left alone: seen, started again, and reported.

`FUNDWATCH_DEATHS=100` for the long trial.
"""

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.collector.breath import BROKEN_OFF_SECONDS, SILENCE_SECONDS
from fundwatch.collector.seat import BACKOFF_SECONDS
from fundwatch.tui.link import POLL_SECONDS
from tests.acceptance.pty_rig import screen, strangers
from tests.commands.processes import Household

TRIALS = int(os.environ.get("FUNDWATCH_DEATHS", "5"))
SEED = int(os.environ.get("FUNDWATCH_DEATHS_SEED", "1"))
SEEN_SECONDS, STARTED_SECONDS = 60.0, 90.0

_DIES = {
    "an error": 'raise ValueError("q77w [/] \\x1b[7777m")',
    "no memory": "raise MemoryError('q77w')",
    "an exit": "raise SystemExit('q77w')",
    "an interrupt": "raise KeyboardInterrupt('q77w')",
}
_HANGS = {
    "a loop without end": "while True: pass",
    "a lock that nobody opens for long": "time.sleep(4)",
}
_FAULT = """
import asyncio, time
from fundwatch.collector import breath, collector, seat
from fundwatch.commands import collect
from fundwatch.tui import link

breath.SILENCE_SECONDS = seat.SILENCE_SECONDS = {silence}
breath.BROKEN_OFF_SECONDS = seat.BROKEN_OFF_SECONDS = 2 * {silence}
seat.BACKOFF_SECONDS = (3.0,) * 5
link.POLL_SECONDS = 0.2
collect._HANGS_SECONDS = 1.5
lives = 0
really = collector.Collector.run

async def run(self):
    global lives
    lives += 1
    if lives > 1:
        return await really(self)
    working = asyncio.create_task(really(self))
    try:
        await asyncio.sleep({delay})
        {fault}
        await working
    finally:
        working.cancel()
        await asyncio.wait([working])

collector.Collector.run = run
from fundwatch.cli import main
main()
"""


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household.of_two(tmp_path)


def program(fault: str, delay: float) -> tuple[str, ...]:
    """fundwatch whose first collector meets `fault` after `delay` seconds.

    Waits are shorter; where the fault is to be met, a busy machine must not look like a hanging one.
    """
    silence = SILENCE_SECONDS if fault in _DIES.values() else 1.0
    return "-c", _FAULT.format(fault=fault, delay=delay, silence=silence)


def reported(household: Household) -> list[str]:
    with closing(sqlite3.connect(household.database)) as db:
        return [message for (message,) in db.execute("SELECT message FROM event WHERE kind = 'collector'")]


def test_the_times_to_be_seen_and_started_again_are_within_the_goal() -> None:
    assert POLL_SECONDS + SILENCE_SECONDS < SEEN_SECONDS
    assert BROKEN_OFF_SECONDS + 2 * POLL_SECONDS + BACKOFF_SECONDS[0] < STARTED_SECONDS


@pytest.mark.parametrize("number", range(TRIALS))
def test_a_collector_that_dies_is_seen_and_started_again(household: Household, number: int) -> None:
    chance = random.Random(f"{SEED}/{number}")
    name, fault = list((_DIES | _HANGS).items())[number % len(_DIES | _HANGS)]
    delay = chance.uniform(0.0, 1.5)
    told = f"seed {SEED}, trial {number}: {name} after {delay:.2f} s"
    with screen(household.words(), household.folder, program=program(fault, delay)) as opened:
        opened.wait_for("sweep")
        if name in _DIES:
            opened.wait_for("q77w", seconds=20)
            opened.wait_for("has started again", seconds=20)
        else:
            opened.wait_for("has not answered for", seconds=20)
            opened.wait_until(
                lambda: "answers again" in opened.text() or "has started again" in opened.text(), told, 20
            )
        place = opened.press("r")
        opened.wait_for("sweep", place, seconds=20)
        opened.press("q")
        code, seconds = opened.end()
        assert (code, opened.is_restored()) == (0, True), told
        assert seconds < 5, told
        assert strangers(bytes(opened.stream)) == [], told
    if name in _DIES:
        (message,) = reported(household)
        assert message.startswith("died and was started again: "), told


def test_a_dashboard_whose_collector_hangs_for_ever_still_ends_at_once(household: Household) -> None:
    run = program("time.sleep(1000)", 0.2)
    with screen(household.words(), household.folder, program=run) as opened:
        opened.wait_for("has not answered for", seconds=20)
        opened.press("2")
        opened.press("q")
        code, seconds = opened.end()
        assert code == 0
        assert seconds < 5
        assert opened.is_restored()


def test_a_headless_collector_that_hangs_ends_so_that_it_is_started_again(household: Household) -> None:
    words = household.words("--collect-only")
    with screen(words, household.folder, program=program("time.sleep(1000)", 0.2)) as opened:
        code, _ = opened.end(20)
        assert code == 70
        assert "TROUBLE no answer for 1.5 s: this process ends" in opened.text()
