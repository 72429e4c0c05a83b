import pytest

from fundwatch.models import Source
from fundwatch.storage import trackers
from fundwatch.storage.database import Writer
from fundwatch.storage.keeping import pruning

DAY = 86400
NOW = 100 * DAY


def add_run(writer: Writer, kind: trackers.RunKind, started: int, inserted: int = 0) -> int:
    run_id = trackers.begin_run(writer, "variational", kind, Source.RECORDED, 1, started)
    trackers.count_rows(writer, run_id, inserted=inserted)
    trackers.end_run(writer, run_id, outcome="ok", now=started + 1)
    return run_id


def add_market(writer: Writer) -> int:
    return writer.insert(
        "INSERT INTO market (exchange_id, symbol, ticker, asset_class, multiplier, status, first_seen,"
        " last_seen) VALUES (1, 'BTC', 'BTC', 'crypto', 1.0, 'active', 0, 0)"
    )


def test_old_quotes_runs_go_and_all_that_matters_stays(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "FEWEST_RUNS", 2)
    with writer.transaction():
        old = [add_run(writer, "quotes", NOW - 15 * DAY) for _ in range(3)]
        kept = [
            add_run(writer, "quotes", NOW - 13 * DAY),
            add_run(writer, "quotes", NOW - 15 * DAY, inserted=1),
            add_run(writer, "sweep", NOW - 15 * DAY),
            trackers.begin_run(writer, "variational", "quotes", Source.RECORDED, 1, NOW - 15 * DAY),
        ]
        row = (add_market(writer), 500_000 * 3600, 0, 0.1, 1.0, old[1], None)
        writer.change("INSERT INTO settlement VALUES (?, ?, ?, ?, ?, ?, ?)", *row)

    assert pruning.prune_runs(writer, NOW) == 2
    assert [row[0] for row in writer.rows("SELECT id FROM run ORDER BY id")] == sorted([old[1], *kept])
    assert writer.value("PRAGMA foreign_keys") == 1


def test_a_few_old_runs_are_not_worth_the_work(writer: Writer) -> None:
    with writer.transaction():
        add_run(writer, "quotes", NOW - 15 * DAY)

    assert pruning.prune_runs(writer, NOW) == 0


def test_history_before_the_limit_goes(writer: Writer) -> None:
    with writer.transaction():
        trackers.exchange_id(writer, "variational")
        market_id = add_market(writer)
        writer.executemany(
            "INSERT INTO market_history (market_id, hour) VALUES (?, ?)",
            [(market_id, h) for h in (0, 3600, 7200)],
        )
        assert pruning.prune_history(writer, 3600) == 1

    assert writer.rows("SELECT hour FROM market_history") == [(3600,), (7200,)]


def test_pruning_history_seeks_by_market_and_never_reads_it_all(writer: Writer) -> None:
    plan = writer.rows(f"EXPLAIN QUERY PLAN {pruning.PRUNE_HISTORY}", 3600)

    assert any("SEARCH market_history USING PRIMARY KEY (market_id=? AND hour<?)" in row[3] for row in plan)
