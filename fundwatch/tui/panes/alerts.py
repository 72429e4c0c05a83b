"""Pane 5: what is wrong now and was before, and what happened."""

from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from fundwatch.storage.queries import Event
from fundwatch.text import age
from fundwatch.tui.bars import Drawing, Span
from fundwatch.tui.columns import Cell, Column, Row, printable
from fundwatch.tui.event_list import worth_telling
from fundwatch.tui.panes.base import Pane, no_match
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.table import LineTable
from fundwatch.tui.words import MISSING, Words

QUIET = "All is well: nothing is wrong now, and nothing was."
NO_EVENTS = "No interval has changed and nothing was listed or delisted since fundwatch collects."

_EVENT_STYLES = {"delisted": "warn", "conflict": "bad", "undo": "warn", "collector": "warn"}


def _condition_columns(words: Words) -> list[Column]:
    return [
        Column("state", "state", 5, sortable=False),
        Column("exchange", "exchange", 11),
        Column("kind", "kind", 10),
        Column("since", f"since {words.zone}", 11, "right"),
        Column("until", f"until {words.zone}", 11, "right", priority=2),
        Column("lasted", "lasted", 11, "right", priority=1),
        Column("message", "what", 24, grow=True, sortable=False),
    ]


def _event_columns(words: Words) -> list[Column]:
    return [
        Column("time", f"time {words.zone}", 11, "right"),
        Column("exchange", "exchange", 11),
        Column("kind", "kind", 10),
        Column("message", "what happened", 30, grow=True, sortable=False),
    ]


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
    title = "Alerts"
    digit = "5"
    live = True
    SECTIONS: ClassVar[tuple[str, str]] = ("Conditions", "Events")

    def compose(self) -> ComposeResult:
        self._conditions = LineTable(_condition_columns(self.words), empty=QUIET, id="conditions")
        self._events = LineTable(_event_columns(self.words), empty=NO_EVENTS, id="events")
        for table, title in zip((self._conditions, self._events), self.SECTIONS, strict=True):
            section = Container(table, id=f"{table.id}-section", classes="section")
            section.border_title = title
            yield section
        yield FullText()

    def on_mount(self) -> None:
        self._headings = self.words
        for table in (self._conditions, self._events):
            table.show_all_columns(self.show_all_columns)

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        if self._headings != self.words:
            self._headings = self.words
            self._conditions.set_columns(_condition_columns(self.words))
            self._events.set_columns(_event_columns(self.words))
        conditions = condition_rows(snapshot, self.words)
        self._conditions.show(conditions)
        events = worth_telling(snapshot.events)
        self._events.show([_event_row(event, self.words) for event in events])
        wrong = sum(row.key[0] == "now" for row in conditions if isinstance(row.key, tuple))
        titles = (f"Conditions, {wrong} now", f"Events, the newest {len(events)}")
        for table, title in zip((self._conditions, self._events), titles, strict=True):
            self.query_one(f"#{table.id}-section").border_title = title
        self._tell_in_full()

    def on_line_table_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._tell_in_full()

    def on_descendant_focus(self) -> None:
        self._tell_in_full()

    def _tell_in_full(self) -> None:
        """What the row under the cursor says, which the table may have had to cut."""
        row = None if self.main_table is None else self.main_table.cursor_row
        last = "" if row is None else row.cells[-1]
        self.query_one(FullText).show(last.text if isinstance(last, Cell) else last)

    def filter(self, text: str) -> None:
        for table in (self._conditions, self._events):
            table.say(no_match=no_match(text))
            table.filter_by(text or None)

    @property
    def focused_exchange(self) -> str | None:
        row = None if self.main_table is None else self.main_table.cursor_row
        if row is None or self.snapshot is None:
            return None
        named = row.cells[1]
        text = named.text if isinstance(named, Cell) else named
        return text if text in self.snapshot.exchanges else None


def condition_rows(snapshot: Snapshot, words: Words) -> list[Row]:
    """What goes on, then what is over, the newest first."""
    now = snapshot.taken_at
    seen = {(a.exchange, a.kind) for a in snapshot.alerts if a.until is None and a.acknowledged is not None}
    rows = []
    for state in snapshot.status.alerts:
        known = (state.exchange, state.kind) in seen
        rows.append(
            Row(
                ("now", state.exchange, state.kind),
                (
                    Cell("seen", "muted") if known else Cell("NOW", "bad"),
                    state.exchange or "fundwatch",
                    state.kind,
                    words.moment(state.since),
                    MISSING,
                    age(None if state.since is None else now - state.since),
                    state.message,
                ),
                (None, state.exchange or "", state.kind, state.since, None, now - (state.since or now), None),
            )
        )
    for row in snapshot.alerts:
        if row.until is not None:
            rows.append(
                Row(
                    ("over", row.id),
                    (
                        Cell("over", "muted"),
                        row.exchange or "fundwatch",
                        row.kind,
                        words.moment(row.since),
                        words.moment(row.until),
                        age(row.until - row.since),
                        Cell(row.message, "muted"),
                    ),
                    (None, row.exchange or "", row.kind, row.since, row.until, row.until - row.since, None),
                )
            )
    return rows


def _event_row(event: Event, words: Words) -> Row:
    return Row(
        event.id,
        (
            words.moment(event.time),
            event.exchange or "fundwatch",
            Cell(event.kind, _EVENT_STYLES.get(event.kind, "")),
            event.message,
        ),
        (event.time, event.exchange or "", event.kind, None),
    )
