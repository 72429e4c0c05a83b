"""The commands that a key map can name, and their keys."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from textual.app import App
from textual.binding import Binding, BindingsMap, BindingType

from fundwatch.tui import app_keys
from fundwatch.tui.pane_set import NAMES, pane_class
from fundwatch.tui.tables import table_keys
from fundwatch.tui.tables.filter_bar import FilterBar


class Command(NamedTuple):
    """What keys do; `name` is what the configuration's `[keys]` calls it."""

    keys: str
    label: str
    tooltip: str
    name: str
    action: str


def commands(app: App[Any], bindings: Iterable[BindingType]) -> list[Command]:
    """The commands behind bindings, with the keys that the person's key map gives them."""
    applied = BindingsMap(bindings)
    applied.apply_keymap(app._keymap)
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


def key_names() -> list[str]:
    """The ids of all bindings."""
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
    from fundwatch.tui.backfill.dialog import BackfillDialog
    from fundwatch.tui.detail import AssetScreen, LegTable
    from fundwatch.tui.help import HelpScreen

    groups: list[list[BindingType]] = [app_keys.BINDINGS, table_keys.BINDINGS, FilterBar.BINDINGS]
    groups += [pane_class(name).BINDINGS for name in NAMES]
    groups += [AssetScreen.BINDINGS, LegTable.BINDINGS, BackfillDialog.BINDINGS, HelpScreen.BINDINGS]
    yield from map(BindingsMap, groups)
