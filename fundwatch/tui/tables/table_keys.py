"""Keys of a table; the ids are what a person's key map refers to."""

from textual.binding import Binding, BindingType


def _hidden(keys: str, action: str, label: str, id: str) -> Binding:
    return Binding(keys, action, label, show=False, tooltip=label, id=id)


BINDINGS: list[BindingType] = [
    Binding("enter", "choose", "Details", tooltip="Show the row under the cursor in full", id="table.choose"),
    Binding("s", "sort_next(1)", "Sort", tooltip="Sort by the next column", id="table.sort"),
    _hidden("S", "reverse", "Turn the order round", "table.reverse"),
    _hidden("less_than_sign", "sort_next(-1)", "Sort by the column before", "table.sort_back"),
    _hidden("up,k", "cursor_by(-1)", "Row up", "table.up"),
    _hidden("down,j", "cursor_by(1)", "Row down", "table.down"),
    _hidden("pageup", "cursor_by_pages(-1)", "Page up", "table.page_up"),
    _hidden("pagedown", "cursor_by_pages(1)", "Page down", "table.page_down"),
    _hidden("ctrl+u", "cursor_by_pages(-0.5)", "Half a page up", "table.half_page_up"),
    _hidden("ctrl+d", "cursor_by_pages(0.5)", "Half a page down", "table.half_page_down"),
    _hidden("home,g", "cursor_first", "First row", "table.first"),
    _hidden("end,G", "cursor_last", "Last row", "table.last"),
    _hidden("left", "columns_by(-1)", "Columns to the left", "table.left"),
    _hidden("right", "columns_by(1)", "Columns to the right", "table.right"),
]
