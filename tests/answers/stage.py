"""A real database in the state that a test describes, seen at one moment."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from fundwatch.models import Source, hourly_rate
from fundwatch.storage import lock, presence, trackers
from fundwatch.storage.database import Database, open_reader
from tests.storage.ledger import Ledger, hour

NOW = hour(800) + 1000
END = 800
"""The hour at which all windows end at NOW."""


class Stage(Ledger):
    """The ledger with an eye on trackers, quotes and the process that collects."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "fundwatch.db", "UNQUOTED", exchange="nobody")
        self._numbers = count()

    @property
    def path(self) -> Path:
        return self.writer.path

    @contextmanager
    def read(self) -> Iterator[Database]:
        db = open_reader(self.path)
        try:
            yield db
        finally:
            db.close()

    def change(self, sql: str, *values: Any) -> None:
        with self.writer.transaction():
            self.writer.change(sql, *values)

    def describe(self, exchange: str, source: Source = Source.EXCHANGE, *, continuous: bool = False) -> None:
        with self.writer.transaction():
            trackers.describe(self.writer, exchange, source=source, continuous=continuous, minute=2)

    def markets(self, exchange: str, ages: Sequence[float | None], **columns: Any) -> list[int]:
        """A market for each age of a quote in seconds, None for one that was never quoted."""
        ids = []
        for age in ages:
            ids.append(self.market(f"M{next(self._numbers):03}", exchange=exchange, **columns))
            if age is not None:
                self.quote(ids[-1], observed_at=int(NOW - age), hourly_rate=hourly_rate(10.95))
        return ids

    def begin(self, exchange: str, kind: trackers.RunKind = "sweep", started: float = NOW - 60) -> int:
        """A run that has not ended."""
        with self.writer.transaction():
            return trackers.begin_run(self.writer, exchange, kind, Source.EXCHANGE, 1, started)

    def sweep(
        self,
        exchange: str,
        outcome: trackers.Outcome = "ok",
        error: str | None = None,
        *,
        kind: trackers.RunKind = "sweep",
        expected: int | None = None,
        failed: int | None = None,
        started: float = NOW - 600,
    ) -> None:
        run_id = self.begin(exchange, kind, started)
        with self.writer.transaction():
            trackers.end_run(
                self.writer,
                run_id,
                outcome=outcome,
                error=error,
                now=started + 30,
                markets_expected=expected,
                markets_failed=failed,
            )

    def healthy(self, exchange: str, markets: int = 3, age: float = 60) -> None:
        """A complete sweep ten minutes ago and quotes of `age` seconds."""
        self.markets(exchange, [age] * markets)
        self.sweep(exchange, expected=markets, failed=0)

    def beat(self, age: float, role: str = "collector", pid: int = 4242) -> None:
        with self.writer.transaction():
            presence.beat(self.writer, pid, role, "boot", NOW - age)

    def stop(self) -> None:
        with self.writer.transaction():
            presence.stopped(self.writer, NOW - 5)

    def recover(self) -> None:
        """What a new collector does first with what a dead one left."""
        with self.writer.transaction():
            trackers.recover(self.writer, NOW)

    def locked(self) -> lock.Lock:
        """The lock of a process that lives; this one, which is as good as any other."""
        return lock.acquire(self.path, "collector", NOW)

    def unit_check(self, exchange: str, verdict: str, group: str = "", modal: float | None = None) -> None:
        with self.writer.transaction():
            self.writer.change(
                "INSERT INTO unit_check"
                " (exchange_id, group_name, what, verdict, modal_apr_percent, n, sentence, checked_at)"
                " VALUES (?, ?, 'estimates', ?, ?, 99, ?, 5)",
                *(trackers.exchange_id(self.writer, exchange), group, verdict, modal),
                f"{group or 'all'} rates are {verdict}",
            )
