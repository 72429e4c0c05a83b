"""The line at the bottom: which keys do something here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Input

from fundwatch.tui.app_keys import BINDINGS
from fundwatch.tui.charts.bars import Drawing, Span, fitted


class _Hint(NamedTuple):
    """`key` is what to press for a click on the hint, "" where several keys share it; of those that do
    not fit the highest `rank` goes first."""

    key: str
    shown: str
    label: str
    rank: int


_RANKS = {
    "quit": 0,
    "help": 0,
    "refresh": 2,
    "filter": 2,
    "backfill": 4,
    "command_palette": 4,
    "choose": 5,
    "freeze": 6,
    "window(-1)": 7,
    "window(1)": 7,
    "unit": 7,
    "export": 8,
    "copy": 8,
    "local_time": 9,
}
"""By action. Bindings that are not to be shown are, from rank 7 on, where there is room to spare."""

_PANES_RANK, _USUAL_RANK, _SPARE_RANK = 1, 3, 7
_TOGETHER = {"window(-1)": "Window", "window(1)": "Window"}
"""Keys that share one hint, by its label."""

_GAP = "  "


def key_of(app: App[Any], action: str) -> str:
    """The first key of one of the app's actions, as it is shown, with the person's own key map."""
    binding = next(one for one in BINDINGS if isinstance(one, Binding) and one.action == action)
    keys = app._keymap.get(binding.id or "", binding.key)
    return app.get_key_display(next(iter(Binding.make_bindings([replace(binding, key=keys)]))))


def fitting(hints: Sequence[_Hint], width: int) -> list[_Hint]:
    """Those that fit side by side into `width` cells, the most useful ones."""
    kept: list[_Hint] = []
    room = width - 1 + len(_GAP)
    for hint in sorted(hints, key=lambda hint: hint.rank):
        if (size := _size(hint) + len(_GAP)) <= room:
            kept.append(hint)
            room -= size
    return [hint for hint in hints if hint in kept]


def _size(hint: _Hint) -> int:
    return cell_len(hint.shown) + 1 + len(hint.label)


class KeyLine(Drawing):
    """The keys of the screen that are to be shown, as many as fit whole; a click presses the key."""

    DEFAULT_CSS = "KeyLine { height: 1; dock: bottom; background: $panel; }"

    def on_mount(self) -> None:
        self._places: list[tuple[int, int, str]] = []
        self.screen.bindings_updated_signal.subscribe(self, self._updated)

    def _updated(self, _: Screen[object]) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        hints = fitting(self._hints(), width)
        spans: list[Span] = []
        self._places, x = [], 1
        for hint in hints:
            spans += [(_GAP if spans else " ", ""), (hint.shown, "accent"), (f" {hint.label}", "")]
            self._places.append((x, x + _size(hint), hint.key))
            x += _size(hint) + len(_GAP)
        return [fitted(spans, width)]

    def _hints(self) -> list[_Hint]:
        """In the order of the bindings: those of the focused widget first; panes share one."""
        hints: dict[str, _Hint] = {}
        panes: list[str] = []
        is_typing = isinstance(self.screen.focused, Input)
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            shown, action = self.app.get_key_display(binding), binding.action
            rank = _RANKS.get(action, _USUAL_RANK)
            if not enabled or (is_typing and (len(shown) == 1 or shown == "space")):
                continue
            if not binding.show and rank < _SPARE_RANK:
                continue
            if binding.group is not None:
                panes.append(shown)
                first_last = panes[0] if len(panes) == 1 else f"{panes[0]}-{panes[-1]}"
                label = binding.group.description
                hints[label] = _Hint("", first_last, label, _PANES_RANK)
            elif (label := _TOGETHER.get(action, "")) in hints:
                hints[label] = hints[label]._replace(key="", shown=f"{hints[label].shown} {shown}")
            elif (label or action) not in hints:
                hints[label or action] = _Hint(binding.key, shown, label or binding.description, rank)
        return list(hints.values())

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._places:
            if key and start <= event.x < end:
                self.app.simulate_key(key)
                return
