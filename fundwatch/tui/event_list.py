"""What happened, newest first, in as many lines as there are."""

from collections.abc import Sequence
from textwrap import wrap

from fundwatch.storage.queries import Event
from fundwatch.tui.bars import Drawing, Span, fitted
from fundwatch.tui.columns import printable
from fundwatch.tui.words import Words

_FIRST_INTERVAL = " pays every "
_CHANGED = " now, was "
_HEAD = 19
"""Cells of time and exchange before the message."""


def worth_telling(events: Sequence[Event]) -> list[Event]:
    """Without the notes that a market was seen for the first time with its interval: they are no change."""
    return [
        event
        for event in events
        if event.kind != "interval" or _CHANGED in event.message or _FIRST_INTERVAL not in event.message
    ]


class EventList(Drawing):
    """Time, exchange and message of the newest events."""

    DEFAULT_CSS = "EventList { height: 1fr; }"

    _events: Sequence[Event] = ()
    _words = Words()
    _now = 0.0

    def show(self, events: Sequence[Event], words: Words, now: float) -> None:
        if (events, words) != (self._events, self._words):
            self._events, self._words, self._now = events, words, now
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if not self._events:
            return [fitted([(" Nothing has happened yet.", "muted")], width)]
        lines: list[list[Span]] = []
        for event in self._events[:height]:
            head: list[Span] = [
                (f" {self._words.stamp(event.time, self._now)} ", "muted"),
                (f"{event.exchange or 'fundwatch':<11} ", "accent"),
            ]
            first, *more = wrap(printable(event.message), max(12, width - _HEAD)) or [""]
            lines.append(fitted([*head, (first, "")], width))
            lines += [fitted([(" " * _HEAD, ""), (rest, "")], width) for rest in more]
        return lines[:height]
