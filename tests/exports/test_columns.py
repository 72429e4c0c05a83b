"""The columns of an export, as they are read back."""

import csv
import io
import json

import pytest

from fundwatch.exports.columns import (
    NAMES,
    NEEDED,
    UNITS_LINE,
    UNITS_MARK,
    UNITS_OBJECT,
    VERSION,
    bare,
    guarded,
)


def test_every_column_has_a_name_of_its_own_and_a_unit() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) >= NEEDED
    assert json.loads(json.dumps(UNITS_OBJECT))["units"].keys() == set(NAMES)


def test_the_first_lines_say_what_they_are() -> None:
    assert UNITS_LINE.startswith(f"# {UNITS_MARK}, version {VERSION}")
    assert '"' not in UNITS_LINE
    assert json.loads(json.dumps(UNITS_OBJECT))["version"] == VERSION


@pytest.mark.parametrize(
    "text", ["BTC", "=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''", "", "x=1", "1000PEPE", "\u4e2d\u6587"]
)
def test_a_guarded_text_comes_back_bare(text: str) -> None:
    assert bare(guarded(text)) == text


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_spreadsheet_runs_a_guarded_text(text: str) -> None:
    assert guarded(text)[0] == "'"


def test_a_guarded_text_survives_csv() -> None:
    file = io.StringIO()
    csv.writer(file).writerow([guarded('=HYPERLINK("x,y")')])
    assert bare(next(csv.reader([file.getvalue()]))[0]) == '=HYPERLINK("x,y")'
