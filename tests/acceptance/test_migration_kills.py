"""Killed while it is created or brought to a newer schema, a database is as it was or as it is to be.

`FUNDWATCH_TRIALS=10` multiplies the kills, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fundwatch.storage import migrations
from fundwatch.storage.database import open_writer
from fundwatch.storage.errors import ForeignDatabase
from tests.rigs import aftermath, lives
from tests.rigs.kill import NEVER, SEED, Moment, live, trials

MIGRATING = trials(16)
CREATING = trials(4)
RELEASED = len(migrations.MIGRATIONS)

Content = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A folder with a filled database of each schema that was ever released."""
    folders = []
    for version in range(1, RELEASED + 1):
        folder = tmp_path_factory.mktemp(f"v{version}")
        path = lives.database(folder)
        with pytest.MonkeyPatch.context() as patch:
            known = migrations.MIGRATIONS[:version]
            patch.setattr(migrations, "MIGRATIONS", known)
            patch.setattr(migrations.migrate, "__defaults__", (known,))
            writer = open_writer(path, world=lives.WORLD)
        with writer.transaction():
            writer.insert("INSERT INTO exchange (name) VALUES ('lighter')")
            writer.insert(
                "INSERT INTO market (exchange_id, symbol, ticker, asset_class, multiplier, status,"
                " first_seen, last_seen) VALUES (1, 'BTC', 'BTC', 'crypto', 1, 'active', 1, 1)"
            )
            writer.insert(
                "INSERT INTO run (exchange_id, kind, source, converter_version, started)"
                " VALUES (1, 'sweep', 3, 1, 1)"
            )
            writer.executemany(
                "INSERT INTO settlement VALUES (1, ?, 0, ?, 1.0, 1, NULL)",
                [(1_700_000_000 // 3600 * 3600 + n * 3600, n / 1e7) for n in range(8_000)],
            )
        writer.close()
        folders.append(folder)
    return folders


def version(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def grown(before: Content, found: int) -> Content:
    """What `before` must have become at schema `found`."""
    after = dict(before)
    if found > RELEASED:
        after["exchange"] = [(*row, "blue") for row in before["exchange"]]
    if found > RELEASED + 1:
        after["settled"] = [row[:2] + row[3:4] for row in before["settlement"]]
        after["settlement"] = [(*row[:6], 1.5) for row in before["settlement"]]
    return after


def test_a_migration_that_is_killed_loses_nothing_and_goes_on_later(
    released: list[Path], tmp_path: Path
) -> None:
    found = set()
    for number in range(MIGRATING):
        told = f"FUNDWATCH_SEED={SEED}, migration {number}"
        dice = random.Random(told)
        source = dice.choice(released)
        before, old = aftermath.content(lives.database(source)), version(lives.database(source))
        folder = tmp_path / str(number)
        folder.mkdir()
        path = lives.database(folder)
        shutil.copy(lives.database(source), path)
        moment = Moment.drawn(dice, file=16, change=11, inside=300, seconds=0.15)
        steps = dice.choice([1, 2])

        death = live(lives.migrating, folder, moment, folder=folder, steps=steps)

        at = version(path)
        found.add(at)
        assert aftermath.content(path) == grown(before, at), f"{told}: {moment}"
        copies = list(folder.glob("*.bak"))
        for copy in copies:
            assert aftermath.content(copy) == before, f"{told}: {moment}"
            assert version(copy) == old
        assert copies or at == old, f"{told}: {moment}: changed without a copy"
        assert death.was_killed or at == RELEASED + steps, told

        for _ in range(2):
            death = live(lives.migrating, folder, NEVER, folder=folder, steps=2)
            assert death.told == [{"word": "open", "version": RELEASED + 2}], f"{told}: {moment}"
            assert aftermath.content(path) == grown(before, RELEASED + 2), f"{told}: {moment}"
        assert not list(folder.glob("*.part*")), f"{told}: {moment}"

        whole = path.read_bytes()
        with pytest.raises(ForeignDatabase, match="newer fundwatch"):
            open_writer(path, world=lives.WORLD)
        assert path.read_bytes() == whole
    if MIGRATING > 50:
        assert found == {RELEASED, RELEASED + 1, RELEASED + 2}


def test_a_creation_that_is_killed_leaves_a_whole_database_or_none(tmp_path: Path) -> None:
    for number in range(CREATING):
        told = f"FUNDWATCH_SEED={SEED}, creation {number}"
        folder = tmp_path / str(number)
        folder.mkdir()
        path = lives.database(folder)
        moment = Moment.drawn(random.Random(told), file=10, change=40, inside=3)
        live(lives.creating, folder, moment, folder=folder)
        if path.exists():
            assert version(path) == RELEASED, f"{told}: {moment}"
            assert aftermath.content(path)["meta"] == [("world", lives.WORLD)], f"{told}: {moment}"
        death = live(lives.creating, folder, NEVER, folder=folder)
        assert death.told == [{"word": "created"}], f"{told}: {moment}"
        left = {file.name for file in folder.iterdir()} - {"told", "fundwatch.db-wal", "fundwatch.db-shm"}
        assert left == {"fundwatch.db"}, f"{told}: {moment}: {left}"
