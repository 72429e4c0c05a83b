"""Rows of a file put in order by market and time, by way of the disk, so that any file fits into memory.

The file behind it has no name, so nothing of it outlives the process, however that ends.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import msgspec

from fundwatch.storage.errors import DiskTrouble

MOST_ROWS = 200_000
"""Of one market: twice as many as there are hours since 2016, and what is held in memory at a time."""


SpooledRow = tuple[int, int, float, float | None, float | None]
"""(funding_time, kind number, rate, interval hours, payment in USD), as in the table `settlement`."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[SpooledRow]).decode
_order = itemgetter(0, 1)


class Span(NamedTuple):
    """Of one market: how many rows, and the funding times (UTC seconds) of the first and the last."""

    rows: int
    first: int
    last: int


class Spool:
    """Markets are numbered in the order of their coming. Lives in one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """In `folder`, or where the system keeps what is temporary when that cannot be written.

        Raises `DiskTrouble` where neither can.
        """
        self._folder = folder
        self._file = _nameless(folder)
        self._pending: list[list[SpooledRow]] = []
        self._places: list[array[int]] = []
        """Of each market where its packed rows lie: offset and size in turn."""
        self.spans: list[Span] = []

    def new_market(self) -> list[SpooledRow]:
        """The number of the new market is how many there were; its rows are appended to the list."""
        rows: list[SpooledRow] = []
        self._pending.append(rows)
        self._places.append(array("Q"))
        self.spans.append(Span(0, 0, 0))
        return rows

    def write(self) -> None:
        """Moves what was appended to the disk; call it every 50,000 rows or so, and after the last."""
        with self._in_words():
            for number, rows in enumerate(self._pending):
                if rows:
                    packed = _encode(rows)
                    self._places[number].extend((self._file.seek(0, os.SEEK_END), len(packed)))
                    self._file.write(packed)
                    times = [row[0] for row in rows]
                    count, first, last = self.spans[number]
                    self.spans[number] = Span(
                        count + len(rows), min(times + [first] * bool(count)), max(last, max(times))
                    )
                    rows.clear()

    def rows(self, number: int) -> list[SpooledRow]:
        """The rows of a market, oldest first; what is of one time and kind in the order of the file."""
        found: list[SpooledRow] = []
        with self._in_words():
            places = iter(self._places[number])
            for offset, size in zip(places, places, strict=True):
                self._file.seek(offset)
                found += _decode(self._file.read(size))
        found.sort(key=_order)
        return found

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DiskTrouble(
                f"no room for the rows of the file beside the database, in {self._folder}: {error.strerror}"
            ) from error


def _nameless(folder: Path) -> IO[bytes]:
    for place in (folder, Path(tempfile.gettempdir())):
        try:
            return tempfile.TemporaryFile(dir=place)
        except OSError:
            continue
    raise DiskTrouble(f"nothing can be written to {folder}, nor to the folder of temporary files")
