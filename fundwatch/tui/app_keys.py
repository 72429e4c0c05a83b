"""Keys that work everywhere; the ids are what a person's key map refers to."""

from textual.binding import Binding, BindingType

PANES = Binding.Group("Panes", compact=True)


def _pane(digit: str, name: str, title: str) -> Binding:
    return Binding(
        digit, f"show_pane('{name}')", title, tooltip=f"Show {title.lower()}", id=f"app.{name}", group=PANES
    )


def _shown(keys: str, action: str, label: str, id: str, tooltip: str) -> Binding:
    return Binding(keys, action, label, tooltip=tooltip, id=id)


def _hidden(keys: str, action: str, label: str, id: str, tooltip: str, *, priority: bool = False) -> Binding:
    return Binding(keys, action, label, show=False, tooltip=tooltip, id=id, priority=priority)


_QUITS = "Stop at once; what was collected is stored"
QUIT = Binding("q", "app.quit", "Quit", tooltip=_QUITS, id="app.quit", priority=True)
"""For what lies over the panes: nothing that has the focus there may take the key."""

BINDINGS: list[BindingType] = [
    _shown("r", "refresh", "Refresh", "app.refresh", "Sweep the exchange of this row now, or all"),
    _shown("b", "backfill", "Backfill", "app.backfill", "Fetch what is missing; the cost is shown first"),
    _shown("slash", "filter", "Filter", "app.filter", "Show only rows with these words"),
    _pane("1", "overview", "Overview"),
    _pane("2", "rates", "Rates"),
    _pane("3", "arbitrage", "Arbitrage"),
    _pane("4", "trackers", "Trackers"),
    _pane("5", "alerts", "Alerts"),
    _hidden(
        "left_square_bracket", "window(-1)", "Shorter window", "app.window_back", "Rank by a shorter window"
    ),
    _hidden(
        "right_square_bracket", "window(1)", "Longer window", "app.window_next", "Rank by a longer window"
    ),
    _hidden("u", "unit", "Unit", "app.unit", "APR, per payment, per 8 h, or dollars a day"),
    _hidden("t", "local_time", "Time zone", "app.local_time", "Times in UTC or in the zone of this machine"),
    _shown("space", "freeze", "Freeze", "app.freeze", "Let tables stand still; health and alerts go on"),
    _hidden("y", "copy", "Copy row", "app.copy", "Copy the row under the cursor to the clipboard"),
    _hidden("e", "export", "Export", "app.export", "Write the rows that are shown to a CSV file"),
    _hidden("a", "acknowledge", "Acknowledge", "app.acknowledge", "Take notice of what the banner says"),
    _hidden("escape", "clear_filter", "Clear filter", "app.clear_filter", "Show all rows again"),
    _shown("ctrl+p", "command_palette", "Commands", "app.commands", "Find any command by its name"),
    _shown("question_mark,f1", "help", "Help", "app.help", "All keys, for where you are"),
    _shown("q", "quit", "Quit", "app.quit", _QUITS),
    _hidden("ctrl+q", "quit", "Quit", "app.quit_now", "Stop at once, also while typing", priority=True),
]
