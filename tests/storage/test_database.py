import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from fundwatch.storage import database as module
from fundwatch.storage import files
from fundwatch.storage.database import Writer, open_reader, open_writer, reader
from fundwatch.storage.errors import (
    DamagedDatabase,
    DatabaseBusy,
    DiskTrouble,
    ForeignDatabase,
    NoDatabase,
    StorageError,
    WrongWorld,
)
from fundwatch.storage.presence import beat, stopped


def add_ban(writer: Writer, scope: str) -> None:
    writer.change("INSERT INTO ban VALUES (?, 'banned', 1.0, 'why', 1)", scope)


def both_ways(path: Path, create: bool = True) -> list[Callable[[], object]]:
    return [lambda: open_reader(path), lambda: open_writer(path, world="real", create=create)]


def scopes(path: Path) -> list[str]:
    with reader(path) as database:
        return [row[0] for row in database.rows("SELECT scope FROM ban ORDER BY scope")]


def killed_mid_way(path: Path) -> None:
    """A collector that began, wrote, and never said goodbye."""
    writer = open_writer(path, world="real")
    with writer.transaction():
        beat(writer, 1, "collector", "boot", 1.0)
        for number in range(300):
            add_ban(writer, f"scope {number:03} " + "x" * 200)
    writer.close()


def test_a_new_database_and_its_folder_are_private_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "data" / "fundwatch" / "f.db"
    before = os.umask(0)
    try:
        with closing(open_writer(path, world="real")) as writer, writer.transaction():
            add_ban(writer, "a")
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)

    assert modes == {"f.db": 0o600, "f.db-wal": 0o600, "f.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_writer_is_as_careful_as_sqlite_can_be(writer: Writer) -> None:
    names = ["journal_mode", "synchronous", "foreign_keys", "trusted_schema", "wal_autocheckpoint"]

    assert [writer.value(f"PRAGMA {name}") for name in names] == ["wal", 2, 1, 0, 0]
    assert writer.value("PRAGMA busy_timeout") == 5000
    assert writer.value("PRAGMA journal_size_limit") == 64 * 1024 * 1024


def test_a_setting_that_does_not_hold_is_not_worked_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_writer(path, world="real").close()
    true_value = module.Database.value

    def refusing(self: module.Database, sql: str, *parameters: object) -> object:
        return "delete" if sql == "PRAGMA journal_mode" else true_value(self, sql, *parameters)

    monkeypatch.setattr(module.Database, "value", refusing)

    with pytest.raises(StorageError, match="journal_mode = delete where wal is needed"):
        open_writer(path, world="real")


def test_a_reader_cannot_write_and_sees_one_snapshot(path: Path, writer: Writer) -> None:
    with reader(path) as database:
        assert database.value("SELECT count(*) FROM ban") == 0
        with writer.transaction():
            add_ban(writer, "a")
        assert database.value("SELECT count(*) FROM ban") == 0
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            database.connection().execute("DELETE FROM ban")

    assert scopes(path) == ["a"]


def test_a_reader_reads_after_the_writer_left_and_does_not_change_the_file(path: Path) -> None:
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        add_ban(writer, "a")
    before = path.read_bytes()

    assert scopes(path) == ["a"]
    assert path.read_bytes() == before


def test_a_transaction_is_all_or_nothing(path: Path, writer: Writer) -> None:
    def half_a_piece_of_work() -> None:
        with writer.transaction():
            add_ban(writer, "a")
            raise KeyError("its other half")

    with pytest.raises(KeyError):
        half_a_piece_of_work()
    with writer.transaction():
        add_ban(writer, "b")

    assert scopes(path) == ["b"]


def test_a_violated_rule_is_a_mistake_of_ours_and_stays_what_it_is(writer: Writer) -> None:
    with pytest.raises(sqlite3.IntegrityError), writer.transaction():
        writer.change("INSERT INTO tracker (exchange_id) VALUES (99)")


def test_nothing_is_written_outside_a_transaction_nor_in_two(writer: Writer) -> None:
    with pytest.raises(StorageError, match="inside a transaction"):
        add_ban(writer, "a")
    with writer.transaction(), pytest.raises(StorageError, match="open already"), writer.transaction():
        pass


def test_the_writer_belongs_to_the_thread_that_opened_it(writer: Writer) -> None:
    said: list[str] = []

    def other_thread() -> None:
        try:
            with writer.transaction():
                pass
        except StorageError as error:
            said.append(str(error))

    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()

    assert "not open in this thread" in said[0]


def test_a_writer_waits_for_another_and_then_says_so(
    path: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TRIES", 2)
    writer.connection().execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="another process"), writer.transaction():
            pass
        other.execute("ROLLBACK")

    with writer.transaction():
        add_ban(writer, "a")
    assert scopes(path) == ["a"]


def test_checkpoints_are_only_made_when_asked_for(path: Path, writer: Writer) -> None:
    wal = path.with_name("fundwatch.db-wal")
    for number in range(40):
        with writer.transaction():
            writer.executemany(
                "INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)",
                [(f"{number} {i}", "x" * 3000) for i in range(50)],
            )
    assert wal.stat().st_size > 5_000_000
    assert path.stat().st_size < 1_000_000

    with reader(path) as database:
        database.value("SELECT count(*) FROM ban")
        with writer.transaction():
            add_ban(writer, "late")
        assert not writer.checkpoint()
    assert writer.checkpoint(truncate=True)
    assert wal.stat().st_size == 0
    assert len(scopes(path)) == 2001


def test_a_missing_database_is_named_and_not_made(path: Path) -> None:
    for attempt in both_ways(path, create=False):
        with pytest.raises(NoDatabase, match=r"no database at .*fundwatch\.db"):
            attempt()

    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"hello, I am a text file\n" * 500, os.urandom(8192)])
