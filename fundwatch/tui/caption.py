"""A line of words above or below a table."""

from collections.abc import Sequence

from fundwatch.tui.bars import Drawing, Span, fitted
from fundwatch.tui.columns import printable


class Caption(Drawing):
    """Spans of text that end in an ellipsis where there is no room."""

    DEFAULT_CSS = "Caption { height: 1; padding: 0 1; background: $surface; }"

    spans: Sequence[Span] = ()

    def show(self, *spans: Span) -> None:
        shown = [(printable(text), style) for text, style in spans]
        if shown != self.spans:
            self.spans = shown
            self.redraw()

    @property
    def text(self) -> str:
        """The words, also those that do not fit."""
        return "".join(text for text, _ in self.spans)

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return [fitted(self.spans, width)]
