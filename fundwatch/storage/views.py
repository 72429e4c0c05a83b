"""The predecessor's views, `<exchange>_funding_v2` and its sisters, over our tables.

In them `rate` and `rate_hourly` are percent per hour, signed, positive when longs pay; `rate_annual`
is the APR in percent; `direction` is the side that pays (`long` at zero). They show regular
settlements of known interval: a special payment and one of unknown interval have no hourly rate.
"""

import re
from collections.abc import Iterable

from fundwatch.storage.database import Writer

_NAME = re.compile(r"[a-z0-9_]+")

# `timestamp` stays a bare column: an expression loses its INTEGER affinity, and then SQLite compares
# it with strftime's text without converting, which is always false.
_VIEWS = {
    "funding_v2": """
SELECT COALESCE(m.venue_id, m.id) AS market_id,
       m.symbol AS symbol,
       s.funding_time AS timestamp,
       s.rate / s.interval_hours * 100 AS rate,
       s.rate / s.interval_hours * 100 AS rate_hourly,
       s.rate / s.interval_hours * 876000 AS rate_annual,
       CASE WHEN s.rate < 0 THEN 'short' ELSE 'long' END AS direction,
       s.payment_usd AS cumulative_value,
       r.started AS collected_at,
       CASE r.source WHEN 2 THEN 'import' ELSE 'api' END AS source
FROM exchange e
CROSS JOIN market m ON m.exchange_id = e.id
CROSS JOIN settlement s ON s.market_id = m.id
CROSS JOIN run r ON r.id = s.run_id
WHERE e.name = '{exchange}' AND s.kind = 0 AND s.interval_hours > 0
""",
    "markets_v2": """
SELECT COALESCE(m.venue_id, m.id) AS market_id,
       m.symbol AS symbol,
       m.status AS status,
       m.last_seen AS last_updated
FROM exchange e
JOIN market m ON m.exchange_id = e.id
WHERE e.name = '{exchange}'
""",
    "tracker_status_v2": """
SELECT t.last_run AS last_run,
       t.last_success AS last_success,
       CASE WHEN {interrupted} THEN COALESCE(t.last_error, 'interrupted') ELSE t.last_error END AS last_error,
       t.total_runs AS total_runs,
       t.total_records AS total_records,
       CASE WHEN {interrupted} THEN 'error' ELSE t.status END AS status
FROM exchange e
JOIN tracker t ON t.exchange_id = e.id
WHERE e.name = '{exchange}'
""",
    "funding_latest_v2": """
SELECT f.*,
       f.symbol AS market_symbol,
       strftime('%Y-%m-%dT%H:%M:%SZ', f.timestamp, 'unixepoch') AS timestamp_iso
FROM (
  SELECT m.id AS market, (
    SELECT MAX(s.funding_time) FROM settlement s
    WHERE s.market_id = m.id AND s.kind = 0 AND s.interval_hours > 0
  ) AS newest, m.symbol AS symbol
  FROM exchange e JOIN market m ON m.exchange_id = e.id
  WHERE e.name = '{exchange}'
) latest
JOIN {exchange}_funding_v2 f ON f.symbol = latest.symbol AND f.timestamp = latest.newest
""",
    "funding_daily_stats_v2": """
SELECT symbol,
       date(timestamp, 'unixepoch') AS date,
       AVG(rate_annual) AS avg_apr,
       MIN(rate_annual) AS min_apr,
       MAX(rate_annual) AS max_apr,
       COUNT(*) AS sample_count
FROM {exchange}_funding_v2
GROUP BY symbol, date(timestamp, 'unixepoch')
""",
}
# `running` needs a heartbeat younger than two minutes to vouch for it.
_INTERRUPTED = """(t.status = 'running' AND NOT EXISTS (
         SELECT 1 FROM collector c WHERE c.stopped IS NULL
         AND c.heartbeat >= CAST(strftime('%s', 'now') AS INTEGER) - 120))"""


def create_all(writer: Writer, exchanges: Iterable[str]) -> None:
    """The views of these exchanges, in the caller's transaction; those that are as they should be stay."""
    for exchange in exchanges:
        create(writer, exchange)


def create(writer: Writer, exchange: str) -> None:
    """The views of one exchange, which need not have its row in the table `exchange` yet."""
    for name, sql in definitions(exchange).items():
        found = writer.value("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", name)
        if found != sql:
            writer.change(f"DROP VIEW IF EXISTS {name}")
            writer.change(sql)


def definitions(exchange: str) -> dict[str, str]:
    """The statements that make the views of one exchange, by the view's name."""
    if not _NAME.fullmatch(exchange):
        raise ValueError(f"{exchange!r} cannot name views: only a-z, 0-9 and _ can")
    result = {}
    for view, select in _VIEWS.items():
        body = select.replace("{interrupted}", _INTERRUPTED).replace("{exchange}", exchange)
        result[f"{exchange}_{view}"] = f"CREATE VIEW {exchange}_{view} AS {body.strip()}"
    return result
