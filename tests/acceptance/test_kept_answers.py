"""What a screen keeps from one snapshot to the next never differs from what is read anew.

A real collector lives through days of faults, sleeps and restarts; `FUNDWATCH_TRIALS=10` multiplies the
lives, `FUNDWATCH_SEED` moves them.
"""

import os
import random
from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.tui.reading import take_snapshot
from fundwatch.tui.snapshot import Question, Snapshot
from tests.rigs.life import Life
from tests.rigs.small_world import without_ballast
from tests.rigs.weather import DAY, drawn
from tests.virtual_time import run_virtually

START = 1_795_176_000
"""2026-11-20 12:00 UTC."""

DAYS = 1.0
TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "300"))
SHOWN = ("status", "markets", "trust", "spreads", "events", "runs", "exchanges", "alerts", "taken_at")
WINDOWS = ("now", "24h", "3d", "7d", "30d")


class Watcher:
    """A screen left open: each of its snapshots is made from the one before, and judged."""

    def __init__(self, seed: int) -> None:
        self._way = random.Random(seed)
        self._last: Snapshot | None = None
        self._database: Path | None = None
        self._question = Question()
        self.judged = self.kept = 0

    def __call__(self, life: Life) -> None:
        if self._database != life.database:
            self._database, self._last = life.database, None
        if self._way.random() < 0.1:
            self._question = Question(self._way.choice(WINDOWS), self._way.choice((8.0, 168.0)))
        now = life.clock.now()
        for later in (0.0, 45.0):  # the second mostly finds nothing new
            self._look(life, now + later)

    def _look(self, life: Life, now: float) -> None:
        asked = life.database, "demo:7", life.config, self._question, now
        before, self._last = self._last, take_snapshot(*asked, self._last)
        self.kept += before is not None and before.markets is self._last.markets
        anew = take_snapshot(*asked)
        for field in SHOWN:
            assert getattr(self._last, field) == getattr(anew, field), f"{field} at {now}"
        self.judged += 1


@pytest.mark.parametrize("seed", range(SEED, SEED + TRIALS))
def test_a_screen_left_open_shows_what_one_opened_now_would_show(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ballast(monkeypatch.setattr)

    async def live() -> None:
        watcher = Watcher(seed)
        weather = drawn(seed, 0.2, tuple(REGISTRY), START, DAYS - 0.25)
        life = Life(tmp_path, seed, weather, check=watcher)
        await life.live(START + DAYS * DAY)
        await life.end()
        assert watcher.judged > 200 * DAYS
        assert watcher.kept > 100 * DAYS, "a screen that reads everything each time proves nothing"

    run_virtually(live())
