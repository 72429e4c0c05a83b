"""What the keys do that work everywhere."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.driver import Driver
from textual.widgets import ContentSwitcher

from fundwatch.text import printable
from fundwatch.tui import app_keys
from fundwatch.tui.frame.concerns import ids_of
from fundwatch.tui.frame.pane_line import PaneLine
from fundwatch.tui.panes.base import AssetChosen, HoldWanted, Said, WindowWanted
from fundwatch.tui.snapshot import Question
from fundwatch.tui.tables.columns import Cell
from fundwatch.tui.tables.exporting import write_csv
from fundwatch.tui.tables.filter_bar import FilterBar
from fundwatch.tui.whereabouts import Whereabouts
from fundwatch.tui.words import UNITS

if TYPE_CHECKING:
    pass

WINDOWS = ("now", "24h", "3d", "7d", "30d")


class Actions(Whereabouts):
    """The part of the app that answers keys and the panes' wishes; it reads the frame's state."""

    BINDINGS: ClassVar[list[BindingType]] = app_keys.BINDINGS
    DEFAULT_THEME = "textual-dark"

    # The terminal

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, except that a terminal may go away."""
        from textual.drivers.linux_driver import LinuxDriver

        from fundwatch.tui.terminal import Terminal

        found = super().get_driver_class()
        return Terminal if found is LinuxDriver else found

    def leave_terminal(self) -> None:
        """Gives the terminal back as it was, in the middle of whatever goes on: the process ends now."""
        if (driver := self._driver) is not None:
            with suppress(Exception):
                driver.stop_application_mode()
                driver.close()

    def _handle_exception(self, error: Exception) -> None:
        """What fails in a screen half made while everything is taken down concerns nobody any more."""
        if not self._exit:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Tells of a bug without the values of variables, which hold secrets and text from outside."""
        lines = format_exception(self._exception) if self._exception is not None else ["an unknown error"]
        told = "\n".join(printable(line) for line in "".join(lines).splitlines())
        self.panic(Text(f"{told}\nThe dashboard ended by a mistake of its own; what is stored is safe."))

    # As the configuration wants it

    def set_up_display(self) -> None:
        """Theme and keys of the configuration; what is wrong with them is said once."""
        wanted = self.frame.config.display.theme
        if wanted in self.available_themes:
            self.theme = wanted
        else:
            names = ", ".join(sorted(self.available_themes))
            self.say(f"No theme {wanted!r}: {self.DEFAULT_THEME} it is. There are {names}.", "warning")
        if keys := self.frame.config.keys:
            from fundwatch.tui.key_names import lost_keys  # loads all panes, for those who map keys

            self.set_keymap(keys)
            for name, key in lost_keys(keys).items():
                self.say(f"[keys] takes {key} from {name}, which has no key now.", "warning")

    async def on_event(self, event: events.Event) -> None:
        """What is pasted into a field is drawn as it stands there, so nothing of it may be obeyed."""
        if isinstance(event, events.Paste) and not event.is_forwarded:
            event.text = "\n".join(printable(line) for line in event.text.splitlines())
        await super().on_event(event)

    def say(self, text: str, severity: str = "information") -> None:
        """One sentence, never read as markup; the same one is not said twice at once."""
        text = printable(text)
        if all(said.message != text for said in self._notifications):
            self.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]

    def on_said(self, message: Said) -> None:
        self.say(message.text, message.severity)

    # Panes

    async def action_show_pane(self, name: str) -> None:
        frame = self.frame
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        pane = await frame.make_ready(name)
        switcher = self.query_one("#panes", ContentSwitcher)
        if switcher.current == name:
            return
        frame.bring_up_to_date(pane)
        switcher.current = name
        bar = self.query_one(FilterBar)
        bar.put(frame.filters.get(name, ""))
        bar.count(*pane.matches)
        pane.focus_first()
        frame.tick()

    async def on_pane_line_clicked(self, message: PaneLine.Clicked) -> None:
        await self.action_show_pane(message.name)

    async def on_asset_chosen(self, message: AssetChosen) -> None:
        from fundwatch.tui.detail import AssetScreen  # a chart that most starts do not need

        frame = self.frame
        await self.push_screen(
            AssetScreen(frame.database, frame.world, frame.config, message, frame.snapshot, frame.words)
        )

    # What is shown

    def action_window(self, step: int) -> None:
        at = WINDOWS.index(self.frame.question.window) + step
        if 0 <= at < len(WINDOWS):
            self.set_window(WINDOWS[at])

    def on_window_wanted(self, message: WindowWanted) -> None:
        if message.window in WINDOWS:
            self.set_window(message.window)

    def on_hold_wanted(self, message: HoldWanted) -> None:
        self._ask(replace(self.frame.question, hold_hours=message.hold_hours))

    def set_window(self, window: str) -> None:
        self._ask(replace(self.frame.question, window=window))

    def _ask(self, question: Question) -> None:
        frame = self.frame
        frame.question = question
        frame.loader.ask(question)
        frame.tick()

    def action_unit(self) -> None:
        words = self.frame.words
        unit = UNITS[(UNITS.index(words.unit) + 1) % len(UNITS)]
        self.frame.words = replace(words, unit=unit)
        self.say(f"Rates as {self.frame.words.unit_name}.")
        self._redraw()

    def action_local_time(self) -> None:
        words = self.frame.words
        self.frame.words = replace(words, local_time=not words.local_time)
        self._redraw()

    def action_freeze(self) -> None:
        """Space: tables stand still, health and alerts go on."""
        frame = self.frame
        frame.frozen = frame.snapshot if frame.frozen is None else None
        self._redraw()

    def _redraw(self) -> None:
        self.frame.bring_up_to_date(again=True)
        self.frame.tick()

    # The filter

    def action_filter(self) -> None:
        self.query_one(FilterBar).open()
        self.query_one(FilterBar).count(*self.frame.pane.matches)

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        self._filter(message.text)

    def on_filter_bar_left(self) -> None:
        self.frame.pane.focus_first()

    def action_clear_filter(self) -> None:
        if self.frame.pane.id in self.frame.filters:
            self.query_one(FilterBar).put("")
            self._filter("")

    def _filter(self, text: str) -> None:
        pane, name = self.frame.pane, self.frame.pane.id or ""
        self.frame.filters.pop(name, None)
        if text.strip():
            self.frame.filters[name] = text
        pane.filter(text.strip())
        self.query_one(FilterBar).count(*pane.matches)

    # The collector

    def action_refresh(self) -> None:
        frame = self.frame
        one = self.focused_exchange
        if one is not None:
            if (kind := frame.activity.is_busy(one)) is not None:
                self.say(f"{one}: a {kind} is under way already.", "warning")
            else:
                frame.orders.refresh([one], one)
        elif any(kind == "sweep" for _, kind in frame.activity.running):
            self.say("A sweep is under way already.", "warning")
        else:
            frame.orders.refresh([], "all exchanges")

    async def action_backfill(self) -> None:
        from fundwatch.tui.backfill.costs import askable
        from fundwatch.tui.backfill.dialog import BackfillDialog

        frame = self.frame
        if frame.snapshot is not None:
            await self.push_screen(
                BackfillDialog(
                    frame.orders.door,
                    frame.activity,
                    askable(frame.snapshot),
                    self.focused_exchange,
                    frame.config.collector.history_days,
                    frame.clock,
                )
            )

    def action_acknowledge(self) -> None:
        """Only what is to be read on the banner: the next concern takes its place."""
        frame = self.frame
        seen = frame.shown_concerns[:1]
        if frame.snapshot is not None and (ids := ids_of(seen, frame.snapshot)):
            frame.orders.acknowledge(ids)
        frame.concerns.acknowledge(seen)
        frame.tick()

    # Taking things along

    def action_copy(self) -> None:
        table = self.main_table
        row = None if table is None else table.cursor_row
        if row is None:
            self.say("There is no row to copy.", "warning")
            return
        texts = [printable(cell.text if isinstance(cell, Cell) else cell) for cell in row.cells]
        self.copy_to_clipboard("\t".join(texts))
        self.say(f"Copied: {'  '.join(texts[:3])} ...")

    def action_export(self) -> None:
        name, headings, rows = self.exported()
        if not rows:
            self.say("There are no rows to export.", "warning")
            return
        now = self.frame.clock.now()
        try:
            path = write_csv([Path.cwd(), Path.home()], name, now, headings, rows)
        except OSError as error:
            self.say(f"The export failed: {error.strerror or error}.", "error")
        else:
            self.say(f"{len(rows):,} rows in {path}")

    def take_screenshot(self) -> None:
        """An SVG file of what is on the screen, beside what `export` writes."""
        try:
            path = self.save_screenshot(path=str(Path.cwd()))
        except OSError as error:
            self.say(f"The screenshot failed: {error.strerror or error}.", "error")
        else:
            self.say(f"The screen is in {path}")

    # Help and the end

    async def action_help(self) -> None:
        from fundwatch.tui.help import HelpScreen

        await self.push_screen(HelpScreen(self.cover or self.frame.pane))

    async def action_quit(self) -> None:
        """At once; the collector, which stores answers as they come, is stopped when the screen is gone."""
        self.exit(0)
