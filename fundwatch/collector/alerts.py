"""What goes wrong and goes on: the alert table, kept true by the collector while it runs.

An alert lasts from when its condition began until it is over; both ends are among the events too.
"""

from collections.abc import Collection, Sequence

from fundwatch.analytics.health import Health, HealthWord
from fundwatch.collector.ledger import Ledger
from fundwatch.storage import alerts, presence, queries
from fundwatch.storage.database import Writer
from fundwatch.storage.health import alert_kind, tracker_health

KINDS = ("stale", "error", "partial", "unit check")
"""Of one exchange. The kind "collector" is of the program as a whole: nobody collected."""


def keep(
    ledger: Ledger,
    exchanges: Collection[str],
    *,
    quotes_every_seconds: float,
    stale_after_seconds: float,
    now: float,
) -> None:
    """Opens and closes alerts so that they say what is wrong now; an exchange has one at a time."""
    writer = ledger.writer
    trackers, ages = queries.trackers(writer), queries.quote_ages(writer)
    checks = queries.unit_checks(writer)
    wanted: dict[tuple[str, str], tuple[str, float]] = {}
    for name in trackers.keys() & set(exchanges):
        own = [check for check in checks if check.exchange == name]
        health = tracker_health(
            trackers[name],
            ages[name],
            own,
            quotes_every_seconds=quotes_every_seconds,
            stale_after_seconds=stale_after_seconds,
            now=now,
            silence_seconds=0.0,
        )
        if kind := alert_kind(health, own):
            wanted[name, kind] = health.reason, _began(health, stale_after_seconds, now)
    found = {(a.exchange, a.kind): a.message for a in alerts.open_alerts(writer) if a.exchange is not None}
    over = [key for key in found if key not in wanted and key[1] in KINDS]
    changed = {key: told for key, told in wanted.items() if found.get(key) != told[0]}
    if not over and not changed:
        return
    with writer.transaction():
        for name, kind in over:
            assert name is not None
            _close(writer, name, kind, now)
        for (name, kind), (message, since) in changed.items():
            _open(writer, name, kind, message, since, now)


def note_outage(ledger: Ledger, now: float) -> None:
    """Keeps, as an alert that is over, that the collector before this one died without a word."""
    writer = ledger.writer
    before = presence.presence(writer)
    if before is None or before.stopped is not None:
        return
    told = f"the {before.role} (process {before.pid}) died without a word"
    with writer.transaction():
        _open(writer, None, "collector", told, before.heartbeat, now)
        _close(writer, None, "collector", now)


def acknowledge(ledger: Ledger, alert_ids: Sequence[int], now: float) -> None:
    """A person has seen these alerts; those that are over or acknowledged already stay as they are."""
    with ledger.writer.transaction():
        for alert_id in alert_ids:
            alerts.acknowledge(ledger.writer, alert_id, now)


def _began(health: Health, stale_after_seconds: float, now: float) -> float:
    """When the condition began: quotes turn stale at a known moment, the rest is seen as it happens."""
    if health.word is HealthWord.STALE and health.age_seconds is not None:
        return now - health.age_seconds + stale_after_seconds
    return now


def _open(writer: Writer, name: str | None, kind: str, message: str, since: float, now: float) -> None:
    if alerts.open_alert(writer, name, kind, message, since):
        alerts.add_event(writer, "alert", f"{kind}: {message}", now, exchange=name)


def _close(writer: Writer, name: str | None, kind: str, now: float) -> None:
    if alerts.close_alert(writer, name, kind, now):
        alerts.add_event(writer, "alert", f"{kind}: over", now, exchange=name)
