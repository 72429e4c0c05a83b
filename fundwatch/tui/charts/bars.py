"""Bars of one line (runs, holes, progress) and the widget base that puts styled text on the screen."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from fundwatch.models import HOUR
from fundwatch.text import age, printable
from fundwatch.tui.words import Words

Span = tuple[str, str]
"""Text and the name of its style (one of `STYLES`, "" for the plain foreground)."""

STYLES = {
    "good": "$text-success",
    "bad": "$text-error",
    "warn": "$text-warning",
    "muted": "$text-muted",
    "accent": "$text-accent",
    "series-1": "$text-primary",
    "series-2": "$text-warning",
    "series-3": "$text-success",
    "series-4": "$text-error",
    "series-5": "$foreground",
    "series-6": "$error",
    "series-7": "$primary-lighten-3",
    "series-8": "$text-muted",
}
"""The theme's variable behind each style name: those that stay readable on light and dark themes, and for
the series those furthest from each other. Some themes repeat a colour, so it never stands alone."""


class HourCount(NamedTuple):
    """One hour over several markets, in market-hours: `expected` ones, those of them that are
    `stored`, and those of them that the exchange can no longer serve (`gone`)."""

    expected: int
    stored: int
    gone: int = 0


_OUTCOMES: dict[str | None, Span] = {
    "ok": ("▮", "good"),
    "partial": ("▯", "warn"),
    "error": ("✖", "bad"),
    "running": ("▸", "accent"),
    "interrupted": ("-", "muted"),
    "cancelled": ("-", "muted"),
    "undone": ("-", "muted"),
    None: ("·", "muted"),
}

HEARTBEAT_GLYPHS = (
    ("▮", "complete"),
    ("▯", "partial"),
    ("✖", "error"),
    ("▸", "running"),
    ("-", "cut short"),
    ("·", "none"),
)
HOLE_MAP_GLYPHS = (("▮", "all"), ("▯", "part"), ("·", "none yet"), ("x", "gone for good"))
"""What is stored of the payments of one hour; an hour in which none was due is blank."""

_DAY_STARTS, _LABELLED = "00", ("06", "12", "18")


def legend(glyphs: Sequence[tuple[str, str]]) -> str:
    """Glyphs with their words on one line."""
    return "  ".join(f"{glyph} {words}" for glyph, words in glyphs)


def heartbeat(outcomes: Sequence[str | None], width: int) -> list[Span]:
    """The newest `width` runs, one glyph each, the newest at the right.

    `outcomes` is oldest first, in the words a run ends with; None is a run that should have been.
    A word that is not known is `?`. Where there are fewer runs, the left is `·`.
    """
    newest = outcomes[-width:] if width > 0 else ()
    return _joined(
        [_OUTCOMES[None]] * (width - len(newest)) + [_OUTCOMES.get(word, ("?", "warn")) for word in newest]
    )


def hole_map(hours: Sequence[HourCount], width: int) -> list[Span]:
    """The newest `width` hours, one cell each, the newest at the right; `hours` is oldest first.

    `x` only where nothing is stored and nothing can be fetched any more. An hour in which nothing was
    expected is blank, and so is the left where there are fewer hours.
    """
    newest = hours[-width:] if width > 0 else ()
    return _joined([(" ", "")] * (width - len(newest)) + [_hour(hour) for hour in newest])


def _hour(hour: HourCount) -> Span:
    if hour.expected <= 0:
        return " ", ""
    if hour.stored >= hour.expected:
        return "▮", "good"
    if hour.stored > 0:
        return "▯", "warn"
    return ("x", "muted") if hour.gone >= hour.expected else ("·", "bad")


def hour_ruler(end: int, width: int, words: Words) -> list[Span]:
    """What stands over a hole map whose newest hour, at the right, is the one up to `end` (UTC seconds).

    A day's first payments, those of 00:00, have the date above them; those of 06:00, 12:00 and 18:00
    the hour; all of them in the chosen zone.
    """
    spans: list[Span] = []
    used = 0
    for cell in range(width):
        time = end - (width - 1 - cell) * HOUR
        hour = words.clock(time)[:2]
        label, style = (words.moment(time)[:5], "accent") if hour == _DAY_STARTS else (hour, "muted")
        if (hour == _DAY_STARTS or hour in _LABELLED) and used <= cell <= width - len(label):
            spans += [(" " * (cell - used), ""), (label, style)]
            used = cell + len(label)
    return _joined([*spans, (" " * (width - used), "")])


def progress_bar(
    done: float, total: float | None, width: int, seconds_left: float | None = None, words: str = ""
) -> list[Span]:
    """`[####----] 42 %  about 3 min left  words` in exactly `width` cells.

    The percentage is rounded down, so that 100 % means all of it. Without a total (None or 0) it is `-`.
    `words` is text that has been cleaned already.
    """
    cells = max(4, min(30, width // 4))
    share = min(1.0, max(0.0, done / total)) if total and total > 0 else None
    filled = 0 if share is None else int(share * cells)
    percent = "   - " if share is None else f"{int(share * 100):3d} %"
    left = "" if seconds_left is None or share == 1 else f"  about {age(seconds_left)} left"
    return fitted(
        [
            ("[", "muted"),
            ("#" * filled, "good" if share == 1 else "accent"),
            ("-" * (cells - filled) + "]", "muted"),
            (f" {percent}", ""),
            (left, ""),
            (f"  {words}" if words else "", "muted"),
        ],
        width,
    )


def estimated_seconds_left(done: float, total: float, elapsed_seconds: float) -> float | None:
    """How long the rest takes at the pace so far; None before a fiftieth is done or 3 s have passed."""
    if total <= 0 or done < total / 50 or elapsed_seconds < 3:
        return None
    return max(0.0, (total - done) * elapsed_seconds / done)


def fitted(spans: Sequence[Span], width: int) -> list[Span]:
    """`spans` cut (with `…`) or filled with blanks to exactly `width` cells; nothing in them obeyed."""
    if width <= 0:
        return []
    spans = [(printable(text), style) for text, style in spans]
    used = sum(cell_len(text) for text, _ in spans)
    if used <= width:
        return _joined([*spans, (" " * (width - used), "")])
    kept: list[Span] = []
    room = width - 1
    for text, style in spans:
        if cell_len(text) > room:
            kept.append((set_cell_size(text, room), style))
            break
        kept.append((text, style))
        room -= cell_len(text)
    return _joined([*kept, ("…", "muted")])


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same text with neighbours of one style in one span and no empty ones."""
    joined: list[Span] = []
    for text, style in spans:
        if joined and joined[-1][1] == style:
            joined[-1] = (joined[-1][0] + text, style)
        elif text:
            joined.append((text, style))
    return joined


