"""What processes do until they are killed: each tells what it has done, once it is stored."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from fundwatch.collector import derive
from fundwatch.collector.importing.importer import Importer, Rules
from fundwatch.collector.importing.report import Order
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.rebuild import rebuild
from fundwatch.exchanges.base import Answer, Facts
from fundwatch.models import HOUR, Settlement
from fundwatch.storage import imports, lock, migrations, undo
from fundwatch.storage.database import Writer, open_writer
from fundwatch.storage.keeping.restore import restore
from fundwatch.storage.keeping.snapshot import take_snapshot
from fundwatch.storage.settlements import Stored
from tests.acceptance.house import House, house
from tests.rigs.kill import Told
from tests.rigs.small_world import TICKERS, small
from tests.virtual_time import VirtualClock

EXCHANGES = ("binance", "lighter", "variational")
"""Answers in bulk, answers market by market, publishes no settlements."""
HISTORY_DAYS = 3
WORLD = "demo:7"


def shrink(home: House) -> None:
    """Leaves the world a few markets of each exchange, before anybody has asked."""
    for name in home.collector.trackers:
        home.world._server(name).venue.listing = small(name, TICKERS[name])


def database(folder: Path) -> Path:
    return folder / "fundwatch.db"


# Collecting


def collecting(told: Told, folder: Path, now: float, seed: int, rounds: int, past: Path | None) -> None:
    """Sweeps, quotes, backfills and at first an import of `past`, all at once, hour after hour."""
    asyncio.run(_collecting(told, folder, now, random.Random(seed), rounds, past))


async def _collecting(
    told: Told, folder: Path, now: float, dice: random.Random, rounds: int, past: Path | None
) -> None:
    with _telling(told):
        async with house(folder, exchanges=EXCHANGES, now=now, history_days=HISTORY_DAYS) as home:
            shrink(home)
            states = {name: home.ledger.state(name) for name in EXCHANGES}
            told("opened", states={name: msgspec.to_builtins(state) for name, state in states.items()})
            for number in range(rounds):
                await _round(home, past if number == 0 else None)
                if number + 1 < rounds:
                    home.clock.advance(dice.choice([300, HOUR, HOUR, 5 * HOUR, 30 * HOUR]))
                told("round", now=home.clock.now())
            await home.collector.drain()
    told("closed")


async def _round(home: House, past: Path | None) -> None:
    collector = home.collector
    collector.beat()
    if past is not None:
        await collector.desk.import_file(Order(str(past), "binance"))
    quotes = [tracker.quotes_pass() for tracker in collector.trackers.values()]
    await asyncio.gather(collector.refresh(EXCHANGES), *quotes)
    tasks, collector._tasks = collector._tasks, {}
    await asyncio.gather(*tasks.values())
    collector._derive_now()
    derive.tidy(home.ledger, home.clock.now())


@contextmanager
def _telling(told: Told) -> Iterator[None]:
    """Lets the ledger tell each run and each row before it is stored and after."""
    begin, end, settlements, save = Ledger.begin, Ledger.end, Ledger.settlements, imports.save_batch

    def beginning(self: Ledger, exchange: str, kind: Any, facts: Facts) -> int:
        run_id = begin(self, exchange, kind, facts)
        told("begun", run=run_id, exchange=exchange, kind=kind)
        return run_id

    def ending(self: Ledger, run_id: int, exchange: str, **more: Any) -> None:
        end(self, run_id, exchange, **more)
        told("ended", run=run_id, exchange=exchange, outcome=more["outcome"])

    def storing(self: Ledger, run_id: int, exchange: str, answer: Answer, **more: Any) -> Stored:
        rows = _told_rows(answer.rows)
        told("will", exchange=exchange, rows=rows)
        stored = settlements(self, run_id, exchange, answer, **more)
        told("stored", exchange=exchange, rows=rows, counts=_counts(stored))
        return stored

    def saving(writer: Writer, run_id: int, exchange: str, *lists: Any, **more: Any) -> Stored:
        rows = _told_rows([row for part in lists[:2] for row in part])
        told("will", exchange=exchange, rows=rows)
        stored = save(writer, run_id, exchange, *lists, **more)
        told("stored", exchange=exchange, rows=rows, counts=_counts(stored))
        return stored

    Ledger.begin, Ledger.end, Ledger.settlements = beginning, ending, storing  # type: ignore[method-assign]
    imports.save_batch = saving
    try:
        yield
    finally:
        Ledger.begin, Ledger.end, Ledger.settlements = begin, end, settlements  # type: ignore[method-assign]
        imports.save_batch = save


def _told_rows(rows: Sequence[Settlement]) -> list[tuple[str, int, str, float]]:
    return [(row.symbol, row.funding_time, row.kind, row.rate) for row in rows]


def _counts(stored: Stored) -> list[int]:
    return [stored.inserted, stored.replaced, stored.unchanged, stored.conflicts, stored.refused]


def importing(told: Told, folder: Path, now: float, past: Path) -> None:
    """A file is imported and nothing else goes on."""
    with _telling(told):
        clock = VirtualClock(now)
        ledger = Ledger.open(database(folder), world=WORLD, role="import", clock=clock, exchanges=EXCHANGES)
        importer = Importer(ledger, clock, lambda event: None, Rules())
        report = asyncio.run(importer.run(1, Order(str(past), "binance")))
        told("imported", outcome=report.word)
        ledger.close()


# Keeping it safe


def backing_up(told: Told, folder: Path, target: Path) -> None:
    take_snapshot(database(folder), target, world=WORLD)
    told("copied")


def restoring(told: Told, folder: Path, source: Path, now: float) -> None:
    with lock.acquire(database(folder), "restore", now):
        restore(database(folder), source, world=WORLD, now=now)
    told("restored")


def undoing(told: Told, folder: Path, run_id: int, now: float) -> None:
    with lock.acquire(database(folder), "import", now):
        writer = open_writer(database(folder), world=WORLD, create=False)
        with writer.transaction():
            undone = undo.undo_run(writer, run_id, now)
        told("undone", settlements=undone.settlements)
        writer.close()


def rebuilding(told: Told, folder: Path, now: float) -> None:
    clock = VirtualClock(now)
    ledger = Ledger.open(database(folder), world=WORLD, role="rebuild", clock=clock, exchanges=EXCHANGES)
    rebuild(ledger.writer, now)
    told("rebuilt")
    ledger.close()


# Growing up

LATER = (
    "ALTER TABLE exchange ADD COLUMN colour TEXT DEFAULT 'blue';",
    """
