"""What an import asks of the database and leaves in it besides settlements. Times are UTC seconds.

Settlements come in by `settlements.save_settlements` alone.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from fundwatch.models import HOUR, AssetClass, Market, Settlement
from fundwatch.storage import summary, trackers
from fundwatch.storage.database import Database, Writer
from fundwatch.storage.holes.missing import interval_context
from fundwatch.storage.settlements import LONGEST_HOURS, Stored, save_settlements
from fundwatch.storage.trackers import exchange_id

REACH_SECONDS = LONGEST_HOURS * HOUR
"""How far a stored row can reach back in time."""


class EarlierImport(NamedTuple):
    """A run that imported the same bytes before and was not undone."""

    run_id: int
    started: int
    outcome: str


class KnownMarket(NamedTuple):
    group: str
    asset_class: AssetClass


class StoredPayment(NamedTuple):
    """A stored regular settlement; `rank` is that of its source (`models.Source`)."""

    funding_time: int
    rate: float
    interval_hours: float | None
    rank: int


def earlier_import(db: Database, exchange: str, sha256: str) -> EarlierImport | None:
    """The last time that a file of these bytes was imported for `exchange`."""
    found = db.rows(
        "SELECT run.id, started, outcome FROM run JOIN exchange ON exchange.id = exchange_id"
        " WHERE name = ? AND kind = 'import' AND file_sha256 = ?"
        " AND outcome IN ('ok', 'partial', 'interrupted', 'cancelled') ORDER BY run.id DESC LIMIT 1",
        exchange,
        sha256,
    )
    return EarlierImport(*found[0]) if found else None


def known_markets(db: Database, exchange: str) -> dict[str, KnownMarket]:
    """All markets ever seen of `exchange`, by symbol."""
    rows = db.rows(
        "SELECT symbol, group_name, asset_class FROM market JOIN exchange ON exchange.id = exchange_id"
        " WHERE name = ?",
        exchange,
    )
    return {symbol: KnownMarket(group, AssetClass(asset_class)) for symbol, group, asset_class in rows}


def stored_payments(
    db: Database, exchange: str, symbol: str, start: int, end: int, *, newest: int = -1
) -> list[StoredPayment]:
    """The regular settlements of a market with a funding time in [start, end], oldest first.

    Not more than the `newest`; all where that is negative.
    """
    rows = db.rows(
        "SELECT s.funding_time, s.rate, s.interval_hours, r.source"
        " FROM exchange e JOIN market m ON m.exchange_id = e.id AND m.symbol = ?"
        " JOIN settlement s ON s.market_id = m.id JOIN run r ON r.id = s.run_id"
        " WHERE e.name = ? AND s.kind = 0 AND s.funding_time BETWEEN ? AND ?"
        " ORDER BY s.funding_time DESC LIMIT ?",
        *(symbol, exchange, start, end, newest),
    )
    return [StoredPayment(*row) for row in reversed(rows)]


def interval_witnesses(
    db: Database, exchange: str, symbol: str, start: int, end: int
) -> tuple[list[Settlement], list[tuple[int, float | None]]]:
    """What speaks for the intervals of rows in [start, end] that carry none: the stored settlements of
    known interval among and around them, and the intervals that quotes showed."""
    rows = [
        Settlement(symbol, payment.funding_time, payment.rate, payment.interval_hours)
        for payment in stored_payments(db, exchange, symbol, start - REACH_SECONDS, end + REACH_SECONDS)
        if payment.interval_hours is not None
    ]
    context = interval_context(db, exchange, [symbol], start).get(symbol)
    return rows, context.intervals if context else []


def reaches_over(db: Database, market_id: int, time: int) -> int | None:
    """The funding time of the stored row that covers both sides of `time`; None where none does.

    The finer rows that may take its place must come in one call.
    """
    following = db.rows(
        "SELECT funding_time, interval_hours FROM settlement WHERE market_id = ? AND funding_time > ?"
        " AND kind = 0 AND interval_hours IS NOT NULL ORDER BY funding_time LIMIT 1",
        market_id,
        time,
    )
    for end, hours in following:
        if end - hours * HOUR < time:
            return int(end)
    return None


def add_markets(writer: Writer, exchange: str, found: Iterable[tuple[Market, int, int]]) -> None:
    """Makes markets that only a file knows, with the first and the last funding time in it.

    They count as delisted until their exchange lists them. Runs in the caller's transaction.
    """
    number = exchange_id(writer, exchange)
    writer.executemany(
        _ADD_MARKET,
        [
            (number, market.symbol, *_asset_columns(market), market.group, first, last)
            for market, first, last in found
        ],
    )


def seen_until(writer: Writer, exchange: str, found: Iterable[tuple[str, int, int]]) -> None:
    """Widens the life of markets that were never listed to (symbol, first, last) of one more file.

    Runs in the caller's transaction.
    """
    number = exchange_id(writer, exchange)
    writer.executemany(_WIDEN_LIFE, [(first, last, number, symbol) for symbol, first, last in found])


def _asset_columns(market: Market) -> tuple[str, str, float]:
    return market.asset.ticker, market.asset.asset_class.value, market.asset.multiplier


_ADD_MARKET = """
INSERT OR IGNORE INTO market (exchange_id, symbol, ticker, asset_class, multiplier, group_name, status,
                              first_seen, last_seen)
