"""`fundwatch backfill`: fetches what is missing, with a progress bar, safe to interrupt."""

import asyncio
import sys
import threading
from collections.abc import Mapping

import click

from fundwatch.answers.history import UnknownAsset, markets_named
from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.backfill import Job, job_cost
from fundwatch.collector.build import collector_thread
from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.client import RemoteDoor
from fundwatch.collector.doors.desk import Ended
from fundwatch.collector.events import Event, Progress, RunEnded, Trouble
from fundwatch.collector.outcome import Outcome
from fundwatch.commands.collect import heartbeat, stop_signals, wait_for
from fundwatch.commands.handover import (
    Stopped,
    hand_over,
    only_runs_of,
    running_collector,
    said_in_words,
    wait_for_answer,
)
from fundwatch.commands.printing import print_error
from fundwatch.commands.session import Session, exchanges_served
from fundwatch.storage import queries
from fundwatch.storage.database import reader
from fundwatch.text import age, clean

_REDRAW_SECONDS = 0.2
_BAR_WIDTH = 30
_FAILED, _UNKNOWN, _CANCELLED = 1, 2, 130


def run_backfill(session: Session, *, days: int, exchanges: tuple[str, ...], assets: tuple[str, ...]) -> int:
    """Fills the last `days`; 0 when all was asked for, 1 when an exchange failed, 130 after Ctrl-C.

    An asset that nobody lists is 2.
    """
    bar = Bar(sys.stderr.isatty())
    kept = session.config.collector.retention_days
    if 0 < kept < days:
        bar.say(f"retention_days = {kept}: what was paid before is not kept, and not asked for")
    enabled = session.config.enabled()
    if off := [name for name in exchanges if name not in enabled]:
        raise click.UsageError(f"{', '.join(off)}: switched off in the configuration")
    names = tuple(dict.fromkeys(exchanges)) or tuple(enabled)

    async def work(collector: Collector) -> dict[str, Outcome]:
        trackers = [collector.trackers[name] for name in names]
        with heartbeat(collector):
            await asyncio.gather(*(tracker.know_markets() for tracker in trackers))
            job = Job(1, days, names, _tickers(session, assets))
            costs = await job_cost(job, trackers)
            seconds = max((cost.seconds for cost in costs.values()), default=0.0)
            requests = sum(cost.requests for cost in costs.values())
            bar.say(_told(requests, seconds))
            return await collector.backfill(job)

    outcomes: Mapping[str, Outcome | Ended] | None
    try:
        with running_collector(session) as door:
            if door is not None:
                outcomes = _beside(door, bar, days, names, _tickers(session, assets))
            else:
                with exchanges_served(session) as served, stop_signals() as stop:
                    thread = collector_thread(
                        served.config,
                        served.database,
                        served.world,
                        bar.listen,
                        work,
                        role="backfill",
                        only=names,
                    )
                    thread.start()
                    outcomes = wait_for(thread, stop)
    except UnknownAsset as error:
        print_error(error)
        return _UNKNOWN
    bar.finish()
    if outcomes is None:
        click.echo("Cancelled; what came is stored, and the next call goes on from here.", err=True)
        return _CANCELLED
    for name, outcome in outcomes.items():
        if outcome.word != "ok":
            click.echo(f"{name}: {outcome.word}: {clean(outcome.error or '', 300)}", err=True)
    stored = sum(outcome.inserted for outcome in outcomes.values())
    click.echo(f"{stored:,} settlements stored.", err=True)
    return 0 if all(outcome.word == "ok" for outcome in outcomes.values()) else _FAILED


def _beside(
    door: RemoteDoor, bar: "Bar", days: int, names: tuple[str, ...], tickers: frozenset[str]
) -> Mapping[str, Ended] | None:
    """What a running collector made of the work; None after Ctrl-C."""
    with said_in_words(), stop_signals() as stop:
        bar.say(f"process {door.pid} collects: it does the work")
        door.listen(only_runs_of(names, "backfill", bar.listen))
        assets = sorted(tickers)
        try:
            costs = wait_for_answer(door.estimate(days=days, exchanges=names, assets=assets), stop).values()
            bar.say(_told(sum(c.requests for c in costs), max((c.seconds for c in costs), default=0.0)))
            return hand_over(door, door.backfill(days=days, exchanges=names, assets=assets), stop)
        except Stopped:
            return None


def _told(requests: int, seconds: float) -> str:
    return f"{requests:,} requests, about {age(seconds)} at the exchanges' budgets"


def _tickers(session: Session, assets: tuple[str, ...]) -> frozenset[str]:
    """What a person calls the assets, as the tickers of the markets that are known by now."""
    if not assets:
        return frozenset()
    with reader(session.database, world=session.world) as db:
        everything = queries.market_rows(db)
    if not everything:  # no exchange told its markets, and the job says why
        return frozenset(asset.upper() for asset in assets)
    return frozenset(row.ticker for asset in assets for row in markets_named(everything, asset))


class Bar:
    """A line on stderr that shows how far all exchanges are; without a terminal, a line for each end."""

    def __init__(self, is_terminal: bool, clock: Clock | None = None) -> None:
        self._is_terminal = is_terminal
        self._clock = clock or SystemClock()
        self._progress: dict[str, Progress] = {}
        self._drawn_at = 0.0
        self._lock = threading.Lock()

    def listen(self, event: Event) -> None:
        with self._lock:
            match event:
                case Progress():
                    self._progress[event.exchange] = event
                    if self._is_terminal and self._clock.monotonic() - self._drawn_at >= _REDRAW_SECONDS:
                        self._draw()
                case RunEnded(kind="backfill"):
                    told = f"{event.exchange}: {event.outcome}, {event.inserted:,} settlements stored"
                    self._line(f"{told}; {clean(event.error, 300)}" if event.error else told)
                case Trouble():
                    self._line(f"{event.where}: {clean(event.message, 300)}")
                case _:
                    pass

    def say(self, text: str) -> None:
        with self._lock:
            self._line(text)

    def finish(self) -> None:
        with self._lock:
            if self._is_terminal and self._progress:
                self._draw()
                click.echo(err=True)

    def _line(self, text: str) -> None:
        click.echo(f"\r\x1b[K{text}" if self._is_terminal else text, err=True)

    def _draw(self) -> None:
        wanted = sum(p.hours_wanted for p in self._progress.values())
        done = sum(min(p.hours_done, p.hours_wanted) for p in self._progress.values())
        share = done / wanted if wanted else 1.0
        filled = round(share * _BAR_WIDTH)
        stored = sum(p.inserted for p in self._progress.values())
        slowest = min(
            self._progress.values(), key=lambda p: p.hours_done / p.hours_wanted if p.hours_wanted else 1.0
        )
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        waits = f" waiting for {slowest.exchange}" if share < 1 else ""
        text = f"[{bar}] {share:4.0%} {stored:,} stored{waits}"
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
        self._drawn_at = self._clock.monotonic()
