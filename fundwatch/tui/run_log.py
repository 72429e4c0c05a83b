"""What the collector told, as lines; at the top what goes on now."""

from textwrap import wrap

from fundwatch.tui.activity import Activity, LogLine
from fundwatch.tui.bars import Drawing, Span, fitted, progress_bar
from fundwatch.tui.columns import printable
from fundwatch.tui.words import Words

_HEAD = 19
"""Cells of time and exchange before the text."""


class RunLog(Drawing):
    """A bar for each sweep and backfill that runs, then what ended, the newest first."""

    DEFAULT_CSS = "RunLog { height: 1fr; }"

    _state: tuple[Activity, Words] | None = None

    def show(self, activity: Activity, words: Words, now: float) -> None:
        self._state = activity, words
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        if self._state is None:
            return []
        activity, words = self._state
        lines = [fitted([(f" {activity.place}", "muted")], width)] if activity.place else []
        for (exchange, kind), started in sorted(activity.running.items()):
            told = activity.progress.get((exchange, kind))
            head: list[Span] = [(" ▸ ", "accent"), (f"{exchange:<11} {started.kind:<8} ", "")]
            bar: list[Span] = []
            if told is not None and told.hours_wanted:
                stored = f"{told.inserted:,} stored"
                bar = progress_bar(told.hours_done, told.hours_wanted, width - 24, words=stored)
            lines.append(fitted([*head, *bar], width))
        for line in reversed(activity.log):
            if len(lines) >= height:
                break
            lines += _told(line, words, width)
        if len(lines) <= 1 and not activity.log:
            lines.append(fitted([(" Nothing has run since this screen began.", "muted")], width))
        return lines[:height]


def _told(line: LogLine, words: Words, width: int) -> list[list[Span]]:
    """The line, and below it what does not fit."""
    head: list[Span] = [(f" {words.clock(line.at)} ", "muted"), (f"{line.exchange or 'fundwatch':<11} ", "")]
    first, *more = wrap(printable(line.text), max(20, width - _HEAD)) or [""]
    return [
        fitted([*head, (first, line.style)], width),
        *(fitted([(" " * _HEAD, ""), (rest, line.style)], width) for rest in more),
    ]