VALUES (?, ?, ?, ?, ?, ?, 'delisted', ?, ?)
"""
# Whatever a list tells of a market leaves one of these behind.
_NEVER_LISTED = """
status = 'delisted' AND listed_time IS NULL AND venue_id IS NULL
AND NOT EXISTS (SELECT 1 FROM quote WHERE quote.market_id = market.id)
AND NOT EXISTS (SELECT 1 FROM event WHERE event.market_id = market.id)
"""
_WIDEN_LIFE = f"""
UPDATE market SET first_seen = MIN(first_seen, ?), last_seen = MAX(last_seen, ?)
WHERE exchange_id = ? AND symbol = ? AND {_NEVER_LISTED}
"""  # noqa: S608
_EMPTY = f"""
SELECT market.id FROM market JOIN exchange ON exchange.id = exchange_id
WHERE name = ? AND {_NEVER_LISTED}
AND NOT EXISTS (SELECT 1 FROM settlement WHERE settlement.market_id = market.id)
AND NOT EXISTS (SELECT 1 FROM conflict WHERE conflict.market_id = market.id)
AND NOT EXISTS (SELECT 1 FROM market_history WHERE market_history.market_id = market.id)
"""  # noqa: S608


def remove_empty_markets(writer: Writer, exchange: str) -> int:
    """Removes the markets that only a file knew and that have no settlement any more; how many.

    Runs in the caller's transaction.
    """
    empty = writer.rows(_EMPTY, exchange)
    for table in ("summary", "identity", "absence"):
        writer.executemany(f"DELETE FROM {table} WHERE market_id = ?", empty)  # noqa: S608
    return writer.executemany("DELETE FROM market WHERE id = ?", empty)


def save_batch(
    writer: Writer,
    run_id: int,
    exchange: str,
    known: Sequence[Settlement],
    unknown: Sequence[Settlement],
    now: float,
    *,
    recent: int,
) -> Stored:
    """Stores one batch with its counters in one transaction.

    The rows of `unknown` interval go second: one of them would take the others off the fast path.
    Windows are derived anew where a row is later than `recent`; older rows are in none.
    """
    with writer.transaction():
        stored = save_settlements(writer, run_id, exchange, known, now)
        if unknown:
            stored = _both(stored, save_settlements(writer, run_id, exchange, unknown, now))
        trackers.count_rows(
            writer,
            run_id,
            inserted=stored.inserted,
            replaced=stored.replaced,
            conflicts=stored.conflicts,
            refused=stored.refused,
        )
        if any(row.funding_time > recent for row in chain(known, unknown)):
            summary.refresh(writer, now, stored.market_ids)
    return stored


def _both(one: Stored, other: Stored) -> Stored:
    reasons = dict(one.reasons)
    for reason, count in other.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + count
    return Stored(
        inserted=one.inserted + other.inserted,
        replaced=one.replaced + other.replaced,
        unchanged=one.unchanged + other.unchanged,
        conflicts=one.conflicts + other.conflicts,
        refused=one.refused + other.refused,
        reasons=reasons,
        market_ids=one.market_ids | other.market_ids,
    )
