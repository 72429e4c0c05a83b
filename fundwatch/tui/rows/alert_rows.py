"""What is wrong, what was, and what happened, as rows; and each in full, as a sentence."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fundwatch.text import age
from fundwatch.tui.frame.concerns import Concern, Key, begun
from fundwatch.tui.rows.event_list import NOBODY, Happening
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.words import MISSING, Words


class Condition(NamedTuple):
    """Something wrong from `since` until `until` (UTC seconds); `until` None while it goes on.

    `key` tells it from all others; `exchange` is "" for the program as a whole; `seen` says that a
    person has acknowledged it.
    """

    key: tuple[object, ...]
    exchange: str
    kind: str
    message: str
    since: float | None
    until: float | None = None
    seen: bool = False

    @property
    def goes_on(self) -> bool:
        return self.key[0] == "now"


def conditions(
    snapshot: Snapshot, own: Sequence[Concern] = (), is_seen: Callable[[Key], bool] = lambda key: False
) -> list[Condition]:
    """What goes on, then what is over, the newest first; `own` is what the database does not know of."""
    noted = {
        (a.exchange or "", a.kind) for a in snapshot.alerts if a.until is None and a.acknowledged is not None
    }
    found = [
        Condition(("now", *one.key), one.exchange, one.kind, one.message, one.since, None, is_seen(one.key))
        for one in own
    ]
    since = begun(snapshot)
    for state in snapshot.status.alerts:
        key = state.exchange or "", state.kind
        if any(one.key == key for one in own):
            continue
        seen = key in noted or is_seen(key)
        found.append(Condition(("now", *key), *key, state.message, since.get(key), None, seen))
    found += [
        Condition(("over", row.id), row.exchange or "", row.kind, row.message, row.since, row.until)
        for row in snapshot.alerts
        if row.until is not None
    ]
    return found


def condition_columns(words: Words) -> list[Column]:
    return [
        Column("exchange", "exchange", 11),
        Column("kind", "kind", 10),
        Column("since", f"since {words.zone}", 11, "right", priority=3, tooltip="When it began"),
        Column("until", f"until {words.zone}", 11, "right", tooltip="When it ended; NOW while it goes on"),
        Column("lasted", "lasted", 11, "right", priority=1, tooltip="How long, so far or in all"),
        Column("ended", "ended ago", 11, "right", priority=2, descending=False),
        Column("message", "what", 22, grow=True, sortable=False),
    ]


def condition_row(one: Condition, words: Words, now: float) -> Row:
    state = Cell("seen, NOW" if one.seen else "NOW", "warn" if one.seen else "bad")
    end = now if one.until is None else one.until
    lasted = None if one.since is None else end - one.since
    return Row(
        one.key,
        (
            one.exchange or NOBODY,
            Cell(one.kind, "bad" if one.goes_on else ""),
            words.when(one.since, now),
            state if one.goes_on else words.when(one.until, now),
            age(lasted),
            MISSING if one.until is None else age(now - one.until),
            one.message,
        ),
        (
            one.exchange,
            one.kind,
            one.since,
            now + 1 if one.goes_on else one.until,
            lasted,
            None if one.until is None else now - one.until,
            None,
        ),
        "" if one.goes_on else "muted",
    )


def condition_told(one: Condition, words: Words, now: float) -> str:
    """All that is known of it, with both days written out."""
    told = f"{one.exchange or NOBODY}, {one.kind}: {one.message.rstrip('.')}."
    if one.since is not None:
        told += f" Since {words.day(one.since)}, {age(now - one.since)} ago"
        if one.until is not None:
            told += f"; over since {words.day(one.until)}, after {age(one.until - one.since)}"
        told += "."
    return told + (" Acknowledged." if one.seen else "")


def event_columns(words: Words) -> list[Column]:
    return [
        Column("time", f"time {words.zone}", 11, "right"),
        Column("ago", "ago", 11, "right", priority=1, descending=False),
        Column("exchange", "exchange", 11),
        Column("kind", "kind", 9, priority=2),
        Column("message", "what happened", 24, grow=True, sortable=False),
    ]


def event_row(one: Happening, words: Words, now: float) -> Row:
    return Row(
        one.key,
        (
            words.when(one.time, now),
            age(now - one.time),
            one.exchange or NOBODY,
            Cell(one.kind, one.style),
            one.text,
        ),
        (one.time, now - one.time, one.exchange, one.kind, None),
    )


def event_told(one: Happening, words: Words, now: float) -> str:
    return f"{one.exchange or NOBODY}, {words.day(one.time)}, {age(now - one.time)} ago: {one.text}"
