"""What a person said about a file."""

from collections.abc import Sequence
from dataclasses import dataclass

from fundwatch.imports.cells import TimeUnit, shown


@dataclass(frozen=True, slots=True)
class Asked:
    """`names` are the file's and, inside a zip, the member's (cleaned). `format` is a word of
    `reading.FORMATS`; `time_unit` is for columns that do not declare theirs. `now` (UTC seconds) bounds
    the times.
    """

    format: str
    names: tuple[str, ...]
    exchange: str | None
    symbol: str | None
    time_unit: TimeUnit | None
    now: float


def named(names: Sequence[str]) -> str:
    """The columns of a file, in a refusal."""
    return f"it has the columns {', '.join(shown(name) for name in names[:20])}"
