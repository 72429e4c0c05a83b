"""What fundwatch exported comes back as it was."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from fundwatch.exports.columns import NAMES, UNITS_LINE, UNITS_OBJECT, guarded
from fundwatch.imports.rows import FileRefused, ImportedRow
from fundwatch.models import Kind
from tests.imports.reading import EIGHT, read, written

ROWS: list[dict[str, Any]] = [
    {
        "exchange": "binance", "symbol": "BTCUSDT", "asset": "BTC", "asset_class": "crypto",
        "funding_time": EIGHT, "funding_time_iso": "2026-03-20T00:00:00Z", "kind": "regular",
        "rate": 4.65e-05, "interval_hours": 8.0, "hourly_rate": 5.8125e-06, "apr_percent": 5.09175,
        "payment_usd": None, "source": "exchange",
    },
    {
        "exchange": "lighter", "symbol": "-X", "asset": "=X", "asset_class": "unknown",
        "funding_time": EIGHT + 3600, "funding_time_iso": "2026-03-20T01:00:00Z", "kind": "regular",
        "rate": -0.000012, "interval_hours": None, "hourly_rate": None, "apr_percent": None,
        "payment_usd": -0.25, "source": "recorded",
    },
    {
        "exchange": "binance", "symbol": "XUSDT", "asset": "X", "asset_class": "equity",
        "funding_time": EIGHT, "funding_time_iso": "2026-03-20T00:00:00Z", "kind": "special",
        "rate": 0.01, "interval_hours": 0, "hourly_rate": None, "apr_percent": None,
        "payment_usd": None, "source": "import",
    },
]  # fmt: skip

EXPECTED = [
    ImportedRow(0, "binance", "BTCUSDT", EIGHT, 4.65e-05, 8.0, Kind.REGULAR, None, "exchange"),
    ImportedRow(0, "lighter", "-X", EIGHT + 3600, -0.000012, None, Kind.REGULAR, -0.25, "recorded"),
    ImportedRow(0, "binance", "XUSDT", EIGHT, 0.01, 0.0, Kind.SPECIAL, None, "import"),
]


def as_csv(rows: list[dict[str, Any]], names: tuple[str, ...] = NAMES) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    for row in rows:
        writer.writerow(guarded(row[n]) if isinstance(row[n], str) else row[n] for n in names)
    return file.getvalue()


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def numberless(rows: list[ImportedRow]) -> list[ImportedRow]:
    return [row._replace(line=0) for row in rows]


@pytest.mark.parametrize("first", ["", f"{UNITS_LINE}\r\n", "\ufeff"])
def test_csv_comes_back(tmp_path: Path, first: str) -> None:
    found = read(written(tmp_path, "a.csv", first + as_csv(ROWS)))
    assert (numberless(found.rows), found.bad, found.format) == (EXPECTED, [], "fundwatch")


@pytest.mark.parametrize("first", ["", f"{json.dumps(UNITS_OBJECT)}\n", "\n\n"])
def test_json_lines_come_back(tmp_path: Path, first: str) -> None:
    found = read(written(tmp_path, "a.jsonl", first + as_lines(ROWS)))
    assert (numberless(found.rows), found.bad, found.format) == (EXPECTED, [], "fundwatch")


def test_lines_are_counted_from_the_first_of_the_file(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.csv", f"{UNITS_LINE}\n\n{as_csv(ROWS)}"))
    assert [row.line for row in found.rows] == [4, 5, 6]


def test_the_columns_may_be_fewer_and_in_another_order(tmp_path: Path) -> None:
    names = ("source", "rate", "interval_hours", "kind", "symbol", "exchange", "funding_time")
    found = read(written(tmp_path, "a.csv", as_csv(ROWS[:1], names)))
    assert (numberless(found.rows), found.format) == (EXPECTED[:1], "fundwatch")


def test_an_export_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    newer = UNITS_LINE.replace("version 1", "version 2")
    with pytest.raises(FileRefused, match="newer fundwatch"):
        read(written(tmp_path, "a.csv", f"{newer}\n{as_csv(ROWS)}"))
    line = json.dumps({**UNITS_OBJECT, "version": 2})
    with pytest.raises(FileRefused, match="newer fundwatch"):
        read(written(tmp_path, "a.jsonl", f"{line}\n{as_lines(ROWS)}"))


def test_a_source_or_exchange_that_is_none_costs_the_row(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "source": "guess"}, {**ROWS[0], "exchange": "../x"}, ROWS[0]]
    found = read(written(tmp_path, "a.csv", as_csv(rows)))
    assert numberless(found.rows) == EXPECTED[:1]
    assert ["source" in found.reasons[0], "exchange" in found.reasons[1]] == [True, True]


def test_only_the_first_lines_and_nothing_else_is_no_table(tmp_path: Path) -> None:
    for content in (f"{UNITS_LINE}\n", json.dumps(UNITS_OBJECT)):
        with pytest.raises(FileRefused, match="holds no rows"):
            read(written(tmp_path, "a", content))


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    found = read(written(tmp_path, "a.csv", as_csv([])))
    assert (found.rows, found.bad) == ([], [])
