"""The commands that a key map can name."""

from collections.abc import Iterator, Mapping

from textual.binding import Binding, BindingsMap, BindingType

from fundwatch.tui import app_keys, table_keys
from fundwatch.tui.filter_bar import FilterBar
from fundwatch.tui.pane_set import NAMES, pane_class


def key_names() -> list[str]:
    """The ids of all bindings that work on a pane."""
    return sorted({binding.id for group in _groups() for _, binding in group if binding.id})


def lost_keys(keymap: Mapping[str, str]) -> dict[str, str]:
    """Commands that are left without a key, each with the key that a key map gave to another one."""
    lost: dict[str, str] = {}
    for group in _groups():
        usual: dict[str, set[str]] = {}
        for key, binding in group:
            usual.setdefault(binding.id or "", set()).add(key)
        for name in usual.keys() & keymap.keys():
            for taken in map(_long_form, keymap[name].split(",")):
                for other, keys in usual.items():
                    if other != name and other not in keymap and taken in keys:
                        keys.discard(taken)
                        if not keys:
                            lost[other] = taken
    return lost


def _long_form(key: str) -> str:
    """`?` as `question_mark`, as bindings have it."""
    (form,) = BindingsMap([Binding(key.strip(), "")]).key_to_bindings
    return form


def _groups() -> Iterator[BindingsMap]:
    """Bindings that stand beside each other, where a key can have one meaning only."""
    groups: list[list[BindingType]] = [app_keys.BINDINGS, table_keys.BINDINGS, FilterBar.BINDINGS]
    groups += [pane_class(name).BINDINGS for name in NAMES]
    yield from map(BindingsMap, groups)
