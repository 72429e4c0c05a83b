"""Is every tracker healthy: derived at the moment of asking, from rows and their ages."""

import math
from pathlib import Path

import msgspec

from fundwatch.analytics.health import HEARTBEAT_SECONDS, Health, HealthWord, is_alive
from fundwatch.answers.memo import Memo
from fundwatch.config import Config
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR, Source
from fundwatch.storage import lock, queries, watching
from fundwatch.storage.database import Database
from fundwatch.storage.errors import StorageError
from fundwatch.storage.health import ALARMING, tracker_health
from fundwatch.storage.holes.due import SETTLES_WITHIN_SECONDS
from fundwatch.storage.holes.gaps import gaps_open
from fundwatch.storage.presence import Presence
from fundwatch.storage.trackers import TrackerState

NO_DATA_YET = 3


class CollectorState(msgspec.Struct, frozen=True):
    """The process that writes the database, or did so last; `role` is collector or backfill.

    `heartbeat` is its last sign of life, null after a clean stop.
    """

    running: bool
    pid: int | None
    heartbeat: int | None
    role: str | None = None


class UnitVerdict(msgspec.Struct, frozen=True):
    """`verdict` is ok, unknown or error; the worst of the exchange's groups."""

    verdict: str
    modal_apr_percent: float | None
    sentence: str | None


class ExchangeStatus(msgspec.Struct, frozen=True):
    """One tracker. Times in UTC seconds; `health` is one of never ok late stale partial error paused."""

    exchange: str
    enabled: bool
    health: str
    reason: str
    status: str
    last_run: int | None
    last_success: int | None
    last_error: str | None
    total_runs: int
    total_records: int
    consecutive_failures: int
    markets: int
    markets_fresh: int
    markets_failing: int
    oldest_quote_seconds: float | None
    newest_quote: int | None
    newest_settlement: int | None
    gaps_open: int
    next_try: int | None
    requests: int
    budget_used: float | None
    unit_check: UnitVerdict


class AlertState(msgspec.Struct, frozen=True):
    exchange: str | None
    kind: str
    message: str
    since: int | None


class Status(msgspec.Struct, frozen=True):
    collector: CollectorState
    exchanges: list[ExchangeStatus]
    alerts: list[AlertState]

    @property
    def counted(self) -> list[ExchangeStatus]:
        """The enabled exchanges: the others do not count."""
        return [one for one in self.exchanges if one.enabled]

    @property
    def exit_code(self) -> int:
        """0 all fresh, 1 something is stale, partial, failed or missing, 3 no data yet."""
        words = {one.health for one in self.counted}
        if words <= {HealthWord.NEVER}:
            return NO_DATA_YET
        return 1 if words & _ALARMING else 0


_ALARMING = ALARMING | {HealthWord.NEVER}
_NOBODY = TrackerState(
    exchange="",
    status="idle",
    last_run=None,
    last_success=None,
    last_error=None,
    sweep_error=None,
    quotes_error=None,
    last_outcome=None,
    total_runs=0,
    total_records=0,
    consecutive_failures=0,
    markets_expected=None,
    markets_failed=None,
    last_sweep_hour=None,
    last_quotes=None,
    next_try=None,
    requests=0,
    budget_used=None,
    paused=False,
    enabled=True,
)
_UNSEEN = queries.QuoteAges([], 0, 0, 0)
_UNCHECKED = UnitVerdict("unknown", None, None)
_NO_COLLECTOR = CollectorState(False, None, None)