class Drawing(Widget):
    """A widget whose lines are spans of text that no markup parser ever sees.

    A subclass says in `draw` what fills a size; its colours follow the theme through component
    classes. Text from outside goes through `fitted`.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"drawing--{name}" for name in STYLES}
    DEFAULT_CSS = "Drawing { height: 1; }\n" + "\n".join(
        f"Drawing > .drawing--{name} {{ color: {variable}; }}" for name, variable in STYLES.items()
    )
    ALLOW_SELECT = False

    _drawn: tuple[int, int, list[list[Span]]] | None = None

    def draw(self, width: int, height: int) -> list[list[Span]]:
        """At most `height` lines of at most `width` cells."""
        raise NotImplementedError

    def redraw(self) -> None:
        """To be called when what `draw` shows may have changed: the same lines are not painted again."""
        width, height = self.size
        if self._drawn is not None and self._drawn[:2] == (width, height):
            lines = self.draw(width, height)
            if lines == self._drawn[2]:
                return
            self._drawn = (width, height, lines)
        else:  # hidden, for one: what was drawn before must not come up again
            self._drawn = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._drawn is None or self._drawn[:2] != (width, height):
            self._drawn = (width, height, self.draw(width, height))
        lines = self._drawn[2]
        segments = [
            Segment(text, self.get_component_rich_style(f"drawing--{style}") if style else self.rich_style)
            for text, style in (lines[y] if y < len(lines) else ())
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)
