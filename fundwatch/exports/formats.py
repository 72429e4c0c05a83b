"""Exported rows as bytes: CSV, JSON lines, and (where pyarrow is installed) Parquet."""

import csv
import io
from collections.abc import Iterable
from enum import StrEnum
from typing import BinaryIO, Protocol

import msgspec

from fundwatch.exports.columns import COLUMNS, NAMES, UNITS_LINE, UNITS_OBJECT, guarded
from fundwatch.exports.rows import ExportedRow


class Format(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class RowWriter(Protocol):
    """Writes rows in the order of `columns`; numbers so that they come back to the last bit."""

    def write(self, rows: Iterable[ExportedRow]) -> None: ...

    def finish(self) -> None: ...


class CsvRows:
    """RFC 4180 with a heading. What a spreadsheet would run as a formula is guarded, in text cells only: a
    negative rate stays a number. `with_units` puts a line before the heading that says what they mean."""

    def __init__(self, file: BinaryIO, *, with_units: bool = False) -> None:
        self._file = file
        if with_units:
            file.write(f"{UNITS_LINE}\r\n".encode())
        self._write([NAMES])

    def write(self, rows: Iterable[ExportedRow]) -> None:
        self._write(map(_cells, rows))

    def finish(self) -> None:
        pass

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._file.write(text.getvalue().encode())


_AT_TEXT = tuple(index for index, column in enumerate(COLUMNS) if column.text)


def _cells(row: ExportedRow) -> list[object]:
    cells = list(msgspec.structs.astuple(row))
    for index in _AT_TEXT:
        cells[index] = guarded(cells[index])
    return cells


class JsonLines:
    """One object a line. `with_units` puts one before them that says what they mean."""

    def __init__(self, file: BinaryIO, *, with_units: bool = False) -> None:
        self._file = file
        self._encoder = msgspec.json.Encoder()
        if with_units:
            file.write(self._encoder.encode_lines([UNITS_OBJECT]))

    def write(self, rows: Iterable[ExportedRow]) -> None:
        self._file.write(self._encoder.encode_lines(rows))

    def finish(self) -> None:
        pass


class MakeWriter(Protocol):
    def __call__(self, file: BinaryIO, *, with_units: bool = False) -> RowWriter: ...


def writer_of(file_format: Format) -> MakeWriter:
    """What writes rows of this format. Raises `ImportError` where pyarrow is needed and not installed."""
    if file_format is Format.PARQUET:
        from fundwatch.exports.parquet import ParquetRows

        return ParquetRows
    return CsvRows if file_format is Format.CSV else JsonLines
