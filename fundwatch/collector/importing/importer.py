"""Brings a file of past settlements into the database: read, judge, store, in that order.

The file is read whole into a spool and judged before its first row is stored; then its rows go in,
market by market, in transactions so small that the sweeps hardly notice. What was stored stays when
the work is cut short, and doing it again leads to the same rows.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.assets import Overrides, overridden
from fundwatch.clock import Clock
from fundwatch.collector.events import ImportProgress, Publish, RunEnded, RunStarted, Trouble, unfailing
from fundwatch.collector.importing.batches import batches
from fundwatch.collector.importing.judge import judge, note_old
from fundwatch.collector.importing.report import Order, Report, already_imported
from fundwatch.collector.importing.survey import Abandoned, Survey, read_file
from fundwatch.collector.ledger import ROWS_BETWEEN_CHECKPOINTS, Ledger
from fundwatch.exchanges import load
from fundwatch.imports.rows import FileRefused
from fundwatch.models import HOUR, Kind, Settlement, Source
from fundwatch.storage import imports, summary, trackers
from fundwatch.storage.database import Database, Writer, reader
from fundwatch.storage.errors import StorageError
from fundwatch.storage.markets import market_ids
from fundwatch.storage.scratch import scratch_copy
from fundwatch.storage.settlements import Stored
from fundwatch.storage.spool import Spool
from fundwatch.text import clean

SHARE_BESIDE_SWEEPS = 0.2
"""While a sweep or quotes are under way, an import takes no more of the time."""
CONVERTER_VERSION = 1
"""Goes up whenever what `imports` makes of a documented format changes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a person configured: which markets are what, other resting levels (APR in percent), and how
    long settlements are kept (0: for ever)."""

    overrides: Overrides | None = None
    baseline_percent: Mapping[str, float] = field(default_factory=dict)
    retention_days: int = 0


class Importer:
    """Imports files through the one writer, in its loop. `gives_way` says whether sweeps are under way."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        publish: Publish,
        rules: Rules,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._publish = unfailing(publish)
        self._rules = rules
        self._gives_way = gives_way

    async def run(self, job_id: int, order: Order) -> Report:
        """Imports one file as one run. Raises nothing but its own cancellation."""
        report = Report(clean(Path(order.path).name), order.exchange)
        started = self._clock.monotonic()
        try:
            await self._work(job_id, order, report)
        except FileRefused as refused:
            report.refuse(str(refused))
        except StorageError as error:
            report.refuse(str(error))
            self._publish(Trouble("database", str(error)))
        except (Exception, SystemExit) as error:  # the last door: a bug must not stop the collecting
            report.refuse(f"fundwatch itself failed: {clean(repr(error))}")
            self._publish(Trouble(f"import of {report.file_name}", str(report.error)))
        except BaseException:
            report.word, report.error = "cancelled", "stopped before it was complete"
            raise
        finally:
            self._end(report, self._clock.monotonic() - started)
        return report

    async def _work(self, job_id: int, order: Order, report: Report) -> None:
        loop = asyncio.get_running_loop()
        writer = self._ledger.writer
        known = imports.known_markets(writer, order.exchange)

        def tell(share: float, rows: int) -> None:
            event = ImportProgress(job_id, order.exchange, report.file_name, "reading", share, rows, 0)
            loop.call_soon_threadsafe(self._publish, event)

        with closing(Spool(writer.path.parent)) as spool:
            survey = await _in_thread(
                lambda stop: read_file(
                    order, report, spool, known, self._clock.now(), tell, stop, world=writer.world
                )
            )
            await _in_thread(lambda _: self._judge(order, report, survey, spool, known))
            self._begin(order, report, survey)
            await self._store(job_id, order, report, survey, spool)
        report.conclude()

    def _judge(
        self,
        order: Order,
        report: Report,
        survey: Survey,
        spool: Spool,
        known: Mapping[str, imports.KnownMarket],
    ) -> None:
        """In a thread, through a reader: comparing may take seconds, and the loop must not wait."""
        with reader(self._ledger.writer.path) as db:
            judge(db, order, report, survey, spool, known, self._rules.baseline_percent.get(order.exchange))
            note_old(db, report, survey, spool, self._rules.retention_days, self._clock.now())

    def _begin(self, order: Order, report: Report, survey: Survey) -> None:
        writer, now = self._ledger.writer, self._clock.now()
        _note_earlier(writer, order, report)
        with writer.transaction():
            report.run_id = begin(writer, order, report, survey, self._rules, now)
        self._publish(RunStarted(order.exchange, "import", report.run_id))

    async def _store(self, job_id: int, order: Order, report: Report, survey: Survey, spool: Spool) -> None:
        unmoved = 0
        writer = self._ledger.writer
        before = self._clock.monotonic()
        for stored in store(writer, order, report, survey, spool, self._clock.now()):
            report.take(stored)
            unmoved += stored.inserted + stored.replaced
            if unmoved >= ROWS_BETWEEN_CHECKPOINTS:
                unmoved = 0
                writer.checkpoint()
            share = report.done / max(1, report.rows)
            self._publish(
                ImportProgress(
                    job_id, order.exchange, report.file_name, "storing", share, report.rows, report.inserted
                )
            )
            took = self._clock.monotonic() - before
            await self._clock.sleep(took * (1 / SHARE_BESIDE_SWEEPS - 1) if self._gives_way() else 0)
            before = self._clock.monotonic()
        with writer.transaction():
            ids = market_ids(writer, order.exchange)
            summary.refresh(
                writer, self._clock.now(), [ids[symbol] for symbol in survey.new if symbol in ids]
            )

    def _end(self, report: Report, seconds: float) -> None:
        """Closes the run, or notes that one was tried and refused."""
        now = self._clock.now()
        writer = self._ledger.writer
        try:
            with writer.transaction():
                if report.run_id is None:
                    report.run_id = _open_run(writer, report, now)
                    trackers.count_rows(writer, report.run_id, refused=report.bad)
                trackers.end_run(writer, report.run_id, outcome=report.word, now=now, error=report.error)
        except StorageError as error:
            self._publish(Trouble("database", str(error)))
        self._publish(
            RunEnded(
                exchange=report.exchange,
                kind="import",
                run_id=report.run_id or 0,
                outcome=report.word,
                error=report.error,
                inserted=report.inserted,
                markets=len(report.markets),
                markets_failed=0,
                seconds=seconds,
                requests=0,
            )
        )


