"""The dashboard's frame: panes under a status line, brought up to date by snapshots and by the
collector's word. What the keys do stands in `actions`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import Provider
from textual.content import Content
from textual.events import Resize
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Static

from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.events import Event, ImportProgress, Progress, RunEnded
from fundwatch.config import Config
from fundwatch.text import clean, printable
from fundwatch.tui.actions import Actions
from fundwatch.tui.frame.activity import Activity, Fault
from fundwatch.tui.frame.banner import Banner
from fundwatch.tui.frame.concerns import Concern, Concerns, own_concerns
from fundwatch.tui.frame.key_line import KeyLine
from fundwatch.tui.frame.pane_line import PaneLine
from fundwatch.tui.frame.pulse import Pulse
from fundwatch.tui.frame.status_line import Line, StatusLine
from fundwatch.tui.loader import Loader
from fundwatch.tui.messages import Heard, Linked, LinkFailed, Loaded, LoadFailed, SeatSaid
from fundwatch.tui.orders import Orders
from fundwatch.tui.pane_set import NAMES, TABS, make_pane
from fundwatch.tui.panes.base import Pane, PaneSwitcher, Said
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.state import StateFile
from fundwatch.tui.tables.filter_bar import FilterBar
from fundwatch.tui.words import Words

TINY = (60, 14)
"""Below this nothing useful fits; from there to 80x24 less important lines and columns are left out."""

_WIDTHS = [(0, "-narrow"), (120, "-wide"), (180, "-huge")]
_HEIGHTS = [(0, "-short"), (20, "-low"), (34, "-high")]


class MainScreen(Screen[None]):
    """The screen under all others; the app itself puts the focus on what is shown.

    What gets and loses the focus is painted; Textual would paint all the rest of the screen with it.
    """

    AUTO_FOCUS = ""
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)


def _commands() -> type[Provider]:
    from fundwatch.tui.commands import Commands  # only for those who open the palette

    return Commands


class FundwatchApp(Actions):
    """Shows one database. `link` is called once, soon after the first snapshot, to bring a collector: what it
    posts (`Linked` and so on) is all that the app knows of it. `tidy` is called after a screen was closed."""

    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = _WIDTHS
    VERTICAL_BREAKPOINTS = _HEIGHTS
    SPARE_SECONDS = 0.3
    """Between the other panes, which are made one by one after the first snapshot, to be there at once."""
    LINK_SECONDS = 1.2
    """After the first snapshot: all panes are made before a collector is loaded and gets to work."""
    TIDY_SECONDS = 0.2
    """After a screen was closed: what is under it has been painted by then."""
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}

    def __init__(
        self,
        config: Config,
        database: Path,
        world: str,
        *,
        demo: bool = False,
        clock: Clock | None = None,
        link: Callable[["FundwatchApp"], object] | None = None,
        state: StateFile | None = None,
        tidy: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__()
        self.animation_level = "none"
        self.config, self.database, self.world, self.demo = config, database, world, demo
        self.clock = clock or SystemClock()
        self.words = Words(local_time=config.display.local_time)
        self.screen_state = state or StateFile()
        self.question = Question()
        self.snapshot: Snapshot | None = None
        self.frozen: Snapshot | None = None
        self.activity = Activity()
        self.viewer_of: int | None = None
        self.concerns = Concerns()
        self.pulse = Pulse()
        self.shown_concerns: list[Concern] = []
        self.filters: dict[str, str] = {}
        self.loader = Loader(
            database,
            world,
            config,
            self.clock,
            lambda snapshot: self.post_message(Loaded(snapshot)),
            lambda reason: self.post_message(LoadFailed(reason)),
        )
        self.orders = Orders(
            lambda text, severity: self.post_message(Said(text, severity)), self.loader.load_soon
        )
        self._drawn: dict[str | None, tuple[Snapshot, Words, bool]] = {}
        self._link = link
        self._tidy = tidy
        self._unreadable: tuple[str, float] | None = None
        self._progress: dict[tuple[str, str], Progress | ImportProgress] = {}
        self._switcher: ContentSwitcher | None = None

    def get_default_screen(self) -> Screen[None]:
        """With the classes of its size from the start, which spares it a second layout."""
        width, height = self.size
        classes = [
            max((least, name) for least, name in steps if size >= least)[1]
            for size, steps in ((width, _WIDTHS), (height, _HEIGHTS))
        ]
        return MainScreen(id="_default", classes=" ".join(classes))

    def compose(self) -> ComposeResult:
        yield StatusLine()
        yield Banner()
        yield PaneLine(TABS)
        yield FilterBar()
        self._switcher = PaneSwitcher(initial=NAMES[0], id="panes")
        with self._switcher:
            yield make_pane(NAMES[0])
        yield KeyLine()
        yield Static(id="too-small")

    def on_mount(self) -> None:
        self.set_up_display()
        self._dress(self.pane)
        self.pane.focus_first()
        self.tick()
        self.set_interval(1.0, self.tick)

    def on_ready(self) -> None:
        """After the first paint: nothing before it may wait for a database."""
        self.loader.start()

    def _bring_collector(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self.set_timer(self.LINK_SECONDS, lambda: link(self))

    def pop_screen(self) -> AwaitComplete:
        self.set_timer(self.TIDY_SECONDS, self._tidy)
        return super().pop_screen()

    def on_unmount(self) -> None:
        self.loader.stop()

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        tiny = width < TINY[0] or height < TINY[1]
        self.screen.set_class(tiny, "-tiny")
        if tiny:
            self.query_one("#too-small", Static).update(Content(f"80x24 needed, this is {width}x{height}"))

    # Panes

    @property
    def pane(self) -> Pane:
        """The pane that is shown."""
        switcher = self.query_one("#panes", ContentSwitcher)
        return switcher.query_one(f"#{switcher.current}", Pane)

    @property
    def _is_up(self) -> bool:
        """Whether there is something to draw on: timers and other threads may be late for the end."""
        return self.is_running and self._switcher is not None and self._switcher.is_attached

    def panes(self) -> list[Pane]:
        return list(self.query_one("#panes", ContentSwitcher).query(Pane))

    async def make_ready(self, name: str) -> Pane:
        """The pane of this name, made when it is not there yet."""
        switcher = self.query_one("#panes", ContentSwitcher)
        found = next((pane for pane in self.panes() if pane.id == name), None)
        if found is None:
            found = make_pane(name)
            found.display = False
            self._dress(found)
            await switcher.mount(found)
            if found.all_pairs:
                self._ask(replace(self.question, pairs=None))
        return found

    def _dress(self, pane: Pane) -> None:
        pane.show_all_columns = self.config.display.columns == "all"
        pane.words = self.words

    async def _make_next(self) -> None:
        if not self._is_up:
            return
        there = {pane.id for pane in self.panes()}
        if missing := [name for name in NAMES if name not in there]:
            self.bring_up_to_date(await self.make_ready(missing[0]))
            self.set_timer(self.SPARE_SECONDS, self._make_next)

    def bring_up_to_date(self, pane: Pane | None = None, *, again: bool = False) -> None:
        """Draws the visible pane from what is known now, or from what it was when frozen.

        `again` also where it shows that already.
        """
        pane = pane or self.pane
        pane.words = self.words
        pane.frozen = self.frozen is not None
        snapshot = self.snapshot if pane.live or self.frozen is None else self.frozen
        if snapshot is not None:
            wanted = (snapshot, self.words, pane.frozen)
            if again or self._drawn.get(pane.id) != wanted:
                pane.show(snapshot)
                self._drawn[pane.id] = wanted
                if pane.id in self.filters:
                    self.query_one(FilterBar).count(*pane.matches)
        pane.hear(self.activity, self.clock.now())

    # What other threads tell

    def on_loaded(self, message: Loaded) -> None:
        if message.snapshot.question != self.question or not self._is_up:
            return  # asked before the person changed the question: the answer to that one follows
        first = self.snapshot is None
        self.snapshot = message.snapshot
        self._unreadable = None
        self.bring_up_to_date()
        self.tick()
        self._bring_collector()
        if first:
            self.set_timer(self.SPARE_SECONDS, self._make_next)

    def on_load_failed(self, message: LoadFailed) -> None:
        self._bring_collector()
        if self._unreadable is None:
            self._unreadable = message.reason, self.clock.now()
        self.tick()

    def on_linked(self, message: Linked) -> None:
        self.orders.door = message.door
        if message.pid is None:
            self.activity.forget_work()
        else:
            self.activity.trouble = None
        self.viewer_of = message.pid if message.role == "viewer" else None
        self.activity.place = place = _place(message, self.words)
        if self.viewer_of is not None:
            self.say(place)
        self.tick()

    def on_link_failed(self, message: LinkFailed) -> None:
        if message.final:
            self.exit(return_code=2, message=Text(f"Error: {printable(message.reason)}"))
        self.activity.trouble = Fault(self.clock.now(), clean(message.reason, 300))
        self.tick()

    def on_seat_said(self, message: SeatSaid) -> None:
        self.activity.trouble = None  # all that a seat says is that somebody collects again
        self.say(f"{message.words[:1].upper()}{message.words[1:]}.")

    def overhear(self, event: Event) -> None:
        """Called from the thread of whoever collects; progress comes too often for a message each."""
        if isinstance(event, Progress):
            self._progress[event.exchange, event.kind] = event
        elif isinstance(event, ImportProgress):
            self._progress[event.exchange, "import"] = event
        else:
            self.post_message(Heard(event))

    def on_heard(self, message: Heard) -> None:
        self.activity.hear(message.event, self.clock.now())
        if isinstance(message.event, RunEnded):
            self._progress.pop((message.event.exchange, message.event.kind), None)
            self.loader.load_soon()
        self.tick()

    # Each second

    def tick(self) -> None:
        """Ages, countdowns, the banner and the progress of what goes on."""
        if not self._is_up:
            return
        now = self.clock.now()
        for event in list(self._progress.values()):
            self.activity.hear(event, now)
        self._progress.clear()
        self.pulse.feel(self.snapshot, self.clock.monotonic())
        own = own_concerns(self.activity, self._unreadable, self.pulse, now)
        shown = self.concerns.update(self.snapshot, own, now, self.words)
        self.shown_concerns = shown
        self.query_one(Banner).show(shown, now)
        self.query_one(PaneLine).show(
            self.pane.id or "", self.question.window, self.words, self.concerns.count
        )
        names = [] if self.snapshot is None else [one.exchange for one in self.snapshot.status.counted]
        doing = self.activity.words(names)
        self.query_one(StatusLine).show(
            Line(self.snapshot, now, self.words, self._marks(), doing, self.pulse.words(now))
        )
        self.pane.hear(self.activity, now)

    def _marks(self) -> tuple[tuple[str, str], ...]:
        marks = [("DEMO", "accent")] if self.demo else []
        if self.viewer_of is not None:
            marks.append(("VIEWER", "accent"))
        if self.frozen is not None:
            marks.append((f"FROZEN {self.words.clock(self.frozen.taken_at)}", "warn"))
        return tuple(marks)


def _place(message: Linked, words: Words) -> str:
    """Who collects, as a sentence."""
    if message.role == "collector":
        return "This process collects."
    if message.pid is None:
        return "Nobody collects."
    since = "" if message.since is None else f" since {words.moment(message.since)} {words.zone}"
    return f"Collector is process {message.pid}{since}; this screen watches."
