"""Has anybody written? Asked once a second, so it must cost next to nothing."""

from contextlib import suppress
from pathlib import Path

from fundwatch.storage.database import Database, open_reader
from fundwatch.storage.errors import StorageError, in_words


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
