"""The health of a tracker, from its rows: the same for whoever asks, and for the collector's alerts."""

from collections.abc import Sequence
from dataclasses import replace

from fundwatch.analytics.health import Health, HealthWord, Signs, health_of
from fundwatch.storage.journal import UnitCheck
from fundwatch.storage.queries import QuoteAges
from fundwatch.storage.trackers import TrackerState

ALARMING = frozenset({HealthWord.STALE, HealthWord.PARTIAL, HealthWord.ERROR})
"""What a person should be told of; an exchange that was never collected is not yet one of them."""


def tracker_health(
    tracker: TrackerState,
    seen: QuoteAges,
    checks: Sequence[UnitCheck],
    *,
    quotes_every_seconds: float,
    stale_after_seconds: float,
    now: float,
    silence_seconds: float,
) -> Health:
    """`checks` are those of this exchange; `silence_seconds` passed since the collector's last sign of life.

    That is infinite where no collector runs.
    """
    wrong = next(
        (check.sentence for check in checks if check.verdict == "error" and not check.group_name), ""
    )
    health = health_of(
        Signs(
            quotes_every_seconds=quotes_every_seconds,
            stale_after_seconds=stale_after_seconds,
            paused=tracker.paused,
            last_sweep_failed=_failed(tracker),
            error=tracker.last_error or "",
            unit_error=wrong,
            heartbeat_age_seconds=silence_seconds if tracker.status == "running" else None,
            markets_expected=tracker.markets_expected or 0,
            markets_failed=tracker.markets_failed or 0,
            markets_gone=seen.absent,
            quote_ages_seconds=[None if at is None else now - at for at in seen.observed_at],
        )
    )
    if tracker.last_outcome == "partial" and health.word in (HealthWord.OK, HealthWord.LATE):
        # A quick try with few markets is no complete sweep either, though none of them failed.
        return replace(health, word=HealthWord.PARTIAL, reason=tracker.last_error or "")
    return health


def alert_kind(health: Health, checks: Sequence[UnitCheck]) -> str | None:
    """What kind of alert this health is: stale, error, partial or unit check; None for no alert."""
    if health.word not in ALARMING:
        return None
    return "unit check" if any(check.verdict == "error" for check in checks) else str(health.word)


def _failed(tracker: TrackerState) -> bool | None:
    """Whether the last sweep failed as a whole, or was cut short; None before the first one.

    A sweep that is cut short leaves its error beside the outcome of the one before.
    """
    if tracker.sweep_error is not None and tracker.last_outcome in (None, "ok"):
        return True
    return None if tracker.last_outcome is None else tracker.last_outcome == "error"
