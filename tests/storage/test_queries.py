from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.models import Source, Window
from fundwatch.storage import queries, summary
from fundwatch.storage.database import Database, open_reader
from fundwatch.storage.holes.missing import record_absence
from tests.storage.ledger import START, Ledger, hour, paid

NOW = hour(24) + 1000


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "f.db", "BTC")
    yield ledger
    ledger.writer.close()


@pytest.fixture
def db(ledger: Ledger) -> Iterator[Database]:
    reader = open_reader(ledger.writer.path)
    yield reader
    reader.close()


def test_a_market_comes_with_its_quote_its_summary_and_its_identity(ledger: Ledger, db: Database) -> None:
    ledger.quote(1, hourly_rate=-0.00001, interval_hours=8.0, mark_price=9e4, session_open=0)
    ledger.fill("BTC", range(1, 25))
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, NOW)
        ledger.writer.change(
            "INSERT INTO identity (market_id, same_as_group, reason) VALUES (1, 4, 'price differs')"
        )
    (row,) = queries.market_rows(db)
    assert (row.market_id, row.exchange, row.symbol, row.ticker, row.asset_class) == (
        *(1, "lighter", "BTC", "BTC", "crypto"),
    )
    assert (row.hourly_rate, row.interval_hours, row.mark_price, row.session_open) == (-0.00001, 8, 9e4, 0)
    assert row.apr_24h == pytest.approx(87.6)
    assert (row.coverage_24h, row.coverage_7d, row.recorded) == (1.0, 24 / 168, 0)
    assert (row.same_as_group, row.identity_reason) == (4, "price differs")


def test_a_market_without_quote_and_summary_is_there_with_nothing_known(db: Database) -> None:
    (row,) = queries.market_rows(db)
    assert row.hourly_rate is None
    assert row.coverage_24h is None
    assert row.window_end is None


def test_markets_by_exchange_class_and_asset(ledger: Ledger, db: Database) -> None:
    ledger.market("BTCUSDT", ticker="BTC", exchange="aster")
    ledger.market("BB", asset_class="equity")
    ledger.market("BB", exchange="aster")
    ledger.market("OLD", ticker="BTC", status="delisted")

    def symbols(rows: list[queries.MarketRow]) -> list[tuple[str, str]]:
        return sorted((row.exchange, row.symbol) for row in rows)

    assert symbols(queries.market_rows(db, "aster")) == [("aster", "BB"), ("aster", "BTCUSDT")]
    assert symbols(queries.market_rows(db, asset_class="equity")) == [("lighter", "BB")]
    assert symbols(queries.market_rows(db, "aster", "equity")) == []
    assert symbols(queries.markets_of_asset(db, "BTC")) == [("aster", "BTCUSDT"), ("lighter", "BTC")]
    assert len(queries.markets_of_asset(db, "BTC", with_delisted=True)) == 3
    assert symbols(queries.markets_of_asset(db, "BB", "crypto")) == [("aster", "BB")]
    assert queries.assets(db) == [("BB", "crypto", 1, 1), ("BB", "equity", 1, 1), ("BTC", "crypto", 2, 2)]


def test_settlements_of_markets_after_the_start_up_to_the_end(ledger: Ledger, db: Database) -> None:
    other = ledger.market("ETH")
    ledger.fill("BTC", range(1, 6))
    ledger.save(paid(2, symbol="ETH", payment=0.5), source=Source.IMPORT)
    assert queries.settlements(db, [other, 1], hour(1), hour(3)) == [
        (1, hour(2), 0, 0.0001, 1, None, 3),
        (1, hour(3), 0, 0.0001, 1, None, 3),
        (other, hour(2), 0, 0.0001, 1, 0.5, 2),
    ]
    assert queries.settlements(db, [], 0, hour(9)) == []


def test_the_newest_settlement_of_each_exchange(ledger: Ledger, db: Database) -> None:
    ledger.market("ETH")
    ledger.market("BTC", exchange="aster")
    ledger.fill("BTC", [1, 2])
    ledger.fill("ETH", [5])
    assert queries.newest_settlement(db) == {"lighter": hour(5), "aster": None}


