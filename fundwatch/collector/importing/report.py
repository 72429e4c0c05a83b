"""What is asked of an import, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from fundwatch.imports.cells import TimeUnit
from fundwatch.storage.settlements import Stored
from fundwatch.text import utc

NAMED_ROWS = 20
KINDS_OF_REASONS = 50
"""Reasons beyond so many are counted together: a file may bring a new one with every line."""

Word = Literal["ok", "partial", "error", "cancelled"]


@dataclass(frozen=True, slots=True)
class Order:
    """One file to import. `path` is absolute; `symbol` is the market of a file that names none.

    `accept_bad` stores the good rows also of a file with many bad ones, or of one that disagrees with
    what is stored. `time_unit` is that of a column of times whose name tells none.
    """

    path: str
    exchange: str
    file_format: str = "auto"
    symbol: str | None = None
    accept_bad: bool = False
    time_unit: TimeUnit | None = None


class MarketSpan(NamedTuple):
    """Rows of one market in the file; `first` and `last` are funding times (UTC seconds)."""

    symbol: str
    rows: int
    first: int
    last: int
    is_new: bool


@dataclass(slots=True)
class Report:
    """What became of one file.

    `rows` are its readable lines, `bad` those that were refused for themselves: `bad_rows` names the
    first ones, `bad_reasons` counts them all. The counts from `inserted` on are as of
    `storage.settlements.Stored`, `reasons` those of rows refused for what is stored. `unknown_hours`
    counts the regular rows whose interval nothing tells, `aside` those that name other exchanges.
    `notes` are sentences for a person, `warnings` those that he should see also of a file that went in
    whole. A dry run has no `run_id`.
    """

    file_name: str
    exchange: str
    word: Word = "ok"
    error: str | None = None
    run_id: int | None = None
    format: str = ""
    unit_note: str = ""
    sha256: str | None = None
    rows: int = 0
    bad: int = 0
    bad_rows: list[str] = field(default_factory=list)
    bad_reasons: dict[str, int] = field(default_factory=dict)
    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: int = 0
    refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    unknown_hours: int = 0
    aside: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    markets: list[MarketSpan] = field(default_factory=list)

    def refuse(self, why: str) -> None:
        self.word, self.error = "error", why

    def note_bad(self, where: str, reason: str) -> None:
        self.bad += 1
        if len(self.bad_rows) < NAMED_ROWS:
            self.bad_rows.append(f"{where}: {reason}")
        known = reason in self.bad_reasons or len(self.bad_reasons) < KINDS_OF_REASONS
        key = reason if known else "other reasons"
        self.bad_reasons[key] = self.bad_reasons.get(key, 0) + 1

    def take(self, stored: Stored) -> None:
        """Counts what became of a batch."""
        self.inserted += stored.inserted
        self.replaced += stored.replaced
        self.unchanged += stored.unchanged
        self.conflicts += stored.conflicts
        self.refused += stored.refused
        for reason, count in stored.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    @property
    def done(self) -> int:
        """Rows that went through the storing so far."""
        return self.inserted + self.replaced + self.unchanged + self.conflicts + self.refused

    def conclude(self) -> None:
        """Partial is what has rows that are neither stored nor were there before."""
        left = Counter(self.bad_reasons) + Counter(self.reasons)
        if self.conflicts:
            left["it differs from a row of the same rank, which stays"] = self.conflicts
        if left:
            told = "; ".join(f"{count:,} x {reason}" for reason, count in left.most_common(3))
            self.word = "partial"
            self.error = f"{left.total():,} of {self.rows + self.bad:,} rows were not taken: {told}"


def already_imported(run_id: int, started: int, outcome: str) -> str:
    when = f"run {run_id} on {utc(started)} UTC"
    if outcome in ("ok", "partial"):
        return f"imported already as {when}"
    return f"{when} was {outcome} in the middle of this file: this one goes through all of it"
