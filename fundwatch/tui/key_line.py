"""The line at the bottom: which keys do something here."""

from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.screen import Screen
from textual.widgets import Input

from fundwatch.tui.bars import Drawing, Span, fitted


class _Hint(NamedTuple):
    """`key` is what to press for a click on the hint, "" where several keys share it; of those that do
    not fit the highest `rank` goes first."""

    key: str
    shown: str
    label: str
    rank: int


_RANKS = {"quit": 0, "command_palette": 1, "refresh": 2, "filter": 2, "backfill": 4, "freeze": 6, "choose": 5}
_USUAL_RANK = 3
_SHOWN_AT_THE_TOP = "help"


def _size(hint: _Hint) -> int:
    return cell_len(hint.shown) + 1 + len(hint.label) + 2


class KeyLine(Drawing):
    """The keys of the screen that are to be shown, as many as fit; a click presses the key."""

    DEFAULT_CSS = "KeyLine { height: 1; dock: bottom; background: $panel; }"

    def on_mount(self) -> None:
        self._places: list[tuple[int, int, str]] = []
        self.screen.bindings_updated_signal.subscribe(self, self._updated)

    def _updated(self, _: Screen[object]) -> None:
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        hints = self._hints()
        while hints and sum(map(_size, hints)) - 1 > width:
            hints.remove(max(reversed(hints), key=lambda hint: hint.rank))
        spans: list[Span] = [(" ", "")]
        self._places, x = [], 1
        for hint in hints:
            spans += [(hint.shown, "accent"), (f" {hint.label}  ", "")]
            self._places.append((x, x + _size(hint), hint.key))
            x += _size(hint)
        return [fitted(spans, width)]

    def _hints(self) -> list[_Hint]:
        """In the order of the bindings: those of the focused widget first; panes share one."""
        hints: dict[str, _Hint] = {}
        panes: list[str] = []
        is_typing = isinstance(self.screen.focused, Input)
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            shown = self.app.get_key_display(binding)
            if not binding.show or not enabled or (is_typing and (len(shown) == 1 or shown == "space")):
                continue
            if binding.group is not None:
                panes.append(shown)
                first_last = panes[0] if len(panes) == 1 else f"{panes[0]}-{panes[-1]}"
                hints[binding.group.description] = _Hint("", first_last, binding.group.description, 1)
            elif binding.action not in hints and binding.action != _SHOWN_AT_THE_TOP:
                rank = _RANKS.get(binding.action, _USUAL_RANK)
                hints[binding.action] = _Hint(binding.key, shown, binding.description, rank)
        return list(hints.values())

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._places:
            if key and start <= event.x < end:
                self.app.simulate_key(key)
                return
