"""The line that is there only while something is wrong."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events

from fundwatch.text import printable
from fundwatch.tui.charts.bars import Drawing, Span, fitted
from fundwatch.tui.frame.concerns import Concern
from fundwatch.tui.frame.key_line import key_of
from fundwatch.tui.words import short_age

_LEAST_MESSAGE = 24
"""Below so many cells for the message the advice is left out, as it is where that saves the message whole."""

_TIMELESS = frozenset({"stale", "offline"})
"""Their message says how old the data is; a second age beside it would be read as the same."""


class Banner(Drawing):
    """The gravest concern with how many others there are, and what to do; hidden without any.

    A click acknowledges on the word for it, and elsewhere shows the pane that tells more.
    """

    DEFAULT_CSS = "Banner { height: 1; background: $error 20%; display: none; }"

    _concerns: Sequence[Concern] = ()
    _now = 0.0
    _spans: Sequence[Span] = ()

    def show(self, concerns: Sequence[Concern], now: float) -> None:
        """`concerns` the gravest first, without those that a person has acknowledged."""
        self._concerns, self._now = concerns, now
        if self.display != bool(concerns):
            self.display = bool(concerns)
            self.redraw()
        elif concerns and self._line(self.size.width) != self._spans:
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        self._spans = self._line(width)
        return [list(self._spans)] if self._spans else []

    def _line(self, width: int) -> list[Span]:
        if not self._concerns:
            return []
        return drawn(self._concerns, self._now, width, key_of(self.app, "acknowledge"))

    async def on_click(self, event: events.Click) -> None:
        if not self._concerns:
            return
        if event.x >= self.size.width - cell_len(_hint(key_of(self.app, "acknowledge"))):
            await self.app.run_action("acknowledge")
        else:
            pane = "alerts" if self._concerns[0].advice == "see 5" else "trackers"
            await self.app.run_action(f"show_pane('{pane}')")


def _hint(key: str) -> str:
    return f"{key} acknowledge "


def drawn(concerns: Sequence[Concern], now: float, width: int, key: str = "a") -> list[Span]:
    """The banner in `width` cells: a message too long is cut, what to do never is."""
    first, others = concerns[0], len(concerns) - 1
    head: list[Span] = [(" ! ", "bad")]
    if first.exchange:
        old = None if first.since is None or first.kind in _TIMELESS else now - first.since
        lasted = "" if old is None else f" {short_age(old)}"
        head += [(f"{first.exchange} {first.kind.upper()}", "bad"), (f"{lasted}: ", "muted")]
    more: list[Span] = [(f"  +{others} more", "warn")] if others else []
    advice: list[Span] = [(f"  {first.advice}", "muted")]
    hint: list[Span] = [("  ", ""), (key, "accent"), (_hint(key).removeprefix(key), "muted")]
    message = printable(first.message)
    room = width - _cells([*head, *more, *advice, *hint])
    if room < cell_len(message) and (room < _LEAST_MESSAGE or cell_len(message) <= room + _cells(advice)):
        advice, room = [], room + _cells(advice)
    body = fitted([(message, "")], max(1, room))
    return fitted([*head, *body, *more, *advice, *hint], width)


def _cells(spans: Sequence[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)
