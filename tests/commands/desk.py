"""A person at a terminal with a small database: words in, an exit code and two streams out."""

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from fundwatch.cli import main
from fundwatch.models import HOUR, Settlement, Source, hourly_rate
from fundwatch.storage import trackers
from tests.storage.ledger import Ledger


class Desk(Ledger):
    """The ledger at the real time, since commands ask the clock."""

    def __init__(self, folder: Path, now: float) -> None:
        super().__init__(folder / "fundwatch.db", "UNQUOTED", exchange="nobody")
        self.now = int(now)
        self.config = folder / "fundwatch.toml"
        self.config.write_text("")

    def ask(self, *words: str) -> Result:
        return run("--config", str(self.config), "--db", str(self.writer.path), *words)

    def only(self, *exchanges: str) -> None:
        """Switches the other exchanges off."""
        names = ("lighter", "hyperliquid", "binance", "aster", "extended", "paradex", "variational")
        self.config.write_text(
            "".join(f"[exchanges.{name}]\nenabled = false\n" for name in names if name not in exchanges)
        )

    def quoted(self, exchange: str, symbol: str, apr: float | None, *, age: int = 60, **columns: Any) -> int:
        market = self.market(symbol, exchange=exchange, **columns)
        rate = None if apr is None else hourly_rate(apr)
        self.quote(market, observed_at=self.now - age, hourly_rate=rate, mark_price=100.0)
        return market

    def swept(
        self, exchange: str, outcome: trackers.Outcome = "ok", error: str | None = None, **counts: int
    ) -> None:
        self.exchange = exchange
        with self.writer.transaction():
            run_id = trackers.begin_run(self.writer, exchange, "sweep", Source.EXCHANGE, 1, self.now)
            trackers.end_run(self.writer, run_id, outcome=outcome, error=error, now=self.now, **counts)

    def settled(self, exchange: str, symbol: str, *rates: float) -> None:
        """Hourly payments, the last one at the last full hour."""
        self.exchange = exchange
        last = self.now // HOUR * HOUR
        first = last - (len(rates) - 1) * HOUR
        self.save(
            *(Settlement(symbol, first + n * HOUR, rate, 1.0) for n, rate in enumerate(rates)),
            now=self.now + HOUR,
        )


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))
