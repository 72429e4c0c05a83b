"""A database of no name with a part of another one in it: what a dry run stores into, and is gone with it."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fundwatch.storage import files
from fundwatch.storage.database import Database, Writer
from fundwatch.storage.errors import in_words, opening
from fundwatch.storage.imports import REACH_SECONDS

_TABLES_OF_EXCHANGE = ("tracker", "market", "run")


class _Unnamed(Writer):
    """A writer whose file is unlinked while it is open, so that nothing of it outlives the process."""

    def _require_same_file(self) -> None:
        pass


@contextmanager
def scratch_copy(
    db: Database | None, exchange: str, spans: Mapping[str, tuple[int, int]], folder: Path
) -> Iterator[Writer]:
    """A writer over a copy of `exchange` as `db` has it (None: as a new database would), in `folder`, or
    where temporary files lie when that cannot be written.

    Of the settlements only what can touch `spans`: by symbol the first and the last funding time (UTC
    seconds) of rows that are to be tried. Raises `StorageError`.
    """
    folder = files.real_path(folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir()))
    with opening(folder), tempfile.TemporaryDirectory(prefix=".fundwatch-import-", dir=folder) as place:
        path = Path(place) / "scratch.db"
        files.create(path, "scratch")
        writer = _Unnamed(path, "scratch")
        writer.connect()
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = MEMORY", "synchronous = OFF"):
            writer.value(f"PRAGMA {pragma}")
        with writer.transaction():  # from now on it holds its file open
            pass
    try:
        if db is not None:
            with in_words(db.path), writer.transaction():
                _copy(db, writer, exchange, spans)
        yield writer
    finally:
        writer.close()


def _copy(db: Database, writer: Writer, exchange: str, spans: Mapping[str, tuple[int, int]]) -> None:
    number = db.value("SELECT id FROM exchange WHERE name = ?", exchange)
    if number is None:
        return
    _insert(writer, "exchange", db.rows("SELECT * FROM exchange WHERE id = ?", number))
    for table in _TABLES_OF_EXCHANGE:
        _insert(writer, table, db.rows(f"SELECT * FROM {table} WHERE exchange_id = ?", number))  # noqa: S608
    for market_id, symbol in db.rows("SELECT id, symbol FROM market WHERE exchange_id = ?", number):
        if symbol in spans:
            first, last = spans[symbol]
            rows = db.rows(
                "SELECT * FROM settlement WHERE market_id = ? AND funding_time BETWEEN ? AND ?",
                *(market_id, first - REACH_SECONDS, last + REACH_SECONDS),
            )
            _insert(writer, "settlement", rows)
            events = db.rows("SELECT * FROM event WHERE market_id = ? AND kind = 'interval'", market_id)
            _insert(writer, "event", events)


def _insert(writer: Writer, table: str, rows: list[tuple[object, ...]]) -> None:
    if rows:
        writer.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
