"""All keys for where a person is, made from the bindings themselves."""

from collections.abc import Iterable
from textwrap import wrap
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from fundwatch.tui import app_keys, table_keys
from fundwatch.tui.filter_bar import FilterBar
from fundwatch.tui.panes.base import Pane

_KEYS, _TOOLTIP = 9, 42


class Command(NamedTuple):
    """What keys do; `name` is what the configuration's `[keys]` calls it."""

    keys: str
    label: str
    tooltip: str
    name: str
    action: str = ""


class HelpScreen(ModalScreen[None]):
    """Sections by where the keys work, each with its command's name for the key map."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;

        #help {
            width: 78; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $text; border-subtitle-color: $text-muted;
            background: $surface; padding: 0 1;
        }
        VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", tooltip="Close the help", id="help.close"),
        Binding("down,j", "scroll(1)", "Down", show=False, tooltip="Scroll down", id="help.down"),
        Binding("up,k", "scroll(-1)", "Up", show=False, tooltip="Scroll up", id="help.up"),
        Binding("pagedown", "scroll(15)", "Page down", show=False, tooltip="Page down", id="help.page_down"),
        Binding("pageup", "scroll(-15)", "Page up", show=False, tooltip="Page up", id="help.page_up"),
    ]

    def __init__(self, pane: Pane) -> None:
        super().__init__()
        self._pane = pane

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = Text("Escape closes; the grey names are for [keys] in the configuration")
            with VerticalScroll():
                yield Static(self._text())

    def _text(self) -> Text:
        text = Text()
        for title, commands in sections(self._pane):
            text.append(f"{title}\n", "bold underline")
            for command in commands:
                first, *more = wrap(command.tooltip, _TOOLTIP) or [""]
                text.append(f"  {command.keys:<{_KEYS}} ", "bold")
                text.append(f"{first:<{_TOOLTIP}} ")
                text.append(f"{command.name}\n", "dim")
                for line in more:
                    text.append(f"{'':{_KEYS + 3}}{line}\n")
            text.append("\n")
        text.append(WORDS)
        return text

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


WORDS = (
    "A rate is positive when longs pay shorts. APR is simple: the hourly rate times 8,760.\n"
    "now is the running estimate; 24h to 30d is what was really paid.\n"
    "Grey rows in italics are not to be trusted; the note says why.\n"
    "Times are UTC unless t was pressed. Missing is -, never 0.\n"
)


def sections(pane: Pane) -> list[tuple[str, list[Command]]]:
    """Titles with their commands: the pane's first, then those of everywhere, of tables and of the filter."""
    app = pane.app
    table = pane.main_table
    keymap = app._keymap

    def shown(bindings: Iterable[BindingType]) -> list[Command]:
        applied = BindingsMap(bindings)
        applied.apply_keymap(keymap)
        found: dict[str, list[Binding]] = {}
        for _, binding in applied:
            if binding.id:
                found.setdefault(binding.id, []).append(binding)
        return [
            Command(
                " ".join(dict.fromkeys(app.get_key_display(one) for one in same)),
                same[0].description,
                same[0].tooltip or same[0].description,
                name,
                same[0].action,
            )
            for name, same in found.items()
        ]

    result = [
        (f"{pane.title} ({pane.digit})", shown(type(pane).BINDINGS)),
        ("Everywhere", shown(app_keys.BINDINGS)),
        ("Tables", shown(table_keys.BINDINGS if table is None else type(table).BINDINGS)),
        ("Filter", shown(FilterBar.BINDINGS)),
    ]
    return [(title, commands) for title, commands in result if commands]
