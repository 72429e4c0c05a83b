"""The database read a second time: plain SQL over plain sqlite3, apart from all code of the product.

Only the schema is shared. What the product's own queries leave out, join wrongly or round away shows here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

_UNHEARD = (
    "ok",
    "*** in database main ***",
    "incremental_vacuum enabled with a max rootpage of zero",  # a flag without meaning in a file like ours
)

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
    """One market: its state in the list and when that had it last, sweeps failed in a row, when its quote
    was taken, and its first payment where that does not tell its interval."""

    status: str
    last_seen: int
    failures: int
    observed_at: int | None
    unknown_first: int | None


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


def regular(path: Path, since: int) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """(funding time, interval in hours) of the regular payments after `since` whose interval is known."""
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for exchange, symbol, time, hours in rows(
        path,
        "SELECT exchange.name, market.symbol, settlement.funding_time, settlement.interval_hours"
        " FROM exchange, market, settlement WHERE market.exchange_id = exchange.id"
        " AND settlement.market_id = market.id AND settlement.funding_time > ? AND settlement.kind = 0"
        " AND settlement.interval_hours IS NOT NULL",
        since,
    ):
        found.setdefault(exchange, {}).setdefault(symbol, []).append((time, hours))
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
        "SELECT exchange.name, market.symbol, market.status, market.last_seen, market.failures,"
        " (SELECT observed_at FROM quote WHERE quote.market_id = market.id),"
        " (SELECT CASE WHEN interval_hours IS NULL THEN min(funding_time) END FROM settlement"
        " WHERE settlement.market_id = market.id AND settlement.kind = 0)"
        " FROM exchange, market WHERE market.exchange_id = exchange.id",
    ):
        found.setdefault(name, {})[symbol] = Seen(*rest)
    return found


def counts(path: Path) -> dict[str, int]:
    """Settlements ever stored of each exchange: those that are there, and those that were taken back."""
    return dict(
        rows(
            path,
            "SELECT name, (SELECT count(*) FROM market, settlement WHERE market_id = market.id"
            " AND market.exchange_id = exchange.id) + (SELECT coalesce(sum(value), 0) FROM event"
            " WHERE event.kind = 'undo' AND event.exchange_id = exchange.id) FROM exchange",
        )
    )


def newest(path: Path) -> dict[str, int]:
    """The last payment stored of each exchange, UTC seconds."""
    return dict(
        rows(
            path,
            "SELECT name, max(funding_time) FROM exchange, market, settlement"
            " WHERE market_id = market.id AND market.exchange_id = exchange.id GROUP BY name",
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


def complaint(path: Path, *, rules: bool = True) -> str:
    """What SQLite finds wrong with the file; "ok" when nothing is.

    Asked of a copy without views: among those it overlooks pages that belong to nothing. Without `rules` a
    row may break a CHECK.
    """
    with opened(path) as connection, closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        connection.backup(copy)
        for (view,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
            copy.execute(f'DROP VIEW "{view}"')
        copy.execute(f"PRAGMA ignore_check_constraints = {not rules}")
        found = "\n".join(row[0] for row in copy.execute("PRAGMA integrity_check(9)")).split("\n")
        return next((line for line in found if line not in _UNHEARD), "ok")
