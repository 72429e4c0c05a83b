"""The trackers of all exchanges in a few lines: health, fresh markets, age, last runs."""

from collections.abc import Sequence

from rich.cells import cell_len

from fundwatch.answers.status import ExchangeStatus
from fundwatch.storage.queries import Run
from fundwatch.tui.bars import Drawing, Span, fitted, heartbeat
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.status_line import HEALTH_STYLES, shown_health
from fundwatch.tui.words import short_age

_NAME, _HEALTH, _AGE = 11, 7, 6
_TWO_COLUMNS = 76
_MOST_BEATS = 24


class TrackerStrip(Drawing):
    """One cell for each enabled exchange; two columns of them where they fit side by side."""

    DEFAULT_CSS = "TrackerStrip { height: auto; }"

    _snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        counted = 0 if self._snapshot is None else len(self._snapshot.status.counted)
        self._snapshot = snapshot
        self.redraw()
        if counted != len(snapshot.status.counted):
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        count = 7 if self._snapshot is None else len(self._snapshot.status.counted)
        return max(1, -(-count // _columns(width)))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if self._snapshot is None:
            return []
        return drawn(self._snapshot, width, height)


def _columns(width: int) -> int:
    return 2 if width >= _TWO_COLUMNS else 1


def drawn(snapshot: Snapshot, width: int, height: int) -> list[list[Span]]:
    """The strip as lines, filled column by column."""
    counted = snapshot.status.counted
    columns = _columns(width)
    lines = max(1, -(-len(counted) // columns))
    each = width // columns
    counts = max((len(_fresh(one)) for one in counted), default=0)
    result: list[list[Span]] = []
    for line in range(min(lines, height)):
        spans: list[Span] = []
        for one in counted[line::lines]:
            spans += fitted(_cell(one, snapshot.runs.get(one.exchange, ()), each, counts), each)
        result.append(fitted(spans, width))
    return result


def _fresh(one: ExchangeStatus) -> str:
    return f"{one.markets_fresh}/{one.markets}" if one.markets else "-"


def _cell(one: ExchangeStatus, runs: Sequence[Run], width: int, counts: int) -> list[Span]:
    word = shown_health(one.health)
    spans: list[Span] = [
        (f" {one.exchange:<{_NAME}} ", ""),
        (f"{word:<{_HEALTH}} ", HEALTH_STYLES.get(one.health, "warn")),
        (f"{_fresh(one):>{counts}} ", ""),
        (f"{short_age(one.oldest_quote_seconds):>{_AGE}} ", "muted"),
    ]
    left = min(_MOST_BEATS, width - sum(cell_len(text) for text, _ in spans) - 1)
    if left >= 3:
        spans += heartbeat([run.outcome for run in reversed(runs)], left)
    return spans
