"""JSON: one object on each line, or an array; strict where JSON is lenient."""

import json
from pathlib import Path

import pytest

from fundwatch.imports.rows import FileRefused, Limits
from tests.imports.reading import EIGHT, read, written

GOOD = f'{{"symbol":"BTC","time_s":{EIGHT},"rate":0.0001}}'


def reason(tmp_path: Path, line: str) -> str:
    """Why a line among good ones is not taken."""
    found = read(written(tmp_path, "a.jsonl", f"{GOOD}\n{line}\n{GOOD}\n"))
    assert [row.line for row in found.rows] == [1, 3]
    assert [bad.line for bad in found.bad] == [2]
    return found.reasons[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "no JSON object"),
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ('{"symbol":"BTC","time_s":NaN,"rate":1}', "no JSON object"),
        (GOOD[:-1], "no JSON object"),
        (f"{GOOD} {GOOD}", "no JSON object"),
        (GOOD.replace("0.0001", "1e400"), "out of range"),
        (GOOD.replace("0.0001", '"nan"'), "rate is not a decimal"),
        (GOOD.replace("0.0001", "true"), "rate is not a number"),
        (GOOD.replace("0.0001", "null"), "rate is missing"),
        (GOOD.replace("0.0001", "[1]"), "rate is not a number"),
        (GOOD.replace("0.0001", "9" * 5000), ""),
        (GOOD.replace(str(EIGHT), "true"), "time_s is no time"),
        (GOOD.replace(str(EIGHT), f"{EIGHT}.5"), "time_s is no time"),
        (GOOD.replace(str(EIGHT), "null"), "time_s is missing"),
        (GOOD.replace(str(EIGHT), "{}"), "time_s is no time"),
        (GOOD.replace(str(EIGHT), "9" * 400), ""),
        (GOOD.replace('"BTC"', "7"), "symbol is not text"),
        (GOOD.replace('"BTC"', "null"), "symbol is missing"),
        (GOOD.replace("BTC", "\\ud800"), ""),
        (GOOD.replace("BTC", "\\u001b[2J"), "symbol is none"),
        (GOOD.replace('"symbol":"BTC"', '"symbol":"BTC","rate":0.0002'), "a name twice"),
        (GOOD.replace('"symbol":"BTC"', '"symbol":"BTC","rate" : 0.0002'), "a name twice"),
        (GOOD.replace("{", '{"extra":1,'), "has 'extra', which the first row has not"),
        (GOOD.replace('"rate":0.0001', '"rate":' + "[" * 5000 + "]" * 5000), ""),
        ('{"symbol":"BTC","rate":0.0001}', "time_s is missing"),
    ],
)
def test_a_bad_line_costs_only_itself(tmp_path: Path, line: str, words: str) -> None:
    assert words in reason(tmp_path, line)


def test_blanks_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    spaced = json.dumps(json.loads(GOOD), separators=(" , ", " : "))
    found = read(written(tmp_path, "a.jsonl", f"\n{spaced}\n  \n\r\n{spaced}"))
    assert [row.line for row in found.rows] == [2, 5]
    assert found.bad == []


def test_an_array_is_read_by_the_number_of_its_elements(tmp_path: Path) -> None:
    content = json.dumps([json.loads(GOOD), {"symbol": "BTC"}, json.loads(GOOD)], indent=1)
    found = read(written(tmp_path, "a.json", f"\ufeff {content}"))
    assert [row.line for row in found.rows] == [1, 3]
    assert [bad.line for bad in found.bad] == [2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "holds no rows"),
        ("[1]", "first element"),
        ('["results"]', "no JSON array of objects"),
        (f"[{GOOD},", "no JSON array of objects"),
        ("[" * 100_000, "no JSON array of objects"),
        ('[{"results":[]}]', "holds no rows"),
        ("{\n}", "line 1 is no JSON object"),
        ('{"data":[1]}', "'data' holds is not known"),
    ],
)
def test_a_document_that_is_no_table_is_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        read(written(tmp_path, "a.json", content))
    assert words in refusal.value.message


def test_a_large_array_is_refused_with_a_way_out(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", f"[{GOOD}{f',{GOOD}' * 50_000}]")
    with pytest.raises(FileRefused, match="make JSON lines of it"):
        read(path, limits=Limits(document_bytes=1024**2))
    assert len(read(path).rows) == 50_001
