"""All settlements, market by market, over many short readings: a long one would keep the WAL growing."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fundwatch.storage import queries
from fundwatch.storage.database import Database, reader
from fundwatch.storage.errors import StorageError
from fundwatch.storage.queries import MarketRow, SettlementRow

ROWS_PER_READING = 20_000


class Page(NamedTuple):
    """The settlements of one market as they stood at one moment, by ascending time."""

    market: MarketRow
    rows: list[SettlementRow]


def pages(path: Path, markets: Sequence[MarketRow], since: int, until: int, *, world: str) -> Iterator[Page]:
    """A page for each of `markets`, in their order, with the settlements of [since, until) (UTC seconds).

    Each market is read at once, and nothing is open between two pages. So what stood before the first
    page and still stands is there exactly once; a row that is stored meanwhile is there if its market's
    turn comes later. Raises `StorageError` when the markets are no longer the same (a restore).
    """
    waiting = deque(markets)
    while waiting:
        found: list[Page] = []
        size = 0
        with reader(path, world=world) as db:
            while waiting and size < ROWS_PER_READING:
                market = waiting.popleft()
                _require_same(db, market)
                page = Page(market, queries.settlements(db, [market.market_id], since - 1, until - 1))
                size += len(page.rows) + 1
                found.append(page)
        yield from found


def _require_same(db: Database, market: MarketRow) -> None:
    """Numbers of markets mean something else in another copy of the database."""
    now = db.rows(
        "SELECT name, symbol FROM market JOIN exchange ON exchange.id = exchange_id WHERE market.id = ?",
        market.market_id,
    )
    if now != [(market.exchange, market.symbol)]:
        raise StorageError(
            f"{db.path}: {market.exchange} {market.symbol} is gone: the database was changed from outside "
            "meanwhile (a restore, an undo); start again"
        )
