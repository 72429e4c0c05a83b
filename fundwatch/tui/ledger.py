"""The payments that come next, as a short list."""

from collections.abc import Sequence

from fundwatch.text import signed
from fundwatch.tui.bars import Drawing, Span, fitted
from fundwatch.tui.detail_rows import Payment
from fundwatch.tui.words import POSITION_USD, Words, countdown, interval

EMPTY = "No payment is known yet."
_WIDE = 45


def lines(payments: Sequence[Payment], words: Words, now: float, width: int) -> list[list[Span]]:
    """A heading, then a line for each payment: when, where, and what a long of $10,000 pays.

    A wider list also says in how long, and for how many hours. What stands in parentheses rests on a
    rate that is not to be trusted.
    """
    wide = width >= _WIDE
    middle = f"{'in':>6} {'for':>4} " if wide else ""
    heading = f"{words.zone:<11} {'exchange':<11} {middle}"
    spans: list[list[Span]] = [[(heading, "muted"), (f"$/{POSITION_USD // 1000}k".rjust(9), "muted")]]
    for one in payments:
        when = f"per {one.hours:g} h" if one.time is None else words.moment(one.time)
        text = signed(one.amount_usd, 3)
        text = text if one.sound else f"({text})"
        style = "muted" if not one.sound else "bad" if one.amount_usd < 0 else "good"
        between = f"{countdown(one.time, now):>6} {interval(one.hours):>4} " if wide else ""
        spans.append(
            [(f"{when:<11} ", ""), (f"{one.exchange:<11.11} ", ""), (between, "muted"), (f"{text:>9}", style)]
        )
    if not payments:
        spans.append([(EMPTY, "muted")])
    return [fitted(line, width) for line in spans]


class Ledger(Drawing):
    DEFAULT_CSS = "Ledger { width: 34; height: 1fr; padding: 0 0 0 1; }"

    _state: tuple[Sequence[Payment], Words, float] = ((), Words(), 0.0)

    def show(self, payments: Sequence[Payment], words: Words, now: float) -> None:
        """See `lines`; `now` in UTC seconds."""
        self._state = (payments, words, now)
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return lines(*self._state, width)[:height]
