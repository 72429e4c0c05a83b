"""The line at the top: is all well, how old is what I see, what happens next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from fundwatch.analytics.health import LATE_SECONDS
from fundwatch.models import HOUR
from fundwatch.tui.charts.bars import Drawing, Span, fitted
from fundwatch.tui.frame.key_line import key_of
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import Words, countdown, short_age

if TYPE_CHECKING:
    from fundwatch.answers.status import ExchangeStatus, Status
    from fundwatch.storage.queries import ExchangeRow

HEALTH_STYLES = {
    "ok": "good",
    "late": "warn",
    "partial": "warn",
    "stale": "bad",
    "error": "bad",
    "paused": "muted",
    "never": "muted",
}
"""By the words of `analytics.health`, those first that are best."""

_ALARMING = ("stale", "error", "partial")
_AGE_CELLS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """What the line says. `marks` are words such as DEMO, VIEWER, FROZEN; `doing` what goes on now;
    `collector` what is wrong with who should collect."""

    snapshot: Snapshot | None
    now: float
    words: Words
    marks: tuple[tuple[str, str], ...] = ()
    doing: str = ""
    collector: tuple[Span, ...] = ()


def shown_health(word: str) -> str:
    """A health word as written on screen: those that need a person stand out without colour."""
    return word.upper() if word in _ALARMING else word


def health_word(one: "ExchangeStatus") -> str:
    """The same for a tracker; its very first run has a word of its own."""
    return "starting" if one.health == "never" and one.status == "running" else shown_health(one.health)


def health_spans(status: "Status") -> list[Span]:
    """`6 ok 1 STALE`, the counted exchanges by their health."""
    counts = Counter((one.health, health_word(one)) for one in status.counted)
    spans: list[Span] = []
    for health, style in HEALTH_STYLES.items():
        for word in sorted({told for known, told in counts if known == health}):
            spans += [(" " if spans else "", ""), (f"{counts[health, word]} {word}", style)]
    return spans or [("no exchange enabled", "warn")]


def next_sweep(status: "Status", exchanges: "Mapping[str, ExchangeRow]", now: float) -> float | None:
    """When the next hourly sweep of any exchange starts, UTC seconds; None where nobody collects."""
    if not status.collector.running or status.collector.role not in (None, "collector"):
        return None
    times = []
    for one in status.counted:
        row = exchanges.get(one.exchange)
        if one.health != "paused" and row is not None and row.minute is not None:
            this_hour = now // HOUR * HOUR + row.minute * 60
            times.append(this_hour if this_hour > now else this_hour + HOUR)
    return min(times, default=None)


def newest_quote(status: "Status") -> int | None:
    return max((one.newest_quote for one in status.counted if one.newest_quote is not None), default=None)


def oldest_quote(status: "Status", otherwise: int) -> int:
    """The newest quote of the exchange that is furthest behind: the freshest must not hide it."""
    return min(
        (one.newest_quote for one in status.counted if one.newest_quote is not None), default=otherwise
    )


class StatusLine(Drawing):
    """One line; `show` it anew each second."""

    DEFAULT_CSS = "StatusLine { height: 1; dock: top; background: $panel; }"

    _line: Line | None = None

    def show(self, line: Line) -> None:
        self._line = line
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return [] if self._line is None else [drawn(self._line, width, key_of(self.app, "help"))]


class _Item(NamedTuple):
    """`worth` 0 stays longest; items stand in the order in which they are listed."""

    worth: int
    gap: str
    spans: Sequence[Span]


def drawn(line: Line, width: int, help_key: str = "?") -> list[Span]:
    """The line in `width` cells: what matters less is left out, and nothing is ever cut."""
    right: list[Span] = [(f"{help_key} help ", "muted")]
    room = width - _cells(right) - 1
    items = _items(line)
    kept = set()
    for item in sorted(items, key=lambda item: item.worth):
        size = len(item.gap) + _cells(item.spans)
        if size <= room:
            kept.add(item)
            room -= size
    left: list[Span] = []
    for item in items:
        if item in kept:
            left += [(item.gap, ""), *item.spans]
    return fitted([*left, (" " * max(1, width - _cells(left) - _cells(right)), ""), *right], width)


def _items(line: Line) -> list[_Item]:
    items = [_Item(6, " ", (("fundwatch", "accent"),))]
    items += [_Item(3 if mark == "VIEWER" else 2, " ", ((f"[{mark}]", style),)) for mark, style in line.marks]
    if line.snapshot is None:
        return [*items, _Item(0, "  ", (("reading the database", "muted"),))]
    status = line.snapshot.status
    items.append(_Item(1, "  ", tuple(health_spans(status))))
    if line.collector:
        items.append(_Item(0, "   ", line.collector))
    newest = newest_quote(status)
    if newest is not None:
        old = short_age(line.now - newest).ljust(_AGE_CELLS)
        oldest = oldest_quote(status, newest)
        late = ((f"to {short_age(line.now - oldest)}", "warn"),) if newest - oldest > LATE_SECONDS else ()
        items.append(_Item(2, "   ", (("data ", "muted"), (old, ""), *late)))
    if line.doing:
        items.append(_Item(4, "   ", (("▸ ", "accent"), (line.doing, ""))))
    coming = next_sweep(status, line.snapshot.exchanges, line.now)
    if coming is not None:
        zone = line.words.zone
        items.append(
            _Item(
                5,
                "   ",
                (("next sweep ", "muted"), (line.words.clock(coming), ""), (f" {zone}", "muted")),
            )
        )
        items.append(
            _Item(
                7,
                "",
                ((f", in {countdown(coming, line.now)}".replace("<1 min", "less than 1 min"), "muted"),),
            )
        )
    return items


def _cells(spans: Sequence[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)
