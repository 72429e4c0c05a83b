"""Exported rows as Parquet, a row group at a time. Needs pyarrow, so it is imported only when asked for."""

from collections.abc import Iterable
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from fundwatch.exports.columns import COLUMNS, UNITS_MARK, VERSION
from fundwatch.exports.rows import ExportedRow

ROWS_PER_GROUP = 100_000


def _field(name: str, unit: str, text: bool) -> pa.Field:
    kind = pa.string() if text else pa.int64() if name == "funding_time" else pa.float64()
    return pa.field(name, kind, metadata={"unit": unit})


SCHEMA = pa.schema([_field(*column) for column in COLUMNS], {"fundwatch": f"{UNITS_MARK}, version {VERSION}"})
"""The units stand in the metadata of each field, always."""


class ParquetRows:
    def __init__(self, file: BinaryIO, *, with_units: bool = False) -> None:
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")
        self._rows: list[ExportedRow] = []

    def write(self, rows: Iterable[ExportedRow]) -> None:
        self._rows += rows
        if len(self._rows) >= ROWS_PER_GROUP:
            self._flush()

    def finish(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*map(msgspec.structs.astuple, self._rows), strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=SCHEMA))
            self._rows = []