CREATE TABLE settled (market_id INTEGER, funding_time INTEGER, rate REAL);
INSERT INTO settled SELECT market_id, funding_time, rate FROM settlement;
CREATE INDEX settled_time ON settled (funding_time);
UPDATE settlement SET payment_usd = 1.5;
""",
)
"""Steps that no release has, to come after those that are: a light one and one that rewrites much."""


def migrating(told: Told, folder: Path, steps: int) -> None:
    """Opens the database as a program does that knows `steps` more steps than this one."""
    with knowing(steps):
        writer = open_writer(database(folder), world=WORLD, create=False)
        told("open", version=migrations.version(writer.connection()))
        writer.close()


def creating(told: Told, folder: Path) -> None:
    open_writer(database(folder), world=WORLD).close()
    told("created")


@contextmanager
def knowing(steps: int) -> Iterator[None]:
    """A program with more migrations."""
    released = migrations.MIGRATIONS
    known = (*released, *LATER[:steps])
    functions = (migrations.migrate, migrations.require_known)
    before = [function.__defaults__ for function in functions]
    migrations.MIGRATIONS = known
    migrations.migrate.__defaults__, migrations.require_known.__defaults__ = (known,), (len(known),)
    try:
        yield
    finally:
        migrations.MIGRATIONS = released
        for function, defaults in zip(functions, before, strict=True):
            function.__defaults__ = defaults
