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
from fundwatch.collector.door import Door, Estimate
from fundwatch.text import age
from fundwatch.tui.activity import Activity, Backfill
from fundwatch.tui.backfill_progress import BackfillProgress, summary
from fundwatch.tui.columns import Cell, Column, Row
from fundwatch.tui.orders import NOBODY, reason_of
from fundwatch.tui.table import LineTable
from fundwatch.tui.words import MISSING

MOST_DAYS = 3650
_SETTLE_SECONDS = 0.4
"""After the last key, before the cost is asked for."""

_COLUMNS = (
    Column("taken", "", 3, sortable=False),
    Column("exchange", "exchange", 12, sortable=False),
    Column("requests", "requests", 10, "right", sortable=False),
    Column("time", "takes about", 14, "right", sortable=False),
)


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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", tooltip="Close; it runs on", id="backfill.close"),
        Binding("space", "take", "Take", tooltip="Take the exchange in or leave it out", id="backfill.take"),
        Binding("c", "cancel", "Cancel", tooltip="End it; what came is stored", id="backfill.cancel"),
    ]

    def __init__(
        self,
        door: Door | None,
        activity: Activity,
        exchanges: Sequence[str],
        chosen: str | None,
        days: int,
        clock: Clock,
    ) -> None:
        """`chosen` is the exchange the person was on; None takes all of them."""
        super().__init__()
        self._door, self._activity, self._clock = door, activity, clock
        self._exchanges = list(exchanges)
        self._taken = {chosen} if chosen is not None else set(exchanges)
        self._days = days
        self._typed = str(days)
        self._asked = 0
        self._costs: Mapping[str, Estimate] = {}
        self._pending: object | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="backfill") as frame:
            frame.border_title = "Backfill: fetch settlements that are missing"
            with Horizontal(id="range"):
                yield Static(Content("Days back "))
                field = Input(str(self._days), type="integer", max_length=4, compact=True)
                field.cursor_blink = False
                yield field
                yield Static(Content(" only holes are asked for"))
            yield LineTable(_COLUMNS, id="costs")
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
        self._say_hint("Enter starts   Down to the list   Space takes in or out   Escape closes")
        self._show_costs()
        self.query_one(Input).focus()
        self._ask()

    # What it costs

    @property
    def chosen(self) -> list[str]:
        return [name for name in self._exchanges if name in self._taken]

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
        self._say_total("Counting holes ...")
        self._asked += 1
        asked = self._asked

        def answered(answer: "Future[Mapping[str, Estimate]]") -> None:
            try:
                self.post_message(Estimated(asked, answer.result(), ""))
            except (Exception, CancelledError) as error:
                self.post_message(Estimated(asked, {}, reason_of(error)))

        self._door.estimate(days=days, exchanges=self._exchanges).add_done_callback(answered)

    def on_estimated(self, message: Estimated) -> None:
        if message.asked != self._asked:
            return
        self._costs = message.costs
        self._show_costs()
        if message.trouble:
            self._say_total(f"The cost is not known: {message.trouble}")

    def _show_costs(self) -> None:
        rows = []
        for name in self._exchanges:
            cost = self._costs.get(name)
            rows.append(
                Row(
                    name,
                    (
                        "[x]" if name in self._taken else "[ ]",
                        name,
                        MISSING if cost is None else Cell(f"{cost.requests:,}"),
                        MISSING
                        if cost is None
                        else Cell(_duration(cost.seconds) if cost.requests else "complete"),
                    ),
                    style="" if name in self._taken else "muted",
                )
            )
        self.query_one("#costs", LineTable).show(rows)
        known = [self._costs[name] for name in self.chosen if name in self._costs]
        if known:
            longest = max(cost.seconds for cost in known)
            requests = sum(cost.requests for cost in known)
            self._say_total(
                f"{requests:,} requests, about {_duration(longest)} at the exchanges' budgets."
                if requests
                else "Nothing is missing in this range."
            )

    # Starting

    def action_take(self) -> None:
        key = self.query_one("#costs", LineTable).cursor_key
        if key is not None and not self.has_class("-running"):
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
            self._say_total("No exchange is taken: Space takes one.")
            return
        if self._door is None:
            self._say_total(NOBODY)
            return
        started = self._clock.monotonic()
        self._say_total("Starting ...")

        def answered(answer: "Future[int]") -> None:
            try:
                job = Backfill(answer.result(), days, tuple(names), started)
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
        job = self._activity.backfill
        assert job is not None
        self.query_one("#backfill").border_title = f"Backfill of {job.days:,} days"
        self._follow()

    def _follow(self) -> None:
        if not self.has_class("-running"):
            return
        self.query_one(BackfillProgress).redraw()
        said, is_over = summary(self._activity)
        self._say_total(said)
        self._say_hint("Escape closes" if is_over else "c cancels   Escape closes and lets it run")

    def action_cancel(self) -> None:
        job = self._activity.backfill
        if job is None or self._door is None or not self.has_class("-running"):
            return
        if job.job_id not in self._activity.ended_jobs:
            self._door.cancel(job.job_id)
            self._say_total("Cancelling; what came is stored.")

    def _say_total(self, words: str) -> None:
        self.query_one("#total", Static).update(Content(words))

    def _say_hint(self, words: str) -> None:
        self.query_one("#hint", Static).update(Content(words))

    def on_key(self, event: events.Key) -> None:
        """From the number of days the arrow goes down into the list."""
        if event.key == "down" and isinstance(self.focused, Input):
            self.query_one("#costs", LineTable).focus()
            event.stop()


def _duration(seconds: float) -> str:
    return age(seconds) if seconds >= 1 else "<1 s"
