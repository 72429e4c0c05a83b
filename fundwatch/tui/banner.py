"""The line that is there only while something is wrong."""

from collections.abc import Sequence

from fundwatch.tui.bars import Drawing, Span, fitted
from fundwatch.tui.columns import printable
from fundwatch.tui.concerns import Concern
from fundwatch.tui.words import since

_ROOMY = 100


class Banner(Drawing):
    """The newest concern with how many others there are, and what to do; hidden without any."""

    DEFAULT_CSS = "Banner { height: 1; background: $error 20%; display: none; }"

    _concerns: Sequence[Concern] = ()
    _now = 0.0

    def show(self, concerns: Sequence[Concern], now: float) -> None:
        """`concerns` newest first, without those that a person has acknowledged."""
        if concerns or self._concerns:
            self._concerns, self._now = concerns, now
            self.display = bool(concerns)
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if not self._concerns:
            return []
        return [drawn(self._concerns, self._now, width)]


def drawn(concerns: Sequence[Concern], now: float, width: int) -> list[Span]:
    """The banner in `width` cells: a message too long is cut, what to do never is."""
    first, others = concerns[0], len(concerns) - 1
    tail: list[Span] = []
    if others:
        tail.append((f"  +{others} more", "warn"))
    does = " acknowledges " if width >= _ROOMY else " seen "
    tail += [(f"  {first.advice}", "muted"), ("  a", "accent"), (does, "muted")]
    room = width - sum(len(text) for text, _ in tail)
    who = f"{first.exchange}: " if first.exchange else ""
    begun = "" if first.since is None else f" ({since(first.since, now)})"
    head: list[Span] = [(" ! ", "bad"), (who, "bad"), (printable(first.message), ""), (begun, "muted")]
    return fitted([*fitted(head, max(10, room)), *tail], width)
