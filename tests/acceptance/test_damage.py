"""A database that is damaged is named, left as it is, and never silently made anew.

`FUNDWATCH_TRIALS=20` multiplies the trials, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import random
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result

from fundwatch.demo.world import DemoWorld
from fundwatch.exchanges import REGISTRY
from tests.acceptance.pty_rig import Screen, screen
from tests.commands.desk import run
from tests.rigs import aftermath, second_reader
from tests.rigs.damage import HOSTILE, Damage, drawn
from tests.rigs.kill import SEED, trials
from tests.rigs.small_world import TICKERS, small

TRIALS = trials(50)
QUESTIONS = (
    ["status"],
    ["top"],
    ["spreads", "--window", "24h"],
    ["history", "BTC", "--days", "1"],
    ["gaps"],
    ["doctor"],
    ["export", "--out", "payments.csv"],
    ["backup", "copy.db"],
)
FILES = ("payments.csv", "copy.db")
"""What questions make, in the folder of the database."""
ASKED_AT_ONCE = 4
COLLECT = ["--collect-only", "--once", "--hours", "2"]


class Stage(NamedTuple):
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "fundwatch.db"

    def ask(self, *words: str) -> Result:
        words = tuple(str(self.folder / word) if word in FILES else word for word in words)
        return run(*self.words(*words))

    def words(self, *words: str) -> list[str]:
        return ["--config", str(self.folder / "fundwatch.toml"), "--db", str(self.path), *words]

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
    assert stage.ask("backup", "copy.db").exit_code == 0
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
    """What SQLite says of a copy; "ok" when it finds nothing. Unseen are flips inside numbers and texts, also
    where they break a CHECK: a connection that cannot write, as that of our first look, knows none."""
    copy = folder / "judged"
    for end in ("", "-wal"):
        file = stage.path.with_name(stage.path.name + end)
        if file.exists():
            shutil.copy(file, copy.with_name(copy.name + end))
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as db:
            if db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'settlement'").fetchone()[0]:
                return second_reader.complaint(copy, rules=False)
            return "no table of ours"
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error) or "unreadable"
    finally:
        for end in ("", "-wal", "-shm"):
            copy.with_name(copy.name + end).unlink(missing_ok=True)


def examine(stage: Stage, folder: Path, told: str, asked: Iterable[Sequence[str]]) -> bool:
    """Asks a damaged database, and collects into it; whether it was found out before a row was written."""
    wrong = complaint(stage, folder)
    before, inode = stage.bytes(), stage.path.stat().st_ino
    for words in asked:
        answer = stage.ask(*words)
        in_words(answer, stage, f"{told}: {words}")
        assert stage.bytes() == before, f"{told}: {words} wrote"
    made = stage.folder / "copy.db"
    assert not made.exists() or second_reader.complaint(made) == "ok", f"{told}: the copy is no better"
    answer = stage.ask(*COLLECT)
    in_words(answer, stage, f"{told}: {COLLECT}")
    assert stage.path.stat().st_ino == inode, f"{told}: it was made anew"
    untouched = stage.bytes() == before
    if wrong != "ok":
        assert untouched, f"{told}: written though {wrong}"
        assert answer.exit_code == 1, f"{told}: {answer.stderr}"
        assert re.search(r"^Error: .*fundwatch\.db .*", answer.stderr), f"{told}: {answer.stderr}"
        assert not made.exists(), f"{told}: copied though {wrong}"
    return untouched


def restored(stage: Stage, sound: Stage, told: str) -> None:
    """A copy comes in the place of the damaged database, which is kept, unless that may be another's."""
    before = stage.path.read_bytes()
    answer = stage.ask("restore", str(sound.folder / "copy.db"))
    in_words(answer, stage, told)
    if re.search("belongs to another program|holds the world|holds a trigger", answer.stderr):
        assert stage.path.read_bytes() == before, told
        return
    assert answer.exit_code == 0, f"{told}: {answer.stderr}"
    assert aftermath.stored(stage.path) == aftermath.stored(sound.path), told
    assert stage.ask("status").exit_code in (0, 1), told
    kept = [file.read_bytes() for file in stage.folder.glob("fundwatch.db.before-restore-*Z")]
    assert len(kept) == 1, told


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
        told = f"FUNDWATCH_SEED={SEED}, damage {number}, {name}"
        found += examine(stage, tmp_path, told, dice.sample(QUESTIONS, ASKED_AT_ONCE))
        restored(stage, sound, told)
        shutil.rmtree(stage.folder)
    assert found > TRIALS // 2


def test_the_dashboard_says_it_too_and_ends_as_ever(sound: Stage, tmp_path: Path) -> None:
    for number in range(trials(2)):
        told = f"FUNDWATCH_SEED={SEED}, dashboard {number}"
        dice = random.Random(told)
        stage = staged(sound, tmp_path / str(number), unclean=True)
        name, damage = drawn(dice)
        damage(stage.path, dice)
        wrong, before, inode = complaint(stage, tmp_path), stage.bytes(), stage.path.stat().st_ino
        with screen(stage.words(), stage.folder, columns=400) as dashboard:
            if wrong == "ok":
                dashboard.drain(1.0)
            else:
                dashboard.wait_until(partial(says_why, dashboard), f"{told}: {name}, {wrong}")
            dashboard.press("q")
            assert dashboard.end()[0] == 0, told
            assert "Traceback" not in dashboard.text(), told
            assert dashboard.is_restored(), told
        assert stage.path.stat().st_ino == inode, f"{told}: it was made anew"
        assert wrong == "ok" or stage.bytes() == before, f"{told}: {name} written though {wrong}"
        shutil.rmtree(stage.folder)


def says_why(dashboard: Screen) -> bool:
    said = r"is damaged or not a database|belongs to another program|holds the world"
    return re.search(said, dashboard.text()) is not None


@pytest.mark.parametrize("unclean", [False, True], ids=["clean", "unclean"])
@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE)
def test_a_schema_that_is_not_ours_is_not_worked_with(
    sound: Stage, tmp_path: Path, damage: Damage, unclean: bool
) -> None:
    stage = staged(sound, tmp_path / "stage", unclean=unclean)
    damage(stage.path, random.Random(SEED))
    before = stage.bytes()
    for words in (*QUESTIONS, COLLECT):
        in_words(answer := stage.ask(*words), stage, str(words))
        assert stage.bytes() == before
    assert answer.exit_code == 1
    assert re.search(r"^Error: .*fundwatch\.db .*", answer.stderr)