def test_what_is_not_a_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    for attempt in both_ways(path):
        with pytest.raises(DamagedDatabase, match=r"fundwatch\.db is damaged.*fundwatch restore"):
            attempt()
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["fundwatch.db"]


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(DamagedDatabase, match="not a plain file"):
        open_writer(tmp_path, world="real")


def test_a_truncated_database_is_refused_and_left_alone(path: Path) -> None:
    open_writer(path, world="real").close()
    content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)

    with pytest.raises(DamagedDatabase):
        open_reader(path)
    with pytest.raises(DamagedDatabase):
        open_writer(path, world="real")
    assert path.read_bytes() == content


def test_after_an_unclean_stop_the_file_is_checked_before_anything_is_written(path: Path) -> None:
    killed_mid_way(path)
    content = bytearray(path.read_bytes())
    middle = content.rindex(b"scope 150")
    content[middle - 600 : middle + 600] = bytes(1200)
    path.write_bytes(content)

    with pytest.raises(DamagedDatabase, match="damaged"):
        open_writer(path, world="real")
    assert path.read_bytes() == content


def test_a_small_file_is_checked_after_a_clean_stop_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_mid_way(path)
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        stopped(writer, 2.0)
    content = bytearray(path.read_bytes())
    middle = content.rindex(b"scope 150")
    content[middle - 600 : middle + 600] = bytes(1200)
    path.write_bytes(content)

    with pytest.raises(DamagedDatabase, match="damaged"):
        open_writer(path, world="real")
    assert path.read_bytes() == content

    monkeypatch.setattr(module, "CHECKED_BYTES", 1000)
    path.with_name("fundwatch.db-wal").write_bytes(b"of another database")
    with pytest.raises(DamagedDatabase, match="damaged"):
        open_writer(path, world="real")
    assert path.read_bytes() == content


def test_rows_that_changed_places_are_found_before_anything_is_written(path: Path) -> None:
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        writer.executemany(
            "INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)",
            [(f"scope {n:03}", "x" * 900) for n in range(40)],
        )
    content = path.read_bytes()
    early, late = (content.rindex(b"scope %03d" % number) // 4096 * 4096 for number in (2, 30))
    pages = {early: content[late : late + 4096], late: content[early : early + 4096]}
    damaged = bytearray(content)
    for at, page in pages.items():
        damaged[at : at + 4096] = page
    path.write_bytes(damaged)

    with pytest.raises(DamagedDatabase, match=r"not in PRIMARY KEY order.*`fundwatch restore`"):
        open_writer(path, world="real")
    assert path.read_bytes() == damaged


def test_a_database_that_does_not_say_its_world_is_damaged(path: Path) -> None:
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        writer.change("DELETE FROM meta")

    for attempt in both_ways(path):
        with pytest.raises(DamagedDatabase, match="does not say whether its data are real"):
            attempt()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("CREATE TRIGGER evil AFTER INSERT ON ban BEGIN DELETE FROM ban; END", "holds a trigger, 'evil'"),
        ("DROP TABLE ban", "ban: no table of that name"),
        ("ALTER TABLE ban RENAME TO ban_", "ban: no table of that name"),
        ("ALTER TABLE ban RENAME COLUMN scope TO skope", "ban: no column scope"),
    ],
)
def test_tables_that_are_not_ours_are_not_worked_with(path: Path, change: str, said: str) -> None:
    with closing(open_writer(path, world="real")) as writer:
        writer.connection().execute(change)
    content = path.read_bytes()

    for attempt in both_ways(path):
        with pytest.raises(DamagedDatabase, match=rf"{re.escape(said)}.*`fundwatch restore`"):
            attempt()
    assert path.read_bytes() == content


