import csv
import io
import json
from pathlib import Path

import click
import msgspec
import pytest

from fundwatch.collector.doors.door import Refused
from fundwatch.commands.handover import said_in_words
from fundwatch.commands.printing import print_csv, print_json, print_table, print_world
from fundwatch.tables import Column
from tests.commands.desk import run


class Row(msgspec.Struct, frozen=True):
    name: str
    value: float | None


def test_json_is_one_document_and_a_number_that_is_none_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([Row("币安", 1.5e-7), Row("b", None)])
    assert json.loads(capsys.readouterr().out) == [
        {"name": "币安", "value": 1.5e-7},
        {"name": "b", "value": None},
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_becomes_text(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_csv([Row(name, -0.5)], Row)
    _, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
    assert row == ["'" + name.replace("\t", " ").replace("\r", " "), "-0.5"]


def test_no_form_of_an_answer_drives_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    name = "q\x1b]52;c;aGk=\x07\x9b2J\x7f\u202e\nש[/]币"
    rows = [Row(name, 1.0)]
    print_json(rows)
    document = capsys.readouterr().out
    assert json.loads(document) == [{"name": name, "value": 1.0}]
    print_csv(rows, Row)
    lines = capsys.readouterr().out
    print_table([Column("name"), Column("value")], [[name, "1.0"]])
    table = capsys.readouterr().out
    for shown in (document, lines, table):
        assert all(c.isprintable() or c in "\r\n" for c in shown)
        assert "[/]" in shown
        assert "币" in shown
        assert "ש" not in shown
    assert len(lines.splitlines()) == len(table.splitlines()) == 2


def test_commas_and_quotes_stay_inside_their_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([Row('a,"b"', None)], Row)
    heading, row = csv.reader(io.StringIO(capsys.readouterr().out))
    assert (heading, row) == (["name", "value"], ['a,"b"', ""])


def test_csv_of_nothing_is_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    print_csv([], Row)
    assert capsys.readouterr().out.splitlines() == ["name,value"]


@pytest.mark.parametrize(("demo", "said"), [(True, "DEMO: simulated exchanges\n"), (False, "")])
def test_simulated_numbers_say_so_above_their_table(
    demo: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_world(demo=demo)
    assert capsys.readouterr().out == said


HOSTILE = "q\x1b]52;c;aGk=\x07\x9b2J\u202e"


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("top",),
        ("spreads",),
        ("history", "BTC"),
        ("history", HOSTILE),
        ("gaps",),
        ("export", "--out", "x.csv"),
        ("export", "--out", HOSTILE, "--asset", HOSTILE),
        ("export", "--out", HOSTILE, "--since", HOSTILE),
        ("import", HOSTILE, "--exchange", "binance"),
        ("backup", HOSTILE),
        ("rebuild",),
        ("undo", "--run", "1"),
        ("doctor",),
    ],
)
def test_no_error_drives_the_terminal(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file can have a hostile name, and what is typed can come out of a hostile clipboard."""
    monkeypatch.chdir(tmp_path)
    for name in (HOSTILE, f"{HOSTILE}/nowhere"):
        result = run("--db", str(tmp_path / name), *words)
        said = result.stdout + result.stderr
        assert said
        assert [char for char in said if char != "\n" and not char.isprintable()] == []


def test_a_collectors_refusal_drives_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit), said_in_words():
        raise Refused(f"no: {HOSTILE}")
    said = capsys.readouterr().err
    assert said.startswith("Error: no: q")
    assert said.strip().isprintable()
