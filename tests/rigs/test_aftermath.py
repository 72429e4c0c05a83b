"""The rigs can fail: each defect that a kill could reveal, planted by hand, is found."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fundwatch.storage import lock
from tests.rigs import aftermath, lives
from tests.rigs.kill import NEVER, Death, Moment, live

NOON = 1_795_176_000


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Death]:
    """A database of one round, and what was told of it."""
    folder = tmp_path_factory.mktemp("collected")
    death = live(lives.collecting, folder, NEVER, folder=folder, now=NOON + 1200, seed=1, rounds=1, past=None)
    assert death.code == 0
    return folder, death


@pytest.fixture
def path(collected: tuple[Path, Death], tmp_path: Path) -> Path:
    shutil.copy(lives.database(collected[0]), tmp_path)
    return lives.database(tmp_path)


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert db.execute(sql).rowcount > 0


def test_a_sound_database_has_no_fault(path: Path, collected: tuple[Path, Death]) -> None:
    assert aftermath.faults(path) == []
    assert aftermath.lost(path, collected[1].told) == []
    assert aftermath.torn({}, aftermath.stored(path), collected[1].told) == []
    assert len(collected[1].of("stored")) > 5


@pytest.mark.parametrize(
    ("defect", "fault"),
    {
        "DELETE FROM settlement WHERE rowid_": "counts",
        "UPDATE tracker SET total_records = total_records + 1 WHERE exchange_id = 1": "counts",
        "UPDATE run SET inserted = inserted - 1 WHERE inserted > 5": "counts",
        "UPDATE tracker SET status = 'running'": "is running with 0 open runs",
        "UPDATE run SET ended = NULL WHERE id = 1": "open runs",
        "UPDATE tracker SET last_error = 'x' WHERE exchange_id = 1": "is idle",
        "UPDATE tracker SET total_runs = total_runs + 1 WHERE exchange_id = 1": "runs and has",
        "UPDATE settlement SET interval_hours = 30 WHERE funding_time % 86400 = 0": "cover hours of others",
        "UPDATE settlement SET run_id = 99999": "orphans in settlement",
    }.items(),
)
def test_a_planted_defect_is_found(path: Path, defect: str, fault: str) -> None:
    change(path, defect.replace("WHERE rowid_", f"WHERE funding_time = {NOON // 3600 * 3600}"))
    assert any(fault in found for found in aftermath.faults(path)), aftermath.faults(path)


def test_a_row_that_was_told_and_is_not_there_is_found(path: Path, collected: tuple[Path, Death]) -> None:
    change(path, f"DELETE FROM settlement WHERE funding_time = {NOON // 3600 * 3600}")
    assert any("was told as stored" in found for found in aftermath.lost(path, collected[1].told))


def test_a_rate_that_changed_is_found(path: Path, collected: tuple[Path, Death]) -> None:
    change(path, f"UPDATE settlement SET rate = -rate WHERE funding_time = {NOON // 3600 * 3600}")
    assert any("was told as stored" in found for found in aftermath.lost(path, collected[1].told))


def test_a_run_that_was_told_as_ended_and_is_open_is_found(path: Path, collected: tuple[Path, Death]) -> None:
    change(path, "UPDATE run SET outcome = 'running'")
    assert any("was told as ended" in found for found in aftermath.lost(path, collected[1].told))


def test_half_an_answer_is_found(path: Path, collected: tuple[Path, Death]) -> None:
    begun: list[dict[str, Any]] = [said for said in collected[1].of("will") if len(said["rows"]) > 5]
    symbol = begun[0]["rows"][0][0]
    change(
        path,
        f"DELETE FROM settlement WHERE funding_time < {NOON - 40_000}"
        f" AND market_id IN (SELECT id FROM market WHERE symbol = '{symbol}')",
    )
    found = aftermath.torn({}, aftermath.stored(path), begun[:1])
    assert len(found) == 1
    assert "rows of an answer are stored" in found[0]


def test_a_lock_that_is_held_is_seen(path: Path) -> None:
    assert not aftermath.is_locked(path)
    with lock.acquire(path, "collector"):
        assert aftermath.is_locked(path)


@pytest.mark.parametrize(
    "moment",
    [
        Moment("told", 5),
        Moment("statement", 200),
        Moment("inside", 5),
        Moment("file", 3),
        Moment("seconds", 0.1),
    ],
    ids=lambda moment: moment.kind,
)
def test_each_kind_of_moment_kills(tmp_path: Path, moment: Moment) -> None:
    death = live(
        lives.collecting, tmp_path, moment, folder=tmp_path, now=NOON, seed=1, rounds=1_000, past=None
    )
    assert death.was_killed
    assert death.of("closed") == []
    if moment.kind == "told":
        assert len(death.told) == moment.number
