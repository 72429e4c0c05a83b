"""However the dashboard is ended, it ends: soon, with the terminal as it was and every row in place.

`FUNDWATCH_SIGNALS=500` for the long trial, `FUNDWATCH_SIGNALS_SEED` for other moments.
"""

import os
import random
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fundwatch.storage import lock
from tests.acceptance.pty_rig import ENTERED, Screen, screen, strangers
from tests.commands.processes import Household

TRIALS = int(os.environ.get("FUNDWATCH_SIGNALS", "20"))
SEED = int(os.environ.get("FUNDWATCH_SIGNALS_SEED", "1"))
LONGEST_SECONDS = 10.0
P95_SECONDS = 2.0

HOW = {"SIGTERM": {143}, "SIGHUP": {129}, "SIGINT": {130}, "closed": {129}, "closed, nohup": {129}, "q": {0}}
"""Ways to end it, with the exit code of a process that had begun."""

BEFORE_IT_BEGAN = {-signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT, 1, 130}
"""Python, loading modules, dies of a signal as any program does; nothing is open yet."""


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household.of_two(tmp_path)


@contextmanager
def dashboard(household: Household, **options: Any) -> Iterator[Screen]:
    with screen(household.words(), household.folder, **options) as opened:
        yield opened


def settlements(household: Household) -> int:
    """How many are stored now."""
    if not household.database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{household.database}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute("SELECT count(*) FROM settlement").fetchone()[0])
        except sqlite3.OperationalError:  # the tables are not there yet
            return 0


def faults(household: Household, before: int) -> list[str]:
    """What is wrong with the database that a process left, in which `before` settlements were seen."""
    if not household.database.exists():
        return []
    found = []
    if lock.holder(household.database) is not None:
        found.append("the lock is held")
    with closing(sqlite3.connect(household.database)) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found.append("the file is damaged")
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'tracker'").fetchone():
            return found
        if (rows := db.execute("SELECT count(*) FROM settlement").fetchone()[0]) < before:
            found.append(f"{before} rows were stored, {rows} are left")
        for name, counted, stored in db.execute(
            "SELECT e.name, t.total_records, (SELECT count(*) FROM settlement s"
            " JOIN market m ON m.id = s.market_id WHERE m.exchange_id = e.id)"
            " FROM exchange e JOIN tracker t ON t.exchange_id = e.id"
        ):
            if counted != stored:
                found.append(f"{name} counts {counted} and has {stored}")
        if running := db.execute("SELECT count(*) FROM run WHERE ended IS NULL").fetchone()[0]:
            found.append(f"{running} runs never ended")
        if db.execute("SELECT 1 FROM collector WHERE stopped IS NULL").fetchone():
            found.append("the collector said no goodbye")
    return found


def bring_to(opened: Screen, moment: str, chance: random.Random) -> None:
    """Waits, or presses keys, until it is `moment`."""
    if moment == "starting":
        opened.drain(chance.uniform(0.0, 0.7))
        return
    opened.wait_for("sweep")
    opened.drain(chance.uniform(0.0, 0.5))
    keys = {"backfilling": "b", "in a dialog": chance.choice("b?\x10"), "at an asset": "2"}.get(moment)
    if keys is not None:
        opened.press(keys)
        opened.drain(chance.uniform(0.0, 0.3))
    if moment in ("backfilling", "at an asset"):
        opened.press("\r")
        opened.drain(chance.uniform(0.0, 0.4))


def end(opened: Screen, how: str) -> tuple[int, float]:
    if how == "q":
        opened.press("q")
    elif how.startswith("closed"):
        opened.hang_up()
    else:
        opened.signal(getattr(signal, how))
    return opened.end(LONGEST_SECONDS)


