"""Databases to measure on: a month of all exchanges as the collector stores it, and a year made of it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from fundwatch.clock import SystemClock
from fundwatch.collector.backfill import Job
from fundwatch.collector.build import build_collector
from fundwatch.collector.collector import Collector
from fundwatch.collector.ledger import Ledger
from fundwatch.config import Config, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from fundwatch.storage import summary
from fundwatch.storage.database import open_writer

WORLD = "real"
MONTH_SECONDS = 30 * 24 * HOUR
"""A multiple of every interval, so that shifted months fit each other."""


def opened(database: Path, base_urls: dict[str, str], scale: float) -> tuple[Ledger, Collector]:
    clock = SystemClock()
    ledger = Ledger.open(database, world=WORLD, role="collector", clock=clock, exchanges=REGISTRY)
    sections = {n: ExchangeSection(base_url=u, budget_scale=scale) for n, u in base_urls.items()}
    return ledger, build_collector(Config(exchanges=sections), ledger, lambda event: None, clock)


async def closed(ledger: Ledger, collector: Collector) -> None:
    for tracker in collector.trackers.values():
        await tracker.exchange.http.aclose()
    ledger.close()


async def make_month(database: Path, base_urls: dict[str, str], scale: float) -> None:
    """Fetched and stored with every rule on."""
    ledger, collector = opened(database, base_urls, scale)
    await collector.once(hours=24, limit=None)
    await collector.backfill(Job(1, 30, tuple(base_urls)))
    await closed(ledger, collector)


def make_year(month: Path, year: Path) -> int:
    """Repeats the settlements of `month` twelve times into the past; how many `year` has then.

    Market by market and oldest first, as a table that was compacted lies on disk.
    """
    shutil.copy(month, year)
    with closing(sqlite3.connect(year, isolation_level=None)) as db:
        db.execute("ATTACH ? AS month", (str(month),))
        db.execute("BEGIN")
        db.execute("DELETE FROM settlement")
        db.executemany("INSERT OR IGNORE INTO settlement VALUES (?, ?, ?, ?, ?, ?, ?)", _rows(db))
        db.execute("COMMIT")
        count: int = db.execute("SELECT COUNT(*) FROM settlement").fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with closing(open_writer(year, world=WORLD)) as writer, writer.transaction():
        summary.rebuild(writer, SystemClock().now())
    return count


def _rows(db: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    for (market_id,) in db.execute("SELECT id FROM month.market ORDER BY id").fetchall():
        rows = db.execute("SELECT * FROM month.settlement WHERE market_id = ?", (market_id,)).fetchall()
        for months in range(12, -1, -1):
            for _, funding_time, *rest in rows:
                yield (market_id, funding_time - months * MONTH_SECONDS, *rest)
