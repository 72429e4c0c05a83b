"""All keys for where a person is, made from the bindings themselves, and what the signs on screen mean."""

from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.dom import DOMNode
from textual.events import Resize
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from fundwatch.tui import app_keys
from fundwatch.tui.charts.bars import HEARTBEAT_GLYPHS, HOLE_MAP_GLYPHS
from fundwatch.tui.frame.status_line import HEALTH_STYLES, shown_health
from fundwatch.tui.key_names import Command, commands
from fundwatch.tui.panes.base import Pane
from fundwatch.tui.rows import marks
from fundwatch.tui.rows.heat_rows import SHADES_APR_PERCENT
from fundwatch.tui.tables import table_keys
from fundwatch.tui.tables.filter_bar import FilterBar
from fundwatch.tui.tables.table import LineTable

_WIDE = 76
"""With fewer cells there is no room for the names that the key map uses."""
_KEYS, _GLYPH = 9, 9

HEALTH_WORDS = {
    "ok": "all expected markets are fresh",
    "late": "quotes are older than usual",
    "partial": "more than 1 % of the markets failed in the last sweep",
    "stale": "quotes are older than [collector] stale_after",
    "error": "the last sweep or the unit check failed",
    "paused": "not asked, because you said so",
    "never": "not collected yet",
}
_SHADES = ", ".join(f"{step:g}" for step in SHADES_APR_PERCENT)
LEGENDS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Signs beside a market",
        (*marks.GLYPHS, marks.IN_PARENTHESES, ("-", "missing; never a 0"), ("★", "starred")),
    ),
    ("Payments stored, hour by hour (4)", (*HOLE_MAP_GLYPHS, ("blank", "nothing was due"))),
    ("Last runs of an exchange", HEARTBEAT_GLYPHS),
    ("Health", tuple((shown_health(word), HEALTH_WORDS[word]) for word in HEALTH_STYLES)),
    (
        "Numbers",
        (
            ("rate", "positive when longs pay shorts"),
            ("APR", "simple: the hourly rate times 8,760"),
            ("now", "the running estimate"),
            ("24h-30d", "what was really paid"),
            ("times", "UTC; the time zone's key shows them as local"),
        ),
    ),
)


class Section(NamedTuple):
    """Commands that work in one place; `node` runs their actions, None where they cannot be run from here."""

    title: str
    commands: list[Command]
    node: DOMNode | None


def sections(place: Pane | Screen[Any]) -> list[Section]:
    """What works in a pane or on a screen of its own comes first, then what works everywhere, in tables,
    and while something lies over them."""
    from fundwatch.tui.backfill.dialog import BackfillDialog
    from fundwatch.tui.detail import AssetScreen, LegTable

    app = place.app

    def section(title: str, bindings: Iterable[BindingType], node: DOMNode | None) -> Section:
        found = [
            command
            for command in commands(app, bindings)
            if node is None or app._check_action_state(command.action, node) is not False
        ]
        return Section(title, found, node)

    asset = ("An asset (Enter on a market)", [*AssetScreen.BINDINGS, *LegTable.BINDINGS])
    if isinstance(place, Pane):
        table = place.main_table
        first = section(f"{place.title} ({place.digit})", type(place).BINDINGS, place)
        after = [section(*asset, None)]
    else:
        table = next(iter(place.query(LineTable)), None)
        first, after = section(*asset, place), []
    result = [
        first,
        section("Everywhere", app_keys.BINDINGS, app),
        section("Tables", table_keys.BINDINGS if table is None else _of(table), table),
        section("Filter", FilterBar.BINDINGS, None),
        *after,
        section("Backfill", [b for b in BackfillDialog.BINDINGS if b is not app_keys.QUIT], None),
        section("Help", [b for b in HelpScreen.BINDINGS if b is not app_keys.QUIT], None),
    ]
    return [one for one in result if one.commands]


def _of(widget: Widget) -> list[BindingType]:
    """All that a widget answers to, its own and what it inherits."""
    return [binding for _, binding in widget._bindings]


class HelpScreen(ModalScreen[None]):
    """Sections by where the keys work, each with its command's name for the key map, then the signs."""

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;

        #help {
            width: 100; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $text; border-subtitle-color: $text-muted;
            background: $surface; padding: 0 1;
        }
        VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1; }
        Static { height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1", "dismiss", "Close", tooltip="Close the help", id="help.close"),
        Binding("down,j", "scroll(1)", "Down", show=False, tooltip="Scroll down", id="help.down"),
        Binding("up,k", "scroll(-1)", "Up", show=False, tooltip="Scroll up", id="help.up"),
        Binding(
            "pagedown,space",
            "scroll_page(1)",
            "Page down",
            show=False,
            tooltip="Page down",
            id="help.page_down",
        ),
        Binding("pageup", "scroll_page(-1)", "Page up", show=False, tooltip="Page up", id="help.page_up"),
        Binding("home,g", "scroll_to_top", "Top", show=False, tooltip="To the first line", id="help.first"),
        Binding("end,G", "scroll_to_end", "End", show=False, tooltip="To the last line", id="help.last"),
        app_keys.QUIT,
    ]

    def __init__(self, place: Pane | Screen[Any]) -> None:
        super().__init__()
        self._place = place

    def compose(self) -> ComposeResult:
        with Vertical(id="help") as frame:
            frame.border_title = "Help"
            with VerticalScroll(can_focus=False):
                yield Static()

    def on_resize(self, event: Resize) -> None:
        wide = event.size.width >= _WIDE
        self.query_one(Static).update(_page(self._place, wide=wide))
        close = next(one.keys for one in commands(self.app, self.BINDINGS) if one.name == "help.close")
        named = "; the grey names are for [keys] in the configuration" if wide else ""
        self.query_one("#help").border_subtitle = Text(f"{close} closes{named}")

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_scroll_page(self, pages: int) -> None:
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=pages * max(1, scroll.size.height - 1), animate=False)

    def action_scroll_to_top(self) -> None:
        self.query_one(VerticalScroll).scroll_home(animate=False)

    def action_scroll_to_end(self) -> None:
        self.query_one(VerticalScroll).scroll_end(animate=False)


def _page(place: Pane | Screen[Any], *, wide: bool) -> RenderableType:
    """`wide` has the commands' names too."""
    parts: list[RenderableType] = []
    for section in sections(place):
        grid = _grid(_KEYS)
        if wide:
            grid.add_column(justify="right", no_wrap=True, style="dim")
        for one in section.commands:
            cells = [Text(one.keys, "bold"), Text(one.tooltip)]
            grid.add_row(*cells, *([Text(one.name)] if wide else []))
        parts += [Text(section.title, "bold underline"), grid, Text()]
    for title, glyphs in LEGENDS:
        grid = _grid(_GLYPH)
        for glyph, words in glyphs:
            grid.add_row(Text(glyph, "bold"), Text(words))
        parts += [Text(title, "bold underline"), grid, Text()]
    return Group(*parts[:-1])


def _grid(first: int) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(min_width=first, no_wrap=True)
    grid.add_column(ratio=1)
    return grid
