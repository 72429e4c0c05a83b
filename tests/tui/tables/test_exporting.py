"""What is shown, as a file that a spreadsheet reads."""

import csv
from pathlib import Path

import pytest

from fundwatch.tui.tables.exporting import value, write_csv

NOW = 1_764_590_400.0


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("-204.98", "-204.98"),
        ("+1,234.50", "+1234.50"),
        ("-", ""),
        (" BTC ", "BTC"),
        ("=SUM(A1)", "'=SUM(A1)"),
        ("+cmd|x", "'+cmd|x"),
        ("@x", "'@x"),
        ("4 h", "4 h"),
    ],
)
def test_cells(cell: str, written: str) -> None:
    assert value(cell) == written


def test_a_second_export_overwrites_nothing(tmp_path: Path) -> None:
    first = write_csv([tmp_path], "rates", NOW, ["asset"], [["BTC"]])
    second = write_csv([tmp_path], "rates", NOW, ["asset"], [["ETH"]])
    assert first.name == "fundwatch-rates-20251201-120000.csv"
    assert second.name == "fundwatch-rates-20251201-120000-2.csv"
    assert list(csv.reader(first.read_text().splitlines())) == [["asset"], ["BTC"]]


def test_a_folder_that_takes_no_files_is_passed_over(tmp_path: Path) -> None:
    path = write_csv([tmp_path / "missing", tmp_path], "rates", NOW, ["asset"], [["BTC"]])
    assert path.parent == tmp_path


def test_when_no_folder_takes_it_the_reason_comes_out(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_csv([tmp_path / "missing"], "rates", NOW, ["asset"], [["BTC"]])
