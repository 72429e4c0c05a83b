"""The database read a second time: plain SQL over plain sqlite3, apart from all code of the product.

Only the schema is shared. What the product's own queries leave out, join wrongly or round away shows here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

KINDS = {0: "regular", 1: "special"}


class Row(NamedTuple):
    """One stored settlement; `source` is 3 for the exchange, 2 for an import, 1 for recorded."""

    funding_time: int
    kind: str
    rate: float
    interval_hours: float | None
    source: int


class Tracker(NamedTuple):
    """The row of one exchange; times in UTC seconds of the clock that wrote them."""

    status: str
    last_run: int | None
    last_success: int | None
    last_error: str | None
    total_runs: int
    total_records: int
    last_outcome: str | None
    markets_expected: int | None
    markets_failed: int | None


class Seen(NamedTuple):
    """One market: its state in the list, sweeps failed in a row, and when its quote was taken."""

    status: str
    failures: int
    observed_at: int | None


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        yield connection


def rows(path: Path, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with opened(path) as connection:
        return connection.execute(sql, parameters).fetchall()


def settlements(path: Path) -> dict[str, dict[str, list[Row]]]:
    """Every settlement by exchange and symbol, oldest first."""
    found: dict[str, dict[str, list[Row]]] = {}
    for exchange, symbol, time, kind, rate, hours, source in rows(
        path,
        "SELECT exchange.name, market.symbol, settlement.funding_time, settlement.kind, settlement.rate,"
        " settlement.interval_hours, run.source FROM exchange, market, settlement, run"
        " WHERE market.exchange_id = exchange.id AND settlement.market_id = market.id"
        " AND run.id = settlement.run_id ORDER BY 1, 2, 3, 4",
    ):
        row = Row(time, KINDS[kind], rate, hours, source)
        found.setdefault(exchange, {}).setdefault(symbol, []).append(row)
    return found


def trackers(path: Path) -> dict[str, Tracker]:
    return {
        name: Tracker(*rest)
        for name, *rest in rows(
            path,
            "SELECT name, status, last_run, last_success, last_error, total_runs, total_records,"
            " last_outcome, markets_expected, markets_failed"
            " FROM exchange, tracker WHERE tracker.exchange_id = exchange.id",
        )
    }


def markets(path: Path) -> dict[str, dict[str, Seen]]:
    found: dict[str, dict[str, Seen]] = {}
    for name, symbol, *rest in rows(
        path,
        "SELECT exchange.name, market.symbol, market.status, market.failures,"
        " (SELECT observed_at FROM quote WHERE quote.market_id = market.id)"
        " FROM exchange, market WHERE market.exchange_id = exchange.id",
    ):
        found.setdefault(name, {})[symbol] = Seen(*rest)
    return found


def counts(path: Path) -> dict[str, int]:
    """Settlements stored of each exchange."""
    return dict(
        rows(
            path,
            "SELECT exchange.name, (SELECT count(*) FROM settlement, market"
            " WHERE settlement.market_id = market.id AND market.exchange_id = exchange.id) FROM exchange",
        )
    )


def open_runs(path: Path) -> list[tuple[str, str]]:
    """(exchange, kind) of the runs that nobody has ended."""
    return [
        (name, kind)
        for name, kind in rows(
            path, "SELECT name, kind FROM exchange, run WHERE run.exchange_id = exchange.id AND ended IS NULL"
        )
    ]


def complaint(path: Path) -> str:
    """What SQLite finds wrong with the file; "ok" when nothing is."""
    return str(rows(path, "PRAGMA integrity_check(1)")[0][0])
