"""The least that a Textual app can be: what the dashboard's start and paint are measured against."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.events import Key
from textual.widgets import Static


class Bare(App[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]
    count = 0

    def compose(self) -> ComposeResult:
        yield Static("ready")

    def on_key(self, event: Key) -> None:
        self.count += 1
        self.query_one(Static).update(f"{event.key} {self.count}")


if __name__ == "__main__":
    Bare().run()
