"""What became of every hour of every market: stored, missing, gone, or never due, each with its reason."""

from collections.abc import Iterator
from typing import NamedTuple

from fundwatch.models import HOUR, Source, Window, merged, without
from fundwatch.storage.database import Database
from fundwatch.storage.holes.absences import (
    NEVER_A_GAP,
    PUBLISHED_WITHIN_SECONDS,
    due_again,
    is_final,
)
from fundwatch.storage.holes.due import (
    SETTLES_WITHIN_SECONDS,
    Absence,
    Due,
    absences,
    due_markets,
    holes,
    last_boundary,
)
from fundwatch.storage.keeping.retention import REASON as DELETED

MISSING, GONE, NOT_DUE = "missing", "gone", "not due"

JUST_PAID = "just paid"
NOT_FETCHED = "not fetched yet"
TOO_OLD = "older than history_days"
OFF = "its exchange is switched off"
PAUSED = "its exchange is paused"
NOT_KEPT = "older than retention_days"
PUBLISHES_NONE = "the exchange publishes no settlements"
NOT_LISTED = "not listed yet"
NO_LONGER_LISTED = "no longer listed"
NOT_PAID = "not paid yet"

_MARKETS = """
SELECT m.id, m.symbol, m.listed_time, m.status <> 'active' OR COALESCE(m.delisting_time <= ?, 0)
FROM market m JOIN exchange e ON e.id = m.exchange_id WHERE e.name = ? ORDER BY m.symbol
"""
_CONFLICTS = """
SELECT m.symbol, c.funding_time, c.kind, s.rate, c.seen_rate, s.interval_hours, c.times, r.source
FROM exchange e JOIN market m ON m.exchange_id = e.id
JOIN conflict c ON c.market_id = m.id AND c.funding_time > ? AND c.funding_time <= ?
JOIN settlement s ON s.market_id = m.id AND s.funding_time = c.funding_time AND s.kind = c.kind
JOIN run r ON r.id = c.run_id
WHERE e.name = ? ORDER BY c.funding_time DESC, m.symbol, c.seen_rate
"""


class Span(NamedTuple):
    """The time asked about: (start, end], UTC seconds on full hours; `now` is when it was asked."""

    start: int
    end: int
    now: float


class Terms(NamedTuple):
    """What decides whether a missing hour of an exchange can still come.

    `source` is a rank of `models.Source`, `continuous` says that any full hour can be settled. Hourly
    sweeps ask back to `fetched_since`, nobody asks further back than `kept_since` (UTC seconds);
    settlements before `deleted_before` were deleted. `held` says why nobody asks at all.
    """

    source: int
    continuous: bool
    fetched_since: int
    kept_since: int = 0
    deleted_before: int = 0
    held: str = ""


class Part(NamedTuple):
    """A stretch of a market's time without a settlement; `state` is missing, gone or not due.

    The exchange was asked for it `asked` times and is not asked again before `again` (UTC seconds).
    """

    window: Window
    state: str
    reason: str
    asked: int = 0
    again: int | None = None


class MarketHours(NamedTuple):
    """One market: the whole span is `stored_seconds` and the `parts`, which do not overlap."""

    symbol: str
    stored_seconds: int
    parts: tuple[Part, ...]

    def seconds(self, state: str) -> int:
        return sum(part.window.end - part.window.start for part in self.parts if part.state == state)


class Conflict(NamedTuple):
    """A stored payment of which another value was seen `times` times; rates are fractions of the interval.

    `kind` is 0 regular, 1 special; `source` the rank of who told the other value.
    """

    symbol: str
    funding_time: int
    kind: int
    stored_rate: float
    seen_rate: float
    interval_hours: float | None
    times: int
    source: int


