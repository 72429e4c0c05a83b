"""A line on stderr that shows how far something is; nothing without a terminal."""

import sys

import click

from fundwatch.clock import Clock, SystemClock

_REDRAW_SECONDS = 0.2
_BAR_WIDTH = 30


class ProgressLine:
    """`with ProgressLine() as line: line.show(0.5, "BTC")`; the line is gone after the block."""

    def __init__(self, is_terminal: bool | None = None, clock: Clock | None = None) -> None:
        self._is_terminal = sys.stderr.isatty() if is_terminal is None else is_terminal
        self._clock = clock or SystemClock()
        self._drawn_at: float | None = None

    def show(self, share: float, words: str) -> None:
        """`share` is 0 to 1; `words` are ours or clean."""
        if not self._is_terminal:
            return
        now = self._clock.monotonic()
        if self._drawn_at is not None and now - self._drawn_at < _REDRAW_SECONDS:
            return
        self._drawn_at = now
        filled = round(max(0.0, min(1.0, share)) * _BAR_WIDTH)
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        click.echo(f"\r\x1b[K[{bar}] {share:4.0%} {words}", nl=False, err=True)

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Takes the line away, for other words."""
        if self._drawn_at is not None:
            self._drawn_at = None
            click.echo("\r\x1b[K", nl=False, err=True)
