"""The line at the top: is all well, how old is what I see, what happens next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from fundwatch.analytics.health import LATE_SECONDS
from fundwatch.answers.status import Status
from fundwatch.models import HOUR
from fundwatch.storage.queries import ExchangeRow
from fundwatch.tui.bars import Drawing, Span, fitted
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import Words, short_age

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
    """What the line says. `marks` are words such as DEMO, VIEWER, FROZEN; `doing` what goes on now."""

    snapshot: Snapshot | None
    now: float
    words: Words
    marks: tuple[tuple[str, str], ...] = ()
    doing: str = ""


def shown_health(word: str) -> str:
    """A health word as written on screen: those that need a person stand out without colour."""
    return word.upper() if word in _ALARMING else word


def health_spans(status: Status) -> list[Span]:
    """`6 ok 1 STALE`, the counted exchanges by their health."""
    counts = Counter(one.health for one in status.counted)
    spans: list[Span] = []
    for word, style in HEALTH_STYLES.items():
        if counts[word]:
            spans += [(" " if spans else "", ""), (f"{counts[word]} {shown_health(word)}", style)]
    return spans or [("no exchange enabled", "warn")]


def next_sweep(status: Status, exchanges: Mapping[str, ExchangeRow], now: float) -> float | None:
    """When the next hourly sweep of any exchange starts, UTC seconds; None where nobody collects."""
    if not status.collector.running:
        return None
    times = []
    for one in status.counted:
        row = exchanges.get(one.exchange)
        if one.health != "paused" and row is not None and row.minute is not None:
            this_hour = now // HOUR * HOUR + row.minute * 60
            times.append(this_hour if this_hour > now else this_hour + HOUR)
    return min(times, default=None)


def newest_quote(status: Status) -> int | None:
    return max((one.newest_quote for one in status.counted if one.newest_quote is not None), default=None)


def oldest_quote(status: Status, otherwise: int) -> int:
    """The newest quote of the exchange that is furthest behind: the freshest must not hide it."""
    return min(
        (one.newest_quote for one in status.counted if one.newest_quote is not None), default=otherwise
    )


class StatusLine(Drawing):
    """One line; `show` it anew each second."""

    DEFAULT_CSS = "StatusLine { height: 1; dock: top; background: $panel; }"

    _line: Line | None = None

    def show(self, line: Line) -> None:
        if line != self._line:
            self._line = line
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return [] if self._line is None else [drawn(self._line, width)]


def drawn(line: Line, width: int) -> list[Span]:
    """The line in `width` cells; what matters less goes first when there is no room."""
    left: list[Span] = [(" fundwatch", "accent")]
    for mark, style in line.marks:
        left += [(" ", ""), (f"[{mark}]", style)]
    left.append(("  ", ""))
    parts: list[list[Span]] = []
    if line.snapshot is None:
        left.append(("reading the database", "muted"))
    else:
        left += health_spans(line.snapshot.status)
        parts = _parts(line, line.snapshot)
    right: list[Span] = [("? help ", "muted")]
    room = width - _cells(left) - _cells(right)
    for part in parts:
        if _cells(part) + 3 <= room:
            left += [("   ", ""), *part]
            room -= _cells(part) + 3
    return fitted([*left, (" " * max(1, width - _cells(left) - _cells(right)), ""), *right], width)


def _parts(line: Line, snapshot: Snapshot) -> list[list[Span]]:
    """In the order of their worth."""
    status = snapshot.status
    newest = newest_quote(status)
    parts: list[list[Span]] = []
    if newest is not None:
        old = short_age(line.now - newest).ljust(_AGE_CELLS)
        oldest = oldest_quote(status, newest)
        late = [(f"to {short_age(line.now - oldest)}", "warn")] if newest - oldest > LATE_SECONDS else []
        parts.append([("data ", "muted"), (old, ""), *late])
    if line.doing:
        parts.append([("▸ ", "accent"), (line.doing, "")])
    coming = next_sweep(status, snapshot.exchanges, line.now)
    if coming is not None:
        parts.append(
            [("next sweep ", "muted"), (line.words.clock(coming), ""), (f" {line.words.zone}", "muted")]
        )
    return parts


def _cells(spans: Sequence[Span]) -> int:
    return sum(cell_len(text) for text, _ in spans)
