"""Puts a collector together: configuration and database in, trackers with their exchanges out."""

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from fundwatch.assets import Overrides
from fundwatch.clock import Clock, SystemClock
from fundwatch.collector import alerts
from fundwatch.collector.bans import StoredBans
from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.control import ControlSocket, control_socket
from fundwatch.collector.doors.local import Fanout
from fundwatch.collector.doors.protocol import Hello
from fundwatch.collector.events import Publish
from fundwatch.collector.importing.importer import Rules
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.thread import CollectorThread
from fundwatch.collector.tracker import Tracker
from fundwatch.config import Config, ExchangeSection
from fundwatch.exchanges import REGISTRY, load
from fundwatch.exchanges.base import Exchange, Options
from fundwatch.exchanges.http import DEADLINE_SECONDS, Http
from fundwatch.storage.lock import Role


def build_collector(
    config: Config,
    ledger: Ledger,
    publish: Publish,
    clock: Clock,
    *,
    only: tuple[str, ...] = (),
    deadline_seconds: float = DEADLINE_SECONDS,
) -> Collector:
    """A collector of the enabled exchanges, or of `only` those named; each request has the deadline."""
    names = [name for name in config.enabled() if not only or name in only]
    ledger.enable(config.enabled(), list(REGISTRY))
    overrides = overrides_of(config)
    bans = StoredBans(ledger)
    trackers, minutes = {}, {}
    for name in names:
        section = config.exchange(name)
        exchange = _exchange(name, section, bans, clock, deadline_seconds)
        ledger.restore_spending(name, exchange.http.budget)
        trackers[name] = Tracker(
            exchange,
            ledger,
            clock,
            publish,
            history_days=config.collector.history_days,
            retention_days=config.collector.retention_days,
            overrides=overrides,
            baseline_percent=section.unit_baseline_percent,
        )
        minutes[name] = exchange.facts.minute if section.minute is None else section.minute
        ledger.describe(exchange.facts, minutes[name])
    return Collector(
        trackers,
        ledger,
        clock,
        publish,
        quotes_every_seconds=config.collector.quotes_every_seconds,
        minutes=minutes,
        pid=os.getpid(),
        stale_after_seconds=config.collector.stale_after_seconds,
        import_rules=import_rules(config),
    )


def import_rules(config: Config) -> Rules:
    """What the configuration says about imported files."""
    levels = {name: config.exchange(name).unit_baseline_percent for name in REGISTRY}
    return Rules(
        overrides_of(config),
        {name: percent for name, percent in levels.items() if percent is not None},
        config.collector.retention_days,
    )


def overrides_of(config: Config) -> Overrides:
    """What a person says of single markets."""
    said = config.assets
    return Overrides(said.ticker, said.asset_class, said.multiplier, said.different)


def _exchange(
    name: str, section: ExchangeSection, bans: StoredBans, clock: Clock, deadline_seconds: float
) -> Exchange:
    kind = load(name)
    http = Http(
        name=name,
        base_url=section.base_url or kind.facts.base_url,
        limits=kind.facts.limits,
        clock=clock,
        bans=bans,
        budget_scale=section.budget_scale,
        proxy=section.proxy,
        blocked_hint=kind.facts.blocked_hint,
        deadline_seconds=deadline_seconds,
    )
    return kind(http, clock, Options(dexes=section.dexes))


def collector_thread(
    config: Config,
    database: Path,
    world: str,
    publish: Publish,
    work: Callable[[Collector], Coroutine[Any, Any, Any]] | None = None,
    *,
    role: Role = "collector",
    only: tuple[str, ...] = (),
) -> CollectorThread:
    """A collector over the database file, ready to start in a thread of its own.

    Starting raises `StorageError` where the database cannot be used, `Locked` where another process
    writes it. `work` is what the thread does with the collector; by default it collects for ever, and
    takes work from other processes over its control socket.
    """
    opened: list[tuple[Ledger, Collector]] = []
    told = Fanout(publish)
    hello = Hello(os.getpid(), role, world)
    busy = None if work is None else f"process {hello.pid} is at work of its own ({role}): try again later"
    do = work or Collector.run

    async def life(collector: Collector) -> Any:
        control = ControlSocket(collector.desk, hello, busy)
        async with control_socket(control, database, told):
            return await do(collector)

    def build() -> Collector:
        clock = SystemClock()
        ledger = Ledger.open(
            database,
            world=world,
            role=role,
            clock=clock,
            exchanges=REGISTRY,
            market_history_days=config.collector.market_history_days,
            retention_days=config.collector.retention_days,
        )
        try:
            alerts.note_outage(ledger, clock.now())
            collector = build_collector(config, ledger, told, clock, only=only)
        except BaseException:
            ledger.close()
            raise
        opened.append((ledger, collector))
        return collector

    async def close() -> None:
        for ledger, collector in opened:
            try:
                for tracker in collector.trackers.values():
                    await tracker.exchange.http.aclose()
            finally:
                ledger.close()

    return CollectorThread(build, close, life)
