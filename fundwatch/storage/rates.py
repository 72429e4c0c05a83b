"""The rate of every market over one window: what rankings read, in half the columns of a `MarketRow`."""

from collections.abc import Iterable
from operator import itemgetter
from typing import NamedTuple

from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.storage import queries, summary
from fundwatch.storage.database import Database
from fundwatch.storage.queries import MarketRow


class RateRow(NamedTuple):
    """As in `MarketRow`, where `apr` and `coverage` are those of one window, None for `now`."""

    market_id: int
    exchange: str
    symbol: str
    ticker: str
    asset_class: str
    multiplier: float
    group_name: str
    status: str
    delisting_time: int | None
    failures: int
    failure: str | None
    observed_at: int | None
    hourly_rate: float | None
    interval_hours: float | None
    next_funding_time: int | None
    mark_price: float | None
    open_interest_usd: float | None
    volume_24h_usd: float | None
    quoted_spread_percent: float | None
    same_as_group: int | None
    window_end: int | None
    recorded: int | None
    apr: float | None
    coverage: float | None


_COLUMNS = """
SELECT m.id, e.name, m.symbol, m.ticker, m.asset_class, m.multiplier, m.group_name, m.status,
       m.delisting_time, m.failures, m.failure, q.observed_at, q.hourly_rate, q.interval_hours,
       q.next_funding_time, q.mark_price, q.open_interest_usd, q.volume_24h_usd, q.quoted_spread_percent,
       i.same_as_group, s.window_end, s.recorded,
"""
_ROWS = """
FROM exchange e
JOIN market m ON m.exchange_id = e.id
LEFT JOIN quote q ON q.market_id = m.id
LEFT JOIN summary s ON s.market_id = m.id
LEFT JOIN identity i ON i.market_id = m.id
WHERE m.status <> 'delisted' AND (?1 IS NULL OR e.name = ?1) AND (?2 IS NULL OR m.asset_class = ?2)
"""
_SHARED = itemgetter(*(MarketRow._fields.index(name) for name in RateRow._fields[:-2]))


def rate_rows(
    db: Database, now: float, window: str, exchange: str | None = None, asset_class: str | None = None
) -> list[RateRow]:
    """All markets that are not delisted, or those of one exchange or class, in no particular order.

    Windows end as they do at `now`: where a summary is older (nobody collects), they are derived from
    the settlements for this answer.
    """
    rows = list(map(RateRow._make, db.rows(_select(window), exchange, asset_class)))
    end = window_end(now)
    if window in WINDOWS and any(row.window_end != end for row in rows):
        markets = queries.market_rows(db, exchange, asset_class)
        return of_window(summary.current(db, markets, end), window)
    return rows


def of_window(markets: Iterable[MarketRow], window: str) -> list[RateRow]:
    """The same of markets that were read already."""
    if window not in WINDOWS:
        return [RateRow._make((*_SHARED(market), None, None)) for market in markets]
    of = itemgetter(*(MarketRow._fields.index(f"{what}_{window}") for what in ("apr", "coverage")))
    return [RateRow._make(_SHARED(market) + of(market)) for market in markets]


def _select(window: str) -> str:
    paid = f"s.apr_{window}, s.coverage_{window}" if window in WINDOWS else "NULL, NULL"
    return _COLUMNS + paid + _ROWS
