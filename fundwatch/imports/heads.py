"""The beginning of a table: what else a file may be, the first line, the columns' names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from fundwatch.exports import columns as own
from fundwatch.imports.archive import GZIP, ZIP
from fundwatch.imports.cells import shown
from fundwatch.imports.lines import Batch
from fundwatch.imports.rows import BadRow, FileRefused, NotThisLayout

_MOST_COLUMNS = 100
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_SQL = re.compile(rb"(--|insert\s|create\s|begin\b|pragma\s|drop\s)", re.IGNORECASE)
_VERSION = re.compile(r"version (\d{1,9})")


def refuse_other_files(head: bytes, where: str) -> None:
    """Raises `FileRefused` for what begins like no table at all."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        raise FileRefused(f"{where} is empty")
    if head.startswith(b"SQLite format 3\0"):
        raise FileRefused(
            f"{where} is an SQLite database: export its table as CSV first, with the sqlite3 command's "
            "-header and -csv, into a file named like lighter_funding_v2.csv"
        )
    if head.startswith((ZIP, GZIP)):
        raise FileRefused(f"{where} is an archive inside an archive: unpack it first")
    if head.startswith(_UTF16) or max(head[1:200:2].count(0), head[:200:2].count(0)) > min(
        20, len(head) // 4
    ):
        raise FileRefused(f"{where} is UTF-16 or binary, not UTF-8: save it as UTF-8")
    if start[:1] == b"<":
        raise FileRefused(f"{where} is a web page, not a table: fetch the file itself")
    if _SQL.match(start):
        raise FileRefused(f"{where} holds SQL statements: load them with sqlite3 and export the table as CSV")


def first_line(batches: Iterator[Batch | BadRow], begun: Batch | None = None) -> Batch:
    """The first line that is not empty and what follows it in its batch; `begun` comes before `batches`.

    Raises `NotThisLayout` where there is none, or where it cannot be read.
    """
    batch: Batch | BadRow | None = begun or next(batches, None)
    while batch is not None:
        if isinstance(batch, BadRow):
            raise NotThisLayout(f"its first line cannot be read: {batch.reason}")
        for place, line in enumerate(batch[1]):
            if line.strip():
                return batch[0] + place, batch[1][place:]
        batch = next(batches, None)
    raise NotThisLayout("it holds no rows")


def check_version(line: str) -> None:
    """Raises `NotThisLayout` when a newer fundwatch wrote the file's first line."""
    found = _VERSION.search(line[:200]) if own.UNITS_MARK in line[:200] else None
    if found and int(found[1]) > own.VERSION:
        raise NotThisLayout(
            f"it was exported by a newer fundwatch (version {found[1]} of the columns): update this one first"
        )


def names(columns: Iterable[str]) -> tuple[str, ...]:
    """The columns' names in lower case; raises `NotThisLayout` when one is empty or stands twice."""
    found = tuple(name.strip().lower() for name in columns)
    if len(found) > _MOST_COLUMNS:
        raise NotThisLayout(f"it has {len(found)} columns, which no table of settlements has")
    if "" in found:
        raise NotThisLayout(f"its column number {found.index('') + 1} has no name")
    if twice := [name for name, count in Counter(found).items() if count > 1]:
        raise NotThisLayout(f"the column {shown(twice[0])} stands twice: leave the one that counts")
    return found
