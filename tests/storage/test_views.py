import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fundwatch.clock import SystemClock
from fundwatch.models import HOUR, Kind, Settlement, Source
from fundwatch.storage import views
from fundwatch.storage.database import open_reader
from tests.storage.ledger import Ledger

EXCHANGES = ("lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational")

DOCUMENTED = """
SELECT * FROM lighter_tracker_status_v2;
SELECT * FROM lighter_funding_latest_v2 LIMIT 10;
SELECT * FROM lighter_funding_daily_stats_v2 WHERE date >= date('now', '-7 days')
  ORDER BY date DESC, avg_apr DESC;
SELECT symbol, rate_annual, direction, datetime(timestamp, 'unixepoch') as time FROM lighter_funding_v2
  WHERE timestamp = (SELECT MAX(timestamp) FROM lighter_funding_v2) ORDER BY rate_annual DESC;
SELECT symbol, AVG(rate_annual) as avg_apr, MIN(rate_annual) as min_apr, MAX(rate_annual) as max_apr
  FROM lighter_funding_v2
  WHERE timestamp >= strftime('%s', 'now', '-7 days') GROUP BY symbol ORDER BY avg_apr DESC;
SELECT timestamp, rate_annual, direction FROM lighter_funding_v2
  WHERE symbol = 'BTC' AND timestamp >= strftime('%s', 'now', '-30 days') ORDER BY timestamp ASC;
SELECT * FROM lighter_tracker_status_v2 WHERE status = 'error' OR last_error IS NOT NULL;
""".strip().split(";")[:-1]
STATUS, LATEST, DAILY, NEWEST, AVERAGES, SERIES, ERRORS = DOCUMENTED

STALE = """
SELECT CASE WHEN COALESCE(MAX(timestamp), 0) < CAST(strftime('%s','now','-2 hours') AS INTEGER)
  THEN 'STALE' ELSE 'OK' END FROM lighter_funding_v2
"""

NOW = int(SystemClock().now())
THIS_HOUR = NOW // HOUR * HOUR


