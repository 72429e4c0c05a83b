"""Pane 3: of each asset the pair of exchanges that earns most, net of costs."""

from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from fundwatch.answers.memo import Memo
from fundwatch.tui.choices import following
from fundwatch.tui.panes.base import AssetChosen, HoldWanted
from fundwatch.tui.panes.markets import MarketPane
from fundwatch.tui.rows import marks, spread_rows
from fundwatch.tui.rows.cursor_lines import pair_line
from fundwatch.tui.rows.spread_rows import HOLDS, LOW, Key, Legs, pair_marks
from fundwatch.tui.snapshot import Question
from fundwatch.tui.state import Asset, Sort, StateFile
from fundwatch.tui.tables.caption import Caption, Item
from fundwatch.tui.tables.columns import Row
from fundwatch.tui.tables.legend import Legend
from fundwatch.tui.tables.market_table import MarketTable
from fundwatch.tui.tables.table import LineTable
from fundwatch.tui.words import Words


class ArbitragePane(MarketPane):
    """The pairs as the snapshot has them, trusted ones first."""

    title = "Arbitrage"
    digit = "3"
    all_pairs = True
    NOTHING = "No asset has a rate on two exchanges."
    SORTS: ClassVar[Mapping[str, Sort]] = {"pairs": Sort("net", True)}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "hold", "Hold", tooltip="Spread the costs over another time held", id="pairs.hold"),
        *MarketPane.BINDINGS,
    ]

    def __init__(self, *, state: StateFile | None = None, id: str | None = None) -> None:
        super().__init__(state=state, id=id)
        self._pairs: dict[Key, Legs] = {}
        self._memo = Memo()
        self._is_cut = False
        self._assets = self._width = 0

    def compose(self) -> ComposeResult:
        usual = Question()
        yield Caption(id="choices")
        self._table = MarketTable(
            spread_rows.columns(Words(), usual.window, usual.hold_hours),
            fixed=2,
            empty="Reading the pairs ...",
            name="pairs",
        )
        yield self._table
        yield Caption(id="cursor-line")
        yield Legend()

    def on_mount(self) -> None:
        self.restore_sort(self._table)

    def update(self) -> None:
        snapshot = self.snapshot
        if snapshot is None:
            return
        kept, markets = self._memo, snapshot.markets
        self._pairs = spread_rows.pairs(snapshot, kept)
        most = snapshot.question.pairs
        self._is_cut = most is not None and len(snapshot.spreads) >= most
        self._assets = (
            kept.keep("pairable", markets, lambda: spread_rows.pairable(markets)) if self._is_cut else 0
        )
        question, width = snapshot.question, self.room.width
        self._width = width
        rows = spread_rows.rows(self._pairs, snapshot, self.words, self.starred, width, kept)
        columns = spread_rows.columns(self.words, question.window, question.hold_hours, width)
        if self._table.columns == tuple(columns):
            self._table.show(rows)
        else:
            self._table.set_columns(columns, rows)
        self.tell()

    def on_resize(self) -> None:
        """Also called whenever the pane comes up, mostly with the width that it had."""
        if self.room.width != self._width:
            self.update()

    def takes(self, row: Row) -> bool:
        legs = self._legs(row)
        if legs is None:
            return False
        spread = legs.spread
        exchanges = (spread.long_exchange, spread.short_exchange)
        words = (spread.asset, spread.asset_class, *exchanges, spread.long_symbol, spread.short_symbol)
        searched = "\n".join((*words, *self._remarks(legs))).casefold()
        return self.choice.takes(searched, spread.asset_class, exchanges)

    def rank(self, row: Row) -> int:
        return 0 if self.asset_of(row) in self.starred else 1 + spread_rows.untrusted_last(row)

    def asset_of(self, row: Row) -> Asset | None:
        legs = self._legs(row)
        return None if legs is None else (legs.spread.asset, legs.spread.asset_class)

    def about(self, row: Row) -> list[Item]:
        legs = self._legs(row)
        return [] if legs is None or self.snapshot is None else pair_line(legs, self.snapshot, self.words)

    def no_match(self) -> str:
        if not self._is_cut:
            return super().no_match()
        return f"{super().no_match()} Only the best {len(self._pairs)} pairs are there yet."

    def legend(self) -> list[Item]:
        return [[(LOW, ""), (" less than half of the hours", "muted")], *marks.legend()]

    def caption(self) -> list[Item]:
        question = Question() if self.snapshot is None else self.snapshot.question
        return [
            [("h", "accent"), (" held ", "muted"), (spread_rows.held(question.hold_hours), "")],
            self._count(),
            *super().caption(),
            [("window ", "muted"), (question.window, "")],
        ]

    def _count(self) -> Item:
        """How many pairs are shown of how many; that they are the best ones only, where that is so."""
        count, of = self.matches
        shown = f"{count:,}" if count == of else f"{count:,} of {of:,}"
        if not of:
            return []
        if not self._is_cut:
            return [(shown, ""), (" pairs", "muted")]
        return [(f"{shown} best", "warn"), (f" of {self._assets:,} assets", "muted")]

    def _remarks(self, legs: Legs) -> list[str]:
        snapshot = self.snapshot
        return [] if snapshot is None else [mark.words for mark in pair_marks(legs, snapshot, self.words)]

    @property
    def focused_exchange(self) -> str | None:
        return None

    def _legs(self, row: Row) -> Legs | None:
        return self._pairs.get(row.key)  # type: ignore[call-overload, no-any-return]

    def on_line_table_row_chosen(self, message: LineTable.RowChosen) -> None:
        message.stop()
        legs = None if (row := message.table.cursor_row) is None else self._legs(row)
        if legs is not None:
            market_id = None if legs.short is None else legs.short.market_id
            self.post_message(AssetChosen(legs.spread.asset, legs.spread.asset_class, market_id))

    def action_hold(self) -> None:
        """The next of the times held; the answer is a snapshot."""
        question = Question() if self.snapshot is None else self.snapshot.question
        longer = following(str(question.hold_hours), [str(hours) for hours in HOLDS])
        self.post_message(HoldWanted(HOLDS[0] if longer is None else float(longer)))
