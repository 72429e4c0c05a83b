"""Opening the database: one writer that makes every commit and checkpoint, and short-lived readers.

SQLite before 3.51.3 can corrupt a WAL when one connection checkpoints while another commits
(https://sqlite.org/wal.html#walresetbug), so nobody but the writer does either. Nothing in this
process opens the database file by other means: closing it would drop SQLite's POSIX locks
(https://sqlite.org/howtocorrupt.html, 2.2).
"""

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from peewee import PeeweeException, SqliteDatabase

from fundwatch.clock import pause
from fundwatch.storage import files, migrations, shape
from fundwatch.storage.errors import (
    DamagedDatabase,
    DatabaseBusy,
    ForeignDatabase,
    StorageError,
    WrongWorld,
    damaged,
    explain,
    in_words,
    judging,
    opening,
)

BUSY_TIMEOUT_MS = 5000
BUSY_TRIES = 5
WAL_LIMIT_BYTES = 64 * 1024 * 1024
CHECKED_BYTES = 32 * 1024 * 1024
"""A file up to this size is checked as a whole at each start (0.15 s); a larger one, which would keep
people waiting, only where it was not left in order."""

TRIPPED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    sqlite3.Error,
    PeeweeException,
)
"""What code raises that reads from a damaged file what cannot be there, or cannot store into it."""


class Database(SqliteDatabase):
    """One connection to one file; it belongs to the thread that opened it.

    Queries of `schema` run with `.execute(database)`, statements with `execute_sql`.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.path = path
        self.recorders: tuple[int, frozenset[int]] = (0, frozenset())
        """The newest run looked at, and the exchanges (by id) with a recorded run up to it."""
        super().__init__(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            autoconnect=False,
            pragmas={"busy_timeout": BUSY_TIMEOUT_MS, "foreign_keys": 1, "trusted_schema": 0},
        )

    def connection(self) -> sqlite3.Connection:
        """The bare connection, for `executemany` and what peewee cannot say."""
        if self.is_closed():
            raise StorageError(f"{self.path} is not open in this thread")
        opened: sqlite3.Connection = super().connection()  # type: ignore[no-untyped-call]
        return opened

    def value(self, sql: str, *parameters: Any) -> Any:
        """The first column of the first row, None without a row."""
        row = self.connection().execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """All rows as tuples."""
        return self.connection().execute(sql, parameters).fetchall()


class Writer(Database):
    """The connection that writes. Its process holds the lock of `lock.acquire`."""

    def __init__(self, path: Path, world: str) -> None:
        super().__init__(path, "rw")
        self.world = world
        found = path.stat()
        self._file = (found.st_dev, found.st_ino)

    @contextmanager
    def transaction(self) -> Iterator[None]:  # type: ignore[override]  # peewee's hides the first error
        """All or nothing. Raises `StorageError` for what the disk or another process did.

        After an error of the commit itself the rows may be stored or not; either way together.
        """
        connection = self.connection()
        if connection.in_transaction:
            raise StorageError("a transaction is open already")
        self._require_same_file()
        with in_words(self.path):
            self._begin(connection)
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    _rollback(connection)
                raise

    def executemany(self, sql: str, rows: Iterable[Any]) -> int:
        """Runs `sql` for each row inside the caller's transaction; how many rows it changed."""
        return self._writing().executemany(sql, rows).rowcount

    def change(self, sql: str, *parameters: Any) -> int:
        """Runs one statement inside the caller's transaction; how many rows it changed."""
        return self._writing().execute(sql, parameters).rowcount

    def insert(self, sql: str, *parameters: Any) -> int:
        """Runs one INSERT inside the caller's transaction; the id of the new row."""
        new_id = self._writing().execute(sql, parameters).lastrowid
        assert new_id is not None
        return new_id

    def checkpoint(self, *, truncate: bool = False) -> bool:
        """Moves the WAL into the file; whether all of it went. Never waits for readers.

        `truncate` empties the WAL file too: for idle moments.
        """
        connection = self.connection()
        with in_words(self.path):
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                kind = "TRUNCATE" if truncate else "PASSIVE"
                busy, pages, moved = connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return not busy and pages == moved

    def close(self) -> bool:
        """Empties the WAL as far as readers allow, and closes."""
        if self.is_closed():
            return False
        connection = self.connection()
        if connection.in_transaction:
            _rollback(connection)
        with suppress(StorageError):  # the WAL stays beside the file and is read at the next start
            self.checkpoint(truncate=True)
        closed: bool = super().close()
        return closed

    def _writing(self) -> sqlite3.Connection:
        connection = self.connection()
        if not connection.in_transaction:
            raise StorageError("rows are written inside a transaction")
        return connection

    def _begin(self, connection: sqlite3.Connection) -> None:
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if not isinstance(explain(self.path, error), DatabaseBusy) or attempt == BUSY_TRIES:
                    raise
                pause(random.uniform(0.05, 0.2) * attempt)  # noqa: S311

    def _require_same_file(self) -> None:
        try:
            found = self.path.stat()
        except OSError as error:
            raise DamagedDatabase(
                f"{self.path} is gone ({error.strerror}); nothing more is written"
            ) from error
        if (found.st_dev, found.st_ino) != self._file:
            raise DamagedDatabase(f"{self.path} was replaced by another file; start fundwatch anew")


