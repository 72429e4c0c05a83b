"""Killed with SIGKILL at any moment, nothing that was told as stored is lost, doubled or half there.

`FUNDWATCH_TRIALS=10` multiplies the kills, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import math
import random
import re
import shutil
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.processes import Household, wait_until
from tests.rigs import aftermath, lives, second_reader
from tests.rigs.kill import NEVER, SEED, Moment, live, trials
from tests.rigs.lane import DAY, START, Lane, expected, lane, past_of

AT_ONCE = 2
KILLS_OF_ONE = 35
"""A database is killed so often; then comes another, since all of it is read after each kill."""
COLLECTING = trials(70)
KEEPING = trials(25)
WHOLE_PROGRAM = trials(5)


def test_a_collector_that_is_killed_loses_nothing_and_heals(tmp_path: Path) -> None:
    def one_lane(number: int) -> Lane:
        kills = min(KILLS_OF_ONE, COLLECTING - number * KILLS_OF_ONE)
        return lane(tmp_path / str(number), f"{SEED}/collecting/{number}", kills)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        lanes = list(pool.map(one_lane, range(math.ceil(COLLECTING / KILLS_OF_ONE))))
    for one in lanes:
        states = second_reader.trackers(one.path)
        assert {(states[name].status, states[name].last_error) for name in lives.EXCHANGES} == {
            ("idle", None)
        }, one.seed
        assert second_reader.open_runs(one.path) == []
        here = aftermath.stored(one.path)
        for exchange in ("binance", "lighter"):
            truth = expected(one, exchange)
            assert len(truth) > 100
            assert {key: here.get(key) for key in truth} == truth, f"{one.seed}: {exchange}"
    deaths = sum(one.deaths for one in lanes)
    assert deaths > COLLECTING * 0.7
    assert set().union(*(one.seen for one in lanes)) >= {"sweep", "quotes", "import"}
    told = sum(len(said["rows"]) for one in lanes for said in one.told if said["word"] == "stored")
    print(f"{deaths} kills of a collector, {told:,} rows told as stored")


# Keeping it safe


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that was left in good order, and an older copy of it."""
    folder = tmp_path_factory.mktemp("grown")
    one = Lane(folder, "grown")
    assert one.collect(NEVER, random.Random(1), rounds=2, past=None).code == 0
    assert live(lives.backing_up, folder, NEVER, folder=folder, target=folder / "older.db").code == 0
    one.now += 2 * DAY
    assert one.collect(NEVER, random.Random(2), rounds=2, past=past_of(folder)).code == 0
    return folder


