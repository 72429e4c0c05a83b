"""The life of a run: begun in the database, guarded at the last door, and always ended."""

from collections.abc import Awaitable, Callable
from functools import partial

from fundwatch.clock import Clock
from fundwatch.collector.events import Publish, RunEnded, RunStarted, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.outcome import Kind, Outcome
from fundwatch.collector.unit_gate import UnitError
from fundwatch.exchanges.base import Exchange
from fundwatch.exchanges.errors import ExchangeError
from fundwatch.storage.blame import trouble_with
from fundwatch.storage.errors import StorageError
from fundwatch.text import clean

Work = Callable[[int, Outcome], Awaitable[None]]
"""What a run does, given its id; it says in the outcome how it went, or raises."""


class Runs:
    """The runs of one exchange, several at a time."""

    def __init__(self, exchange: Exchange, ledger: Ledger, clock: Clock, publish: Publish) -> None:
        self._exchange = exchange
        self._name = exchange.facts.name
        self._ledger = ledger
        self._clock = clock
        self._publish = publish
        self._owed: list[Callable[[], None]] = []
        """Ends of runs that the database did not take yet."""

    async def run(self, kind: Kind, work: Work) -> Outcome:
        """Does `work` as a run. Raises nothing but its own cancellation."""
        started, requests = self._clock.monotonic(), self._exchange.http.requests
        outcome = Outcome()
        try:
            run_id = self._ledger.begin(self._name, kind, self._exchange.facts)
        except StorageError as error:
            return self._storage_trouble(outcome, error)
        self._publish(RunStarted(self._name, kind, run_id))
        try:
            await work(run_id, outcome)
        except (ExchangeError, UnitError) as error:
            outcome.word, outcome.error = "error", str(error)
            outcome.retry_at = getattr(error, "retry_at", None)
        except (Exception, SystemExit) as error:  # the last door: a bug must not stop the other exchanges
            trouble = trouble_with(self._ledger.writer, error)
            if trouble is not None:
                self._storage_trouble(outcome, trouble)
            else:
                outcome.word, outcome.error = "error", f"fundwatch itself failed: {clean(repr(error))}"
                self._publish(Trouble(self._name, outcome.error))
        except BaseException:
            outcome.word = "cancelled" if kind == "backfill" else "interrupted"
            outcome.error = "stopped before it was complete"
            raise
        finally:
            self._end(kind, run_id, outcome, started, self._exchange.http.requests - requests)
        return outcome

    def _end(self, kind: Kind, run_id: int, outcome: Outcome, started: float, requests: int) -> None:
        self._owed.append(
            partial(
                self._ledger.end,
                run_id,
                self._name,
                outcome=outcome.word,
                error=outcome.error,
                requests=requests,
                budget=self._exchange.http.budget,
                listed=outcome.listed,
                failed=outcome.failed,
            )
        )
        try:
            self._write_ends()
        except StorageError as error:
            self._storage_trouble(outcome, error)
        self._publish(
            RunEnded(
                exchange=self._name,
                kind=kind,
                run_id=run_id,
                outcome=outcome.word,
                error=outcome.error,
                inserted=outcome.inserted,
                markets=outcome.markets,
                markets_failed=len(outcome.failed),
                seconds=self._clock.monotonic() - started,
                requests=requests,
            )
        )

    def _write_ends(self) -> None:
        """Ends the runs that are over: none may look as if it went on for ever."""
        while self._owed:
            self._owed[0]()
            del self._owed[0]

    def _storage_trouble(self, outcome: Outcome, error: StorageError) -> Outcome:
        outcome.word, outcome.error = "error", str(error)
        self._publish(Trouble("database", str(error)))
        return outcome