def open_writer(
    path: Path,
    *,
    world: str,
    create: bool = True,
    after_migration: Callable[[Writer], object] | None = None,
) -> Writer:
    """Opens `path` for writing, in the newest schema; the caller holds the lock.

    `world` is "real" or a name for the demo; it is stamped into a new database and must match an old
    one. `after_migration` runs in a transaction at each opening (views). Raises `StorageError`.
    """
    path = files.real_path(path)
    with in_words(path), opening(path):
        if not path.exists():
            if not create:
                raise files.absent(path)
            files.create(path, world)
        with judging(path):
            _inspect(path, world)
        writer = Writer(path, world)
        try:
            writer.connect()
            _prepare(writer)
            if after_migration is not None:
                with writer.transaction():
                    after_migration(writer)
        except BaseException:
            SqliteDatabase.close(writer)
            raise
    return writer


def open_reader(path: Path, *, world: str | None = None) -> Database:
    """Opens `path` read-only; close it soon, an open reader keeps the WAL growing.

    Raises `NoDatabase` when there is none, and other `StorageError`s.
    """
    path = files.real_path(path)
    with judging(path), opening(path):
        database = _open_read_only(path)
        try:
            if migrations.version(database.connection()) < len(migrations.MIGRATIONS):
                raise ForeignDatabase(
                    f"{path} is of an older fundwatch; its collector, once started, updates it"
                )
            shape.require_tables(database.connection(), path)
            _require_world(database, world)
        except BaseException:
            database.close()
            raise
    return database


@contextmanager
def reader(path: Path, *, world: str | None = None) -> Iterator[Database]:
    """`with reader(path) as database:` one snapshot for all the questions of the block.

    A block that fails over what cannot be in a sound file raises `DamagedDatabase`.
    """
    database = open_reader(path, world=world)
    connection = database.connection()
    try:
        with in_words(database.path):
            connection.execute("BEGIN")
            yield database
    except TRIPPED:
        with in_words(database.path):
            shape.require_coherent(database.connection(), database.path)
        raise
    finally:
        if connection.in_transaction:
            _rollback(connection)
        database.close()


def stopped_cleanly(database: Database) -> bool:
    """Whether the last collector said goodbye; True when none ever ran."""
    return not database.value("SELECT count(*) FROM collector WHERE stopped IS NULL")


def _inspect(path: Path, world: str) -> None:
    """Refuses a file before a connection that could write, or checkpoint while closing, touches it.

    After a clean stop there is no log; one that lies there then may be that of another database.
    """
    log = path.with_name(path.name + "-wal")
    had_log = log.exists() and log.stat().st_size > 0
    database = _open_read_only(path)
    try:
        if migrations.version(database.connection()) == len(migrations.MIGRATIONS):
            shape.require_tables(database.connection(), path)
        _require_world(database, world)
        if had_log or path.stat().st_size <= CHECKED_BYTES or not stopped_cleanly(database):
            shape.require_sound(database.connection(), database.path)
    finally:
        database.close()


def _open_read_only(path: Path) -> Database:
    files.require_plain(path)
    database = Database(path, "ro")
    try:
        database.connect()
        database.connection().execute("PRAGMA query_only = 1")
        migrations.require_known(database.connection(), path)
        shape.require_no_trigger(database.connection(), path)
    except BaseException:
        database.close()
        raise
    return database


def _prepare(writer: Writer) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "trusted_schema": 0,
        "wal_autocheckpoint": 0,
        "journal_size_limit": WAL_LIMIT_BYTES,
    }
    for name, setting in wanted.items():
        writer.value(f"PRAGMA {name} = {setting}")
        got = writer.value(f"PRAGMA {name}")
        if got != setting:
            raise StorageError(
                f"{writer.path}: SQLite answers {name} = {got} where {setting} is needed; "
                "the database must lie on a local disk"
            )
    migrations.migrate(writer.connection(), writer.path)


def _require_world(database: Database, world: str | None) -> None:
    found = database.value("SELECT value FROM meta WHERE key = 'world'")
    if found is None:
        raise damaged(database.path, "it does not say whether its data are real")
    if world is not None and found != world:
        raise WrongWorld(
            f"{database.path} holds the world {found!r}, not {world!r}: real and demo data are never mixed; "
            "name another file with --db"
        )


def _rollback(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):  # SQLite has rolled back by itself; the first error is the one that counts
        connection.execute("ROLLBACK")
