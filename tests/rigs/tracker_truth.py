"""What the row of a tracker must say, told from what the database was told: the rules in plain steps.

Written apart from the product's SQL. A run's beginning moves `last_run` and counts; only a complete sweep is
a success; a partial, failed or cut short one leaves `last_success` alone and its error standing; quotes have
an error of their own; a backfill has none, unless its process died of it.
"""

from dataclasses import dataclass, field

from fundwatch.text import clean
from tests.rigs.life import Note
from tests.rigs.second_reader import Tracker
from tests.rigs.small_world import Run

ERROR_LENGTH = 300


@dataclass(slots=True)
class TrackerTruth:
    """One exchange. `failed` is how its last sweep went: None before the first, "" for well."""

    last_run: int | None = None
    last_success: int | None = None
    total_runs: int = 0
    sweep_error: str | None = None
    quotes_error: str | None = None
    failed: str | None = None
    underway: list[Run] = field(default_factory=list)

    @property
    def last_error(self) -> str | None:
        return self.sweep_error or self.quotes_error

    @property
    def status(self) -> str:
        return "running" if self.underway else "error" if self.last_error else "idle"

    def take(self, note: Note, run: Run) -> None:
        if note.what == "begun":
            self.last_run, self.total_runs = int(run.wall), self.total_runs + 1
            self.underway.append(run)
            return
        self.underway.remove(run)
        error = None if note.word == "ok" else clean(note.error or "", ERROR_LENGTH) or note.word
        if run.kind == "sweep":
            self.sweep_error = error
            if note.word == "ok":
                self.last_success, self.quotes_error, self.failed = int(run.wall), None, ""
            else:
                self._fail(note.word)
        elif run.kind == "quotes" and note.word in ("ok", "partial", "error"):
            self.quotes_error = error

    def die(self) -> None:
        """A new process ends what the old one left open."""
        for run in self.underway:
            told = f"interrupted: the program ended during the {run.kind}"
            if run.kind == "sweep":
                self.sweep_error = told
                self._fail("interrupted")
            else:
                self.quotes_error = told
        self.underway.clear()

    def _fail(self, word: str) -> None:
        if word in ("partial", "error"):
            self.failed = word
        elif not self.failed:
            self.failed = "error"

    def lies(self, row: Tracker) -> list[str]:
        """What `row` says otherwise."""
        told = []
        for name in ("status", "last_run", "last_success", "total_runs"):
            if getattr(row, name) != getattr(self, name):
                told.append(f"{name} {getattr(row, name)}, truth {getattr(self, name)}")
        if not _is_said(row.last_error, self.last_error):
            told.append(f"last_error {row.last_error!r}, truth {self.last_error!r}")
        return told


def _is_said(said: str | None, true: str | None) -> bool:
    """An interruption also tells its time."""
    if true is not None and true.startswith("interrupted: the program ended"):
        return said is not None and said.startswith(true)
    return said == true
