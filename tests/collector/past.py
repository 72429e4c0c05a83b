"""Files of past settlements, and an importer over a real database to bring them in."""

import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from fundwatch.collector.events import Event
from fundwatch.collector.importing.importer import Importer, Rules, rehearse
from fundwatch.collector.importing.report import Order, Report
from fundwatch.collector.ledger import Ledger
from fundwatch.models import HOUR, Settlement, Source
from fundwatch.storage import trackers
from fundwatch.storage.database import Database, reader
from fundwatch.storage.settlements import save_settlements
from tests.collector.scripted import NOON, HandClock

RESTING = 0.0001
"""0.01 % in 8 h."""


class Line(NamedTuple):
    """`hours` None is a payment whose interval the file does not say."""

    symbol: str
    time: int
    rate: float
    hours: float | None = None


def eight_hourly(
    symbol: str, count: int, *, end: int = NOON, seed: int = 0, rests: float = 0.6
) -> list[Line]:
    """`count` payments up to `end`; most of them at rest, the others anywhere, signs included."""
    dice = random.Random(f"{symbol}/{seed}")
    last = end // (8 * HOUR) * 8 * HOUR
    return [
        Line(
            symbol,
            last - n * 8 * HOUR,
            RESTING if dice.random() < rests else round(dice.uniform(-9e-4, 9e-4), 8) or 1e-8,
            8,
        )
        for n in range(count - 1, -1, -1)
    ]


def many(markets: int, count: int) -> list[Line]:
    """By time, as an export of a whole exchange may be."""
    rows = [line for n in range(markets) for line in eight_hourly(f"M{n:02}USDT", count)]
    return sorted(rows, key=lambda line: line.time)


def without_hours(lines: Iterable[Line]) -> list[Line]:
    return [line._replace(hours=None) for line in lines]


def write(path: Path, lines: Iterable[Line | str]) -> Path:
    """A CSV with named columns; a bare string is a line as it stands."""
    with path.open("w") as out:
        out.write("symbol,funding_time_s,rate,interval_hours\n")
        for line in lines:
            if isinstance(line, Line):
                hours = "" if line.hours is None else line.hours
                line = f"{line.symbol},{line.time},{line.rate!r},{hours}"
            out.write(f"{line}\n")
    return path


class Office:
    """A ledger with an importer, and the questions that tests ask of both."""

    def __init__(self, ledger: Ledger, clock: HandClock, folder: Path) -> None:
        self.ledger = ledger
        self.clock = clock
        self.folder = folder
        self.events: list[Event] = []
        self.sweeping = False
        self.importer = Importer(ledger, clock, self.events.append, Rules(), lambda: self.sweeping)

    async def bring(self, lines: Iterable[Line | str], name: str = "past.csv", **order: object) -> Report:
        return await self.importer.run(1, self.order(write(self.folder / name, lines), **order))

    def rehearse(self, lines: Iterable[Line | str], name: str = "past.csv", **order: object) -> Report:
        """A dry run, beside the writer that is open."""

        @contextmanager
        def ask() -> Iterator[Database]:
            with reader(self.ledger.writer.path) as db:
                yield db

        path = write(self.folder / name, lines)
        now = self.clock.now()
        return rehearse(
            ask,
            self.folder,
            self.order(path, **order),
            Rules(),
            now,
            lambda *_: None,
            threading.Event(),
            world=self.ledger.writer.world,
        )

    def order(self, path: Path, **words: object) -> Order:
        return Order(str(path), **{"exchange": "binance", **words})  # type: ignore[arg-type]

    def store(self, rows: Sequence[Settlement], source: Source, exchange: str = "binance") -> None:
        """What a sweep, or an earlier import, has stored."""
        writer, now = self.ledger.writer, self.clock.now()
        with writer.transaction():
            kind: trackers.RunKind = "import" if source is Source.IMPORT else "sweep"
            run_id = trackers.begin_run(writer, exchange, kind, source, 1, now)
            stored = save_settlements(writer, run_id, exchange, rows, now)
            trackers.count_rows(writer, run_id, inserted=stored.inserted)
            trackers.end_run(writer, run_id, outcome="ok", now=now)
        assert stored.inserted == len(rows)

    def rows(self, symbol: str | None = None) -> list[tuple[str, int, float, float | None, int]]:
        """(symbol, funding_time, rate, interval hours, rank) of all that is stored."""
        return self.ledger.writer.rows(
            "SELECT m.symbol, s.funding_time, s.rate, s.interval_hours, r.source FROM settlement s"
            " JOIN market m ON m.id = s.market_id JOIN run r ON r.id = s.run_id"
            " WHERE ?1 IS NULL OR m.symbol = ?1 ORDER BY 1, 2, s.kind",
            symbol,
        )

    def hours(self, symbol: str) -> list[float | None]:
        return [row[3] for row in self.rows(symbol)]

    def run(self, run_id: int | None) -> tuple[str, str | None, int, int, int, int]:
        """(outcome, error, inserted, replaced, conflicts, refused)"""
        found: tuple[str, str | None, int, int, int, int] = self.ledger.writer.rows(
            "SELECT outcome, error, inserted, replaced, conflicts, refused FROM run WHERE id = ?", run_id
        )[0]
        return found


def settlements(lines: Iterable[Line]) -> list[Settlement]:
    return [Settlement(line.symbol, line.time, line.rate, line.hours) for line in lines]
