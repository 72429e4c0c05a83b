"""What is to come on each exchange, and what two exchanges together would earn, as short lists."""

from collections.abc import Sequence
from typing import NamedTuple

from fundwatch.text import signed
from fundwatch.tui.charts.bars import Drawing, Span, fitted
from fundwatch.tui.rows.detail_rows import Gap, Payment
from fundwatch.tui.rows.rate_rows import bracketed, difference_words, squeezed
from fundwatch.tui.tables.columns import Cell
from fundwatch.tui.words import MISSING, POSITION_USD, Words, countdown, interval, sign_style

EMPTY = "No payment is known yet."
ALIKE = "No two exchanges differ."
_WIDE = 55
_AMOUNT, _RATE = 8, 9


class Page(NamedTuple):
    """`over` names the range of what the pairs were paid: `7d`; `now` in UTC seconds."""

    payments: Sequence[Payment] = ()
    gaps: Sequence[Gap] = ()
    words: Words = Words()
    over: str = ""
    now: float = 0.0


def lines(page: Page, width: int, height: int) -> list[list[Span]]:
    """The payments, and as many of the pairs as fit below them.

    A wider list also says when, and for how many hours. What stands in parentheses rests on a rate that
    is not to be trusted.
    """
    found = _payments(page, width >= _WIDE)
    if height - len(found) > 3:
        found += [[], *_gaps(page, width >= _WIDE)]
    return [fitted(line, width) for line in found[:height]]


def _payments(page: Page, wide: bool) -> list[list[Span]]:
    words, now = page.words, page.now
    when, pays = (f"{words.zone:<12}", f"{'pays':>5} ") if wide else ("", "")
    title = f"A long of ${POSITION_USD:,} pays next, in $"
    heading = f"{when}{'exchange':<11} {'in':>6} {pays}{'payment':>{_AMOUNT}} {'per 8 h':>{_AMOUNT}}"
    found: list[list[Span]] = [[(title, "accent")], [(heading, "muted")]]
    for one in page.payments:
        time = f"{'always' if one.time is None else words.moment(one.time):<12}"
        every = f"{interval(one.hours, continuous=one.time is None):>5} " if wide else ""
        payment = MISSING if one.time is None else _dollars(one.amount_usd, one.sound)
        eight = _dollars(one.eight_hours_usd, one.sound)
        found.append(
            [
                (time if wide else "", ""),
                (f"{one.exchange:<11.11} ", ""),
                (f"{countdown(one.time, now):>6} {every}", "muted"),
                (f"{payment.text:>{_AMOUNT}} ", payment.style),
                (f"{eight.text:>{_AMOUNT}}", eight.style),
            ]
        )
    return found if page.payments else [*found, [(EMPTY, "muted")]]


def _dollars(usd: float, sound: bool) -> Cell:
    text = signed(usd, 3)
    cell = Cell(text, sign_style(text))
    return squeezed(cell if sound else Cell(bracketed(cell).text, "muted"), usd, _AMOUNT)


def _gaps(page: Page, wide: bool) -> list[list[Span]]:
    words = difference_words(page.words)
    paid = f" {page.over + ' ' + words.sign:>{_RATE}}" if wide else ""
    heading = f"{'long':<11} {'short':<11} {words.heading:>{_RATE}}{paid}"
    found: list[list[Span]] = [[("Pairs now, before costs", "accent")], [(heading, "muted")]]
    if not page.gaps:
        return [*found[:1], [(ALIKE, "muted")]]
    for one in page.gaps:
        spans: list[Span] = [(f"{one.long:<11.11} {one.short:<11.11}", "")]
        for apr in (one.now, one.paid) if wide else (one.now,):
            cell = squeezed(words.rate(apr), words.value(apr), _RATE)
            spans.append((f" {cell.text:>{_RATE}}", cell.style))
        found.append(spans)
    return found


class Ledger(Drawing):
    DEFAULT_CSS = "Ledger { width: 38; height: 1fr; padding: 0 0 0 1; }"

    _page = Page()

    def show(self, page: Page) -> None:
        """See `lines`."""
        self._page = page
        self.redraw()

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return lines(self._page, width, height)
