"""What stands behind a pane's widgets looks as Textual would draw it, line by line."""

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Static

from fundwatch.tui.panes.base import Backdrop


class Plain(Widget):
    DEFAULT_CSS = "Plain { height: 1fr; background: red; }"


class Quick(Backdrop):
    DEFAULT_CSS = "Quick { height: 1fr; background: red; }"


class Stage(App[None]):
    def __init__(self, kind: type[Widget]) -> None:
        super().__init__()
        self._kind = kind

    def compose(self) -> ComposeResult:
        with self._kind(id="behind"):
            yield Static("in front")


async def lines(kind: type[Widget], crop: Region) -> list[list[object]]:
    app = Stage(kind)
    async with app.run_test(size=(20, 8)) as pilot:
        await pilot.pause()
        return [list(strip) for strip in app.query_one("#behind").render_lines(crop)]


@pytest.mark.parametrize(
    "crop", [Region(0, 0, 20, 8), Region(0, 3, 20, 2), Region(5, 1, 7, 6), Region(0, 0, 0, 0)], ids=str
)
async def test_one_line_stands_for_all(crop: Region) -> None:
    expected = await lines(Plain, crop)
    assert len(expected) == crop.height
    assert await lines(Quick, crop) == expected
