"""The second pass: spooled rows as settlements with their intervals, in batches that can be stored alone."""

from collections.abc import Iterator
from itertools import chain, islice

from fundwatch.collector.spacing import filled
from fundwatch.models import Kind, Settlement
from fundwatch.storage.database import Database
from fundwatch.storage.imports import interval_witnesses, reaches_over
from fundwatch.storage.markets import market_ids
from fundwatch.storage.spool import Spool, SpooledRow

BATCH_ROWS = 4_800
"""With what must not be parted from it a batch stays below 5,000 rows."""
AHEAD_ROWS = 50
"""So many payments after a row are more than its interval can hang on."""
BEHIND_ROWS = 8

_KINDS = (Kind.REGULAR, Kind.SPECIAL)


def batches(
    db: Database, exchange: str, spool: Spool, symbols: list[str], lacking: set[str]
) -> Iterator[list[Settlement]]:
    """All rows of the spool market by market, oldest first.

    `lacking` are the markets whose rows need their intervals found. A batch ends where no stored row
    covers both sides, since its finer rows have to come in one call.
    """
    ids = market_ids(db, exchange)
    batch: list[Settlement] = []
    for number, symbol in enumerate(symbols):
        rows = settlements(symbol, spool.rows(number))
        if symbol in lacking:
            rows = with_intervals(db, exchange, symbol, rows)
        while piece := list(islice(rows, BATCH_ROWS - len(batch))):
            batch += piece
            if len(batch) < BATCH_ROWS:
                break
            held, rows = _up_to(rows, _last_of(db, ids.get(symbol), piece[-1].funding_time))
            yield batch + held
            batch = []
    if batch:
        yield batch


def settlements(symbol: str, rows: list[SpooledRow]) -> Iterator[Settlement]:
    """The rows of one market as the file has them."""
    return (
        Settlement(symbol, time, rate, hours, _KINDS[kind], payment)
        for time, kind, rate, hours, payment in rows
    )


def with_intervals(
    db: Database, exchange: str, symbol: str, rows: Iterator[Settlement]
) -> Iterator[Settlement]:
    """`rows` with the intervals that spacing, stored rows or quotes tell; the others stay unknown.

    Works through them in parts, each with the payments around it: what is decided before it, and
    enough of what follows.
    """
    behind: list[Settlement] = []
    pending: list[Settlement] = []
    while True:
        pending += islice(rows, BATCH_ROWS + AHEAD_ROWS - len(pending))
        if not pending:
            return
        is_last = len(pending) < BATCH_ROWS + AHEAD_ROWS
        size = len(pending) if is_last else BATCH_ROWS
        stored, seen = interval_witnesses(
            db, exchange, symbol, pending[0].funding_time, pending[-1].funding_time
        )
        decided = filled(behind + stored, pending, seen)[:size]
        yield from decided
        behind = [row for row in decided[-BEHIND_ROWS:] if row.interval_hours is not None]
        del pending[:size]


def _last_of(db: Database, market_id: int | None, time: int) -> int | None:
    return None if market_id is None else reaches_over(db, market_id, time)


def _up_to(rows: Iterator[Settlement], end: int | None) -> tuple[list[Settlement], Iterator[Settlement]]:
    """The rows up to the funding time `end`, and what comes after them."""
    held: list[Settlement] = []
    if end is None:
        return held, rows
    for row in rows:
        if row.funding_time > end:
            return held, chain([row], rows)
        held.append(row)
    return held, rows