def test_quote_ages_count_active_markets_that_do_not_fail(ledger: Ledger, db: Database) -> None:
    ledger.quote(1, observed_at=START + 7)
    ledger.market("NEVER")
    ledger.quote(ledger.market("FAILS", failures=3), observed_at=1)
    ledger.quote(ledger.market("FAILED", failures=2), observed_at=START + 9)
    ledger.market("GONE", status="absent", failures=5)
    ledger.market("OLD", status="delisted")
    with ledger.writer.transaction():
        ledger.writer.change("INSERT INTO exchange (name) VALUES ('aster')")
    ages = queries.quote_ages(db)
    assert ages["aster"] == ([], 0, 0, 0)
    assert sorted(ages["lighter"].observed_at, key=str) == sorted([START + 7, START + 9, None], key=str)
    assert ages["lighter"][1:] == (1, 1, 1)


def test_many_quotes_passes_do_not_crowd_out_the_sweeps(ledger: Ledger, db: Database) -> None:
    sweep = ledger.run(started=START)
    for number in range(5):
        ledger.run(kind="quotes", started=START + number)
    assert [run.id for run in queries.runs(db, limit=2, without="quotes")] == [sweep]


def test_runs_and_events_newest_first(ledger: Ledger, db: Database) -> None:
    first, second = ledger.run(started=START), ledger.run(Source.IMPORT, kind="import", started=START + 5)
    for number in range(3):
        ledger.event(time=START + number, exchange_id=1, market_id=1, kind="listed", message=f"n{number}")
    ledger.event(time=START + 9, kind="undo", value=3.0)
    assert [(run.id, run.kind, run.source, run.started) for run in queries.runs(db)] == [
        (second, "import", 2, START + 5),
        (first, "sweep", 3, START),
    ]
    assert [run.id for run in queries.runs(db, "lighter", limit=1)] == [second]
    assert queries.runs(db, "aster") == []
    assert queries.events(db, 2) == [
        (4, START + 9, None, None, "undo", "", 3.0),
        (3, START + 2, "lighter", "BTC", "listed", "n2", None),
    ]
    assert [event.message for event in queries.events(db, kind="listed", since=START + 1)] == ["n2", "n1"]
    assert len(queries.events(db, exchange="lighter")) == 3


def test_unit_checks_trackers_and_the_collector(ledger: Ledger, db: Database) -> None:
    with ledger.writer.transaction():
        ledger.writer.change(
            "INSERT INTO unit_check (exchange_id, group_name, what, verdict, modal_apr_percent, n, sentence,"
            " checked_at) VALUES (1, '', 'estimates', 'ok', 10.95, 99, 'rests at 10.95 %', 5)"
        )
    assert queries.unit_checks(db) == [
        ("lighter", "", "estimates", "ok", 10.95, None, 99, None, "rests at 10.95 %", 5)
    ]
    assert queries.trackers(db)["lighter"].total_runs == 0
    assert queries.collector(db) is None
    assert queries.open_alerts(db) == []


def test_conflicts_count_settlements_not_sightings(ledger: Ledger, db: Database) -> None:
    ledger.save(paid(1), paid(2))
    for rate in (0.0002, 0.0003, 0.0002):
        ledger.save(paid(1, rate))
    ledger.save(paid(2, 0.0005))
    assert queries.conflicts_count(db) == {"lighter": 2}
    assert queries.conflicts_count(db, since=hour(1)) == {"lighter": 1}
    ledger.market("BTC", exchange="aster")
    assert queries.conflicts_count(db)["aster"] == 0


def test_absent_hours_by_reason(ledger: Ledger, db: Database) -> None:
    ledger.fill("BTC", [5, 7])
    with ledger.writer.transaction():
        record_absence(ledger.writer, "lighter", [("BTC", Window(START, hour(7)))], NOW)
    assert queries.absent_hours(db) == [
        ("lighter", "before its first settlement", 1, 4),
        ("lighter", "not published by the exchange", 1, 1),
    ]
    assert queries.absent_hours(db, since=hour(3))[0].hours == 1


@pytest.mark.parametrize(
    ("sql", "parameters", "step"),
    [
        (queries._SETTLEMENTS, ("[1]", 0, 1), "(market_id=? AND funding_time>? AND funding_time<?)"),
        (queries._NEWEST, (), "SEARCH s USING PRIMARY KEY (market_id=?)"),
    ],
)
def test_no_question_reads_all_settlements(
    db: Database, sql: str, parameters: tuple[object, ...], step: str
) -> None:
    steps = [row[-1] for row in db.rows(f"EXPLAIN QUERY PLAN {sql}", *parameters)]
    assert any(step in found for found in steps)
    assert not any(found.startswith("SCAN s") for found in steps)
