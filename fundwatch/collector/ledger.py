"""What the collector writes, one transaction per part of a run: rows, counters and status together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from fundwatch.analytics.unit_check import Check
from fundwatch.clock import Clock
from fundwatch.collector import spacing
from fundwatch.collector.outcome import expected_of
from fundwatch.collector.recorded import recorded
from fundwatch.exchanges.base import Answer, Facts, Listing, Quotes, Wanted
from fundwatch.exchanges.budget import Budget
from fundwatch.models import HOUR, Source
from fundwatch.storage import lock, markets, presence, queries, summary, trackers, undo, verdicts, views
from fundwatch.storage.database import Writer, open_writer
from fundwatch.storage.errors import StorageError
from fundwatch.storage.holes import missing
from fundwatch.storage.settlements import Stored, save_settlements

ROWS_BETWEEN_CHECKPOINTS = 50_000
"""So that a backfill's write-ahead log stays at some 10 MB."""

SILENT_DEATH_SECONDS = 30
"""A collector that lived so long after its last heartbeat would have given another."""


class Taken(NamedTuple):
    """What storing quotes came to: `vanished` markets are gone from the list without a word from the
    venue, `recorded` estimates became settlements."""

    vanished: tuple[str, ...]
    recorded: int


class Ledger:
    """The one writer, as the collector sees it. Lives in the collector's thread.

    Methods raise `StorageError`; then nothing of that call is stored.
    """

    def __init__(
        self,
        writer: Writer,
        held: lock.Lock,
        clock: Clock,
        *,
        role: lock.Role,
        market_history_days: int = 400,
        retention_days: int = 0,
    ) -> None:
        self.writer = writer
        self._lock = held
        self._clock = clock
        self._role = role
        self._unmoved = 0
        self.market_history_seconds = market_history_days * 24 * HOUR
        self.retention_days = retention_days

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        world: str,
        role: lock.Role,
        clock: Clock,
        exchanges: Iterable[str],
        market_history_days: int = 400,
        retention_days: int = 0,
    ) -> "Ledger":
        """Takes the lock of the database, opens it, and ends what a dead process left running."""
        held = lock.acquire(path, role)
        try:
            writer = open_writer(path, world=world, after_migration=lambda w: views.create_all(w, exchanges))
        except BaseException:
            held.release()
            raise
        ledger = cls(
            writer,
            held,
            clock,
            role=role,
            market_history_days=market_history_days,
            retention_days=retention_days,
        )
        try:
            with writer.transaction():
                trackers.recover(writer, clock.now())
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        try:
            self.writer.close()
        finally:
            self._lock.release()

    # Runs

    def begin(self, exchange: str, kind: trackers.RunKind, facts: Facts) -> int:
        with self.writer.transaction():
            return trackers.begin_run(
                self.writer, exchange, kind, facts.source, facts.converter_version, self._clock.now()
            )

    def end(
        self,
        run_id: int,
        exchange: str,
        *,
        outcome: trackers.Outcome,
        error: str | None,
        requests: int,
        budget: Budget,
        listed: Collection[str] | None = None,
        failed: Mapping[str, str],
    ) -> None:
        """Closes a run; where it says what was `listed`, its `failed` markets are held against them."""
        now = self._clock.now()
        expected: set[str] | None = None
        lacking: set[str] | None = None
        with self.writer.transaction():
            if listed is not None:
                expected = expected_of(listed, failed, self.failing(exchange))
                lacking = expected & failed.keys()
                markets.mark_failures(self.writer, exchange, failed, [s for s in listed if s not in failed])
            presence.save_spending(self.writer, exchange, budget.snapshot(), now)
            trackers.end_run(
                self.writer,
                run_id,
                outcome=outcome,
                error=error,
                now=now,
                requests=requests,
                markets_expected=None if expected is None else len(expected),
                markets_failed=None if lacking is None else len(lacking),
                budget_used=budget.used_share(),
            )

    def quotes(
        self,
        run_id: int,
        facts: Facts,
        listing: Listing | None,
        quotes: Quotes,
        checks: Sequence[Check],
        *,
        whole: bool = True,
        listed_at: float | None = None,
    ) -> Taken:
        """Stores a market list and quotes; the list was true at `listed_at`, or else now."""
        now, name = self._clock.now(), facts.name
        count = 0
        with self.writer.transaction():
            absent: tuple[str, ...] = ()
            if listing is not None:
                refused = [refusal.symbol for refusal in listing.refused]
                change = markets.save_listing(
                    self.writer,
                    name,
                    listing.markets,
                    listing.closed,
                    now if listed_at is None else listed_at,
                    refused,
                    whole=whole,
                )
                absent = change.absent
            if facts.source is Source.RECORDED and not self._untrusted(name, checks):
                rows = recorded(queries.market_rows(self.writer, name), now)
                stored = save_settlements(self.writer, run_id, name, rows, now)
                self._count(run_id, stored, 0)
                count = stored.inserted
            markets.save_quotes(self.writer, name, quotes.quotes, now)
            verdicts.save_unit_checks(self.writer, name, _rows_of(checks, now))
            trackers.count_rows(self.writer, run_id, refused=len(quotes.refused))
        return Taken(absent, count)

    def settlements(self, run_id: int, exchange: str, answer: Answer, *, continuous: bool) -> Stored:
        """Stores the rows of one answer, and which of the answered hours had none."""
        now = self._clock.now()
        with self.writer.transaction():
            stored = save_settlements(self.writer, run_id, exchange, answer.rows, now)
            missing.record_absence(self.writer, exchange, answer.answered, now, continuous=continuous)
            self._count(run_id, stored, len(answer.refused))
        self._unmoved += stored.inserted
        if self._unmoved >= ROWS_BETWEEN_CHECKPOINTS:
            self._unmoved = 0
            self.writer.checkpoint()
        return stored

    def _untrusted(self, exchange: str, checks: Sequence[Check]) -> bool:
        """Whether the quotes at hand or the stored ones failed their unit check."""
        return any(check.verdict == "error" for check in checks) or bool(
            self.failed_checks(exchange, "estimates")
        )

    def _count(self, run_id: int, stored: Stored, refused: int) -> None:
        trackers.count_rows(
            self.writer,
            run_id,
            inserted=stored.inserted,
            replaced=stored.replaced,
            conflicts=stored.conflicts,
            refused=stored.refused + refused,
        )
        summary.refresh(self.writer, self._clock.now(), stored.market_ids)

    def take_back(self, run_id: int, group: str | None = None) -> int:
        """Removes what a run stored, of one group of markets or of all, so that it is fetched again."""
        with self.writer.transaction():
            return undo.undo_run(self.writer, run_id, self._clock.now(), group=group).settlements

    def unit_checks(self, exchange: str, checks: Sequence[Check]) -> None:
        with self.writer.transaction():
            verdicts.save_unit_checks(self.writer, exchange, _rows_of(checks, self._clock.now()))

    # What is known

    def missing(self, exchange: str, horizon: int, *, now: float, again: bool, continuous: bool) -> Wanted:
        """What is due at `now` (UTC seconds) since `horizon`, and not stored."""
        return missing.missing(
            self.writer, exchange, horizon=horizon, now=now, again=again, continuous=continuous
        )

    def with_intervals(self, exchange: str, answer: Answer) -> Answer:
        """The same answer with the intervals that its rows do not carry, where they can be known."""
        return spacing.with_intervals(self.writer, exchange, answer)

    def active(self, exchange: str) -> set[str]:
        """The markets that its last list had."""
        return {row.symbol for row in queries.market_rows(self.writer, exchange) if row.status == "active"}

    def failed_checks(self, exchange: str, *what: str) -> dict[tuple[str, str], str]:
        """The sentences of the unit checks that stand failed, by group and what; in the order of `what`."""
        checks = verdicts.load_unit_checks(self.writer, exchange)
        return {
            (check.group_name, check.what): check.sentence
            for wanted in what
            for check in checks
            if check.verdict == "error" and check.what == wanted
        }

    def failing(self, exchange: str) -> set[str]:
        """Markets that fail sweep after sweep: no longer expected."""
        return set(markets.failing(self.writer, exchange))

    def state(self, exchange: str) -> trackers.TrackerState | None:
        return trackers.state(self.writer, exchange)

    def states(self) -> dict[str, trackers.TrackerState]:
        return trackers.states(self.writer)

    # What the collector keeps about itself

    def enable(self, exchanges: Collection[str], known: Collection[str]) -> None:
        """Notes which exchanges are collected; all `known` ones get their tracker row."""
        with self.writer.transaction():
            for name in known:
                trackers.exchange_id(self.writer, name)
            trackers.set_enabled(self.writer, exchanges)

    def describe(self, facts: Facts, minute: int) -> None:
        """Notes what readers must know of an exchange without loading its module."""
        with self.writer.transaction():
            trackers.describe(
                self.writer,
                facts.name,
                source=facts.source,
                continuous=facts.continuous,
                minute=minute,
                taker_fee_percent=facts.taker_fee_percent,
                hourly_rate_step=facts.hourly_rate_step,
            )

    def swept(self, exchange: str, hour: int | None, *, next_try: float | None) -> None:
        with self.writer.transaction():
            trackers.swept(self.writer, exchange, hour, next_try)

    def pause(self, exchange: str, paused: bool) -> None:
        with self.writer.transaction():
            trackers.set_paused(self.writer, exchange, paused)

    def beat(self, pid: int) -> None:
        with self.writer.transaction():
            presence.beat(self.writer, pid, self._role, _boot_id(), self._clock.now())

    def stopped(self) -> None:
        with self.writer.transaction():
            presence.stopped(self.writer, self._clock.now())

    def restore_spending(self, exchange: str, budget: Budget) -> None:
        """Counts what an earlier process spent just now against this one's budget; notes what it spends."""
        if spent := presence.load_spending(self.writer, exchange):
            budget.restore(spent.used, self._clock.now() - max(spent.at, self._died_by()))
        budget.note = partial(self._note_spending, exchange)

    def _died_by(self) -> float:
        """By when (UTC seconds) a process that died without a word was dead; 0 after a clean end."""
        before = presence.presence(self.writer)
        return (
            0.0 if before is None or before.stopped is not None else before.heartbeat + SILENT_DEATH_SECONDS
        )

    def _note_spending(self, exchange: str, used: Mapping[str, float]) -> None:
        with suppress(StorageError), self.writer.transaction():  # a full disk is no reason to stand still
            presence.save_spending(self.writer, exchange, used, self._clock.now())


def _rows_of(checks: Sequence[Check], now: float) -> list[verdicts.UnitCheckRow]:
    return [
        verdicts.UnitCheckRow(
            group_name=check.group,
            what=check.what,
            verdict=check.verdict,
            modal_apr_percent=check.modal_apr_percent,
            factor=check.factor,
            n=check.n,
            share=check.share,
            sentence=check.sentence,
            checked_at=int(now),
        )
        for check in checks
    ]


def _boot_id() -> str:
    """Tells this boot of the machine from others, so that a pid means one process."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # another system than Linux
        return ""
