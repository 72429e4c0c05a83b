import csv
import io
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fundwatch.cli import main
from fundwatch.models import Source, hourly_rate
from fundwatch.storage import trackers
from tests.storage.ledger import Ledger


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One asset on two exchanges: 21.9 % APR apart, free of fees."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("FUNDWATCH_CONFIG", raising=False)
    ledger = Ledger(tmp_path / "f.db", "UNQUOTED")
    now = int(time.time())
    for exchange, apr, open_interest in (("lighter", -10.95, 2e6), ("extended", 10.95, 1.5e6)):
        market = ledger.market(f"BTC-{exchange}", ticker="BTC", exchange=exchange)
        ledger.quote(
            market,
            observed_at=now,
            hourly_rate=hourly_rate(apr),
            mark_price=9e4,
            open_interest_usd=open_interest,
        )
        with ledger.writer.transaction():
            ledger.writer.change("INSERT INTO identity (market_id, same_as_group) VALUES (?, 0)", market)
            trackers.describe(
                ledger.writer,
                exchange,
                source=Source.EXCHANGE,
                continuous=False,
                minute=2,
                taker_fee_percent=0.0,
            )
    ledger.writer.close()
    return ledger.writer.path


def run(database: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--db", str(database), "spreads", *words])


def test_json_is_one_document_on_stdout(database: Path) -> None:
    result = run(database, "--json")
    (pair,) = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (pair["long_symbol"], pair["short_symbol"]) == ("BTC-lighter", "BTC-extended")
    assert pair["spread_apr_percent"] == pytest.approx(21.9)
    assert pair["net_apr_percent"] == pytest.approx(21.9)
    assert (pair["share_positive"], pair["trusted"], pair["reason"]) == (None, True, None)


def test_csv_has_a_heading_and_empty_cells_for_what_is_missing(database: Path) -> None:
    (pair,) = csv.DictReader(io.StringIO(run(database, "--csv").stdout))
    assert (pair["asset"], pair["share_positive"], pair["trusted"]) == ("BTC", "", "True")


def test_a_person_reads_a_table_with_units(database: Path) -> None:
    heading, row = run(database, "--hold-hours", "24").stdout.splitlines()
    assert "APR % now" in heading
    assert "net, held 24 h" in heading
    assert row.split()[:6] == ["BTC", "crypto", "lighter", "BTC-lighter", "extended", "BTC-extended"]
    assert "+21.90" in row
    assert row.endswith("ok")


@pytest.mark.parametrize("words", [["--min-oi", "1e7"], ["--window", "7d"]])
def test_nothing_to_show_is_an_empty_list_and_exit_3(database: Path, words: list[str]) -> None:
    result = run(database, "--json", *words)
    assert (result.exit_code, json.loads(result.stdout)) == (3, [])
    assert run(database, *words).exit_code == 3


@pytest.mark.parametrize(
    "words", [["--hold-hours", "nan"], ["--hold-hours", "0"], ["--min-oi", "inf"], ["--window", "2d"]]
)
def test_words_that_mean_nothing_are_refused(database: Path, words: list[str]) -> None:
    result = run(database, *words)
    assert (result.exit_code, result.stdout) == (2, "")