def test_a_view_or_a_table_of_somebody_else_is_left_alone(path: Path) -> None:
    with closing(open_writer(path, world="real")) as writer:
        writer.connection().execute("CREATE VIEW mine AS SELECT * FROM ban")
        writer.connection().execute("CREATE TABLE notes (x)")

    for attempt in both_ways(path):
        attempt().close()  # type: ignore[attr-defined]


def test_after_an_unclean_stop_a_sound_file_opens(path: Path) -> None:
    killed_mid_way(path)

    with closing(open_writer(path, world="real")) as writer:
        assert not module.stopped_cleanly(writer)
        with writer.transaction():
            stopped(writer, 2.0)
        assert module.stopped_cleanly(writer)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_flipped_bits_opens_or_is_said_to_be_damaged_but_never_changes(
    path: Path, seed: int
) -> None:
    killed_mid_way(path)
    content = bytearray(path.read_bytes())
    dice = random.Random(seed)
    for _ in range(dice.choice([1, 3, 50])):
        content[dice.randrange(dice.choice([len(content), 12_000]))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)

    for attempt in (partial(open_reader, path, world="real"), partial(open_writer, path, world="real")):
        try:
            attempt().close()
        except StorageError:
            assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("whole", "broken"), [(b"TABLE quote (", b"TAB\xcce quote ("), (b"meta (key TEXT", b"meta (kez TEXT")]
)
def test_a_broken_table_description_is_damage(path: Path, whole: bytes, broken: bytes) -> None:
    open_writer(path, world="real").close()
    content = path.read_bytes()
    assert whole in content
    path.write_bytes(content.replace(whole, broken, 1))

    for attempt in both_ways(path):
        with pytest.raises(DamagedDatabase):
            attempt()


