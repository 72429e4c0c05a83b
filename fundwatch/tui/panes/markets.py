"""What the panes of markets and of pairs share: choosing a class and an exchange, stars, sort and columns."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import msgspec
from textual.binding import Binding, BindingType

from fundwatch.tui.choices import Choice
from fundwatch.tui.panes.base import Pane, Said
from fundwatch.tui.snapshot import Snapshot
from fundwatch.tui.state import Asset, Sort, StateFile, state_of
from fundwatch.tui.tables.caption import Caption, Item
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.legend import Legend
from fundwatch.tui.tables.market_table import MarketTable

TALL = 34
"""Lines of a screen from which the line about a row is two, and the legend is shown unasked."""

_LEGEND_KEY: Item = [("l", "accent"), (" legend", "muted")]


class MarketPane(Pane):
    """A pane with a caption above its tables and a line about the row under the cursor below them.

    A subclass composes a `Caption` with id `choices`, its `MarketTable`s (their names are the names
    under which their sort is kept), a `Caption` with id `cursor-line` and a `Legend`.
    """

    DEFAULT_CSS = """
    MarketPane {
        #cursor-line { height: auto; max-height: 1; }
        &.-tall #cursor-line { height: 2; max-height: 2; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "next_class", "Class", tooltip="Show the next asset class only", id="markets.class"),
        Binding(
            "x", "next_exchange", "Exchange", tooltip="Show the next exchange only", id="markets.exchange"
        ),
        Binding(
            "asterisk", "star", "Star", tooltip="Keep this asset on top, or no longer", id="markets.star"
        ),
        Binding(
            "w",
            "all_columns",
            "Columns",
            show=False,
            tooltip="Every column, by scrolling sideways, or only those that fit",
            id="markets.columns",
        ),
        Binding(
            "l",
            "legend",
            "Legend",
            show=False,
            tooltip="What the letters, parentheses and shades mean, or no longer",
            id="markets.legend",
        ),
    ]
    NOTHING: ClassVar[str] = "No market yet."
    """What stands in for rows where there are markets, but no rows."""
    SORTS: ClassVar[Mapping[str, Sort]] = {}
    """By table name, how a table is sorted until a person sorts it otherwise."""

    def __init__(self, *, state: StateFile | None = None, id: str | None = None) -> None:
        """Without a `state` of its own the pane uses that of the app."""
        super().__init__(id=id)
        self.snapshot: Snapshot | None = None
        self.choice = Choice()
        self._given_state = state

    @cached_property
    def state_file(self) -> StateFile:
        return self._given_state or state_of(self.app)

    def on_mount(self) -> None:
        kept = self.state_file.state
        self.choice = Choice(asset_class=kept.asset_class)
        for table in self.query(MarketTable):
            table.show_all_columns(self.show_all_columns or kept.all_columns)
            table.rank_by(self.rank)
        self.rearrange()
        self._tell_notice()

    def restore_sort(self, table: MarketTable) -> None:
        """Sort as the person left it, or as usual where such a column is no longer."""
        columns = {column.key for column in table.columns}
        name = table.name or ""
        for sort in (self.state_file.state.sorts.get(name), self.SORTS.get(name)):
            if sort is not None and sort.column in columns:
                table.sort_by(sort.column, sort.descending)
                return

    def show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        for table in self.query(MarketTable):
            table.say(empty=self._why_nothing(snapshot))
        kept = self.state_file.state.asset_class
        if kept != self.choice.asset_class:
            self.choice = replace(self.choice, asset_class=kept)
            self.rearrange()
        self.update()

    def _why_nothing(self, snapshot: Snapshot) -> str:
        if snapshot.markets:
            return self.NOTHING
        status = snapshot.status
        if not status.collector.running:
            return "Nothing collected yet, and no collector runs."
        done = sum(one.last_run is not None and one.status != "running" for one in status.counted)
        return f"Nothing collected yet: first sweep running, {done} of {len(status.counted)} exchanges."

    # What a subclass answers

    def update(self) -> None:
        """Bring the tables up to the snapshot, the words and the stars."""
        raise NotImplementedError

    def takes(self, row: Row) -> bool:
        """Whether `self.choice` takes a row."""
        raise NotImplementedError

    def asset_of(self, row: Row) -> Asset | None:
        raise NotImplementedError

    def about(self, row: Row) -> list[Item]:
        """What the line below says of the row under the cursor, the weightiest first."""
        raise NotImplementedError

    def legend(self) -> list[Item]:
        """What the signs in the table mean."""
        raise NotImplementedError

    def rank(self, row: Row) -> int:
        """Rows of a lower rank stand on top."""
        return 0 if self.asset_of(row) in self.starred else 1

    def no_match(self) -> str:
        """What stands in for the rows that the choice hides."""
        return self.choice.no_match()

    def caption(self) -> list[Item]:
        """What is chosen, and with which keys."""
        return [*self.choice.items(), _LEGEND_KEY]

    # What it shares

    @property
    def starred(self) -> frozenset[Asset]:
        return self.state_file.state.starred

    def filter(self, text: str) -> None:
        self.choice = replace(self.choice, words=text)
        self.rearrange()

    def rearrange(self) -> None:
        """Filter anew, and say what is chosen."""
        for table in self.query(MarketTable):
            table.say(no_match=self.no_match())
            table.filter_by(None if self.choice.all else self.takes)
        self.tell()

    def tell(self) -> None:
        """Bring the lines above and below up to date."""
        self.query_one("#choices", Caption).show_items(self.caption())
        table = self.main_table
        row = None if table is None else table.cursor_row
        self.query_one("#cursor-line", Caption).show_items([] if row is None else self.about(row))
        legend = self.query_one(Legend)
        legend.display = self.legend_shown
        legend.show_items(self.legend())

    @property
    def legend_shown(self) -> bool:
        """As the person wants it, else where there is room."""
        wanted = self.state_file.state.legend
        return self.has_class("-tall") if wanted is None else wanted

    def on_resize(self) -> None:
        self.set_class(self.app.size.height >= TALL, "-tall")
        self.tell()

    def on_line_table_cursor_moved(self, message: MarketTable.CursorMoved) -> None:
        message.stop()
        self.tell()

    def on_line_table_sort_changed(self, message: MarketTable.SortChanged) -> None:
        message.stop()
        name, sort = message.table.name or "", Sort(message.column, message.descending)
        kept = self.state_file.state.sorts.get(name, self.SORTS.get(name))
        if sort != kept:
            self.keep(sorts={**self.state_file.state.sorts, name: sort})

    def keep(self, **changes: object) -> None:
        """Change what belongs to the person, here and in the file."""
        self.state_file.change(lambda state: msgspec.structs.replace(state, **changes))
        self._tell_notice()

    def _tell_notice(self) -> None:
        if notice := self.state_file.take_notice():
            self.post_message(Said(notice, "warning"))

    def action_next_class(self) -> None:
        self.choice = self.choice.next_class(self.snapshot)
        self.keep(asset_class=self.choice.asset_class)
        self.rearrange()

    def action_next_exchange(self) -> None:
        self.choice = self.choice.next_exchange(self.snapshot)
        self.rearrange()

    def action_star(self) -> None:
        table = self.main_table
        row = None if table is None else table.cursor_row
        asset = None if row is None else self.asset_of(row)
        if asset is None:
            return
        self.state_file.change(
            lambda state: msgspec.structs.replace(state, starred=state.starred.symmetric_difference({asset}))
        )
        self._tell_notice()
        word = "starred, it stands on top" if asset in self.starred else "no longer starred"
        self.post_message(Said(f"{asset[0]} ({asset[1]}) is {word}."))
        self.update()

    def action_legend(self) -> None:
        self.keep(legend=not self.legend_shown)
        self.tell()

    def action_all_columns(self) -> None:
        every = not self.state_file.state.all_columns
        self.keep(all_columns=every)
        for table in self.query(MarketTable):
            table.show_all_columns(every)
        self.post_message(
            Said(
                "Every column: left and right scroll." if every else "Only the columns that fit this screen."
            )
        )
