"""The record of what happened: runs, events, unit checks, conflicts and hours that are gone.

Times are UTC seconds.
"""

from typing import NamedTuple

from peewee import JOIN

from fundwatch.storage import schema
from fundwatch.storage.database import Database

_UNIT_CHECKS = """
SELECT e.name, c.group_name, c.what, c.verdict, c.modal_apr_percent, c.factor, c.n, c.share, c.sentence,
       c.checked_at
FROM unit_check c JOIN exchange e ON e.id = c.exchange_id ORDER BY e.name, c.group_name, c.what
"""


class UnitCheck(NamedTuple):
    """A verdict about the rates (`what`: estimates or settlements) of one group of an exchange."""

    exchange: str
    group_name: str
    what: str
    verdict: str
    modal_apr_percent: float | None
    factor: float | None
    n: int
    share: float | None
    sentence: str
    checked_at: int


class Run(NamedTuple):
    id: int
    exchange: str
    kind: str
    source: int
    converter_version: int
    started: int
    ended: int | None
    outcome: str
    error: str | None
    inserted: int
    replaced: int
    conflicts: int
    refused: int
    requests: int
    markets_expected: int | None
    markets_failed: int | None
    file_name: str | None
    file_sha256: str | None


class Event(NamedTuple):
    id: int
    time: int
    exchange: str | None
    symbol: str | None
    kind: str
    message: str
    value: float | None


class AbsentHours(NamedTuple):
    """Market-hours that an exchange was asked for and did not have."""

    exchange: str
    reason: str
    markets: int
    hours: int


def unit_checks(db: Database) -> list[UnitCheck]:
    """All of them; the collector asks with every heartbeat, so this one is plain SQL."""
    return [UnitCheck(*row) for row in db.rows(_UNIT_CHECKS)]


def runs(
    db: Database, exchange: str | None = None, limit: int = 50, *, without: str | None = None
) -> list[Run]:
    """The newest runs, newest first; `without` names a kind that is left out before they are counted."""
    run, by = schema.Run, schema.Exchange
    rows = (
        run.select(run.id, by.name, *(getattr(run, name) for name in Run._fields[2:]))
        .join(by)
        .order_by(run.id.desc())
        .limit(limit)
    )
    if exchange is not None:
        rows = rows.where(by.name == exchange)
    if without is not None:
        rows = rows.where(run.kind != without)
    return [Run(*row) for row in rows.tuples().execute(db)]


def events(
    db: Database,
    limit: int = 100,
    *,
    exchange: str | None = None,
    kind: str | None = None,
    since: int | None = None,
) -> list[Event]:
    """The newest events, newest first."""
    event, by, market = schema.Event, schema.Exchange, schema.Market
    rows = (
        event.select(event.id, event.time, by.name, market.symbol, event.kind, event.message, event.value)
        .join(by, JOIN.LEFT_OUTER)
        .switch(event)
        .join(market, JOIN.LEFT_OUTER)
        .order_by(event.time.desc(), event.id.desc())
        .limit(limit)
    )
    if exchange is not None:
        rows = rows.where(by.name == exchange)
    if kind is not None:
        rows = rows.where(event.kind == kind)
    if since is not None:
        rows = rows.where(event.time >= since)
    return [Event(*row) for row in rows.tuples().execute(db)]


def conflicts_count(db: Database, since: int = 0) -> dict[str, int]:
    """By exchange, how many settlements since `since` were seen with another rate than the stored one."""
    rows = db.rows(
        "SELECT e.name, COUNT(DISTINCT c.market_id || '/' || c.funding_time || '/' || c.kind)"
        " FROM exchange e LEFT JOIN market m ON m.exchange_id = e.id"
        " LEFT JOIN conflict c ON c.market_id = m.id AND c.funding_time > ? GROUP BY e.id",
        since,
    )
    return dict(rows)


def absent_hours(db: Database, since: int = 0) -> list[AbsentHours]:
    """What each exchange did not have, by reason; only the hours after `since`."""
    rows = db.rows(
        "SELECT e.name, a.reason, COUNT(DISTINCT a.market_id), SUM(a.end_time - MAX(a.start_time, ?1)) / 3600"
        " FROM absence a JOIN market m ON m.id = a.market_id JOIN exchange e ON e.id = m.exchange_id"
        " WHERE a.end_time > ?1 GROUP BY e.id, a.reason ORDER BY e.name, a.reason",
        since,
    )
    return [AbsentHours(*row) for row in rows]
