"""Every widget that shows text from outside, with one hostile string after another.

Run on a terminal: `python -m tests.acceptance.gallery COUNT SEED`; it ends with 0 after the last string.
"""

import sys
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical

from fundwatch.collector.events import CollectorStopped, RunEnded, Trouble
from fundwatch.models import HOUR, Window
from fundwatch.tui.actions import Actions
from fundwatch.tui.charts.chart import Chart
from fundwatch.tui.charts.plotting import Series
from fundwatch.tui.frame.activity import Activity
from fundwatch.tui.frame.banner import Banner
from fundwatch.tui.frame.concerns import Concern
from fundwatch.tui.frame.run_log import RunLog
from fundwatch.tui.panes.alerts import FullText
from fundwatch.tui.panes.base import no_match
from fundwatch.tui.rows.detail_rows import Payment
from fundwatch.tui.rows.event_list import EventList, Happening
from fundwatch.tui.rows.ledger import Ledger, Page
from fundwatch.tui.tables.caption import Caption
from fundwatch.tui.tables.columns import Cell, Column, Row
from fundwatch.tui.tables.filter_bar import FilterBar
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words
from tests.acceptance import hostile

AT_ONCE = 10
NOW = 1_795_176_000.0
_COLUMNS = (Column("wide", "wide", 60, grow=True), Column("number", "number", 12, "right"))


class Gallery(Actions):
    """`strings` are shown `AT_ONCE`, each in every widget."""

    CSS = """
    #rows { height: 12; } #nothing { height: 3; } EventList, RunLog { height: 12; } Chart { height: 14; }
    Ledger { height: 12; width: 100%; }
    """

    def __init__(self, strings: Sequence[str]) -> None:
        super().__init__()
        self.animation_level = "none"
        self._left = list(strings)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Banner()
            yield Caption()
            yield FilterBar()
            yield LineTable(_COLUMNS, id="rows")
            yield LineTable(_COLUMNS, id="nothing")
            yield FullText()
            yield EventList()
            yield RunLog()
            yield Chart()
            yield Ledger()

    def on_mount(self) -> None:
        self.query_one(FilterBar).display = True
        self.call_after_refresh(self._next)

    def _next(self) -> None:
        texts, self._left = self._left[:AT_ONCE], self._left[AT_ONCE:]
        if not texts:
            self.exit(0)
            return
        self.clear_notifications()
        self.say(" ".join(texts))
        table = self.query_one("#rows", LineTable)
        heading = Column("hostile", texts[0], 30)
        rows = [Row(at, (text, Cell(text, "bad"), text)) for at, text in enumerate(texts)]
        table.set_columns([*_COLUMNS, heading], rows)
        self.query_one("#nothing", LineTable).say(empty=no_match(texts[0]))
        self.query_one(Caption).show((texts[0], "accent"), (texts[-1], ""))
        self.query_one(Banner).show([Concern("lighter", "error", text, NOW, "see 4") for text in texts], NOW)
        self.query_one(FullText).show(texts[0])
        events = [Happening(("event", at), NOW, text, text, text) for at, text in enumerate(texts)]
        self.query_one(EventList).show(events, Words(), NOW)
        self.query_one(RunLog).show(_heard(texts), {}, Words(), NOW)
        window = Window(int(NOW) - 24 * HOUR, int(NOW))
        series = [Series(text, [(int(NOW) - HOUR, at), (int(NOW), at)]) for at, text in enumerate(texts)]
        self.query_one(Chart).show(series, window, texts[0])
        payments = [Payment(int(NOW), text, 1.0, 1.0, True) for text in texts]
        self.query_one(Ledger).show(Page(payments, now=NOW))
        self.set_timer(0.02, lambda: self.call_after_refresh(self._next))


def _heard(texts: Sequence[str]) -> Activity:
    """What events that came over the socket of another process leave in the log."""
    activity = Activity(place=texts[0])
    for text in texts:
        activity.hear(Trouble(text, text), NOW)
        activity.hear(CollectorStopped(text), NOW)
        activity.hear(RunEnded(text, "sweep", 1, text, text, 1, 1, 0, 1.0, 1), NOW)
    return activity


if __name__ == "__main__":
    gallery = Gallery(hostile.strings(int(sys.argv[1]), int(sys.argv[2])))
    ended = gallery.run()
    sys.exit(1 if ended is None else ended)
