"""A disk that is full, read-only or gone: said in words, nothing half stored, and on it goes when it is well.

`FUNDWATCH_TRIALS=10` multiplies the trials, `FUNDWATCH_SEED` moves them; a failure names its seed.
"""

import random
import re
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from fundwatch.answers.status import status
from fundwatch.collector.events import Trouble
from fundwatch.models import HOUR
from fundwatch.storage.database import Writer, open_writer, reader
from fundwatch.storage.errors import DiskTrouble
from fundwatch.storage.keeping.snapshot import take_snapshot
from tests.acceptance.house import NOON, House, house
from tests.commands.desk import run
from tests.rigs import aftermath, lives, second_reader
from tests.rigs.disk import (
    Disk,
    FewPages,
    FullDisk,
    MovedAway,
    Replaced,
    SmallFiles,
    Unlinked,
    mount,
    small_disk,
)
from tests.rigs.kill import NEVER, SEED, trials
from tests.rigs.lane import Lane, expected, moments

MEGABYTE = 2**20
FULL = r"no room left for .*fundwatch\.db|No space left on device"
SILENT_SECONDS = 180
"""Without a sign of life for so long, a collector counts as dead."""
SWEPT = ("binance", "lighter")

Making = Callable[[House, random.Random], Disk]

KINDS: dict[str, tuple[int, Making]] = {
    "few pages": (8, lambda home, dice: FewPages(home.writer, dice.choice([0, 0, 1]))),
    "small files": (6, lambda home, dice: SmallFiles(home.database, dice.choice([0, 3000, 30_000]))),
    "full disk": (6, lambda home, dice: FullDisk(home.database.parent, dice.choice([0, 5000, 40_000]))),
    "moved away": (2, lambda home, dice: MovedAway(home.database)),
    "replaced": (2, lambda home, dice: Replaced(home.database)),
    "unlinked": (2, lambda home, dice: Unlinked(home.database)),
}
"""How often in CI, and how it is made."""


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_lost_or_half_there_and_it_goes_on_by_itself(kind: str, tmp_path: Path) -> None:
    count, make = KINDS[kind]
    bitten = 0
    for number in range(trials(count)):
        told = f"FUNDWATCH_SEED={SEED}, {kind} {number}"
        folder = tmp_path / str(number)
        folder.mkdir()
        with ExitStack() as mounted:
            if kind == "full disk":
                mounted.enter_context(small_disk(folder, 3 * MEGABYTE))
            bitten += await trial(folder, make, random.Random(told), told)
    assert bitten > trials(count) * 0.7


