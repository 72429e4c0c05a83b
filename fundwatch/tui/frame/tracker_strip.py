"""The trackers of all exchanges in a few lines: health, fresh markets, age, last runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from fundwatch.tui.charts.bars import Drawing, Span, fitted, heartbeat
from fundwatch.tui.frame.status_line import HEALTH_STYLES, health_word
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import short_age

if TYPE_CHECKING:
    from fundwatch.answers.status import ExchangeStatus
    from fundwatch.storage.queries import Run

_NAME, _HEALTH, _AGE = 11, 8, 6
_TWO_COLUMNS = 76
_MOST_BEATS = 24
_FEWEST_BEATS = 3


class TrackerStrip(Drawing):
    """One cell for each enabled exchange; two columns of them where they fit side by side."""

    DEFAULT_CSS = "TrackerStrip { height: auto; }"

    _snapshot: Snapshot | None = None
    _now = 0.0
    _lines: Sequence[Sequence[Span]] = ()

    def show(self, snapshot: Snapshot) -> None:
        counted = 0 if self._snapshot is None else len(self._snapshot.status.counted)
        self._snapshot = snapshot
        self.tick(snapshot.taken_at)
        if counted != len(snapshot.status.counted):
            self.refresh(layout=True)

    def tick(self, now: float) -> None:
        """Ages go on between two snapshots; `now` in UTC seconds."""
        self._now = now
        if self._snapshot is not None and drawn(self._snapshot, *self.size, now) != self._lines:
            self.redraw()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        count = 7 if self._snapshot is None else len(self._snapshot.status.counted)
        return max(1, -(-count // _columns(width)))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if self._snapshot is None:
            return []
        lines = drawn(self._snapshot, width, height, self._now)
        self._lines = lines
        return lines


def _columns(width: int) -> int:
    return 2 if width >= _TWO_COLUMNS else 1


def drawn(snapshot: Snapshot, width: int, height: int, now: float) -> list[list[Span]]:
    """The strip as lines, filled column by column."""
    counted = snapshot.status.counted
    columns = _columns(width)
    lines = max(1, -(-len(counted) // columns))
    each = width // columns
    counts = max((len(_fresh(one)) for one in counted), default=0)
    older = max(0.0, now - snapshot.taken_at)
    result: list[list[Span]] = []
    for line in range(min(lines, height)):
        spans: list[Span] = []
        for one in counted[line::lines]:
            spans += fitted(_cell(one, snapshot.runs.get(one.exchange, ()), each, counts, older), each)
        result.append(fitted(spans, width))
    return result


def _fresh(one: "ExchangeStatus") -> str:
    return f"{one.markets_fresh}/{one.markets}" if one.markets else "-"


def _cell(one: "ExchangeStatus", runs: "Sequence[Run]", width: int, counts: int, older: float) -> list[Span]:
    age = None if one.oldest_quote_seconds is None else one.oldest_quote_seconds + older
    spans: list[Span] = [
        (f" {one.exchange:<{_NAME}} ", ""),
        (f"{health_word(one):<{_HEALTH}} ", HEALTH_STYLES.get(one.health, "warn")),
        (f"{_fresh(one):>{counts}} ", ""),
        (f"{short_age(age):>{_AGE}}", "muted"),
    ]
    left = min(_MOST_BEATS, width - sum(cell_len(text) for text, _ in spans) - 1)
    if left >= _FEWEST_BEATS:
        spans += [(" ", ""), *heartbeat([run.outcome for run in reversed(runs)], left)]
    return spans
