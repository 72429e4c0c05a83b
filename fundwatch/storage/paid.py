"""What one market paid over a time, hour by hour: read so that many markets cost little."""

from fundwatch.models import Source, Window
from fundwatch.storage.database import Database

_WITHIN = "FROM settlement s WHERE s.market_id = ? AND s.funding_time > ? AND s.funding_time <= ?"
_HOURLY = f"SELECT s.funding_time, s.rate {_WITHIN} AND s.kind = 0 AND s.interval_hours = 1"
_OTHERS = f"""
SELECT s.funding_time, s.rate, s.interval_hours, s.kind {_WITHIN} AND (s.kind <> 0 OR s.interval_hours <> 1)
"""
_RECORDED = f"""
SELECT EXISTS (SELECT 1 {_WITHIN} AND s.interval_hours IS NOT NULL
  AND (SELECT r.source FROM run r WHERE r.id = s.run_id) = {int(Source.RECORDED)})
"""  # noqa: S608


def paid_hourly(db: Database, market_id: int, window: Window) -> dict[int, float]:
    """The payments that cover one hour each: funding time (UTC seconds) -> fraction."""
    return dict(db.connection().execute(_HOURLY, (market_id, *window)))


def paid_otherwise(
    db: Database, market_id: int, window: Window
) -> list[tuple[int, float, float | None, bool]]:
    """All other payments, as `analytics.spreads` takes them, without those of unknown interval."""
    return [
        (funding_time, rate, interval_hours, bool(kind))
        for funding_time, rate, interval_hours, kind in db.connection().execute(_OTHERS, (market_id, *window))
    ]


def has_recorded(db: Database, market_id: int, window: Window) -> bool:
    """Whether our own estimates are among the payments whose interval is known."""
    return bool(db.value(_RECORDED, market_id, *window))
