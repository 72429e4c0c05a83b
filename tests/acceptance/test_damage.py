"""A database that is damaged is named, left as it is, and never silently made anew.

`FUNDWATCH_TRIALS=20` multiplies the trials, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result

from fundwatch.demo.world import DemoWorld
from fundwatch.exchanges import REGISTRY
from tests.commands.desk import run
from tests.rigs.damage import HOSTILE, Damage, drawn
from tests.rigs.kill import SEED, trials
from tests.rigs.small_world import TICKERS, small

TRIALS = trials(50)
ANSWERS = (["status"], ["top"], ["spreads", "--window", "24h"], ["history", "BTC", "--days", "1"])
COLLECT = ["--collect-only", "--once", "--hours", "2"]


class Stage(NamedTuple):
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "fundwatch.db"

    def ask(self, *words: str) -> Result:
        return run("--config", str(self.folder / "fundwatch.toml"), "--db", str(self.path), *words)

    def bytes(self) -> dict[str, bytes]:
        """The database and its log where there is anything in it: a reader of SQLite makes an empty one."""
        files = {end: self.path.with_name(self.path.name + end) for end in ("", "-wal")}
        found = {end: file.read_bytes() for end, file in files.items() if file.exists()}
        return {end: content for end, content in found.items() if content or not end}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A collected database of one exchange, which answers."""
    stage = Stage(tmp_path_factory.mktemp("sound"))
    world = DemoWorld(seed=7, scale=1000, exchanges=("lighter",))
    world._server("lighter").venue.listing = small("lighter", TICKERS["lighter"])
    world.start()
    others = "".join(f"[exchanges.{name}]\nenabled = false\n" for name in REGISTRY if name != "lighter")
    (stage.folder / "fundwatch.toml").write_text(
        f'{others}[exchanges.lighter]\nbase_url = "{world.base_urls["lighter"]}"\nbudget_scale = 1000.0\n'
    )
    done = stage.ask("--collect-only", "--once", "--hours", "400")
    assert done.exit_code == 0, done.stderr
    yield stage
    world.stop()


def staged(sound: Stage, folder: Path, *, unclean: bool) -> Stage:
    folder.mkdir()
    stage = Stage(folder)
    shutil.copy(sound.path, stage.path)
    shutil.copy(sound.folder / "fundwatch.toml", folder)
    if unclean:
        with closing(sqlite3.connect(stage.path, isolation_level=None)) as db:
            db.execute("UPDATE collector SET stopped = NULL")
    return stage


def complaint(stage: Stage, folder: Path) -> str:
    """What a reader of SQLite says of a copy; "ok" when it finds nothing.

    Unseen are flips inside numbers, and what breaks a CHECK: a connection that cannot write knows none.
    """
    copy = folder / "judged"
    for end in ("", "-wal"):
        file = stage.path.with_name(stage.path.name + end)
        if file.exists():
            shutil.copy(file, copy.with_name(copy.name + end))
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as db:
            if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'settlement'").fetchone()[0]:
                return str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
            return "no table of ours"
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error) or "unreadable"
    finally:
        for end in ("", "-wal", "-shm"):
            copy.with_name(copy.name + end).unlink(missing_ok=True)


def examine(stage: Stage, folder: Path, told: str) -> bool:
    """Asks everything of a damaged database; whether it was found out before a row was written."""
    wrong = complaint(stage, folder)
    before, inode = stage.bytes(), stage.path.stat().st_ino
    for words in ANSWERS:
        answer = stage.ask(*words)
        in_words(answer, stage, f"{told}: {words}")
        assert stage.bytes() == before, f"{told}: {words} wrote"
    answer = stage.ask(*COLLECT)
    in_words(answer, stage, f"{told}: {COLLECT}")
    assert stage.path.stat().st_ino == inode, f"{told}: it was made anew"
    untouched = stage.bytes() == before
    if wrong != "ok":
        assert untouched, f"{told}: written though {wrong}"
        assert answer.exit_code == 1, f"{told}: {answer.stderr}"
        assert re.search(r"^Error: .*fundwatch\.db .*", answer.stderr), f"{told}: {answer.stderr}"
    return untouched


def in_words(answer: Result, stage: Stage, told: str) -> None:
    assert answer.exception is None or isinstance(answer.exception, SystemExit), f"{told}: {answer.exc_info}"
    assert answer.exit_code in (0, 1, 2, 3), told
    for word in ("Traceback", "itself failed", "sqlite3."):
        assert word not in answer.output, f"{told}: {answer.output}"
    if "damaged" in answer.stderr:
        assert str(stage.path) in answer.stderr, f"{told}: {answer.stderr}"
        assert "`fundwatch restore`" in answer.stderr, f"{told}: {answer.stderr}"


def test_random_damage_is_named_and_nothing_is_written(sound: Stage, tmp_path: Path) -> None:
    found = 0
    for number in range(TRIALS):
        dice = random.Random(f"{SEED}/damage/{number}")
        stage = staged(sound, tmp_path / str(number), unclean=dice.random() < 0.5)
        name, damage = drawn(dice)
        damage(stage.path, dice)
        found += examine(stage, tmp_path, f"FUNDWATCH_SEED={SEED}, damage {number}, {name}")
        shutil.rmtree(stage.folder)
    assert found > TRIALS // 2


@pytest.mark.parametrize("unclean", [False, True], ids=["clean", "unclean"])
@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE)
def test_a_schema_that_is_not_ours_is_not_worked_with(
    sound: Stage, tmp_path: Path, damage: Damage, unclean: bool
) -> None:
    stage = staged(sound, tmp_path / "stage", unclean=unclean)
    damage(stage.path, random.Random(SEED))
    before = stage.bytes()
    for words in (*ANSWERS, COLLECT):
        in_words(answer := stage.ask(*words), stage, str(words))
        assert stage.bytes() == before
    assert answer.exit_code == 1
    assert re.search(r"^Error: .*fundwatch\.db .*", answer.stderr)