async def trial(folder: Path, make: Making, dice: random.Random, told: str) -> bool:
    """Whether the collector noticed anything."""
    async with house(folder, exchanges=lives.EXCHANGES, now=NOON + 1200, history_days=2) as home:
        lives.shrink(home)
        assert {o.word for o in (await home.collector.refresh(SWEPT)).values()} == {"ok"}
        await ended(home)
        before = aftermath.stored(home.database)
        home.clock.advance(dice.choice([9, 20, 40]) * HOUR)
        home.events.clear()
        disk = make(home, dice)
        try:
            breaks_at(home.writer, disk, dice.randrange(1, 9))
            await home.collector.refresh(SWEPT)
            await ended(home)
            home.collector._guarded("the heartbeat", home.collector.beat)
            home.collector._derive_now()
            looks_well(home, before, disk, told)
        finally:
            disk.heals()
        troubles = [event.message for event in home.events if isinstance(event, Trouble)]
        home.clock.advance(HOUR)
        home.events.clear()
        outcomes = await home.collector.refresh(SWEPT)
        await ended(home)
        assert {outcome.word for outcome in outcomes.values()} == {"ok"}, f"{told}: {outcomes}"
        assert not [event for event in home.events if isinstance(event, Trouble)], told
        assert aftermath.faults(home.database) == [], told
        after = aftermath.stored(home.database)
        assert before.items() <= after.items(), told
        for name in SWEPT:
            for symbol in home.world.symbols(name):
                start, end = (int(at) // HOUR * HOUR for at in (NOON - 24 * HOUR, home.clock.now()))
                for paid in home.world.truth_settlements(name, symbol, start, end):
                    key = (name, symbol, paid.funding_time, paid.kind)
                    assert after.get(key) == paid.rate, f"{told}: {key}"
        states = second_reader.trackers(home.database)
        assert {(states[name].status, states[name].last_error) for name in SWEPT} == {("idle", None)}, told
        assert second_reader.open_runs(home.database) == []
        left = {file.name.removeprefix("fundwatch.db") for file in folder.iterdir()}
        assert left <= {"", "-wal", "-shm", ".lock"}, told
    return bool(troubles)


async def ended(home: House) -> None:
    """Waits for what the sweeps have started, and forgets it as a tick would."""
    tasks, home.collector._tasks = home.collector._tasks, {}
    for task in tasks.values():
        await task


def breaks_at(writer: Writer, disk: Disk, number: int) -> None:
    """Lets the disk break before the `number`-th transaction from now on."""
    left = number
    begin = writer._require_same_file

    def beginning() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            disk.breaks()
        begin()

    writer._require_same_file = beginning  # type: ignore[method-assign]


def looks_well(home: House, before: aftermath.Rows, disk: Disk, told: str) -> None:
    """The state while the disk is broken."""
    troubles = [event.message for event in home.events if isinstance(event, Trouble)]
    for message in troubles:
        assert re.search(disk.said, message), f"{told}: {message}"
    if isinstance(disk, Replaced):
        assert home.database.read_bytes() == disk.content, told
        return
    if isinstance(disk, MovedAway):
        assert not home.database.exists(), f"{told}: made anew"
        return
    assert aftermath.faults(home.database) == [], told
    assert before.items() <= aftermath.stored(home.database).items(), told
    with reader(home.database) as db:
        said = status(db, home.config, home.clock.now() + SILENT_SECONDS)
    running = {name for name, _ in second_reader.open_runs(home.database)}
    for one in said.exchanges:
        if one.exchange in running:
            assert (one.status, one.last_error, one.health) == ("error", "interrupted", "error"), told


async def test_a_start_on_a_full_disk_after_a_kill_loses_nothing(tmp_path: Path) -> None:
    """What the killed one left in the log must be read, and cannot be moved into the file."""
    bitten = 0
    for number in range(trials(3)):
        told = f"FUNDWATCH_SEED={SEED}, killed {number}"
        dice = random.Random(told)
        with small_disk(tmp_path / str(number), 6 * MEGABYTE) as folder:
            one = Lane(folder, told)
            one.collect(moments(dice), dice, rounds=4, past=None)
            one.now += dice.choice([0, HOUR, 20 * HOUR])
            before = aftermath.stored(one.path) if one.path.exists() else {}
            disk = FullDisk(folder, dice.choice([0, 5000, 40_000]))
            disk.breaks()
            try:
                said = await _trying(one)
            finally:
                disk.heals()
            bitten += bool(said)
            assert all(re.search(FULL, message) for message in said), f"{told}: {said}"
            if one.path.exists():
                assert aftermath.faults(one.path) == [], told
                assert before.items() <= aftermath.stored(one.path).items(), told
            else:
                assert said, told
            assert one.collect(NEVER, dice, rounds=2, past=None).code == 0, told
            here = aftermath.stored(one.path)
            listed = {symbol for _, symbol, _, _ in here}
            truth = {key: rate for key, rate in expected(one, "binance").items() if key[1] in listed}
            assert len(truth) > 100
            assert {key: here.get(key) for key in truth} == truth, told
    if trials(3) > 10:
        assert bitten > trials(3) / 2


async def _trying(one: Lane) -> list[str]:
    """What a collector says that starts and sweeps."""
    try:
        async with house(one.folder, exchanges=lives.EXCHANGES, now=one.now, history_days=2) as home:
            lives.shrink(home)
            await home.collector.refresh(SWEPT)
            await ended(home)
            return [event.message for event in home.events if isinstance(event, Trouble)]
    except DiskTrouble as trouble:
        return [str(trouble)]


# Where nothing can be begun


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grown") / "fundwatch.db"
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        writer.executemany(
            "INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)", [(str(n), "x" * 3000) for n in range(200)]
        )
    return path


@pytest.mark.parametrize("room", [0, 20_000, 200_000])
def test_a_copy_that_finds_no_room_leaves_nothing(grown: Path, tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "small", MEGABYTE) as folder:
        FullDisk(folder, room).breaks()
        with pytest.raises(DiskTrouble, match=r"no room left for .*copy\.db: free some space there"):
            take_snapshot(grown, folder / "copy.db", world="real")
        assert [file.name for file in folder.iterdir()] == ["ballast"]


@pytest.mark.parametrize("room", [0, 20_000])
def test_a_database_that_finds_no_room_is_not_begun(tmp_path: Path, room: int) -> None:
    with small_disk(tmp_path / "small", MEGABYTE) as folder:
        disk = FullDisk(folder, room)
        disk.breaks()
        path = folder / "fundwatch.db"
        with pytest.raises(DiskTrouble, match=FULL):
            open_writer(path, world="real")
        assert [file.name for file in folder.iterdir()] == ["ballast"]
        disk.heals()
        open_writer(path, world="real").close()
        assert path.exists()


def test_a_read_only_disk_is_said_so_and_its_database_is_left_as_it_is(grown: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4 * MEGABYTE) as folder:
        path = folder / "fundwatch.db"
        path.write_bytes(grown.read_bytes())
        assert mount("-o", "remount,ro", str(folder)).returncode == 0
        for words in (["status"], ["--collect-only", "--once"], ["undo", "--run", "1"]):
            answer = run("--db", str(path), *words)
            assert answer.exit_code == 1, words
            assert re.search(rf"^Error: .*{folder}", answer.stderr), words
            assert "Traceback" not in answer.output
        assert path.read_bytes() == grown.read_bytes()
        assert mount("-o", "remount,rw", str(folder)).returncode == 0
        assert run("--db", str(path), "status").exit_code == 3
