"""Everything that the panes show, read at one moment: frozen, and made in a thread of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from fundwatch.analytics.windows import window_end
from fundwatch.answers.spreads import Spread, spreads
from fundwatch.answers.status import Status, status
from fundwatch.answers.trust import Trust, failed_units, market_trust
from fundwatch.config import Config
from fundwatch.storage import queries, summary
from fundwatch.storage.alerts import AlertRow, ended_alerts
from fundwatch.storage.database import Database, reader
from fundwatch.storage.watching import Fingerprint, fingerprint

EVENTS = 200
RUNS = 400
ENDED_ALERTS = 100
PAIRS = 200
HOLDS_SECONDS = 300.0
"""So long what was read stands at most; trust in a pair ends with the age of its legs."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the person looks at: the window of the rankings (now 24h 3d 7d 30d), how long a pair is held."""

    window: str = "now"
    hold_hours: float = 168.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`markets` are not delisted; `trust` is by market id for the window asked about.

    `runs` are the newest by exchange, newest first, without quotes passes; `taken_at` in UTC seconds.
    `alerts` are what a collector noted: those that go on, oldest first, then those that ended, newest
    first. `read_at` is when all of it was read; health, ages and alerts are of `taken_at`.
    """

    taken_at: float
    question: Question
    status: Status
    markets: tuple[queries.MarketRow, ...] = ()
    trust: Mapping[int, Trust] = field(default_factory=dict)
    spreads: tuple[Spread, ...] = ()
    events: tuple[queries.Event, ...] = ()
    runs: Mapping[str, tuple[queries.Run, ...]] = field(default_factory=dict)
    exchanges: Mapping[str, queries.ExchangeRow] = field(default_factory=dict)
    alerts: tuple[AlertRow, ...] = ()
    read_at: float = 0.0
    fingerprint: Fingerprint = ()


def take_snapshot(
    database: Path,
    world: str,
    config: Config,
    question: Question,
    now: float,
    before: Snapshot | None = None,
) -> Snapshot:
    """Reads it all in one transaction: 100 ms with 2,900 markets, more while many hours are missing.

    Where nothing of weight was written since `before`, which answered the same question, it costs a
    tenth: only health, ages, events and alerts are taken anew. Raises `StorageError`.
    """
    stale_after = config.collector.stale_after_seconds
    with reader(database, world=world) as db:
        seen = fingerprint(db)
        failed = failed_units(queries.unit_checks(db))
        if before is None or not _still_holds(before, question, seen, now):
            before = _read(db, config, question, now, seen)
            health = before.status
        else:
            gaps = {one.exchange: one.gaps_open for one in before.status.exchanges}
            health = status(db, config, now, gaps)
        return replace(
            before,
            taken_at=now,
            status=health,
            trust={
                m.market_id: market_trust(m, question.window, failed, now, stale_after)
                for m in before.markets
            },
            spreads=_aged(before.spreads, int(now) - int(before.taken_at)),
            events=tuple(queries.events(db, EVENTS)),
            alerts=(*queries.open_alerts(db), *ended_alerts(db, ENDED_ALERTS)),
        )


def _still_holds(before: Snapshot, question: Question, seen: Fingerprint, now: float) -> bool:
    return (
        before.question == question
        and before.fingerprint == seen
        and 0 <= now - before.read_at < HOLDS_SECONDS
        and window_end(before.read_at) == window_end(now)
    )


def _read(db: Database, config: Config, question: Question, now: float, seen: Fingerprint) -> Snapshot:
    runs: dict[str, list[queries.Run]] = {}
    for run in queries.runs(db, limit=RUNS):
        if run.kind != "quotes":
            runs.setdefault(run.exchange, []).append(run)
    window, hold_hours = question.window, question.hold_hours
    markets = tuple(summary.current(db, queries.market_rows(db), window_end(now)))
    return Snapshot(
        taken_at=now,
        question=question,
        status=status(db, config, now),
        markets=markets,
        spreads=tuple(
            spreads(db, config, now, window=window, limit=PAIRS, hold_hours=hold_hours, current=markets)
        ),
        runs={name: tuple(found) for name, found in runs.items()},
        exchanges=queries.exchanges(db),
        read_at=now,
        fingerprint=seen,
    )


def _aged(found: tuple[Spread, ...], seconds: int) -> tuple[Spread, ...]:
    if not seconds:
        return found
    return tuple(
        one
        if one.oldest_leg_seconds is None
        else msgspec.structs.replace(one, oldest_leg_seconds=one.oldest_leg_seconds + seconds)
        for one in found
    )
