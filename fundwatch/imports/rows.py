"""What a file of past settlements gives: rows, refused rows, or the refusal of the whole file."""

from dataclasses import dataclass
from typing import NamedTuple

from fundwatch.models import Kind


class ImportedRow(NamedTuple):
    """One settlement as a file tells it.

    `line` counts from 1, inside the zip member where there is one. `exchange` is the exchange that the
    row itself names, None where it names none. `symbol` is the venue's own and passes `text.is_symbol`.
    `funding_time` is the full hour in UTC seconds that the file's stamp means. `rate` is the signed
    fraction for the whole interval, positive when longs pay. `interval_hours` is None where the file
    does not say and spacing must tell. `payment_usd` is what one base unit paid. `origin` is the source
    that the file claims for the row, in the words of our own exports: `exchange`, `import`, `recorded`.
    """

    line: int
    exchange: str | None
    symbol: str
    funding_time: int
    rate: float
    interval_hours: float | None
    kind: Kind = Kind.REGULAR
    payment_usd: float | None = None
    origin: str | None = None


class BadRow(NamedTuple):
    """A line that was not taken, and why, in words for a person.

    `member` is the name inside the zip (cleaned), None for a plain file.
    """

    line: int
    member: str | None
    reason: str


class FileRefused(Exception):
    """The file as a whole cannot be read: one sentence that says what, where and what to do.

    Raised by `open_import`, and by the rows on the way when only then it shows. Rows given before that
    were right as far as they go; whoever stores them decides whether they stay.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotThisLayout(Exception):
    """The columns or cells do not make a file that can be read; the message says why and what would.

    Inside this package only: whoever opens a file gets a `FileRefused` that names the file too.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may cost. Sizes in bytes, unpacked where nothing else is said."""

    members: int = 1_000
    total_bytes: int = 2 * 1024**3
    ratio: int = 200
    """How many times its packed size a member may unpack to; small members are let off."""
    line_bytes: int = 64 * 1024
    document_bytes: int = 32 * 1024**2
    """Of a JSON file that is one array: it cannot be read line by line."""