def test_an_interrupted_creation_leaves_no_database(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(unnamed: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "give_name", dies)
        with pytest.raises(KeyboardInterrupt):
            open_writer(path, world="real")
    assert list(path.parent.iterdir()) == []

    open_writer(path, world="real").close()
    assert [file.name for file in path.parent.iterdir()] == ["fundwatch.db"]


def test_what_a_killed_creation_left_is_removed_by_the_next(path: Path) -> None:
    for name in ("fundwatch.db.abcdefgh.new", "fundwatch.db.abcdefgh.new-journal", "mine.new"):
        path.with_name(name).write_text("half")

    open_writer(path, world="real").close()

    assert sorted(file.name for file in path.parent.iterdir()) == ["fundwatch.db", "mine.new"]


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE lighter_funding (x)")
    content = path.read_bytes()

    for attempt in both_ways(path):
        with pytest.raises(ForeignDatabase, match="another program"):
            attempt()
    assert path.read_bytes() == content


def test_a_database_of_a_newer_fundwatch_is_refused_and_left_alone(path: Path) -> None:
    with closing(open_writer(path, world="real")) as writer:
        writer.connection().execute("PRAGMA user_version = 99")
    content = path.read_bytes()

    for attempt in both_ways(path):
        with pytest.raises(ForeignDatabase, match="newer fundwatch"):
            attempt()
    assert path.read_bytes() == content


@pytest.mark.parametrize(("stamped", "asked"), [("real", "demo"), ("demo", "real")])
def test_demo_and_real_data_are_never_mixed(path: Path, stamped: str, asked: str) -> None:
    open_writer(path, world=stamped).close()

    with pytest.raises(WrongWorld, match="never mixed"):
        open_writer(path, world=asked)
    with pytest.raises(WrongWorld, match="never mixed"):
        open_reader(path, world=asked)
    open_reader(path, world=stamped).close()


def test_a_wal_without_its_database_keeps_its_rows(path: Path) -> None:
    wal = path.with_name("fundwatch.db-wal")
    wal.write_bytes(b"the last rows")

    with pytest.raises(DamagedDatabase, match="put the database back"):
        open_writer(path, world="real")
    assert wal.read_bytes() == b"the last rows"
    assert not path.exists()


def test_a_file_with_two_names_is_refused(path: Path) -> None:
    open_writer(path, world="real").close()
    path.with_name("other.db").hardlink_to(path)

    with pytest.raises(StorageError, match="hard link"):
        open_writer(path, world="real")


def test_a_symbolic_link_leads_to_the_one_database(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    with closing(open_writer(link, world="real")) as writer, writer.transaction():
        add_ban(writer, "a")

    assert writer.path == path
    assert scopes(link) == ["a"]


def test_a_path_with_odd_characters_is_only_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50%?mode=memory#x &.db"
    with closing(open_writer(path, world="real")) as writer, writer.transaction():
        add_ban(writer, "a")

    assert scopes(path) == ["a"]
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(("-wal", "-shm"))] == [
        path.name
    ]


def test_a_file_that_goes_away_is_noticed_before_the_next_row(path: Path, writer: Writer) -> None:
    path.rename(path.with_name("moved.db"))
    with pytest.raises(DamagedDatabase, match="is gone"), writer.transaction():
        add_ban(writer, "a")

    path.write_bytes(b"something else")
    with pytest.raises(DamagedDatabase, match="replaced"), writer.transaction():
        add_ban(writer, "a")


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Root may write anywhere, so the test is somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    for parent in [folder, *folder.parents]:
        if parent.stat().st_mode & 0o005 != 0o005:
            pytest.skip(f"{parent} is closed to others")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    changed = [p for p in [tmp_path, *tmp_path.parents] if p.stat().st_uid == os.geteuid() and p != Path("/")]
    modes = {p: p.stat().st_mode & 0o7777 for p in changed}
    for p, mode in modes.items():
        p.chmod(mode | 0o055 if p != tmp_path else 0o555)
    yield tmp_path
    for p, mode in modes.items():
        p.chmod(mode)


def test_a_read_only_folder_is_said_so(open_folder: Path) -> None:
    with as_nobody(open_folder), pytest.raises(DiskTrouble, match=r"f\.db cannot be opened"):
        open_writer(open_folder / "f.db", world="real")


def test_a_full_disk_is_said_so_and_work_goes_on_when_there_is_room(path: Path, writer: Writer) -> None:
    pages = writer.value("PRAGMA page_count")
    writer.value(f"PRAGMA max_page_count = {pages + 2}")
    big = [(f"scope {i}", "x" * 3000) for i in range(100)]
    insert = "INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)"

    with pytest.raises(DiskTrouble, match="no room left") as caught, writer.transaction():
        writer.executemany(insert, big)
    assert isinstance(caught.value.__cause__, sqlite3.Error)
    assert scopes(path) == []

    writer.value("PRAGMA max_page_count = 1000000")
    with writer.transaction():
        writer.executemany(insert, big)
    assert len(scopes(path)) == 100


def test_a_file_that_may_not_grow_is_a_disk_trouble_and_loses_nothing(path: Path, writer: Writer) -> None:
    with writer.transaction():
        add_ban(writer, "before")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(DiskTrouble), writer.transaction():
            writer.executemany(
                "INSERT INTO ban VALUES (?, 'banned', 1.0, ?, 1)", [(str(i), "x" * 3000) for i in range(5000)]
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)

    writer.close()
    with closing(open_writer(path, world="real")) as again, again.transaction():
        add_ban(again, "later")
    assert scopes(path) == ["before", "later"]


CHILD = """
import sys
from pathlib import Path
from fundwatch.models import Source
from fundwatch.storage import trackers
from fundwatch.storage.database import open_writer
writer = open_writer(Path(sys.argv[1]), world="real")
with writer.transaction():
    run = trackers.begin_run(writer, "lighter", "backfill", Source.EXCHANGE, 1, 0)
    market = writer.insert("INSERT INTO market (exchange_id, symbol, ticker, asset_class, multiplier, status,"
        " first_seen, last_seen) VALUES (1, 'BTC', 'BTC', 'crypto', 1.0, 'active', 0, 0)")
for batch in range(10_000):
    with writer.transaction():
        writer.executemany("INSERT INTO settlement VALUES (?, ?, 0, 0.1, 1.0, ?, NULL)",
            [(market, 1700000 * 1000 // 3600 * 3600 + 3600 * (batch * 50 + i), run) for i in range(50)])
        trackers.count_rows(writer, run, inserted=50)
    print(batch + 1, flush=True)
    if batch % 7 == 0:
        writer.checkpoint(truncate=batch % 2 == 0)
"""


@pytest.mark.parametrize("batches", [1, 9, 30])
def test_kill_9_loses_nothing_that_was_reported_and_counters_match_the_rows(path: Path, batches: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        reported = 0
        while reported < batches:
            reported = int(said.readline())
        child.kill()
        child.wait()
        reported = max([reported, *(int(line) for line in said if line.endswith(b"\n"))])

    path.with_name("fundwatch.db-shm").unlink()  # as after a power cut
    with reader(path) as database:
        read = database.value("SELECT count(*) FROM settlement")
    with closing(open_writer(path, world="real")) as writer:
        stored = writer.value("SELECT count(*) FROM settlement")
        assert stored == read
        assert stored == writer.value("SELECT total_records FROM tracker")
        assert stored == writer.value("SELECT inserted FROM run")
        assert reported * 50 <= stored <= (reported + 1) * 50
        assert writer.value("PRAGMA integrity_check") == "ok"