def test_a_backup_that_is_killed_leaves_a_whole_copy_or_none(grown: Path, tmp_path: Path) -> None:
    whole = aftermath.content(lives.database(grown))
    made = 0
    for number in range(KEEPING // 3):
        told = f"FUNDWATCH_SEED={SEED}, backup {number}"
        moment = Moment.drawn(random.Random(told), file=16, inside=60, statement=90, seconds=0.15)
        target = tmp_path / f"{number}.db"
        death = live(lives.backing_up, tmp_path, moment, folder=grown, target=target)
        assert target.exists() or death.was_killed, told
        if target.exists():
            made += 1
            assert aftermath.content(target) == whole, f"{told}: {moment}"
        assert aftermath.content(lives.database(grown)) == whole
        target.unlink(missing_ok=True)
        assert live(lives.backing_up, tmp_path, NEVER, folder=grown, target=target).code == 0
        assert aftermath.content(target) == whole, f"{told}: {moment}"


def test_a_restore_that_is_killed_leaves_the_old_database_or_the_new_one(grown: Path, tmp_path: Path) -> None:
    source = grown / "older.db"
    new, old = aftermath.content(source), aftermath.content(lives.database(grown))
    assert new["settlement"] != old["settlement"]
    became = []
    for number in range(KEEPING // 3):
        told = f"FUNDWATCH_SEED={SEED}, restore {number}"
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(lives.database(grown), lives.database(folder))
        moment = Moment.drawn(random.Random(told), file=60, inside=90, statement=400, seconds=0.2)
        death = live(lives.restoring, folder, moment, folder=folder, source=source, now=START)
        path = lives.database(folder)
        here = aftermath.content(path)
        became.append(here != old)
        assert here["settlement"] == (new if became[-1] else old)["settlement"], f"{told}: {moment}"
        assert became[-1] or not death.of("restored"), told
        assert not aftermath.is_locked(path)
        assert aftermath.faults(path) == [], f"{told}: {moment}"
        assert live(lives.restoring, folder, NEVER, folder=folder, source=source, now=START).code == 0
        assert aftermath.content(path)["settlement"] == new["settlement"], told
        assert aftermath.faults(path) == [], told
        assert not list(folder.glob(".*")), f"{told}: {moment}"


def test_an_undo_that_is_killed_took_back_all_or_nothing(grown: Path, tmp_path: Path) -> None:
    runs = [
        run for (run,) in second_reader.rows(lives.database(grown), "SELECT id FROM run WHERE inserted > 50")
    ]
    assert len(runs) > 2
    for number in range(KEEPING // 3):
        told = f"FUNDWATCH_SEED={SEED}, undo {number}"
        dice = random.Random(told)
        folder = tmp_path / str(number)
        folder.mkdir()
        path = lives.database(folder)
        shutil.copy(lives.database(grown), path)
        run = dice.choice(runs)
        moment = Moment.drawn(dice, statement=80, change=20, inside=8, told=1)
        before = aftermath.content(path)["settlement"]
        death = live(lives.undoing, folder, moment, folder=folder, run_id=run, now=START)
        left = aftermath.content(path)["settlement"]
        assert aftermath.faults(path) == [], f"{told}: {moment}"
        assert left in (before, [row for row in before if row[5] != run]), f"{told}: {moment}"
        assert left != before or not death.of("undone"), told
        assert live(lives.undoing, folder, NEVER, folder=folder, run_id=run, now=START).code == 0, told
        assert aftermath.content(path)["settlement"] == [row for row in before if row[5] != run], told


def test_a_rebuild_that_is_killed_touches_nothing_that_was_collected(grown: Path, tmp_path: Path) -> None:
    collected = ("settlement", "run", "market", "event", "conflict", "absence", "quote")
    for number in range(KEEPING // 5):
        told = f"FUNDWATCH_SEED={SEED}, rebuild {number}"
        dice = random.Random(told)
        folder = tmp_path / str(number)
        folder.mkdir()
        path = lives.database(folder)
        shutil.copy(lives.database(grown), path)
        sound = aftermath.content(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("UPDATE tracker SET total_records = total_records + 7")
            db.execute("UPDATE summary SET apr_24h = 1e6")
        moment = Moment.drawn(dice, statement=120, change=30, inside=40, told=1)
        now = START + 2 * DAY
        for when in (moment, NEVER):
            death = live(lives.rebuilding, folder, when, folder=folder, now=now)
            here = aftermath.content(path)
            assert {name: here[name] for name in collected} == {name: sound[name] for name in collected}, told
        assert death.of("rebuilt"), told
        assert aftermath.faults(path) == [], f"{told}: {moment}"
        assert not [row for row in here["summary"] if row[2] == 1e6], f"{told}: {moment}"


# The whole program


def five_minutes_pass(household: Household) -> None:
    """What a killed process may have spent of the venues' limits just now counts no more."""
    if household.database.exists():
        with closing(sqlite3.connect(household.database, isolation_level=None)) as db:
            db.execute("DELETE FROM spending")


def test_the_whole_program_killed_while_it_collects(tmp_path: Path) -> None:
    household = Household.of_two(tmp_path)
    with (tmp_path / "fundwatch.toml").open("a") as config:
        config.write("[collector]\nhistory_days = 2\n")
    dice = random.Random(f"{SEED}/program")
    cut_short = 0
    for number in range(WHOLE_PROGRAM):
        told = f"FUNDWATCH_SEED={SEED}, program {number}"
        five_minutes_pass(household)
        with household.collecting() as collector:
            time.sleep(dice.uniform(0.0, 1.5))
            collector.send_signal(signal.SIGKILL)
            _, log = collector.communicate()
        assert aftermath.faults(household.database) == [], told
        cut_short += bool(second_reader.open_runs(household.database))
        for name, count in re.findall(r" (\w+) (?:sweep|backfill) ok: .*?([\d,]+) settlements stored", log):
            inserted = [
                found
                for (found,) in second_reader.rows(
                    household.database,
                    "SELECT inserted FROM run r JOIN exchange e ON e.id = r.exchange_id"
                    " WHERE e.name = ? AND r.outcome = 'ok' AND r.kind <> 'quotes'",
                    name,
                )
            ]
            assert int(count.replace(",", "")) in inserted, f"{told}: {log}"
        assert not aftermath.is_locked(household.database), told
    five_minutes_pass(household)
    with household.collecting():
        wait_until(lambda: {household.exchange(name)["health"] for name in ("binance", "aster")} == {"ok"})
    assert aftermath.faults(household.database) == []
    assert cut_short
