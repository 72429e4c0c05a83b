"""The command palette: every command with its key, and the few that have none."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from fundwatch.tui.help import sections

if TYPE_CHECKING:
    from fundwatch.tui.app import FundwatchApp


class _Entry(NamedTuple):
    name: str
    help: str
    run: Callable[[], object]


class Commands(Provider):
    """Finds commands by their label and by what they do."""

    def _entries(self) -> Iterator[_Entry]:
        app = cast("FundwatchApp", self.app)
        for _, commands, node in sections(app.cover or app.pane):
            for command in commands if node is not None else ():
                if command.action != "command_palette":
                    run = partial(app.run_action, command.action, node)
                    yield _Entry(f"{command.label}  ({command.keys})", command.tooltip, run)
        yield _Entry(
            "Theme", "Choose the colours; [display] theme in the configuration keeps them", app.search_themes
        )
        yield _Entry("Screenshot", "Write the screen to an SVG file", app.take_screenshot)

    async def discover(self) -> Hits:
        for entry in self._entries():
            yield DiscoveryHit(entry.name, entry.run, help=entry.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for entry in self._entries():
            score = max(matcher.match(entry.name), matcher.match(entry.help) * 0.9)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.name), entry.run, help=entry.help)
