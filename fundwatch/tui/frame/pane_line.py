"""The line under the status: which panes there are, and how rates and times are shown."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from fundwatch.tui.charts.bars import Drawing, Span, fitted
from fundwatch.tui.words import Words


class Tab(NamedTuple):
    name: str
    digit: str
    title: str


class PaneLine(Drawing):
    """Panes with their digits, the one shown in brackets; at the right the window, unit and zone."""

    DEFAULT_CSS = "PaneLine { height: 1; background: $surface; }"

    class Clicked(Message):
        """A person wants the pane of this name."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def __init__(self, tabs: Sequence[Tab]) -> None:
        super().__init__()
        self._tabs = tabs
        self._state: tuple[str, str, Words, int] = (tabs[0].name, "now", Words(), 0)
        self._places: list[tuple[int, int, str]] = []

    def show(self, current: str, window: str, words: Words, alerts: int) -> None:
        """`alerts` is how many things are wrong now."""
        if (current, window, words, alerts) != self._state:
            self._state = (current, window, words, alerts)
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        current, window, words, alerts = self._state
        spans: list[Span] = []
        self._places, x = [], 0
        for tab in self._tabs:
            title = f"{tab.title} {alerts}" if tab.name == "alerts" and alerts else tab.title
            here = tab.name == current
            text = f"[{tab.digit} {title}]" if here else f" {tab.digit} {title} "
            style = "accent" if here else "warn" if title != tab.title else "muted"
            spans.append((text, style))
            self._places.append((x, x + len(text), tab.name))
            x += len(text)
        right: list[Span] = [
            ("[", "accent"),
            (f"{window:^3}", ""),
            ("]", "accent"),
            (f" {words.heading} ", "muted"),
        ]
        if width - x > 40:
            right[:0] = [("window ", "muted")]
            right.append((f"{words.zone} ", "muted"))
        used = sum(len(text) for text, _ in right)
        if x + used > width:
            right, used = [], 0
        return [fitted([*spans, (" " * max(1, width - x - used), ""), *right], width)]

    def on_click(self, event: events.Click) -> None:
        for start, end, name in self._places:
            if start <= event.x < end:
                self.post_message(self.Clicked(name))
