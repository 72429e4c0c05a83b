"""`fundwatch gaps` as people and scripts meet it."""

import json
from pathlib import Path

import pytest

from tests.commands.desk import Desk, run


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """Lighter is complete for a day but for two hours; nobody else is collected."""
    desk.only("lighter")
    desk.config.write_text(desk.config.read_text() + "[collector]\nhistory_days = 1\n")
    desk.now -= 3600
    desk.quoted("lighter", "BTC", 10.95, listed_time=desk.now // 3600 * 3600 - 9 * 3600)
    desk.settled("lighter", "BTC", *[0.0000125] * 8)
    return desk


def test_a_person_reads_how_much_is_missing_and_why(desk: Desk) -> None:
    result = desk.ask("gaps")
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("market-hours from ")
    counts = next(line for line in lines if line.startswith("lighter")).split()
    assert int(counts[1]) == int(counts[2]) + int(counts[3]) + int(counts[4])
    assert counts[2] == "8"
    assert "missing, can still come:" in lines
    assert any(line.startswith("  lighter: ") and "not fetched yet" in line for line in lines)
    assert any(line.startswith("no collector runs: ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_json_has_every_gap_and_the_sums_agree(desk: Desk) -> None:
    result = desk.ask("gaps", "--json", "--exchange", "lighter")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    (lighter,) = document["exchanges"]
    assert lighter["expected_hours"] == lighter["stored_hours"] + lighter["missing_hours"]
    assert sum(gap["hours"] for gap in document["gaps"]) == lighter["missing_hours"]
    assert set(document["gaps"][0]) >= {"exchange", "symbol", "start", "end", "hours", "state", "reason"}
    told = json.loads(desk.ask("status", "--json").stdout)["exchanges"][0]
    assert told["exchange"] == "lighter"
    assert told["gaps_open"] == lighter["missing_hours"]


def test_further_back_there_is_more_to_expect(desk: Desk) -> None:
    desk.market("ETH", exchange="lighter")
    expected = [
        json.loads(desk.ask("gaps", "--json", *words).stdout)["exchanges"][0]["expected_hours"]
        for words in ([], ["--days", "1"], ["--days", "2"])
    ]
    assert expected[0] == expected[1] == expected[2] - 24


def test_a_long_list_is_cut_for_a_person(desk: Desk) -> None:
    for number in range(15):
        desk.market(f"M{number}", exchange="lighter")
    found = json.loads(desk.ask("gaps", "--json").stdout)["gaps"]
    gaps = [gap for gap in found if gap["reason"] != "just paid"]
    assert len(gaps) > 15
    rest = sum(gap["hours"] for gap in gaps[10:])
    assert f"and {len(gaps) - 10} more with {rest:,} h: --json lists all" in desk.ask("gaps").stdout


def test_no_database_is_exit_3(tmp_path: Path) -> None:
    result = run("--db", str(tmp_path / "none.db"), "gaps")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "there is no database" in result.stderr


def test_nothing_collected_yet_is_exit_3(desk: Desk) -> None:
    desk.only("paradex")
    result = desk.ask("gaps")
    assert result.exit_code == 3
    assert "paradex: no market is known yet" in result.stdout.splitlines()


def test_an_exchange_that_fails_says_why(desk: Desk) -> None:
    desk.swept("lighter", "error", "HTTP \x1b[2J503")
    assert "lighter: HTTP [2J503" in desk.ask("gaps").stdout.splitlines()
