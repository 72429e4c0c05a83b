"""What happened, newest first: conditions that began or ended, markets that changed, payments in doubt."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from fundwatch.text import age, printable
from fundwatch.tui.charts.bars import Drawing, Span, fitted
from fundwatch.tui.frame.concerns import begun
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import Words

if TYPE_CHECKING:
    from fundwatch.storage.queries import Event

NOBODY = "fundwatch"
"""Stands where an exchange would, for the program as a whole."""

_FIRST_INTERVAL = " pays every "
_CHANGED = " now, was "
_STYLES = {"delisted": "warn", "conflict": "bad", "undo": "warn", "collector": "warn"}
_ROOMY = 60
_TIME, _SHORT_TIME, _EXCHANGE = 11, 5, 11


class Happening(NamedTuple):
    """One thing that happened, once; `time` in UTC seconds, `exchange` "" for the program as a whole.

    `key` tells it from all others, `style` is that of its kind.
    """

    key: tuple[str, object]
    time: float
    exchange: str
    kind: str
    text: str
    style: str = ""

    @property
    def goes_on(self) -> bool:
        """A condition that is not over."""
        return self.key[0] == "now"


def events_of(snapshot: Snapshot) -> list[Happening]:
    """What changed in the markets and in what is stored, the newest first.

    Without what began and ended (the conditions tell it) and without the notes that a market was seen
    for the first time with its interval, which are no change.
    """
    found = [
        Happening(("event", e.id), e.time, e.exchange or "", e.kind, e.message, _STYLES.get(e.kind, ""))
        for e in snapshot.events
        if e.kind != "alert" and not _is_first_interval(e)
    ]
    return sorted([*found, *_conflicts(snapshot)], key=lambda one: -one.time)


def happenings(snapshot: Snapshot) -> list[Happening]:
    """The same with the conditions: each that goes on at its beginning, each that is over at its end."""
    return sorted([*events_of(snapshot), *_conditions(snapshot)], key=lambda one: -one.time)


def _is_first_interval(event: "Event") -> bool:
    return event.kind == "interval" and _FIRST_INTERVAL in event.message and _CHANGED not in event.message


def _conflicts(snapshot: Snapshot) -> Iterator[Happening]:
    for run in (run for runs in snapshot.runs.values() for run in runs if run.conflicts):
        count = f"{run.conflicts:,} payment" + ("s" if run.conflicts > 1 else "")
        text = f"{count} came with another rate than stored: both are kept, the stored one counts"
        yield Happening(("run", run.id), run.ended or run.started, run.exchange, "conflict", text, "bad")


def _conditions(snapshot: Snapshot) -> Iterator[Happening]:
    since = begun(snapshot)
    for state in snapshot.status.alerts:
        if (began := since.get((state.exchange or "", state.kind))) is not None:
            told = f"{state.kind}: {state.message}" if state.exchange else state.message
            yield Happening(
                ("now", (state.exchange, state.kind)),
                began,
                state.exchange or "",
                state.kind,
                told,
                "bad",
            )
    for row in snapshot.alerts:
        if row.until is not None:
            lasted = age(row.until - row.since)
            over = f"{row.kind} over after {lasted}" if row.exchange else f"collecting again after {lasted}"
            yield Happening(
                ("over", row.id), row.until, row.exchange or "", row.kind, f"{over}: {row.message}"
            )


class EventList(Drawing):
    """Time, exchange and text of what happened last."""

    DEFAULT_CSS = "EventList { height: 1fr; }"

    _shown: tuple[Sequence[Happening], Words, str] | None = None
    _now = 0.0

    def show(self, found: Sequence[Happening], words: Words, now: float) -> None:
        today = words.when(now - 86400, now)
        self._now = now
        if (found, words, today[:5]) != self._shown:
            self._shown = (found, words, today[:5])
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if self._shown is None:
            return []
        found, words, _ = self._shown
        if not found:
            return [fitted([(" Nothing has happened yet.", "muted")], width)]
        lines: list[list[Span]] = []
        for one in found[:height]:
            lines += _lines(one, words, self._now, width)
        return lines[:height]


def _lines(one: Happening, words: Words, now: float, width: int) -> list[list[Span]]:
    """As many lines as the text needs."""
    when = words.when(one.time, now)
    if width < _ROOMY:
        when = when[:_SHORT_TIME]
    size = _TIME if width >= _ROOMY else _SHORT_TIME
    head: list[Span] = [
        (f" {when:>{size}} ", "muted"),
        (f"{one.exchange or NOBODY:<{_EXCHANGE}} ", "accent"),
    ]
    indent = size + _EXCHANGE + 3
    first, *more = wrap(printable(one.text), max(12, width - indent)) or [""]
    kind, colon, rest = first.partition(":")
    return [
        fitted([*head, (kind + colon, one.style), (rest, "")], width),
        *(fitted([(" " * indent, ""), (line, "")], width) for line in more),
    ]
