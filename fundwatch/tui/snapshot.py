"""Everything that the panes show, read at one moment: frozen, and made in a thread of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fundwatch.analytics.windows import window_end
from fundwatch.answers.spreads import Spread, spreads
from fundwatch.answers.status import Status, status
from fundwatch.answers.trust import Trust, failed_units, market_trust
from fundwatch.config import Config
from fundwatch.storage import queries, summary
from fundwatch.storage.alerts import AlertRow, ended_alerts
from fundwatch.storage.database import reader

EVENTS = 200
RUNS = 400
ENDED_ALERTS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What the person looks at: the window of the rankings (now 24h 3d 7d 30d), and how long a pair is held."""

    window: str = "now"
    hold_hours: float = 168.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`markets` are not delisted; `trust` is by market id for the window asked about.

    `runs` are the newest by exchange, newest first, without quotes passes; `taken_at` in UTC seconds.
    `alerts` are what a collector noted: those that go on, oldest first, then those that ended, newest first.
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


def take_snapshot(database: Path, world: str, config: Config, question: Question, now: float) -> Snapshot:
    """Reads it all in one transaction, some 50 ms with 2,900 markets. Raises `StorageError`."""
    stale_after = config.collector.stale_after_seconds
    with reader(database, world=world) as db:
        markets = summary.current(db, queries.market_rows(db), window_end(now))
        failed = failed_units(queries.unit_checks(db))
        runs: dict[str, list[queries.Run]] = {}
        for run in queries.runs(db, limit=RUNS):
            if run.kind != "quotes":
                runs.setdefault(run.exchange, []).append(run)
        return Snapshot(
            taken_at=now,
            question=question,
            status=status(db, config, now),
            markets=tuple(markets),
            trust={m.market_id: market_trust(m, question.window, failed, now, stale_after) for m in markets},
            spreads=tuple(
                spreads(db, config, now, window=question.window, limit=200, hold_hours=question.hold_hours)
            ),
            events=tuple(queries.events(db, EVENTS)),
            runs={name: tuple(found) for name, found in runs.items()},
            exchanges=queries.exchanges(db),
            alerts=(*queries.open_alerts(db), *ended_alerts(db, ENDED_ALERTS)),
        )
