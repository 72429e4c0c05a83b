"""What is missing, what will never come, and why: the ledger of every market-hour."""

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from fundwatch.config import Config
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR, Source
from fundwatch.storage import lock, queries
from fundwatch.storage.database import Database
from fundwatch.storage.errors import StorageError
from fundwatch.storage.holes import gap_ledger
from fundwatch.storage.holes.gap_ledger import (
    GONE,
    MISSING,
    NOT_DUE,
    Conflict,
    MarketHours,
    Part,
    Span,
    Terms,
)
from fundwatch.storage.keeping import retention
from fundwatch.storage.trackers import TrackerState

DAY = 24 * HOUR
NO_DATA_YET = 3


class Reason(msgspec.Struct, frozen=True):
    """Why so many market-hours have no settlement; `state` is missing, gone or not due.

    `asked_again` (UTC seconds) is when the next sweep of a running collector looks for the first of them;
    null where none does.
    """

    state: str
    reason: str
    hours: float
    markets: int
    asked_again: int | None


class Gap(msgspec.Struct, frozen=True):
    """The time (start, end] of one market, UTC seconds; `state` is missing or gone.

    The exchange was asked for it `asked` times; `asked_again` as in `Reason`.
    """

    exchange: str
    symbol: str
    start: int
    end: int
    hours: float
    state: str
    reason: str
    asked: int
    asked_again: int | None


class Conflicting(msgspec.Struct, frozen=True):
    """A settlement of which another value was seen `times` times; both are signed fractions of the interval.

    `seen_from` is exchange, import or recorded.
    """

    exchange: str
    symbol: str
    funding_time: int
    kind: str
    stored_rate: float
    seen_rate: float
    seen_from: str
    times: int


class ExchangeGaps(msgspec.Struct, frozen=True):
    """Market-hours of one exchange: expected = stored + missing + gone; conflicting ones are stored.

    `missing` can still come, `gone` cannot; `not_due` are those before a listing, after a delisting, and
    of an interval that has not ended. `next_sweep` in UTC seconds, null where none is planned.
    """

    exchange: str
    enabled: bool
    markets: int
    expected_hours: float
    stored_hours: float
    missing_hours: float
    gone_hours: float
    not_due_hours: float
    conflicting_hours: float
    conflicts: int
    reasons: list[Reason]
    next_sweep: int | None
    last_error: str | None


class Gaps(msgspec.Struct, frozen=True):
    """The time (since, until], UTC seconds. The largest gaps and the newest conflicts come first."""

    since: int
    until: int
    collector_running: bool
    exchanges: list[ExchangeGaps]
    gaps: list[Gap]
    conflicts: list[Conflicting]

    @property
    def exit_code(self) -> int:
        """0 nothing that could still come is missing, 1 something is, 3 no data yet.

        Exchanges that are switched off do not count.
        """
        counted = [one for one in self.exchanges if one.enabled]
        if not any(one.markets for one in counted):
            return NO_DATA_YET
        return int(any(one.missing_hours for one in counted))


def gaps(
    db: Database, config: Config, now: float, *, exchange: str | None = None, days: int | None = None
) -> Gaps:
    """What became of the hours of the last `days` (None: `history_days`); of one exchange or of all."""
    hour = int(now) // HOUR * HOUR
    asked = gap_ledger.span(hour - (days or config.collector.history_days) * DAY, now)
    rows, trackers = queries.exchanges(db), queries.trackers(db)
    deleted = retention.kept_since(db) or 0
    running = _collects(db)
    own: list[ExchangeGaps] = []
    all_gaps: list[Gap] = []
    conflicts: list[Conflicting] = []
    for name in [exchange] if exchange else list(REGISTRY):
        row = rows.get(name, queries.ExchangeRow(name, Source.EXCHANGE, False, None, None, None))
        tracker = trackers.get(name)
        enabled = config.exchange(name).enabled
        held = gap_ledger.OFF if not enabled else gap_ledger.PAUSED if tracker and tracker.paused else ""
        terms = _terms(config, row, hour, deleted, held)
        markets = list(gap_ledger.ledger(db, name, asked, terms))
        found = gap_ledger.conflicts(db, name, asked)
        sweep = None if held or not running else _next_sweep(row.minute, tracker, now)
        own.append(_summed(name, markets, found, asked, enabled, sweep, tracker))
        all_gaps += [
            _gap(name, market.symbol, part, sweep)
            for market in markets
            for part in market.parts
            if part.state != NOT_DUE
        ]
        conflicts += [_conflicting(name, one) for one in found]
    all_gaps.sort(key=lambda gap: (-gap.hours, -gap.end, gap.exchange, gap.symbol))
    conflicts.sort(key=lambda one: -one.funding_time)
    return Gaps(asked.start, asked.end, running, own, all_gaps, conflicts)


