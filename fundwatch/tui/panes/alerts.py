"""Pane 5: what is wrong now and was before, and what happened."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from fundwatch.text import printable
from fundwatch.tui.charts.bars import Drawing, Span
from fundwatch.tui.frame.activity import Activity
from fundwatch.tui.frame.concerns import Concern, Key, concerns_of
from fundwatch.tui.panes.base import Pane, no_match
from fundwatch.tui.rows import alert_rows
from fundwatch.tui.rows.alert_rows import Condition
from fundwatch.tui.rows.event_list import Happening, events_of
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words

READING = "Reading the database ..."
QUIET = (
    "All is well: nothing is wrong now, and nothing was. Watched are data too old, errors, partial sweeps,"
    " failed unit checks and a dead collector."
)
NO_EVENTS = (
    "No interval has changed, nothing was listed or delisted, and no payment came with two rates since"
    " fundwatch collects."
)


class FullText(Drawing):
    """A sentence over as many lines as it needs, at most four."""

    DEFAULT_CSS = "FullText { height: auto; max-height: 4; background: $surface; }"

    _text = ""

    def show(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self._drawn = None
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    def draw(self, width: int, height: int) -> list[list[Span]]:
        return [[(f" {line}", "")] for line in self._lines(width)[:height]]

    def _lines(self, width: int) -> list[str]:
        return wrap(printable(self._text), max(10, width - 2))


class AlertsPane(Pane):
    """The conditions have as many lines as they need, up to one half; the rest is for events."""

    title = "Alerts"
    digit = "5"
    live = True
    SECTIONS: ClassVar[tuple[str, str]] = ("Conditions", "Events")

    def compose(self) -> ComposeResult:
        words = Words()
        self._conditions = LineTable(alert_rows.condition_columns(words), empty=READING, id="conditions")
        self._events = LineTable(alert_rows.event_columns(words), empty=READING, id="events")
        for table, title in zip((self._conditions, self._events), self.SECTIONS, strict=True):
            section = Container(table, id=f"{table.id}-section", classes="section")
            section.border_title = title
            yield section
        yield FullText()

    def on_mount(self) -> None:
        self._headings = Words()
        self._found: Mapping[object, Condition | Happening] = {}
        self._own: tuple[Sequence[Concern], frozenset[Key]] = ((), frozenset())
        for table in (self._conditions, self._events):
            table.show_all_columns(self.show_all_columns)

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if self._headings != self.words:
            self._headings = self.words
            self._conditions.set_columns(alert_rows.condition_columns(self.words))
            self._events.set_columns(alert_rows.event_columns(self.words))
        concerns, now = concerns_of(self.app), snapshot.taken_at
        self._own = self._of_now()
        conditions = alert_rows.conditions(snapshot, concerns.own, concerns.is_seen)
        events = events_of(snapshot)
        self._found = {one.key: one for one in conditions} | {one.key: one for one in events}
        self._conditions.say(empty=QUIET)
        self._events.say(empty=NO_EVENTS)
        self._conditions.show([alert_rows.condition_row(one, self.words, now) for one in conditions])
        self._events.show([alert_rows.event_row(one, self.words, now) for one in events])
        self._fit()
        wrong = sum(one.goes_on for one in conditions)
        over = len(conditions) - wrong
        titles = (
            f"Conditions: {wrong} now, {over} over",
            f"Events, the newest {len(events)}" if events else "Events",
        )
        for table, title in zip((self._conditions, self._events), titles, strict=True):
            self.query_one(f"#{table.id}-section").border_title = title
        self._tell_in_full()

    def hear(self, activity: Activity, now: float) -> None:
        """What goes wrong with the collector or the screen itself comes in no snapshot."""
        if self.snapshot is not None and self._of_now() != self._own:
            self.show(self.snapshot)

    def _of_now(self) -> tuple[Sequence[Concern], frozenset[Key]]:
        concerns = concerns_of(self.app)
        status = () if self.snapshot is None else self.snapshot.status.alerts
        keys = [(state.exchange or "", state.kind) for state in status]
        seen = frozenset(key for key in (*keys, *(c.key for c in concerns.own)) if concerns.is_seen(key))
        return concerns.own, seen

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """A heading and the rows; or the sentence in their place, which may take several lines."""
        lines = self._conditions.row_count or len(wrap(QUIET, max(10, self.room.width - 4)))
        height = max(4, min(lines + 2, self.room.height // 2))
        section = self.query_one("#conditions-section")
        if section.styles.height is None or section.styles.height.value != height:
            section.styles.height = height

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._tell_in_full()

    def on_descendant_focus(self) -> None:
        self._tell_in_full()

    def _tell_in_full(self) -> None:
        """All about the row under the cursor, which the table may have had to cut."""
        key = None if self.main_table is None else self.main_table.cursor_key
        one, told = self._found.get(key), ""
        if self.snapshot is not None and one is not None:
            now = self.snapshot.taken_at
            told = (
                alert_rows.condition_told(one, self.words, now)
                if isinstance(one, Condition)
                else alert_rows.event_told(one, self.words, now)
            )
        self.query_one(FullText).show(told)

    def focus_first(self) -> None:
        """The table that has rows, of which the upper one matters more."""
        table = self._conditions if self._conditions.row_count or not self._events.row_count else self._events
        table.focus()

    def filter(self, text: str) -> None:
        for table in (self._conditions, self._events):
            table.say(no_match=no_match(text))
            table.filter_by(text or None)
        self._fit()

    @property
    def focused_exchange(self) -> str | None:
        key = None if self.main_table is None else self.main_table.cursor_key
        one = self._found.get(key)
        return None if one is None or not one.exchange else one.exchange
