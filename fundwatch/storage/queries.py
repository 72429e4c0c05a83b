"""What screens and commands ask the database: one query each, frozen rows back.

Times are UTC seconds, rates signed fractions per hour unless a name says otherwise.
"""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from peewee import fn

from fundwatch.storage import schema
from fundwatch.storage.alerts import open_alerts
from fundwatch.storage.database import Database
from fundwatch.storage.journal import (
    AbsentHours,
    Event,
    Run,
    UnitCheck,
    absent_hours,
    conflicts_count,
    events,
    runs,
    unit_checks,
)
from fundwatch.storage.markets import FAILURES_TO_LIST
from fundwatch.storage.presence import presence as collector
from fundwatch.storage.trackers import states as trackers

__all__ = [
    "AbsentHours",
    "AssetRow",
    "Event",
    "ExchangeRow",
    "MarketRow",
    "QuoteAges",
    "Run",
    "SettlementRow",
    "UnitCheck",
    "absent_hours",
    "assets",
    "collector",
    "conflicts_count",
    "events",
    "exchanges",
    "market_rows",
    "markets_of_asset",
    "newest_settlement",
    "open_alerts",
    "quote_ages",
    "runs",
    "settlements",
    "trackers",
    "unit_checks",
]


class MarketRow(NamedTuple):
    """Everything that a rates screen needs of one market.

    `hourly_rate` is the running estimate; `apr_*` what was paid over the window ending at
    `window_end`, in percent a year, None without settlements, with its coverage (0 to 1, None
    before the first summary). `recorded` is 1 when one of those settlements is our own estimate.
    `session_open` is 0 while the underlying's market is closed. Markets of one asset with the same
    `same_as_group` agree in price; `identity_reason` says why a market is set aside.
    """

    market_id: int
    exchange: str
    symbol: str
    ticker: str
    asset_class: str
    multiplier: float
    group_name: str
    venue_id: int | None
    status: str
    listed_time: int | None
    delisting_time: int | None
    last_seen: int
    failures: int
    failure: str | None
    observed_at: int | None
    hourly_rate: float | None
    interval_hours: float | None
    next_funding_time: int | None
    mark_price: float | None
    index_price: float | None
    open_interest_usd: float | None
    volume_24h_usd: float | None
    quoted_spread_percent: float | None
    hourly_rate_cap: float | None
    session_open: int | None
    window_end: int | None
    apr_24h: float | None
    coverage_24h: float | None
    apr_3d: float | None
    coverage_3d: float | None
    apr_7d: float | None
    coverage_7d: float | None
    apr_30d: float | None
    coverage_30d: float | None
    recorded: int | None
    same_as_group: int | None
    identity_reason: str | None


class QuoteAges(NamedTuple):
    """`observed_at` of the markets that count: active and not failing; None for one never quoted.

    Besides them `failing` markets (three sweeps in a row), `absent` ones (gone from the list
    without a word) and `delisted` ones.
    """

    observed_at: list[int | None]
    failing: int
    absent: int
    delisted: int


class SettlementRow(NamedTuple):
    """`rate` is the fraction paid for `interval_hours`; `kind` 0 regular, 1 special; `source` its rank."""

    market_id: int
    funding_time: int
    kind: int
    rate: float
    interval_hours: float | None
    payment_usd: float | None
    source: int


class ExchangeRow(NamedTuple):
    """What `trackers.describe` noted. `source` is a rank of `models.Source`.

    `taker_fee_percent` is the venue's base tier, in percent of notional for one trade;
    `hourly_rate_step` what it rounds rates to, a fraction per hour (None: nothing that shows).
    """

    name: str
    source: int
    continuous: bool
    minute: int | None
    taker_fee_percent: float | None
    hourly_rate_step: float | None


class AssetRow(NamedTuple):
    ticker: str
    asset_class: str
    markets: int
    exchanges: int