def status(db: Database, config: Config, now: float, memo: Memo | None = None) -> Status:
    """The state of the collector and of every exchange that fundwatch knows.

    Most of the work is to look for gaps; who asks again and again keeps a `memo`.
    """
    memo = memo or Memo()
    presence = queries.collector(db)
    silence = _silence(presence, db.path, now)
    trackers = queries.trackers(db)
    ages = queries.quote_ages(db)
    checks = queries.unit_checks(db)
    settled = watching.settled(db)
    newest = memo.keep("newest settlements", settled, lambda: queries.newest_settlement(db))
    gaps = memo.keep(
        "gaps",
        (settled, watching.due(db), config.collector.history_days, (now - SETTLES_WITHIN_SECONDS) // HOUR),
        lambda: _gaps(db, config, now),
    )
    exchanges = []
    for name in REGISTRY:
        tracker = trackers.get(name, _NOBODY)
        own_checks = [check for check in checks if check.exchange == name]
        seen = ages.get(name, _UNSEEN)
        health = _health(tracker, seen, own_checks, config, now, silence)
        exchanges.append(
            _exchange(
                name,
                config,
                tracker,
                seen,
                health,
                alive=is_alive(silence),
                newest_settlement=newest.get(name),
                gaps_open=gaps.get(name, 0),
                unit_check=_verdict(own_checks),
            )
        )
    collector = _NO_COLLECTOR if presence is None else _collector(presence, silence)
    return Status(collector, exchanges, _alerts(db, exchanges, collector))


def nothing_yet(config: Config) -> Status:
    """The status where there is no database: nobody collects, and nothing was collected ever."""
    health = _health(_NOBODY, _UNSEEN, [], config, 0.0, math.inf)
    exchanges = [_exchange(name, config, _NOBODY, _UNSEEN, health) for name in REGISTRY]
    return Status(_NO_COLLECTOR, exchanges, [])


def _collector(presence: Presence, silence: float) -> CollectorState:
    heartbeat = presence.heartbeat if presence.stopped is None else None
    return CollectorState(is_alive(silence), presence.pid, heartbeat, presence.role)


def _silence(presence: Presence | None, path: Path, now: float) -> float:
    """Seconds since the last sign of life of the process that writes `path`; inf where none does.

    The lock ends with its process, at once and however it ends; a heartbeat grows old.
    """
    if presence is None or presence.stopped is not None:
        return math.inf
    silence = now - presence.heartbeat
    return silence if silence > HEARTBEAT_SECONDS or _is_locked(path) else math.inf


def _is_locked(path: Path) -> bool:
    try:
        return lock.holder(path) is not None
    except StorageError:  # not ours to look at: then the heartbeat alone decides
        return True


def _exchange(
    name: str,
    config: Config,
    tracker: TrackerState,
    seen: queries.QuoteAges,
    health: Health,
    *,
    alive: bool = False,
    newest_settlement: int | None = None,
    gaps_open: int = 0,
    unit_check: UnitVerdict = _UNCHECKED,
) -> ExchangeStatus:
    is_dead = tracker.status == "running" and not alive
    return ExchangeStatus(
        exchange=name,
        enabled=config.exchange(name).enabled,
        health=health.word,
        reason=health.reason,
        status="error" if is_dead else tracker.status,
        last_run=tracker.last_run,
        last_success=tracker.last_success,
        last_error="interrupted" if is_dead else tracker.last_error,
        total_runs=tracker.total_runs,
        total_records=tracker.total_records,
        consecutive_failures=tracker.consecutive_failures,
        markets=health.markets,
        markets_fresh=health.markets_fresh,
        markets_failing=seen.failing,
        oldest_quote_seconds=health.age_seconds,
        newest_quote=max((at for at in seen.observed_at if at is not None), default=None),
        newest_settlement=newest_settlement,
        gaps_open=gaps_open,
        next_try=tracker.next_try,
        requests=tracker.requests,
        budget_used=tracker.budget_used,
        unit_check=unit_check,
    )


def _health(
    tracker: TrackerState,
    seen: queries.QuoteAges,
    checks: list[queries.UnitCheck],
    config: Config,
    now: float,
    silence: float,
) -> Health:
    return tracker_health(
        tracker,
        seen,
        checks,
        quotes_every_seconds=config.collector.quotes_every_seconds,
        stale_after_seconds=config.collector.stale_after_seconds,
        now=now,
        silence_seconds=silence,
    )


def _gaps(db: Database, config: Config, now: float) -> dict[str, int]:
    """Missing market-hours that can still come; an exchange that publishes no settlements has none."""
    horizon = int(now) // HOUR * HOUR - config.collector.history_days * 24 * HOUR
    return {
        name: gaps_open(db, name, horizon=horizon, now=now, continuous=exchange.continuous)
        for name, exchange in queries.exchanges(db).items()
        if exchange.source != Source.RECORDED and name in REGISTRY
    }


def _verdict(checks: list[queries.UnitCheck]) -> UnitVerdict:
    if not checks:
        return _UNCHECKED
    order = {"error": 0, "ok": 1, "unknown": 2}
    worst = min(
        checks, key=lambda c: (order[c.verdict], bool(c.group_name), c.modal_apr_percent is None, c.what)
    )
    return UnitVerdict(worst.verdict, worst.modal_apr_percent, worst.sentence)


def _alerts(db: Database, exchanges: list[ExchangeStatus], collector: CollectorState) -> list[AlertState]:
    """What is wrong now; `since` where a collector noted when it began."""
    noted = {(alert.exchange, alert.kind): alert.since for alert in queries.open_alerts(db)}
    alerts = []
    for one in exchanges:
        if one.enabled and one.health in ALARMING:
            kind = "unit check" if one.unit_check.verdict == "error" else one.health
            since = noted.get((one.exchange, kind), one.last_success)
            alerts.append(AlertState(one.exchange, str(kind), one.reason, since))
    if collector.heartbeat is not None and not collector.running:
        alerts.append(AlertState(None, "collector", "the collector died without a word", collector.heartbeat))
    return alerts
