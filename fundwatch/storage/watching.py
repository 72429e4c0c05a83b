"""Has anybody written? Asked once a second, so it must cost next to nothing."""

from contextlib import suppress
from pathlib import Path

from fundwatch.storage.database import Database, open_reader
from fundwatch.storage.errors import StorageError, in_words

Fingerprint = tuple[float | str | None, ...]

_FINGERPRINT = """
SELECT (SELECT id FROM run WHERE kind <> 'quotes' ORDER BY id DESC LIMIT 1),
       (SELECT COUNT(*) FROM run WHERE ended IS NULL), (SELECT COUNT(*) FROM absence),
       (SELECT SUM(observed_at) FROM quote), (SELECT SUM(open_interest_usd) FROM quote),
       (SELECT SUM(last_seen) FROM market), (SELECT SUM(window_end) FROM summary),
       (SELECT SUM(samples * 1000 + COALESCE(same_as_group, 0)) FROM identity),
       (SELECT SUM(checked_at) FROM unit_check)
"""
_SETTLED = """
SELECT (SELECT value FROM meta WHERE key = 'settled'), (SELECT SUM(total_records) FROM tracker)
"""
_DUE = """
SELECT COUNT(*), SUM(m.id * q.next_funding_time), SUM(m.id * q.interval_hours),
       SUM(m.id * m.listed_time), SUM(m.id * m.delisting_time),
       SUM(CASE m.status WHEN 'active' THEN 0 ELSE m.id * m.last_seen END),
       (SELECT SUM(id * (source * 2 + continuous)) FROM exchange),
       (SELECT SUM(asked * 1000003 + start_time + market_id * end_time) FROM absence)
FROM market m LEFT JOIN quote q ON q.market_id = m.id
"""


def fingerprint(database: Database) -> Fingerprint:
    """Changes whenever rates, windows, gaps, runs or verdicts did, and not with a heartbeat."""
    return (*database.rows(_FINGERPRINT)[0], *settled(database))


def settled(database: Database) -> Fingerprint:
    """Changes whenever a settlement is stored, replaced or taken back."""
    return tuple(database.rows(_SETTLED)[0])


def due(database: Database) -> Fingerprint:
    """Changes with what is to be settled by an hour, and with what is noted as absent."""
    return tuple(database.rows(_DUE)[0])


class Watch:
    """Notices commits of other connections to one database file.

    Belongs to the thread that asks. A file that is not there, or is not a database (yet), is no news.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: Database | None = None
        self._file: tuple[int, int] | None = None
        self._seen: int | None = None

    def has_news(self) -> bool:
        """Whether the file was written, or became another one, since the last time this was asked."""
        file = self._identity()
        if file != self._file:
            self.close()
            self._file = file
        if file is None:
            return False
        with suppress(StorageError), in_words(self._path):
            if self._db is None:
                self._db = open_reader(self._path)
            version = self._db.value("PRAGMA data_version")
            news: bool = version != self._seen
            self._seen = version
            return news
        self.close()
        return False

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self._db = self._seen = None

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