def test_at_any_moment_it_ends_soon_and_nothing_is_lost(household: Household) -> None:
    took = []
    for number in range(TRIALS):
        chance = random.Random(f"{SEED}/{number}")
        how = list(HOW)[number % len(HOW)]
        moments = ("sweeping", "at an asset") if how == "q" else ("in a dialog", "backfilling", "starting")
        moment = chance.choice((*moments, "sweeping", "at an asset"))
        told = f"seed {SEED}, trial {number}: {how} while {moment}"
        ignore = (signal.SIGHUP,) if how.endswith("nohup") else ()
        with dashboard(household, ignore=ignore) as opened:
            bring_to(opened, moment, chance)
            before = settlements(household)
            code, seconds = end(opened, how)
            began = ENTERED in opened.stream
            assert code in HOW[how] | (set() if began else BEFORE_IT_BEGAN), f"{told}: {code}"
            assert faults(household, before) == [], told
            if not how.startswith("closed"):
                assert opened.is_restored(), f"{told}: {bytes(opened.stream[-400:])!r}"
            if began:
                assert "Traceback" not in opened.text(), f"{told}: {opened.text()[-2000:]}"
        took.append(seconds)
    took.sort()
    assert took[len(took) * 95 // 100 - 1] <= P95_SECONDS, took
    if TRIALS > 20:
        print(
            f"{TRIALS} ends: p50 {took[TRIALS // 2]:.2f} s, p95 {took[TRIALS * 95 // 100]:.2f} s,"
            f" longest {took[-1]:.2f} s, {settlements(household):,} settlements"
        )


def test_q_in_the_middle_of_a_sweep_is_obeyed_at_once(household: Household) -> None:
    household.configure(aster="hang")
    took: list[float] = []
    while not took or (took[-1] >= 1 and len(took) < 3):  # a machine that is busy gets three goes
        with dashboard(household) as opened:
            opened.wait_for("sweep aster")
            before = settlements(household)
            opened.press("q")
            code, seconds = opened.end()
            assert (code, faults(household, before)) == (0, [])
            assert opened.is_restored()
            took.append(seconds)
    assert before > 100
    assert min(took) < 1


def test_a_second_signal_ends_it_without_waiting_and_gives_the_terminal_back(household: Household) -> None:
    with dashboard(household) as opened:
        opened.wait_for("sweep")
        opened.signal(signal.SIGTERM)
        opened.signal(signal.SIGINT)
        code, seconds = opened.end()
        assert code in (128 + signal.SIGTERM, 128 + signal.SIGINT)
        assert seconds < P95_SECONDS
        assert opened.is_restored()


def test_a_terminal_of_one_cell_and_a_storm_of_sizes(household: Household) -> None:
    chance = random.Random(SEED)
    with dashboard(household, lines=1, columns=1) as opened:
        opened.drain(1.0)
        for _ in range(60):
            opened.resize(
                chance.choice((0, 1, 2, 5, 24, 50, 300)), chance.choice((0, 1, 3, 20, 80, 200, 500))
            )
            opened.press(chance.choice("12345g?\x1b"))
            opened.drain(chance.uniform(0.0, 0.03))
        place = len(opened.stream)
        opened.resize(24, 80)
        for _ in range(3):  # out of what the storm has opened
            opened.press("\x1b")
            opened.drain(0.3)
        opened.press("4")
        opened.wait_for("binance", place)
        opened.press("q")
        assert opened.end()[0] == 0
        assert opened.is_restored()


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb"},
        {"TERM": ""},
        {"TERM": "no-such"},
        {"LC_ALL": "C"},
        {"NO_COLOR": "1"},
        {"COLUMNS": "x"},
    ],
    ids=str,
)
def test_an_odd_environment(household: Household, environment: dict[str, str]) -> None:
    with dashboard(household, environment=environment) as opened:
        opened.wait_for("sweep")
        opened.press("q")
        assert opened.end()[0] == 0
        assert opened.is_restored()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "</dev/null", "| cat"])
def test_without_a_whole_terminal_it_does_not_begin(household: Household, closed: str) -> None:
    shell = 'import os, sys; os.execvp("sh", ["sh", "-c", sys.argv[1] + " " + sys.argv[2], *sys.argv[3:]])'
    run = 'exec "$@" ' if "|" not in closed else '"$@" '
    with screen(
        [run, closed, "sh", sys.executable, "-m", "fundwatch", *household.words()],
        household.folder,
        program=("-c", shell),
    ) as opened:
        code, seconds = opened.end()
        assert ENTERED not in opened.stream
        assert "Traceback" not in opened.text()
        assert seconds < 5
        if "|" not in closed:
            assert code == 2


def test_a_bug_gives_the_terminal_back_and_tells_no_values(household: Household) -> None:
    program = (
        "from fundwatch.tui.app import FundwatchApp\n"
        "def bug(self):\n"
        "    secret = 'hunter' + '2'\n"
        "    raise ValueError('q1w[/]\\x1b[7777m')\n"
        "FundwatchApp.action_freeze = bug\n"
        "from fundwatch.cli import main\n"
        "main()\n"
    )
    with dashboard(household, program=("-c", program)) as opened:
        opened.wait_for("sweep")
        opened.press(" ")
        code, _ = opened.end()
        assert code == 1
        assert faults(household, 0) == []
        assert opened.is_restored()
        assert strangers(bytes(opened.stream)) == []
        for words in ("ValueError: q1w[/]", "in bug", "what is stored is safe"):
            assert words in opened.text()
        assert "hunter2" not in opened.text()
