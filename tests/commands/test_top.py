import csv
import io
import json
from pathlib import Path

import pytest

from tests.commands.desk import Desk, run

PROMISED = [
    *("exchange", "symbol", "asset", "asset_class", "apr_percent", "hourly_rate", "interval_hours", "window"),
    *("coverage", "mark_price", "open_interest_usd", "volume_24h_usd", "next_funding_time", "observed_at"),
    *("trusted", "reason"),
]


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.quoted("lighter", "BTC", 10.95, ticker="BTC")
    desk.quoted("aster", "ETHUSDT", -43.8, ticker="ETH")
    desk.quoted("aster", "TSLAUSDT", 500.0, ticker="TSLA", asset_class="equity", age=8000)
    return desk


def test_json_is_a_list_with_the_fields_that_were_promised(desk: Desk) -> None:
    result = desk.ask("top", "--json")
    rows = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(set(row) >= set(PROMISED) for row in rows)
    assert [(row["asset"], row["trusted"], row["reason"]) for row in rows] == [
        ("ETH", True, None),
        ("BTC", True, None),
        ("TSLA", False, "stale"),
    ]
    assert rows[0]["apr_percent"] == pytest.approx(-43.8)
    assert rows[0]["hourly_rate"] == pytest.approx(-0.00005)
    assert (rows[0]["coverage"], rows[0]["open_interest_usd"]) == (None, None)
    assert rows[0]["observed_at"] == desk.now - 60


def test_csv_has_a_heading_and_empty_cells_for_what_is_missing(desk: Desk) -> None:
    result = desk.ask("top", "--csv", "--limit", "1")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert list(row) == PROMISED
    assert (row["asset"], row["coverage"], row["trusted"]) == ("ETH", "", "True")
    assert float(row["apr_percent"]) == pytest.approx(-43.8)


def test_a_person_reads_units_signs_and_doubts(desk: Desk) -> None:
    heading, eth, _, tsla = desk.ask("top").stdout.splitlines()
    assert "APR % now" in heading
    assert "% per hour" in heading
    assert eth.split()[:6] == ["ETH", "crypto", "aster", "ETHUSDT", "-43.80", "-0.00500"]
    assert eth.endswith("ok")
    assert tsla.endswith("NO: stale")


def test_a_window_shows_what_was_paid_with_its_coverage(desk: Desk) -> None:
    desk.settled("lighter", "BTC", *[0.00002] * 26)
    (row,) = json.loads(desk.ask("top", "--window", "24h", "--json").stdout)
    assert (row["window"], row["coverage"], row["trusted"]) == ("24h", 1.0, True)
    assert row["apr_percent"] == pytest.approx(17.52)
    heading, line = desk.ask("top", "--window", "24h").stdout.splitlines()
    assert "APR % paid 24h" in heading
    assert "100%" in line.split()


@pytest.mark.parametrize(
    ("words", "assets"),
    [
        (["--exchange", "aster"], ["ETH", "TSLA"]),
        (["--exchange", "Lighter"], ["BTC"]),
        (["--class", "equity"], ["TSLA"]),
        (["--class", "CRYPTO"], ["ETH", "BTC"]),
        (["--limit", "1"], ["ETH"]),
    ],
)
def test_only_what_was_asked_for(desk: Desk, words: list[str], assets: list[str]) -> None:
    assert [row["asset"] for row in json.loads(desk.ask("top", "--json", *words).stdout)] == assets


@pytest.mark.parametrize("words", [["--exchange", "paradex"], ["--class", "fx"], ["--window", "30d"]])
def test_nothing_to_show_is_an_empty_list_and_exit_3(desk: Desk, words: list[str]) -> None:
    result = desk.ask("top", "--json", *words)
    assert (result.exit_code, json.loads(result.stdout)) == (3, [])
    result = desk.ask("top", *words)
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Nothing collected matches.\n"
    assert desk.ask("top", "--csv", *words).stdout == ",".join(PROMISED) + "\n"


@pytest.mark.parametrize("command", ["top", "spreads"])
def test_no_database_is_an_empty_list_and_exit_3_too(tmp_path: Path, command: str) -> None:
    result = run("--db", str(tmp_path / "none.db"), command, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, [])
    assert "there is no database at" in result.stderr


@pytest.mark.parametrize(
    "words",
    [["--window", "2d"], ["--limit", "0"], ["--limit", "x"], ["--exchange", "kraken"], ["--class", "stocks"]],
)
def test_words_that_mean_nothing_are_refused(desk: Desk, words: list[str]) -> None:
    result = desk.ask("top", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words[1] in result.stderr