@pytest.fixture(params=EXCHANGES)
def ledger(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", exchange=request.param)
    with ledger.writer.transaction():
        views.create_all(ledger.writer, EXCHANGES)
    yield ledger
    ledger.writer.close()


def ask(ledger: Ledger, query: str) -> list[dict[str, Any]]:
    """The answer that someone with another program gets."""
    connection = sqlite3.connect(f"file:{ledger.writer.path}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query.replace("lighter", ledger.exchange))]
    finally:
        connection.close()


def fill(ledger: Ledger) -> None:
    """BTC at -0.0012 % per hour and ETH at 0.01 % per 8 h, up to this hour, and an old hour of BTC."""
    ledger.market("ETH", venue_id=77)
    btc = [Settlement("BTC", THIS_HOUR - n * HOUR, -0.000012, 1.0, payment_usd=-1.25) for n in (0, 1, 999)]
    ledger.save(*btc, now=NOW)
    ledger.save(Settlement("ETH", THIS_HOUR, 0.0001, 8.0), now=NOW, source=Source.IMPORT)


def test_every_documented_query_runs_on_an_empty_database(ledger: Ledger) -> None:
    assert len(DOCUMENTED) == 7
    for query in DOCUMENTED:
        assert isinstance(ask(ledger, query), list)


def test_rates_are_signed_percent_per_hour_and_the_payer_is_named(ledger: Ledger) -> None:
    fill(ledger)
    found = {row["symbol"]: row for row in ask(ledger, LATEST)}
    btc, eth = found["BTC"], found["ETH"]
    assert list(btc) == [
        *("market_id", "symbol", "timestamp", "rate", "rate_hourly", "rate_annual", "direction"),
        *("cumulative_value", "collected_at", "source", "market_symbol", "timestamp_iso"),
    ]
    assert btc["rate"] == btc["rate_hourly"] == pytest.approx(-0.0012)
    assert btc["rate_annual"] == pytest.approx(-10.512)
    assert (btc["direction"], btc["source"], btc["cumulative_value"]) == ("short", "api", -1.25)
    assert (btc["timestamp"], btc["market_symbol"], btc["market_id"]) == (THIS_HOUR, "BTC", 1)
    assert eth["rate_hourly"] == pytest.approx(0.00125)
    assert eth["rate_annual"] == pytest.approx(10.95)
    assert (eth["direction"], eth["source"], eth["cumulative_value"]) == ("long", "import", None)
    assert eth["market_id"] == 77
    assert eth["timestamp_iso"].endswith(":00:00Z")


def test_the_documented_queries_find_what_they_are_meant_to_find(ledger: Ledger) -> None:
    fill(ledger)
    assert [(row["symbol"], row["direction"]) for row in ask(ledger, NEWEST)] == [
        ("ETH", "long"),
        ("BTC", "short"),
    ]
    assert [row["symbol"] for row in ask(ledger, AVERAGES)] == ["ETH", "BTC"]
    assert ask(ledger, AVERAGES)[1]["avg_apr"] == pytest.approx(-10.512)
    assert [row["timestamp"] for row in ask(ledger, SERIES)] == [THIS_HOUR - HOUR, THIS_HOUR]
    days = ask(ledger, DAILY)
    assert sum(row["sample_count"] for row in days) == 3
    assert list(days[0]) == ["symbol", "date", "avg_apr", "min_apr", "max_apr", "sample_count"]


def test_a_time_compares_with_the_text_of_strftime_as_a_number(ledger: Ledger) -> None:
    fill(ledger)
    count = "SELECT COUNT(*) AS n FROM lighter_funding_v2 WHERE timestamp >= strftime('%s', 'now', '-7 days')"
    assert ask(ledger, count) == [{"n": 3}]
    none = "SELECT COUNT(*) AS n FROM lighter_funding_v2 WHERE timestamp >= strftime('%s', 'now', '+1 days')"
    assert ask(ledger, none) == [{"n": 0}]


def test_the_honest_stale_query_tells_stale_from_fresh(ledger: Ledger) -> None:
    (empty,) = ask(ledger, STALE)
    assert list(empty.values()) == ["STALE"]
    ledger.save(Settlement("BTC", THIS_HOUR - 5 * HOUR, 0.0001, 1.0), now=NOW)
    assert list(ask(ledger, STALE)[0].values()) == ["STALE"]
    ledger.save(Settlement("BTC", THIS_HOUR, 0.0001, 1.0), now=NOW)
    assert list(ask(ledger, STALE)[0].values()) == ["OK"]


def test_payments_without_an_hourly_rate_stay_out(ledger: Ledger) -> None:
    ledger.save(
        Settlement("BTC", THIS_HOUR, -0.01, None, Kind.SPECIAL),
        Settlement("BTC", THIS_HOUR, 0.0001, None),
        Settlement("BTC", THIS_HOUR - HOUR, 0.0001, 1.0),
        now=NOW,
    )
    assert [row["timestamp"] for row in ask(ledger, LATEST)] == [THIS_HOUR - HOUR]


def test_markets_and_when_they_were_last_seen(ledger: Ledger) -> None:
    ledger.market("OLD", status="delisted", last_seen=NOW, venue_id=5)
    assert ask(ledger, "SELECT * FROM lighter_markets_v2 WHERE status = 'delisted'") == [
        {"market_id": 5, "symbol": "OLD", "status": "delisted", "last_updated": NOW}
    ]


def tracker(ledger: Ledger, **columns: Any) -> None:
    with ledger.writer.transaction():
        for name, value in columns.items():
            ledger.writer.change(f"UPDATE tracker SET {name} = ?", value)


def test_the_tracker_in_the_predecessors_columns(ledger: Ledger) -> None:
    tracker(
        ledger, last_run=9, last_success=8, last_error="no", total_runs=7, total_records=6, status="error"
    )
    expected = {
        "last_run": 9,
        "last_success": 8,
        "last_error": "no",
        "total_runs": 7,
        "total_records": 6,
        "status": "error",
    }
    assert ask(ledger, STATUS) == ask(ledger, ERRORS) == [expected]


@pytest.mark.parametrize(
    ("age", "stopped", "status"), [(5, None, "running"), (500, None, "error"), (5, 1, "error")]
)
def test_running_does_not_outlive_its_process(
    ledger: Ledger, age: int, stopped: int | None, status: str
) -> None:
    tracker(ledger, status="running")
    with ledger.writer.transaction():
        ledger.writer.change(
            "INSERT INTO collector (id, pid, role, boot_id, started, heartbeat, stopped)"
            " VALUES (1, 1, 'collector', 'b', 1, ?, ?)",
            int(SystemClock().now()) - age,
            stopped,
        )
    (row,) = ask(ledger, STATUS)
    assert row["status"] == status
    assert row["last_error"] == (None if status == "running" else "interrupted")


def test_one_exchange_does_not_show_another_ones_rows(ledger: Ledger) -> None:
    fill(ledger)
    other = "aster" if ledger.exchange != "aster" else "paradex"
    assert ask(ledger, f"SELECT * FROM {other}_funding_v2") == []


def test_views_are_made_again_only_when_they_are_not_as_they_should_be(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with ledger.writer.transaction():
        ledger.writer.change("CREATE VIEW lighter_markets_v2 AS SELECT 1 AS old")
        views.create(ledger.writer, "lighter")
    version = ledger.writer.value("PRAGMA schema_version")
    with ledger.writer.transaction():
        views.create(ledger.writer, "lighter")
    assert ledger.writer.value("PRAGMA schema_version") == version
    reader = open_reader(ledger.writer.path)
    assert reader.value("SELECT symbol FROM lighter_markets_v2") == "BTC"
    reader.close()
    ledger.writer.close()


@pytest.mark.parametrize("name", ["", "Lighter", "a-b", "a b", "x';--", "é"])
def test_a_name_that_is_no_plain_word_makes_no_view(tmp_path: Path, name: str) -> None:
    ledger = Ledger(tmp_path / "f.db")
    with ledger.writer.transaction(), pytest.raises(ValueError, match="cannot name views"):
        views.create(ledger.writer, name)
    ledger.writer.close()
