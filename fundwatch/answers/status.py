"""Is every tracker healthy: derived at the moment of asking, from rows and their ages."""

import msgspec

from fundwatch.analytics.health import HEARTBEAT_SECONDS, Health, HealthWord, Signs, health_of
from fundwatch.config import Config
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR, Source
from fundwatch.storage import missing, queries
from fundwatch.storage.database import Database
from fundwatch.storage.trackers import TrackerState


class CollectorState(msgspec.Struct, frozen=True):
    running: bool
    pid: int | None
    heartbeat: int | None


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
            return 3
        return 1 if words & _ALARMING else 0


_ALARMING = {HealthWord.STALE, HealthWord.PARTIAL, HealthWord.ERROR, HealthWord.NEVER}
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


def status(db: Database, config: Config, now: float) -> Status:
    """The state of the collector and of every exchange that fundwatch knows."""
    presence = queries.collector(db)
    beat = presence.heartbeat if presence and presence.stopped is None else None
    alive = beat is not None and now - beat <= HEARTBEAT_SECONDS
    trackers = queries.trackers(db)
    known = queries.exchanges(db)
    ages = queries.quote_ages(db)
    checks = queries.unit_checks(db)
    newest = queries.newest_settlement(db)
    horizon = int(now) // HOUR * HOUR - config.collector.history_days * 24 * HOUR
    exchanges = []
    for name in REGISTRY:
        tracker = trackers.get(name, _NOBODY)
        own_checks = [check for check in checks if check.exchange == name]
        seen = ages.get(name, queries.QuoteAges([], 0, 0, 0))
        health = _health(tracker, seen, own_checks, config, now, beat)
        enabled = config.exchange(name).enabled
        observed = [at for at in seen.observed_at if at is not None]
        exchanges.append(
            ExchangeStatus(
                exchange=name,
                enabled=enabled,
                health=health.word,
                reason=health.reason,
                status="error" if tracker.status == "running" and not alive else tracker.status,
                last_run=tracker.last_run,
                last_success=tracker.last_success,
                last_error=tracker.last_error,
                total_runs=tracker.total_runs,
                total_records=tracker.total_records,
                consecutive_failures=tracker.consecutive_failures,
                markets=health.markets,
                markets_fresh=health.markets_fresh,
                markets_failing=seen.failing,
                oldest_quote_seconds=health.age_seconds,
                newest_quote=max(observed, default=None),
                newest_settlement=newest.get(name),
                gaps_open=_gaps(db, known.get(name), horizon, now),
                next_try=tracker.next_try,
                requests=tracker.requests,
                budget_used=tracker.budget_used,
                unit_check=_verdict(own_checks),
            )
        )
    collector = CollectorState(alive, presence.pid if presence else None, beat)
    return Status(collector, exchanges, _alerts(db, exchanges, collector, now))


def _health(
    tracker: TrackerState,
    seen: queries.QuoteAges,
    checks: list[queries.UnitCheck],
    config: Config,
    now: float,
    beat: int | None,
) -> Health:
    running = tracker.status == "running"
    wrong = next(
        (check.sentence for check in checks if check.verdict == "error" and not check.group_name), ""
    )
    return health_of(
        Signs(
            quotes_every_seconds=config.collector.quotes_every_seconds,
            stale_after_seconds=config.collector.stale_after_seconds,
            paused=tracker.paused,
            last_sweep_failed=None if tracker.last_outcome is None else tracker.last_outcome == "error",
            error=tracker.last_error or "",
            unit_error=wrong,
            heartbeat_age_seconds=(now - beat if beat is not None else float("inf")) if running else None,
            markets_expected=tracker.markets_expected or 0,
            markets_failed=tracker.markets_failed or 0,
            quote_ages_seconds=[None if at is None else now - at for at in seen.observed_at],
        )
    )


def _gaps(db: Database, exchange: queries.ExchangeRow | None, horizon: int, now: float) -> int:
    """Missing market-hours that can still come; an exchange that publishes no settlements has none."""
    if exchange is None or exchange.source == Source.RECORDED:
        return 0
    return missing.gaps_open(db, exchange.name, horizon=horizon, now=now, continuous=exchange.continuous)


def _verdict(checks: list[queries.UnitCheck]) -> UnitVerdict:
    if not checks:
        return UnitVerdict("unknown", None, None)
    order = {"error": 0, "ok": 1, "unknown": 2}
    worst = min(
        checks, key=lambda c: (order[c.verdict], bool(c.group_name), c.modal_apr_percent is None, c.what)
    )
    return UnitVerdict(worst.verdict, worst.modal_apr_percent, worst.sentence)


def _alerts(
    db: Database, exchanges: list[ExchangeStatus], collector: CollectorState, now: float
) -> list[AlertState]:
    """What is wrong now; `since` where a collector noted when it began."""
    noted = {(alert.exchange, alert.kind): alert.since for alert in queries.open_alerts(db)}
    alerts = []
    for one in exchanges:
        if one.enabled and one.health in _ALARMING - {HealthWord.NEVER}:
            kind = "unit check" if one.unit_check.verdict == "error" else one.health
            since = noted.get((one.exchange, kind), one.last_success)
            alerts.append(AlertState(one.exchange, str(kind), one.reason, since))
    if collector.heartbeat is not None and not collector.running:
        alerts.append(AlertState(None, "collector", "the collector died without a word", collector.heartbeat))
    return alerts
