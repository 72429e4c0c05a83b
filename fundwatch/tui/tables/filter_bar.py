"""The line in which a person types what to show: live, one for each pane."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static


class FilterBar(Horizontal):
    """Hidden without a filter. Enter goes back to the table, Escape first clears, then hides."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1; display: none; background: $surface;
        #filter-mark { width: 3; color: $text-accent; }
        #filter-count { width: auto; min-width: 14; color: $text-muted; text-align: right; padding: 0 1; }
        Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
        Input:focus { border: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Clear", tooltip="Clear the filter, then hide it", id="filter.leave"),
        Binding("down", "done", "Table", show=False, tooltip="Back to the table", id="filter.done"),
    ]

    class Changed(Message):
        """Show only what matches `text`."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """The table gets the keys again."""

    def compose(self) -> ComposeResult:
        yield Static(Content(" / "), id="filter-mark")
        field = Input(placeholder="words that must all occur", compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield Static(Content(""), id="filter-count")

    @property
    def text(self) -> str:
        return self.query_one(Input).value

    def open(self) -> None:
        self.display = True
        self.query_one(Input).focus()

    def put(self, text: str) -> None:
        """What another pane is filtered by; hidden when nothing."""
        self.display = bool(text)
        with self.prevent(Input.Changed):
            self.query_one(Input).value = text

    def count(self, shown: int, all_rows: int) -> None:
        self.query_one("#filter-count", Static).update(Content(f"{shown:,} of {all_rows:,}"))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_done()

    def action_done(self) -> None:
        self.display = bool(self.text)
        self.post_message(self.Left())

    def action_leave(self) -> None:
        if self.text:
            self.query_one(Input).value = ""
        else:
            self.action_done()
