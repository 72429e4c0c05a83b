"""Fetching what is missing: how far back, what it costs, then how far it is."""

from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from fundwatch.clock import Clock
from fundwatch.collector.doors.door import Door, Estimate
from fundwatch.tui import app_keys
from fundwatch.tui.backfill.costs import COLUMNS, Askable, rows, total
from fundwatch.tui.backfill.progress import BackfillProgress, summary
from fundwatch.tui.frame.activity import Activity, Backfill
from fundwatch.tui.key_names import commands
from fundwatch.tui.orders import NOBODY, reason_of
from fundwatch.tui.tables.table import LineTable

MOST_DAYS = 3650
_SETTLE_SECONDS = 0.4
"""After the last key, before the cost is asked for."""


class Estimated(Message):
    """What a backfill would cost by exchange, or why that is not known; `asked` numbers the question."""

    def __init__(self, asked: int, costs: Mapping[str, Estimate], trouble: str) -> None:
        self.asked, self.costs, self.trouble = asked, costs, trouble
        super().__init__()


class Started(Message):
    """The backfill runs, or why it does not."""

    def __init__(self, job: Backfill | None, trouble: str) -> None:
        self.job, self.trouble = job, trouble
        super().__init__()


class DaysField(Input):
    """Takes digits; every other letter stays a command."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isdigit()

    async def _on_key(self, event: events.Key) -> None:
        if event.is_printable and not self.check_consume_key(event.key, event.character):
            event.prevent_default()


class BackfillDialog(ModalScreen[None]):
    """Asks how far back and for which exchanges, with the cost beside each; then shows the progress.

    Closing it leaves a backfill running; opened again it shows the one that runs.
    """

    DEFAULT_CSS = """
    BackfillDialog {
        align: center middle;

        #backfill {
            width: 76; max-width: 100%; height: auto; max-height: 100%;
            border: round $primary; border-title-color: $text;
            background: $surface; padding: 0 1;
        }
        #range { height: 1; }
        #range Static { width: auto; }
        #range Input { width: 8; height: 1; border: none; padding: 0 1; background: $boost; }
        #range Input:focus { border: none; background: $block-cursor-blurred-background; }
        #costs { height: auto; background: $surface; margin-top: 1; }
        #total, #hint { height: auto; margin-top: 1; }
        #hint { color: $text-muted; }
        BackfillProgress { display: none; }

        &.-running #range, &.-running #costs { display: none; }
        &.-running BackfillProgress { display: block; }
    }
    """
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", tooltip="Close; it runs on", id="backfill.close"),
        Binding("space", "take", "Take", tooltip="Take the exchange in or leave it out", id="backfill.take"),
        Binding("c", "cancel", "Cancel", tooltip="End it; what came is stored", id="backfill.cancel"),
        app_keys.QUIT,
    ]

    def __init__(
        self,
        door: Door | None,
        activity: Activity,
        exchanges: Sequence[Askable],
        chosen: str | None,
        days: int,
        clock: Clock,
    ) -> None:
        """`chosen` is the exchange the person was on; None takes all of them."""
        super().__init__()
        self._door, self._activity, self._clock = door, activity, clock
        self._exchanges = exchanges
        self._free = [one.name for one in exchanges if not one.barred]
        self._taken = {name for name in self._free if chosen in (None, name)}
        self._days = days
        self._typed = str(days)
        self._asked = 0
        self._costs: Mapping[str, Estimate] = {}
        self._pending: object | None = None
        self._cancelling = False

    def compose(self) -> ComposeResult:
        with Vertical(id="backfill") as frame:
            frame.border_title = "Backfill: fetch settlements that are missing"
            with Horizontal(id="range"):
                yield Static(Content("Days back "))
                field = DaysField(str(self._days), type="integer", max_length=4, compact=True)
                field.cursor_blink = False
                yield field
                yield Static(Content(" only holes are asked for"))
            yield LineTable(COLUMNS, id="costs")
            yield BackfillProgress(self._activity, self._clock)
            yield Static(Content(""), id="total")
            yield Static(Content(""), id="hint")

    def on_mount(self) -> None:
        self.query_one("#costs", LineTable).styles.height = len(self._exchanges) + 1
        self.set_interval(0.5, self._follow)
        job = self._activity.backfill
        if job is not None and job.job_id not in self._activity.ended_jobs:
            self._show_running()
            return
        take, close = self._keys("backfill.take"), self._keys("backfill.close")
        self._say_hint(f"Enter starts   Down to the list   {take} takes in or out   {close} closes")
        self._show_costs()
        if len(self._taken) == 1:
            self.query_one("#costs", LineTable).move_cursor(*self._taken)
        self.query_one(Input).focus()
        self._ask()

    # What it costs

    @property
    def chosen(self) -> list[str]:
        return [name for name in self._free if name in self._taken]

    @property
    def days(self) -> int | None:
        text = self.query_one(Input).value.strip()
        return int(text) if text.isdigit() and 1 <= int(text) <= MOST_DAYS else None

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._typed:
            self._typed, self._costs = event.value, {}
            self._show_costs()
            self._ask_soon()

    def _ask_soon(self) -> None:
        self._asked += 1
        asked = self._asked
        self.set_timer(_SETTLE_SECONDS, lambda: self._ask() if asked == self._asked else None)

    def _ask(self) -> None:
        days = self.days
        if days is None:
            self._say_total(f"Give a number of days from 1 to {MOST_DAYS:,}.")
            return
        if self._door is None:
            self._say_total(NOBODY)
            return
        if not self._free:
            self._say_total("No exchange can be asked now.")
            return
        self._say_total("Counting holes ...")
        self._asked += 1
        asked = self._asked

        def answered(answer: "Future[Mapping[str, Estimate]]") -> None:
            try:
                self.post_message(Estimated(asked, answer.result(), ""))
            except (Exception, CancelledError) as error:
                self.post_message(Estimated(asked, {}, reason_of(error)))

        self._door.estimate(days=days, exchanges=self._free).add_done_callback(answered)

    def on_estimated(self, message: Estimated) -> None:
        if message.asked != self._asked:
            return
        self._costs = message.costs
        self._show_costs()
        if message.trouble:
            self._say_total(f"The cost is not known: {message.trouble}")

    def _show_costs(self) -> None:
        self.query_one("#costs", LineTable).show(rows(self._exchanges, self._taken, self._costs))
        if said := total(self.chosen, self._costs):
            self._say_total(said)

    # Starting

    def action_take(self) -> None:
        key = self.query_one("#costs", LineTable).cursor_key
        if key in self._free and not self.has_class("-running"):
            self._taken ^= {str(key)}
            self._show_costs()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._start()

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        self._start()

    def _start(self) -> None:
        days, names = self.days, self.chosen
        if days is None or self._pending is not None or self.has_class("-running"):
            return
        if not names:
            self._say_total(f"No exchange is taken: {self._keys('backfill.take')} takes one.")
            return
        if self._door is None:
            self._say_total(NOBODY)
            return
        started = self._clock.monotonic()
        complete = frozenset(n for n in names if n in self._costs and not self._costs[n].requests)
        self._activity.filled.clear()
        self._say_total("Starting ...")

        def answered(answer: "Future[int]") -> None:
            try:
                job = Backfill(answer.result(), days, tuple(names), started, complete)
                self.app.post_message(Started(job, ""))
                self.post_message(Started(job, ""))
            except (Exception, CancelledError) as error:
                self.post_message(Started(None, reason_of(error)))

        self._pending = self._door.backfill(days=days, exchanges=names)
        self._pending.add_done_callback(answered)

    def on_started(self, message: Started) -> None:
        message.stop()
        self._pending = None
        if message.job is None:
            self._say_total(f"It did not start: {message.trouble}")
            return
        self._activity.backfill = message.job
        self._show_running()

    # While it runs

    def _show_running(self) -> None:
        self.add_class("-running")
        self.set_focus(None)
        self._cancelling = False
        job = self._activity.backfill
        assert job is not None
        self.query_one("#backfill").border_title = f"Backfill of {job.days:,} days"
        self._follow()

    def _follow(self) -> None:
        if not self.has_class("-running"):
            return
        self.query_one(BackfillProgress).redraw()
        said, is_over = summary(self._activity, self._clock.monotonic())
        if self._cancelling and not is_over:
            said = "Cancelling; what came is stored."
        self._say_total(said)
        close, cancel = self._keys("backfill.close"), self._keys("backfill.cancel")
        self._say_hint(f"{close} closes" if is_over else f"{cancel} cancels   {close} closes and lets it run")

    def action_cancel(self) -> None:
        job = self._activity.backfill
        if job is None or self._door is None or not self.has_class("-running"):
            return
        if job.job_id not in self._activity.ended_jobs:
            self._door.cancel(job.job_id)
            self._cancelling = True
            self._follow()

    def _keys(self, name: str) -> str:
        """The key of a command of this dialog, as the person has mapped it."""
        return next(command.keys for command in commands(self.app, self.BINDINGS) if command.name == name)

    def _say_total(self, words: str) -> None:
        self.query_one("#total", Static).update(Content(words))

    def _say_hint(self, words: str) -> None:
        self.query_one("#hint", Static).update(Content(words))

    def on_key(self, event: events.Key) -> None:
        """From the number of days the arrow goes down into the list."""
        if event.key == "down" and isinstance(self.focused, Input):
            self.query_one("#costs", LineTable).focus()
            event.stop()
