"""Exported rows as Parquet."""

import io

import msgspec
import pyarrow.parquet as pq
import pytest

from fundwatch.exports import parquet
from fundwatch.exports.columns import COLUMNS
from fundwatch.exports.parquet import ParquetRows
from tests.exports.test_formats import ROW


def test_rows_come_back_with_types_and_units() -> None:
    file = io.BytesIO()
    writer = ParquetRows(file)
    odd = msgspec.structs.replace(ROW, symbol="=1+1", interval_hours=None, hourly_rate=None)
    writer.write([ROW])
    writer.write(iter([odd]))
    writer.finish()
    table = pq.read_table(io.BytesIO(file.getvalue()))
    assert table.to_pylist() == [msgspec.structs.asdict(ROW), msgspec.structs.asdict(odd)]
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {column.name: "string" if column.text else "double" for column in COLUMNS} | {
        "funding_time": "int64"
    }
    assert table.schema.field("rate").metadata[b"unit"].startswith(b"fraction of notional")


def test_it_goes_to_the_file_group_by_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 10)
    file = io.BytesIO()
    writer = ParquetRows(file)
    for _ in range(25):
        writer.write([ROW])
    assert file.tell() > 0
    writer.finish()
    found = pq.ParquetFile(io.BytesIO(file.getvalue()))
    assert (found.metadata.num_rows, found.num_row_groups) == (25, 3)