def rehearse(
    ask: Callable[[], AbstractContextManager[Database | None]],
    folder: Path,
    order: Order,
    rules: Rules,
    now: float,
    tell: Callable[[str, float, int, int], None],
    stop: threading.Event,
    *,
    world: str,
) -> Report:
    """What an import of the file would come to. Writes nothing but nameless files in `folder`.

    `ask` opens a reader for a moment (None where there is no database yet). `tell` hears the stage, the
    share of it that is done, rows and inserted rows. Raises `StorageError`, and `Abandoned` when `stop`
    was set.
    """
    report = Report(clean(Path(order.path).name), order.exchange)

    def read(share: float, rows: int) -> None:
        tell("reading", share, rows, 0)

    with ask() as db:
        known = imports.known_markets(db, order.exchange) if db is not None else {}
    try:
        with closing(Spool(folder)) as spool, ExitStack() as held:
            survey = read_file(order, report, spool, known, now, read, stop, world=world)
            spans = {span.symbol: (span.first, span.last) for span in report.markets}
            with ask() as db:
                judge(db, order, report, survey, spool, known, rules.baseline_percent.get(order.exchange))
                note_old(db, report, survey, spool, rules.retention_days, now)
                if db is not None:
                    _note_earlier(db, order, report)
                scratch = held.enter_context(scratch_copy(db, order.exchange, spans, folder))
            with scratch.transaction():
                report.run_id = begin(scratch, order, report, survey, rules, now)
            for stored in store(scratch, order, report, survey, spool, now):
                report.take(stored)
                tell("trying", report.done / max(1, report.rows), report.rows, report.inserted)
                if stop.is_set():
                    raise Abandoned
        report.conclude()
    except FileRefused as refused:
        report.refuse(str(refused))
    report.run_id = None
    return report


def _note_earlier(db: Database, order: Order, report: Report) -> None:
    assert report.sha256 is not None
    earlier = imports.earlier_import(db, order.exchange, report.sha256)
    if earlier is not None:
        report.notes.append(already_imported(*earlier))


def begin(writer: Writer, order: Order, report: Report, survey: Survey, rules: Rules, now: float) -> int:
    """Opens the run of a file that was read and judged, and makes the markets that only it knows."""
    spans = {span.symbol: span for span in report.markets}
    number = _open_run(writer, report, now)
    imports.add_markets(
        writer,
        order.exchange,
        [
            (
                market if rules.overrides is None else overridden(market, rules.overrides),
                spans[symbol].first,
                spans[symbol].last,
            )
            for symbol, market in survey.new.items()
            if symbol in spans
        ],
    )
    old = [(span.symbol, span.first, span.last) for span in report.markets if not span.is_new]
    imports.seen_until(writer, order.exchange, old)
    trackers.count_rows(writer, number, refused=report.bad)
    return number


def _open_run(writer: Writer, report: Report, now: float) -> int:
    """Of a venue that publishes no settlements a file can hold only what somebody recorded."""
    recorded = load(report.exchange).facts.source is Source.RECORDED
    return trackers.begin_run(
        writer,
        report.exchange,
        "import",
        Source.RECORDED if recorded else Source.IMPORT,
        CONVERTER_VERSION,
        now,
        file_name=report.file_name,
        file_sha256=report.sha256,
    )


def store(
    writer: Writer, order: Order, report: Report, survey: Survey, spool: Spool, now: float
) -> Iterator[Stored]:
    """Stores the spooled rows batch by batch, one transaction each; what became of each batch."""
    assert report.run_id is not None
    recent = window_end(now) - max(WINDOWS.values()) * HOUR
    for rows in batches(writer, order.exchange, spool, survey.symbols, survey.lacking):
        known, unknown = rows, list[Settlement]()
        if survey.lacking:
            unknown = [row for row in rows if row.interval_hours is None and row.kind is Kind.REGULAR]
            report.unknown_hours += len(unknown)
            known = [row for row in rows if row.interval_hours is not None or row.kind is not Kind.REGULAR]
        yield imports.save_batch(writer, report.run_id, order.exchange, known, unknown, now, recent=recent)


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """Does `work` in a thread; a cancellation tells it to stop and waits until it has."""
    stop = threading.Event()
    running = asyncio.get_running_loop().run_in_executor(None, work, stop)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        with suppress(Exception):
            await running
        raise
