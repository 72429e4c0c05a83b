"""Letting go of old settlements, for people who say `retention_days`: announced a day before, in small steps.

Nothing younger than `FEWEST_DAYS` ever goes, and age is measured against the newest payment that an
exchange has told, so that a clock that is wrong deletes nothing.
"""

from typing import NamedTuple

import msgspec

from fundwatch.models import HOUR
from fundwatch.storage.alerts import add_event
from fundwatch.storage.database import Database, Writer
from fundwatch.text import utc

DAY = 24 * HOUR
FEWEST_DAYS = 30
"""The longest window of the rankings: what it counts is never deleted."""
NOTICE_SECONDS = DAY
ROWS_PER_STEP = 5_000
REASON = "deleted by retention_days"
"""Of hours before `kept_since` that have no row."""

_KEY = "retention"
_OLD = "FROM settlement WHERE market_id IN (SELECT id FROM market) AND funding_time < ?"
_DELETE = f"""
DELETE FROM settlement WHERE (market_id, funding_time, kind) IN
  (SELECT market_id, funding_time, kind {_OLD} LIMIT ?)
"""  # noqa: S608


class Plan(NamedTuple):
    """What would go now: `settlements` paid before `before` (UTC seconds), not sooner than `starts`."""

    settlements: int
    before: int
    starts: int


class _State(msgspec.Struct):
    """What is remembered between two steps; times in UTC seconds.

    `days` are those announced at `announced`; `before` is how far the deleting has come or is under way,
    `deleted` how many rows of it are gone and not yet told of.
    """

    days: int = 0
    announced: int = 0
    before: int = 0
    deleted: int = 0


def would_delete(db: Database, days: int, now: float) -> Plan | None:
    """What `retention_days = days` would delete at `now` (UTC seconds); None where there is nothing."""
    before = _before(db, days, now)
    count = 0 if before is None else db.value(f"SELECT COUNT(*) {_OLD}", before)
    if before is None or not count:
        return None
    state = _load(db)
    announced = state.announced if state.days == days else int(now)
    return Plan(count, before, announced + NOTICE_SECONDS)


def kept_since(db: Database) -> int | None:
    """The time (UTC seconds) before which settlements were deleted; None where none ever were."""
    return _load(db).before or None


def let_go(writer: Writer, days: int, now: float, steps: int) -> int:
    """Deletes up to `steps` times `ROWS_PER_STEP` settlements older than `days`; how many went.

    `days` is 0 (nothing is ever deleted) or at least `FEWEST_DAYS`. What would go is told as an event a
    day before the first row goes, and again when `days` becomes another. Makes its own transactions.
    """
    state = _load(writer)
    if days == 0:
        if state.days:  # whoever says it again is told again
            with writer.transaction():
                _save(writer, msgspec.structs.replace(state, days=0))
        return 0
    if state.days != days:
        _announce(writer, state, days, now)
        return 0
    before = _before(writer, days, now)
    if before is None or now < state.announced + NOTICE_SECONDS:
        return 0
    return _delete(writer, state, before, now, steps)


def _announce(writer: Writer, state: _State, days: int, now: float) -> None:
    plan = would_delete(writer, days, now)
    with writer.transaction():
        _save(writer, msgspec.structs.replace(state, days=days, announced=int(now)))
        if plan is not None:
            add_event(
                writer,
                "retention",
                f"retention_days = {days}: from {utc(plan.starts)} UTC on settlements paid before "
                f"{utc(plan.before, '%Y-%m-%d')} are deleted, now {plan.settlements:,}; 0 keeps everything",
                now,
                value=plan.settlements,
            )


def _delete(writer: Writer, state: _State, before: int, now: float, steps: int) -> int:
    """A step that finds fewer rows than it may take was the last one, and tells how many went in all."""
    gone = 0
    if before <= state.before and not state.deleted:
        return 0
    for _ in range(steps):
        with writer.transaction():
            count = writer.change(_DELETE, before, ROWS_PER_STEP)
            state.before = max(before, state.before)
            state.deleted += count
            is_done = count < ROWS_PER_STEP
            if is_done:
                writer.change("DELETE FROM conflict WHERE funding_time < ?", before)
                _tell(writer, state, before, now)
            _save(writer, state)
        gone += count
        if is_done:
            break
    return gone


def _tell(writer: Writer, state: _State, before: int, now: float) -> None:
    if state.deleted:
        add_event(
            writer,
            "retention",
            f"{state.deleted:,} settlements paid before {utc(before, '%Y-%m-%d')} deleted "
            f"(retention_days = {state.days})",
            now,
            value=state.deleted,
        )
    state.deleted = 0


def newest_payment(db: Database) -> int | None:
    """The funding time (UTC seconds) of the last payment told by any exchange; None without one."""
    found: int | None = db.value(
        "SELECT MAX((SELECT MAX(s.funding_time) FROM settlement s WHERE s.market_id = m.id)) FROM market m"
    )
    return found


def goes_before(newest: int, days: int, now: float) -> int:
    """What was paid before this time (UTC seconds) is not kept, where `newest` is the last payment told.

    Midnight UTC, `days` and a day before the newest, or before `now` where that is earlier. The day more
    leaves the first hours of the longest window alone.
    """
    if days < FEWEST_DAYS:
        raise ValueError(f"retention_days is 0 or at least {FEWEST_DAYS}, not {days}")
    return int(min(now, newest) - (days + 1) * DAY) // DAY * DAY


def _before(db: Database, days: int, now: float) -> int | None:
    newest = newest_payment(db)
    return None if newest is None else goes_before(newest, days, now)


def _load(db: Database) -> _State:
    found = db.value("SELECT value FROM meta WHERE key = ?", _KEY)
    return _State() if found is None else msgspec.json.decode(found, type=_State)


def _save(writer: Writer, state: _State) -> None:
    writer.change(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", _KEY, msgspec.json.encode(state).decode()
    )