def span(horizon: int, now: float) -> Span:
    """From the hour of `horizon` to the last full hour that can have been paid at `now` (UTC seconds)."""
    return Span(horizon // HOUR * HOUR, last_boundary(now - SETTLES_WITHIN_SECONDS, None, None), now)


def ledger(db: Database, exchange: str, asked: Span, terms: Terms) -> Iterator[MarketHours]:
    """Every market of `exchange`, by symbol. All that was asked about is in it exactly once."""
    if asked.start >= asked.end:
        return
    due = due_markets(db, exchange, horizon=asked.start, now=asked.now, continuous=terms.continuous)
    due_by_id = {one.market_id: one for one in due}
    left = {one.market_id: windows for one, windows in holes(db, exchange, due, lambda _: False)}
    noted = absences(db, exchange)
    for market_id, symbol, listed, is_over in db.rows(_MARKETS, asked.now, exchange):
        listed_hour = min(max(asked.start, (listed or 0) // HOUR * HOUR), asked.end)
        own = due_by_id.get(market_id) or Due(market_id, symbol, listed_hour, listed_hour)
        after = NO_LONGER_LISTED if is_over else NOT_PAID
        parts = [
            Part(Window(asked.start, own.start), NOT_DUE, NOT_LISTED),
            *_explained(left.get(market_id, []), noted.get(market_id, []), asked, terms),
            Part(Window(own.end, asked.end), NOT_DUE, after),
        ]
        told = tuple(part for part in parts if part.window.start < part.window.end)
        lacking = sum(part.window.end - part.window.start for part in told)
        yield MarketHours(symbol, asked.end - asked.start - lacking, told)


def conflicts(db: Database, exchange: str, asked: Span) -> list[Conflict]:
    """The newest payment first."""
    return [Conflict(*row) for row in db.rows(_CONFLICTS, asked.start, asked.end, exchange)]


def conflicting_seconds(found: list[Conflict], asked: Span) -> int:
    """How much stored time the conflicts are about; a special payment covers none."""
    by_symbol: dict[str, list[Window]] = {}
    for one in found:
        if one.kind == 0:
            start = one.funding_time - round((one.interval_hours or 0) * HOUR)
            by_symbol.setdefault(one.symbol, []).append(Window(max(asked.start, start), one.funding_time))
    return sum(w.end - w.start for windows in by_symbol.values() for w in merged(windows))


def _explained(left: list[Window], noted: list[Absence], asked: Span, terms: Terms) -> list[Part]:
    """The hours without a row, each with the first reason that applies; oldest first."""
    parts: list[Part] = []
    for layer in _layers(noted, asked, terms):
        if not left:
            break
        rest = without(left, [layer.window])
        parts += [layer._replace(window=window) for window in without(left, rest)]
        left = rest
    return _joined(sorted(parts))


def _layers(noted: list[Absence], asked: Span, terms: Terms) -> Iterator[Part]:
    """What can be said of stretches of time; the last one covers all of it."""
    everything = Window(asked.start, asked.end)
    for absence in noted:
        if absence.reason in NEVER_A_GAP:
            yield Part(absence.window, NOT_DUE, absence.reason)
    if terms.source == Source.RECORDED:
        yield Part(everything, GONE, PUBLISHES_NONE)
    for absence in noted:
        if is_final(absence):
            yield Part(absence.window, GONE, absence.reason, absence.asked)
    yield Part(Window(asked.start, min(terms.kept_since, terms.deleted_before)), GONE, DELETED)
    yield Part(Window(asked.start, terms.kept_since), GONE, NOT_KEPT)
    if terms.held:
        yield Part(everything, MISSING, terms.held)
    yield Part(Window(asked.start, terms.fetched_since), MISSING, TOO_OLD)
    for absence in noted:
        times = "once" if absence.asked == 1 else f"{absence.asked} times"
        yield Part(absence.window, MISSING, f"asked {times} in vain", absence.asked, due_again(absence))
    young = last_boundary(asked.now - PUBLISHED_WITHIN_SECONDS, None, None)
    yield Part(Window(young, asked.end), MISSING, JUST_PAID)
    yield Part(everything, MISSING, NOT_FETCHED)


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbours of which the same is said become one."""
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else None
        if last is not None and last.window.end == part.window.start and last[1:] == part[1:]:
            result[-1] = part._replace(window=Window(last.window.start, part.window.end))
        else:
            result.append(part)
    return result
