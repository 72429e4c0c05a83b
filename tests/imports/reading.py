"""What the tests of imports share: a moment, a file, and everything that is read from it."""

from pathlib import Path
from typing import Any, NamedTuple

from fundwatch.imports.reading import open_import
from fundwatch.imports.rows import BadRow, ImportedRow

NOW = 1_775_000_000.0
"""2026-03-31 23:33:20 UTC."""

EIGHT = 1_773_964_800
"""2026-03-20 00:00 UTC, a full hour."""


class Found(NamedTuple):
    rows: list[ImportedRow]
    bad: list[BadRow]
    format: str
    unit_note: str

    @property
    def reasons(self) -> list[str]:
        return [bad.reason for bad in self.bad]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, *, exchange: str | None = None, now: float = NOW, **asked: Any) -> Found:
    """All of a file, read to its end."""
    with open_import(path, exchange=exchange, now=now, **asked) as file:
        found = list(file.rows())
        rows = [row for row in found if isinstance(row, ImportedRow)]
        bad = [row for row in found if isinstance(row, BadRow)]
        return Found(rows, bad, file.format, file.unit_note)
