"""Exported rows as bytes: CSV, JSON lines, and (where pyarrow is installed) Parquet."""

import csv
import io
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import BinaryIO, Protocol

import msgspec

from fundwatch.exports.columns import NAMES, UNITS_LINE, UNITS_OBJECT, guarded
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
        first = f"{UNITS_LINE}\r\n" if with_units else ""
        file.write(f"{first}{','.join(NAMES)}\r\n".encode())

    def write(self, rows: Iterable[ExportedRow]) -> None:
        self._file.write("".join(map(_line, rows)).encode())

    def finish(self) -> None:
        pass


def _line(row: ExportedRow) -> str:
    """The module csv writes the cells that come from outside; the others need no quotes, and are many."""
    return (
        f"{_market(row.exchange, row.symbol, row.asset, row.asset_class)},{row.funding_time},"
        f"{row.funding_time_iso},{row.kind},{row.rate!r},{_number(row.interval_hours)},"
        f"{_number(row.hourly_rate)},{_number(row.apr_percent)},{_number(row.payment_usd)},{row.source}\r\n"
    )


@lru_cache(maxsize=100)
def _market(*texts: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(map(guarded, texts))
    return line.getvalue().removesuffix("\r\n")


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


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
