"""A real database with a few markets, for the tests of what is stored in it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fundwatch.models import HOUR, Kind, Settlement, Source
from fundwatch.storage.database import Writer, open_writer
from fundwatch.storage.settlements import Stored, save_settlements
from fundwatch.storage.trackers import RunKind, begin_run, end_run, exchange_id

DAY = 24 * HOUR
START = 1_764_547_200
"""Monday, 2025-12-01 00:00 UTC"""
LATER = START + 400 * DAY


def hour(number: float) -> int:
    """The UTC seconds `number` hours after START."""
    return START + round(number * HOUR)


def paid(
    end: float,
    rate: float = 0.0001,
    hours: float | None = 1.0,
    *,
    symbol: str = "BTC",
    kind: Kind = Kind.REGULAR,
    payment: float | None = None,
) -> Settlement:
    """A settlement at hour `end` after START."""
    return Settlement(symbol, hour(end), rate, hours, kind, payment)


class Ledger:
    """The writer with the steps that every test takes; one transaction each."""

    def __init__(self, path: Path, *symbols: str, exchange: str = "lighter") -> None:
        self.writer: Writer = open_writer(path, world="real")
        self.exchange = exchange
        for symbol in symbols or ("BTC",):
            self.market(symbol)

    def market(self, symbol: str, **columns: Any) -> int:
        columns = {
            "ticker": symbol,
            "asset_class": "crypto",
            "multiplier": 1.0,
            "status": "active",
            "first_seen": START,
            "last_seen": START,
            **columns,
        }
        with self.writer.transaction():
            number = exchange_id(self.writer, columns.pop("exchange", self.exchange))
            return self._insert("market", exchange_id=number, symbol=symbol, **columns)

    def quote(self, market_id: int, **columns: Any) -> None:
        with self.writer.transaction():
            self.writer.change("DELETE FROM quote WHERE market_id = ?", market_id)
            self._insert("quote", market_id=market_id, **{"observed_at": START, **columns})

    def event(self, **columns: Any) -> None:
        with self.writer.transaction():
            self._insert("event", **{"message": "", **columns})

    def run(self, source: Source = Source.EXCHANGE, *, kind: RunKind = "sweep", started: int = START) -> int:
        with self.writer.transaction():
            run_id = begin_run(self.writer, self.exchange, kind, source, 1, started)
            end_run(self.writer, run_id, outcome="ok", now=started)
            return run_id

    def save(
        self,
        *rows: Settlement,
        run_id: int | None = None,
        source: Source = Source.EXCHANGE,
        now: float = LATER,
    ) -> Stored:
        run_id = self.run(source) if run_id is None else run_id
        with self.writer.transaction():
            return save_settlements(self.writer, run_id, self.exchange, rows, now)

    def stored(self, symbol: str = "BTC") -> list[tuple[float, float, float | None]]:
        """(hours after START, rate, interval hours) of every row of a market."""
        return [
            ((time - START) / HOUR, rate, hours)
            for time, rate, hours in self.writer.rows(
                "SELECT funding_time, rate, interval_hours FROM settlement"
                " JOIN market m ON m.id = market_id WHERE m.symbol = ? ORDER BY funding_time, kind",
                symbol,
            )
        ]

    def fill(self, symbol: str, ends: Iterable[float], hours: float = 1.0, rate: float = 0.0001) -> Stored:
        return self.save(*(paid(end, rate, hours, symbol=symbol) for end in ends))

    def _insert(self, table: str, **columns: Any) -> int:
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        return self.writer.insert(f"INSERT INTO {table} ({names}) VALUES ({marks})", *columns.values())
