"""Opens a file of past settlements and gives its rows, in whatever documented shape it comes."""

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from fundwatch.clock import SystemClock
from fundwatch.imports import records
from fundwatch.imports.archive import Member, members, whole
from fundwatch.imports.asked import Asked
from fundwatch.imports.cells import TimeUnit
from fundwatch.imports.layouts import Layout
from fundwatch.imports.objects import Rows
from fundwatch.imports.rows import BadRow, FileRefused, ImportedRow, Limits, NotThisLayout
from fundwatch.text import clean, is_symbol

FORMATS: tuple[str, ...] = ("auto", "vision", "fundwatch", "predecessor", "csv", "jsonl")
"""The words that `--format` takes; `auto` decides by the file's columns, never by its numbers."""

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class ImportFile:
    """One file, open for reading once. A context manager.

    `name` is the file's name made harmless, for provenance and for the screen. `sha256` (hex) is of the
    file as it lies there. `format` is the word of `FORMATS` that was decided. `unit_note` says in a
    sentence which conversion the rows go through.
    """

    def __init__(self, path: Path, asked: Asked, limits: Limits) -> None:
        self.path = path
        self.name = asked.names[0]
        self._asked = asked
        self._limits = limits
        self._position = 0
        self._used = False
        with ExitStack() as stack:
            self._file = stack.enter_context(_opened(path, self.name))
            self._before = _state(self._file)
            self.size_bytes = self._before.size
            if self.size_bytes > limits.total_bytes:
                raise FileRefused(
                    f"{self.name} is larger than {limits.total_bytes / 1024**2:,.0f} MB: split it"
                )
            with whole(self.name):
                self.sha256 = _sha256(self._file)
            self._members = stack.enter_context(
                closing(members(self._file, self.size_bytes, limits, self.name))
            )
            self._where = self.name
            self._layout, self._first = self._begin(next(self._members))
            self._open = stack.pop_all()

    @property
    def format(self) -> str:
        return self._layout.format

    @property
    def unit_note(self) -> str:
        return self._layout.unit_note

    @property
    def bytes_read(self) -> int:
        """How far the reading has come, of `size_bytes`."""
        return min(self._position, self.size_bytes)

    def rows(self) -> Iterator[ImportedRow | BadRow]:
        """Every line as a row or as the reason why it is none, in the file's order; once.

        Raises `FileRefused` when the file turns out to be damaged, too large or changed on the way;
        the check for a change comes after the last row.
        """
        if self._used:
            raise RuntimeError(f"{self.name} was read already: open it again")
        self._used = True
        yield from self._of_member(self._first)
        for member in self._members:
            layout, found = self._begin(member)
            if (layout.format, layout.unit_note) != (self.format, self.unit_note):
                raise FileRefused(
                    f"{self._where} has another shape than the files before it: import it alone"
                )
            yield from self._of_member(found)
        self._position = self.size_bytes
        if _state(self._file) != self._before:
            raise FileRefused(
                f"{self.name} was changed while it was read: import it again when it is complete"
            )

    def _begin(self, member: Member) -> tuple[Layout, Rows]:
        self._where = self.name if member.name is None else f"{self.name}, {member.name}"
        asked = self._asked
        if member.name is not None:
            asked = replace(asked, names=(*asked.names, member.name.rpartition("/")[2]))

        def read(size: int) -> bytes:
            data = member.read(size)
            self._position = max(self._position, self._file.tell())
            return data

        try:
            return records.begin(read, asked, self._limits, where=self._where, member=member.name)
        except NotThisLayout as error:
            raise FileRefused(f"{self._where}: {error}") from None

    def _of_member(self, found: Rows) -> Rows:
        try:
            yield from found
        except NotThisLayout as error:
            raise FileRefused(f"{self._where}: {error}") from None

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_import(
    path: Path,
    *,
    exchange: str | None,
    file_format: str = "auto",
    symbol: str | None = None,
    limits: Limits | None = None,
    time_unit: TimeUnit | None = None,
    now: float | None = None,
) -> ImportFile:
    """The file at `path`, judged and ready to read; raises `FileRefused`.

    `exchange` is the one the person names (some shapes differ by exchange), `symbol` the market for
    files whose rows name none, `time_unit` the unit of a time column that does not declare its own.
    Payments later than ten minutes after `now` (UTC seconds, else this machine's clock) are bad rows.
    """
    if file_format not in FORMATS:
        raise ValueError(f"{file_format!r} is none of {', '.join(FORMATS)}")
    if symbol is not None and not is_symbol(symbol):
        raise FileRefused(f"{clean(symbol, 40)!r} is no market's symbol")
    moment = SystemClock().now() if now is None else now
    name = clean(os.fsencode(path.name).decode("utf-8", "replace"))
    asked = Asked(file_format, (name,), exchange, symbol, time_unit, moment)
    return ImportFile(path, asked, limits or Limits())


def _opened(path: Path, name: str) -> BufferedReader:
    """A regular file, open for reading; nothing else is waited for or read from."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise FileRefused(f"{name} cannot be opened: {_trouble(error)}") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((word for is_kind, word in _KINDS if is_kind(mode)), "no regular file")
        raise FileRefused(f"{name} is {kind}, not a file: name the files one by one")
    return os.fdopen(descriptor, "rb")


def _trouble(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENXIO:
        return "it is a socket or a device"
    return (isinstance(error, OSError) and error.strerror) or "its name cannot be that of a file"


class _State(NamedTuple):
    """What changes when a file is written to."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def _state(file: BufferedReader) -> _State:
    found = os.fstat(file.fileno())
    return _State(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _sha256(file: BufferedReader) -> str:
    digest = hashlib.file_digest(file, "sha256")
    file.seek(0)
    return digest.hexdigest()
