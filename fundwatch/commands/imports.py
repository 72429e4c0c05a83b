"""`fundwatch import`: past settlements from files, with a progress bar, safe to interrupt and to repeat."""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from fundwatch.assets import nearest
from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.build import collector_thread, import_rules
from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.client import RemoteDoor
from fundwatch.collector.events import Event, ImportProgress, Trouble
from fundwatch.collector.importing.importer import rehearse
from fundwatch.collector.importing.report import Order, Report
from fundwatch.collector.importing.survey import Abandoned
from fundwatch.commands.collect import heartbeat, stop_signals, wait_for
from fundwatch.commands.handover import (
    Stopped,
    running_collector,
    said_in_words,
    see_through,
    wait_for_answer,
)
from fundwatch.commands.import_words import report_lines
from fundwatch.commands.printing import print_error
from fundwatch.commands.session import Session
from fundwatch.imports.cells import TimeUnit
from fundwatch.storage.database import Database, reader
from fundwatch.storage.errors import NoDatabase
from fundwatch.text import clean

TIME_UNITS = {"s": TimeUnit.SECONDS, "ms": TimeUnit.MILLISECONDS, "utc": TimeUnit.UTC_TEXT}
"""The words of `--time-unit`; `utc` are times as text that name no zone."""

_REDRAW_SECONDS = 0.2
_BAR_WIDTH = 30
_FAILED, _UNKNOWN, _CANCELLED = 1, 2, 130


def run_import(
    session: Session,
    *,
    files: tuple[Path, ...],
    exchange: str,
    file_format: str = "auto",
    dry_run: bool = False,
    accept_bad: bool = False,
    symbol: str | None = None,
    time_unit: str | None = None,
) -> int:
    """Imports the files one after the other; 0 when all is stored or was, 1 when one was refused or is
    partial, 2 for a file that is not there, 130 after Ctrl-C."""
    wrong = [said for path in dict.fromkeys(files) if (said := _unusable(path))]
    for said in wrong:
        print_error(said)
    if wrong:
        return _UNKNOWN
    unit = None if time_unit is None else TIME_UNITS[time_unit]
    orders = [
        Order(str(path.absolute()), exchange, file_format, symbol, accept_bad, unit)
        for path in dict.fromkeys(files)
    ]
    bar = ImportBar(sys.stderr.isatty())
    if dry_run:
        return _rehearse(session, orders, bar)
    with running_collector(session) as door:
        done = _alone(session, orders, bar) if door is None else _beside(door, orders, bar)
    if done is None:
        bar.say("Cancelled; what came is stored, and the same call completes it.")
        return _CANCELLED
    return 0 if all(report.word == "ok" for report in done) else _FAILED


def _alone(session: Session, orders: list[Order], bar: "ImportBar") -> list[Report] | None:
    """Does the work in this process, which holds the lock; None after Ctrl-C."""
    done: list[Report] = []

    async def work(collector: Collector) -> list[Report]:
        with heartbeat(collector):
            for number, order in enumerate(orders, 1):
                report = await collector.desk.importer().run(number, order)
                bar.tell(report_lines(report, is_brief=len(orders) > 1))
                done.append(report)
        return done

    with stop_signals() as stop:
        exchange = orders[0].exchange
        thread = collector_thread(
            session.config,
            session.database,
            session.world,
            bar.listen,
            work,
            role="import",
            only=(exchange,),
        )
        thread.start()
        return None if wait_for(thread, stop) is None else done


def _beside(door: RemoteDoor, orders: list[Order], bar: "ImportBar") -> list[Report] | None:
    """Has a running collector do the work; None after Ctrl-C."""
    done: list[Report] = []
    with said_in_words(), stop_signals() as stop:
        bar.say(f"process {door.pid} collects: it does the work")
        jobs: set[int] = set()

        def ours(event: Event) -> None:
            if isinstance(event, Trouble) or (isinstance(event, ImportProgress) and event.job_id in jobs):
                bar.listen(event)

        door.listen(ours)
        try:
            for order in orders:
                job = wait_for_answer(door.import_file(order), stop)
                jobs.add(job)
                report = see_through(door, job, door.imported, stop)
                if report is None:
                    return None
                bar.tell(report_lines(report, is_brief=len(orders) > 1))
                done.append(report)
        except Stopped:
            return None
    return done


def _rehearse(session: Session, orders: list[Order], bar: "ImportBar") -> int:
    """Says on stdout what would come of the files, each as if it were the only one."""
    folder = session.database.parent
    rules = import_rules(session.config)
    words = []
    with stop_signals() as stop:
        for order in orders:

            def tell(stage: str, share: float, rows: int, inserted: int, order: Order = order) -> None:
                name = clean(Path(order.path).name)
                bar.listen(ImportProgress(0, order.exchange, name, stage, share, rows, inserted))

            try:
                report = rehearse(
                    lambda: _asked(session),
                    folder,
                    order,
                    rules,
                    SystemClock().now(),
                    tell,
                    stop,
                    world=session.world,
                )
            except Abandoned:
                bar.say("Cancelled; nothing was written.")
                return _CANCELLED
            bar.clear()
            click.echo("\n".join(report_lines(report, is_rehearsal=True)))
            words.append(report.word)
    return 0 if all(word == "ok" for word in words) else _FAILED


@contextmanager
def _asked(session: Session) -> Iterator[Database | None]:
    """The database for a moment of reading; None where there is none yet."""
    with ExitStack() as held:
        db: Database | None = None
        with suppress(NoDatabase):
            db = held.enter_context(reader(session.database, world=session.world))
        yield db


def _unusable(path: Path) -> str:
    """Why there can be no talk of this file; for one that is not there with what looks like it."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        return f"the name of {clean(str(path), 300)} is not UTF-8: rename the file"
    if path.exists():
        return ""
    told = f"there is no file {clean(str(path), 300)}"
    try:
        names = [found.name for found in path.absolute().parent.iterdir() if found.is_file()]
    except OSError:
        return f"{told}: its folder cannot be looked into"
    near = nearest(path.name, names)
    return f"{told}; near it: {', '.join(clean(name) for name in near)}" if near else told


class ImportBar:
    """A line on stderr that shows how far the file at hand is; nothing without a terminal."""

    def __init__(self, is_terminal: bool, clock: Clock | None = None) -> None:
        self._is_terminal = is_terminal
        self._clock = clock or SystemClock()
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def listen(self, event: Event) -> None:
        match event:
            case ImportProgress():
                now = self._clock.monotonic()
                if self._is_terminal and now - self._drawn_at >= _REDRAW_SECONDS:
                    self._drawn_at = now
                    with self._lock:
                        self._draw(event)
            case Trouble():
                self.say(f"{event.where}: {clean(event.message, 300)}")
            case _:
                pass

    def tell(self, lines: list[str]) -> None:
        for line in lines:
            self.say(line)

    def say(self, text: str) -> None:
        with self._lock:
            click.echo(f"\r\x1b[K{text}" if self._is_terminal else text, err=True)

    def clear(self) -> None:
        if self._is_terminal:
            click.echo("\r\x1b[K", nl=False, err=True)

    def _draw(self, event: ImportProgress) -> None:
        filled = round(min(1.0, event.share) * _BAR_WIDTH)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        rows = f"{event.rows:,} rows" if event.stage == "reading" else f"{event.inserted:,} stored"
        if event.stage == "trying":
            rows = f"{event.inserted:,} new"
        text = f"[{bar}] {event.share:4.0%} {event.stage} {clean(event.file_name, 40)}: {rows}"
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
