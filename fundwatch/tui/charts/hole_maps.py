"""Which hours are stored, exchange by exchange under one ruler of hours."""

from collections.abc import Sequence

from fundwatch.answers.status import ExchangeStatus
from fundwatch.tui.charts.bars import Drawing, Span, fitted, hole_map, hour_ruler
from fundwatch.tui.charts.hole_loader import HOURS, Holes
from fundwatch.tui.rows.run_words import counted
from fundwatch.tui.rows.tracker_rows import publishes_none
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.words import Words

_NAME, _WORDS = 13, 15
_DAY = 24
READING = "reading ..."


class HoleMaps(Drawing):
    """A ruler, then a line for each exchange: as many whole days as fit, the newest hour at the right."""

    DEFAULT_CSS = "HoleMaps { height: auto; }"

    _exchanges: Sequence[ExchangeStatus] = ()
    _recorded: frozenset[str] = frozenset()
    _holes: Holes = Holes(0, {})
    _words: Words = Words()
    _days: int = 0
    _shown: object = None

    def show(self, snapshot: Snapshot, words: Words, history_days: int) -> None:
        """`history_days` is how far back holes are counted."""
        exchanges = snapshot.status.counted
        changed = len(self._exchanges) != len(exchanges)
        self._exchanges, self._words, self._days = exchanges, words, history_days
        self._recorded = frozenset(name for name, row in snapshot.exchanges.items() if publishes_none(row))
        told = [(one.exchange, self._told(one)) for one in exchanges], words, history_days
        if told != self._shown:
            self._shown = told
            self.redraw()
        if changed:
            self.refresh(layout=True)

    def show_holes(self, holes: Holes) -> None:
        self._holes = holes
        self.redraw()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return 1 + max(1, len(self._exchanges))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        shown = hours_shown(width)
        end = self._holes.end
        ruler = hour_ruler(end, shown, self._words) if end else [(" " * shown, "")]
        heading, range_words = f"hour, {self._words.zone}", f"  in {self._days} days"
        lines = [fitted([(f" {heading:<{_NAME - 1}}", "muted"), *ruler, (range_words, "muted")], width)]
        for one in self._exchanges[: height - 1]:
            lines.append(fitted([(f" {one.exchange:<{_NAME - 1}}", ""), *self._line(one, shown)], width))
        return lines

    def _line(self, one: ExchangeStatus, shown: int) -> list[Span]:
        hours = self._holes.by_exchange.get(one.exchange, ())
        return [*hole_map(hours, shown), (f"  {self._told(one)}", "muted")]

    def _told(self, one: ExchangeStatus) -> str:
        if one.exchange in self._recorded:
            return "recorded only"
        if not one.markets:
            return "no market yet"
        if not self._holes.end:
            return READING
        return counted(one.gaps_open, "gap") if one.gaps_open else "no gaps"


def hours_shown(width: int) -> int:
    """The hours that fit into `width` cells beside names and words, in whole days but at least one."""
    days = (width - _NAME - _WORDS) // _DAY
    return _DAY * max(1, min(days, HOURS // _DAY))
