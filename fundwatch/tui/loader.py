"""Brings the screen up to date: a thread that takes snapshots whenever there may be something new."""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from fundwatch.clock import Clock
from fundwatch.config import Config
from fundwatch.storage.errors import NoDatabase, StorageError
from fundwatch.text import clean
from fundwatch.tui.garbage import hand_back
from fundwatch.tui.snapshot import Question, Snapshot

POLL_SECONDS = 2.0
OLDEST_SECONDS = 10.0
"""Ages and health are true at the moment of asking, so they are asked anew without any news too."""

_SHARE = 100
"""While others write without end a snapshot may take one part in so many of the time, as drawing it takes
about as long again. What is written after a quiet while is shown at once."""

SOON_SECONDS = 1.0
"""The longest wait between two snapshots when a run has ended, as there is something new for sure."""


class Loader(threading.Thread):
    """Takes a snapshot when somebody asks, when the database was written, and every ten seconds.

    `loaded` gets each snapshot, `failed` a sentence when one could not be taken; both are called in
    this thread. A daemon, and stopped within a moment: it holds nothing that could be lost.
    """

    def __init__(
        self,
        database: Path,
        world: str,
        config: Config,
        clock: Clock,
        loaded: Callable[[Snapshot], object],
        failed: Callable[[str], object],
    ) -> None:
        super().__init__(name="loader", daemon=True)
        self._database, self._world, self._config, self._clock = database, world, config, clock
        self._loaded, self._failed = loaded, failed
        self._question = Question()
        self._wake = threading.Event()
        self._stopped = False
        self._last: Snapshot | None = None
        self._wanted = True
        self._news = False
        self._soon = False

    def ask(self, question: Question) -> None:
        """From now on this is what the person looks at."""
        self._question = question
        self.load()

    def load(self) -> None:
        """A snapshot at once."""
        self._wanted = True
        self._wake.set()

    def load_soon(self) -> None:
        """A snapshot within a second, as something was collected."""
        self._soon = True
        self._wake.set()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    def run(self) -> None:
        from fundwatch.storage.watching import Watch  # all of the database is loaded in this thread

        taken, rest = -OLDEST_SECONDS, 0.0
        with closing(Watch(self._database)) as watch:
            while not self._stopped:
                self._news = watch.has_news() or self._news
                since = self._clock.monotonic() - taken
                due = since >= OLDEST_SECONDS or (self._news and since >= rest)
                if self._wanted or due or (self._soon and since >= SOON_SECONDS):
                    self._wanted = self._news = self._soon = False
                    taken = self._clock.monotonic()
                    self._take()
                    rest = min(OLDEST_SECONDS, (self._clock.monotonic() - taken) * _SHARE)
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()

    def _take(self) -> None:
        from fundwatch.answers.status import nothing_yet
        from fundwatch.tui.reading import take_snapshot

        question, now, before = self._question, self._clock.now(), self._last
        try:
            snapshot = take_snapshot(self._database, self._world, self._config, question, now, before)
            self._last = snapshot
        except NoDatabase:
            snapshot = Snapshot(taken_at=now, question=question, status=nothing_yet(self._config))
        except StorageError as error:
            self._failed(str(error))
            return
        except Exception as error:  # the last door of this thread: a screen that stands still must say so
            self._failed(
                f"the screen cannot be brought up to date ({type(error).__name__}: {clean(str(error))})"
            )
            return
        if not self._stopped:
            self._loaded(snapshot)
        if before is not None and snapshot.read_at != before.read_at:
            hand_back()  # what the collector read, and the reading of it, took much for a moment
