"""Exported rows as files."""

import csv
import io
import json
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.cli.keeping import FORMATS
from fundwatch.exports.columns import COLUMNS, NAMES, UNITS_LINE, UNITS_OBJECT, bare
from fundwatch.exports.formats import CsvRows, Format, JsonLines, writer_of
from fundwatch.exports.parquet import ParquetRows
from fundwatch.exports.rows import ExportedRow

ROW = ExportedRow(
    "aster", "BTCUSDT", "BTC", "crypto", 1764547200, "2025-12-01T00:00:00Z", "regular", -4.65e-05, 8.0,
    -5.8125e-06, -5.09175, None, "exchange",
)  # fmt: skip

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'x", 'a"b', "a,b", "a\nb", "\u4e2d\u6587"]


def as_csv(rows: Iterable[ExportedRow], *, with_units: bool = False) -> str:
    file = io.BytesIO()
    writer = CsvRows(file, with_units=with_units)
    writer.write(rows)
    writer.finish()
    return file.getvalue().decode()


def as_lines(rows: Iterable[ExportedRow], *, with_units: bool = False) -> list[str]:
    file = io.BytesIO()
    writer = JsonLines(file, with_units=with_units)
    writer.write(rows)
    writer.finish()
    return file.getvalue().decode().splitlines()


def test_csv_has_a_heading_and_ends_its_lines_as_the_standard_says() -> None:
    assert as_csv([ROW]) == (
        f"{','.join(NAMES)}\r\n"
        "aster,BTCUSDT,BTC,crypto,1764547200,2025-12-01T00:00:00Z,regular,-4.65e-05,8.0,-5.8125e-06,-5.09175,,"
        "exchange\r\n"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_no_spreadsheet_runs_a_cell_of_text(text: str) -> None:
    written = as_csv([msgspec.structs.replace(ROW, symbol=text, asset=text)])
    _, cells = csv.reader(io.StringIO(written, newline=""))
    for cell in cells[1:3]:
        assert cell[0] not in "=+-@\t\r"
        assert bare(cell) == text


def test_a_negative_rate_is_a_number_and_not_guarded() -> None:
    _, cells = csv.reader(io.StringIO(as_csv([ROW])))
    numbers = [cell for cell, column in zip(cells, COLUMNS, strict=True) if not column.text and cell]
    assert [float(cell) for cell in numbers] == [1764547200, -4.65e-05, 8.0, -5.8125e-06, -5.09175]


@given(rate=st.floats(-0.8, 0.8))
def test_numbers_come_back_to_the_last_bit(rate: float) -> None:
    row = msgspec.structs.replace(ROW, rate=rate, hourly_rate=rate / 8, apr_percent=rate / 8 * 876000)
    (read,) = csv.DictReader(io.StringIO(as_csv([row])))
    (line,) = as_lines([row])
    for name in ("rate", "hourly_rate", "apr_percent"):
        assert float(read[name]) == json.loads(line)[name] == getattr(row, name)


@pytest.mark.parametrize("text", HOSTILE)
def test_json_lines_hold_one_object_each_with_text_as_it_is(text: str) -> None:
    lines = as_lines([msgspec.structs.replace(ROW, symbol=text), ROW])
    assert len(lines) == 2
    assert list(json.loads(lines[0])) == list(NAMES)
    assert json.loads(lines[0])["symbol"] == text
    assert json.loads(lines[1])["payment_usd"] is None


def test_the_units_come_first_when_asked_for() -> None:
    assert as_csv([ROW], with_units=True).split("\r\n")[:2] == [UNITS_LINE, ",".join(NAMES)]
    assert json.loads(as_lines([ROW], with_units=True)[0]) == UNITS_OBJECT


def test_the_command_line_offers_the_formats_that_there_are() -> None:
    assert list(FORMATS) == list(Format)
    assert [writer_of(Format(name)) for name in FORMATS] == [CsvRows, JsonLines, ParquetRows]
