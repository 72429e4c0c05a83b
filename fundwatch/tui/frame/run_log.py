"""What the collector told, as lines; at the top what goes on now."""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from fundwatch.models import HOUR
from fundwatch.storage.queries import Run
from fundwatch.text import printable
from fundwatch.tui.charts.bars import Drawing, Span, fitted, progress_bar
from fundwatch.tui.frame.activity import Activity, LogLine
from fundwatch.tui.rows import run_words
from fundwatch.tui.words import Words

_HEAD = 19
"""Cells of time and exchange before the text."""

_BAR_AT = 24
"""Cells before a bar of progress."""

Runs = Mapping[str, Sequence[Run]]


class RunLog(Drawing):
    """A bar for each sweep and backfill that runs, then what ended, the newest first: what this screen
    was told, and the runs before it began."""

    DEFAULT_CSS = "RunLog { height: 1fr; }"

    _state: tuple[Activity, Runs, Words, float] | None = None
    _shown: object = None

    def show(self, activity: Activity, runs: Runs, words: Words, now: float) -> None:
        """`runs` are the stored ones by exchange; those that `activity` tells of are told once."""
        self._state = activity, runs, words, now
        newest = activity.log[-1] if activity.log else None
        running = tuple((what, activity.progress.get(what)) for what in activity.running)
        shown = (newest, len(activity.log), running, activity.place, runs, words, now // HOUR)
        if shown != self._shown:
            self._shown = shown
            self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if self._state is None:
            return []
        activity, runs, words, now = self._state
        lines = [fitted([(f" {activity.place}", "muted")], width)] if activity.place else []
        lines += [_running(activity, what, width) for what in sorted(activity.running)]
        ended = _ended(activity, runs)
        for line in ended[:height]:
            lines += _told(line, words, now, width)
        if not ended and not activity.running:
            lines.append(fitted([(" Nothing has run yet.", "muted")], width))
        return lines[:height]


def _running(activity: Activity, what: tuple[str, str], width: int) -> list[Span]:
    exchange, kind = what
    head: list[Span] = [(" ▸ ", "accent"), (f"{exchange:<11} {kind:<8} ", "")]
    told = activity.progress.get(what)
    if told is not None and told.hours_wanted:
        head += progress_bar(
            told.hours_done, told.hours_wanted, width - _BAR_AT, words=f"{told.inserted:,} stored"
        )
    return fitted(head, width)


def _ended(activity: Activity, runs: Runs) -> list[LogLine]:
    """The newest first."""
    told = {line.run_id for line in activity.log}
    before = [
        LogLine(run.ended, run.exchange, run_words.stored(run), run_words.style(run.outcome), run.id)
        for of_one in runs.values()
        for run in of_one
        if run.ended is not None and run.id not in told
    ]
    return sorted([*before, *activity.log], key=lambda line: line.at, reverse=True)


def _told(line: LogLine, words: Words, now: float, width: int) -> list[list[Span]]:
    """The line, and below it what does not fit."""
    head: list[Span] = [
        (f" {words.stamp(line.at, now)} ", "muted"),
        (f"{line.exchange or 'fundwatch':<11} ", ""),
    ]
    first, *more = wrap(printable(line.text), max(20, width - _HEAD)) or [""]
    return [
        fitted([*head, (first, line.style)], width),
        *(fitted([(" " * _HEAD, ""), (rest, line.style)], width) for rest in more),
    ]
