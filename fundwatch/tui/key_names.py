"""The commands that a key map can name."""

from collections.abc import Iterator

from textual.binding import Binding, BindingsMap, BindingType

from fundwatch.tui import app_keys, table_keys
from fundwatch.tui.filter_bar import FilterBar
from fundwatch.tui.pane_set import NAMES, pane_class


def key_names() -> list[str]:
    """The ids of all bindings that work on a pane, in no particular order."""
    return sorted({binding.id for binding in _bindings() if binding.id})


def _bindings() -> Iterator[Binding]:
    groups: list[list[BindingType]] = [app_keys.BINDINGS, table_keys.BINDINGS, FilterBar.BINDINGS]
    groups += [pane_class(name).BINDINGS for name in NAMES]
    for group in groups:
        for _, binding in BindingsMap(group):
            yield binding
