import csv
import io
import json
from pathlib import Path

import pytest

from tests.commands.desk import Desk, run


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.quoted("lighter", "BTC", 10.95, ticker="BTC")
    desk.quoted("aster", "BTCUSDT", 10.95, ticker="BTC")
    desk.quoted("aster", "ETHUSDT", 10.95, ticker="ETH")
    desk.quoted("hyperliquid", "xyz:BB", 5.475, ticker="BB", asset_class="equity")
    desk.settled("lighter", "BTC", 0.00001, -0.00002, 0.00003)
    return desk


def test_json_has_the_fields_that_were_promised(desk: Desk) -> None:
    result = desk.ask("history", "btc", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert set(document) >= {"asset", "series"}
    assert document["asset"] == "BTC"
    silent, told = document["series"]
    assert set(told) >= {"exchange", "symbol", "asset_class", "settlements"}
    assert (silent["symbol"], silent["settlements"], told["exchange"]) == ("BTCUSDT", [], "lighter")
    assert [row["rate"] for row in told["settlements"]] == [0.00001, -0.00002, 0.00003]
    fields = {"funding_time", "rate", "interval_hours", "hourly_rate", "apr_percent", "kind", "source"}
    assert all(set(row) >= fields for row in told["settlements"])
    assert told["settlements"][1]["apr_percent"] == pytest.approx(-17.52)


def test_csv_has_a_line_for_each_settlement_with_its_market(desk: Desk) -> None:
    rows = list(csv.DictReader(io.StringIO(desk.ask("history", "BTC", "--csv").stdout)))
    assert [(row["exchange"], row["symbol"], row["asset_class"]) for row in rows] == [
        ("lighter", "BTC", "crypto")
    ] * 3
    assert [float(row["rate"]) for row in rows] == [0.00001, -0.00002, 0.00003]
    assert (rows[0]["kind"], rows[0]["source"]) == ("regular", "exchange")


def test_a_person_reads_the_newest_first_and_who_is_silent(desk: Desk) -> None:
    lines = desk.ask("history", "BTC").stdout.splitlines()
    assert "rate %" in lines[0]
    assert [line.split()[4] for line in lines[1:4]] == ["+0.003000", "-0.002000", "+0.001000"]
    assert "BTC (crypto): 3 settlements of 2 markets" in lines
    assert lines[-1] == "nothing stored in this time: aster BTCUSDT"


@pytest.mark.parametrize("name", ["BB", "bb:equity", "xyz:bb"])
def test_any_case_a_class_or_a_venues_symbol(desk: Desk, name: str) -> None:
    document = json.loads(desk.ask("history", name, "--json").stdout)
    assert [series["symbol"] for series in document["series"]] == ["xyz:BB"]


def test_an_unknown_asset_is_exit_2_with_the_nearest_names(desk: Desk) -> None:
    result = desk.ask("history", "BTCC", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "Error: no market is about 'BTCC'; near it: BTC\n"


def test_nothing_stored_of_a_listed_asset_is_exit_3(desk: Desk) -> None:
    result = desk.ask("history", "ETH", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["series"][0]["settlements"] == []
    result = desk.ask("history", "ETH", "--days", "2")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "Nothing is stored of it in the last 2 days.\n"


def test_before_anything_was_collected_no_asset_is_unknown(tmp_path: Path) -> None:
    result = run("--db", str(tmp_path / "none.db"), "history", "btc", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, {"asset": "BTC", "series": []})
    assert "there is no database at" in result.stderr


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "x", "4000"])
def test_days_that_mean_nothing_are_refused(desk: Desk, days: str) -> None:
    assert desk.ask("history", "BTC", "--days", days).exit_code == 2