_MARKET_ROWS = """
SELECT m.id, e.name, m.symbol, m.ticker, m.asset_class, m.multiplier, m.group_name, m.venue_id, m.status,
       m.listed_time, m.delisting_time, m.last_seen, m.failures, m.failure,
       q.observed_at, q.hourly_rate, q.interval_hours, q.next_funding_time, q.mark_price, q.index_price,
       q.open_interest_usd, q.volume_24h_usd, q.quoted_spread_percent, q.hourly_rate_cap, q.session_open,
       s.window_end, s.apr_24h, s.coverage_24h, s.apr_3d, s.coverage_3d, s.apr_7d, s.coverage_7d,
       s.apr_30d, s.coverage_30d, s.recorded, i.same_as_group, i.reason
FROM exchange e
JOIN market m ON m.exchange_id = e.id
LEFT JOIN quote q ON q.market_id = m.id
LEFT JOIN summary s ON s.market_id = m.id
LEFT JOIN identity i ON i.market_id = m.id
WHERE (?1 OR m.status <> 'delisted')
"""
_SETTLEMENTS = """
SELECT s.market_id, s.funding_time, s.kind, s.rate, s.interval_hours, s.payment_usd, r.source
FROM json_each(?) wanted
CROSS JOIN settlement s ON s.market_id = wanted.value AND s.funding_time > ? AND s.funding_time <= ?
CROSS JOIN run r ON r.id = s.run_id
ORDER BY s.market_id, s.funding_time, s.kind
"""
_NEWEST = """
SELECT e.name, MAX((SELECT MAX(s.funding_time) FROM settlement s WHERE s.market_id = m.id))
FROM exchange e JOIN market m ON m.exchange_id = e.id GROUP BY e.id
"""


def market_rows(
    db: Database,
    exchange: str | None = None,
    asset_class: str | None = None,
    *,
    with_delisted: bool = False,
) -> list[MarketRow]:
    """All markets, or those of one exchange or class, in no particular order."""
    return _markets(db, with_delisted, {"e.name": exchange, "m.asset_class": asset_class})


def markets_of_asset(
    db: Database, ticker: str, asset_class: str | None = None, *, with_delisted: bool = False
) -> list[MarketRow]:
    """The markets of one asset on every exchange, delisted ones only on request."""
    return _markets(db, with_delisted, {"m.ticker": ticker, "m.asset_class": asset_class})


def _markets(db: Database, with_delisted: bool, wanted: dict[str, str | None]) -> list[MarketRow]:
    sql = _MARKET_ROWS
    parameters: list[Any] = [with_delisted]
    for column, value in wanted.items():
        if value is not None:
            parameters.append(value)
            sql += f" AND {column} = ?{len(parameters)}"
    return list(map(MarketRow._make, db.rows(sql, *parameters)))


def exchanges(db: Database) -> dict[str, ExchangeRow]:
    rows = db.rows(
        "SELECT name, source, continuous, minute, taker_fee_percent, hourly_rate_step FROM exchange"
        " ORDER BY id"
    )
    return {row[0]: ExchangeRow(row[0], row[1], bool(row[2]), *row[3:]) for row in rows}


def quote_ages(db: Database) -> dict[str, QuoteAges]:
    """By exchange, what its health is derived from."""
    result = {name: QuoteAges([], 0, 0, 0) for (name,) in db.rows("SELECT name FROM exchange")}
    rows = db.rows(
        "SELECT e.name, m.status, m.failures >= ?, q.observed_at FROM exchange e"
        " JOIN market m ON m.exchange_id = e.id LEFT JOIN quote q ON q.market_id = m.id",
        FAILURES_TO_LIST,
    )
    for exchange, status, is_failing, observed_at in rows:
        ages = result[exchange]
        if status == "delisted":
            result[exchange] = ages._replace(delisted=ages.delisted + 1)
        elif status == "absent":
            result[exchange] = ages._replace(absent=ages.absent + 1)
        elif is_failing:
            result[exchange] = ages._replace(failing=ages.failing + 1)
        else:
            ages.observed_at.append(observed_at)
    return result


def settlements(db: Database, market_ids: Collection[int], start: int, end: int) -> list[SettlementRow]:
    """The settlements of these markets in (start, end], by market and ascending time."""
    return list(map(SettlementRow._make, db.rows(_SETTLEMENTS, json.dumps(sorted(market_ids)), start, end)))


def newest_settlement(db: Database) -> dict[str, int | None]:
    """The newest funding time stored of each exchange; None where there is none yet."""
    return dict(db.rows(_NEWEST))


def assets(db: Database) -> list[AssetRow]:
    """Every asset with a market that is not delisted, by ticker and class."""
    market = schema.Market
    rows = (
        market.select(market.ticker, market.asset_class, fn.COUNT(), fn.COUNT(market.exchange.distinct()))
        .where(market.status != "delisted")
        .group_by(market.ticker, market.asset_class)
        .order_by(market.ticker, market.asset_class)
        .tuples()
    )
    return [AssetRow(*row) for row in rows.execute(db)]