def _terms(config: Config, row: queries.ExchangeRow, hour: int, deleted: int, held: str) -> Terms:
    kept_days = config.collector.retention_days
    return Terms(
        source=row.source,
        continuous=row.continuous,
        fetched_since=hour - config.collector.history_days * DAY,
        kept_since=hour - kept_days * DAY if kept_days else 0,
        deleted_before=deleted,
        held=held,
    )


def _summed(
    name: str,
    markets: Sequence[MarketHours],
    conflicts: list[Conflict],
    asked: Span,
    enabled: bool,
    sweep: int | None,
    tracker: TrackerState | None,
) -> ExchangeGaps:
    stored = sum(market.stored_seconds for market in markets)
    missing, gone, not_due = (
        sum(market.seconds(state) for market in markets) for state in (MISSING, GONE, NOT_DUE)
    )
    return ExchangeGaps(
        exchange=name,
        enabled=enabled,
        markets=len(markets),
        expected_hours=_hours(stored + missing + gone),
        stored_hours=_hours(stored),
        missing_hours=_hours(missing),
        gone_hours=_hours(gone),
        not_due_hours=_hours(not_due),
        conflicting_hours=_hours(gap_ledger.conflicting_seconds(conflicts, asked)),
        conflicts=len({(one.symbol, one.funding_time, one.kind) for one in conflicts}),
        reasons=_reasons(markets, sweep),
        next_sweep=sweep,
        last_error=None if tracker is None else tracker.last_error,
    )


def _reasons(markets: Sequence[MarketHours], sweep: int | None) -> list[Reason]:
    """The most hours first, what is missing before what is gone."""
    parts: defaultdict[tuple[str, str], list[tuple[str, Part]]] = defaultdict(list)
    for market in markets:
        for part in market.parts:
            parts[part.state, part.reason].append((market.symbol, part))
    reasons = [
        Reason(
            state=state,
            reason=reason,
            hours=_hours(sum(part.window.end - part.window.start for _, part in found)),
            markets=len({symbol for symbol, _ in found}),
            asked_again=min(
                (at for _, part in found if (at := _asked_again(part, sweep)) is not None), default=None
            ),
        )
        for (state, reason), found in parts.items()
    ]
    order = (MISSING, GONE, NOT_DUE)
    return sorted(reasons, key=lambda one: (order.index(one.state), -one.hours, one.reason))


def _gap(exchange: str, symbol: str, part: Part, sweep: int | None) -> Gap:
    return Gap(
        exchange=exchange,
        symbol=symbol,
        start=part.window.start,
        end=part.window.end,
        hours=_hours(part.window.end - part.window.start),
        state=part.state,
        reason=part.reason,
        asked=part.asked,
        asked_again=_asked_again(part, sweep),
    )


def _asked_again(part: Part, sweep: int | None) -> int | None:
    """When a running collector looks for it: in the next sweep, not before it may ask again."""
    if sweep is None or part.state != MISSING or part.reason == gap_ledger.TOO_OLD:
        return None
    return max(sweep, part.again or 0)


def _next_sweep(minute: int | None, tracker: TrackerState | None, now: float) -> int | None:
    """When the next hourly sweep begins: at its minute, or when a failed one is tried again."""
    if minute is None:
        return None
    usual = int(now) // HOUR * HOUR + minute * 60
    usual += 0 if usual > now else HOUR
    again = None if tracker is None else tracker.next_try
    return usual if again is None or again <= now else again


def _conflicting(exchange: str, one: Conflict) -> Conflicting:
    return Conflicting(
        exchange=exchange,
        symbol=one.symbol,
        funding_time=one.funding_time,
        kind="special" if one.kind else "regular",
        stored_rate=one.stored_rate,
        seen_rate=one.seen_rate,
        seen_from=Source(one.source).name.lower(),
        times=one.times,
    )


def _collects(db: Database) -> bool:
    """Whether a process collects into `db` now."""
    try:
        holder = lock.holder(db.path)
    except StorageError:  # not ours to look at
        return False
    return holder is not None and holder.role == "collector"


def _hours(seconds: int) -> float:
    """Market-hours; whole ones as whole numbers."""
    return seconds // HOUR if seconds % HOUR == 0 else seconds / HOUR
