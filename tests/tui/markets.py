"""Markets and snapshots without a database, and a pane in an app of its own."""

from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from fundwatch.answers.spreads import Spread
from fundwatch.answers.status import CollectorState, Status
from fundwatch.answers.trust import Trust
from fundwatch.models import HOUR, Source, hourly_rate
from fundwatch.storage.queries import ExchangeRow, MarketRow
from fundwatch.tui.panes.base import AssetChosen, HoldWanted, Pane, Said
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.state import StateFile
from fundwatch.tui.tables.columns import Row

NOW = 1_764_547_200 + 48 * HOUR + 20 * 60
"""Twenty past midnight, 2025-12-03 UTC."""

SOUND = Trust(True, None)
EXCHANGES = {
    "lighter": ExchangeRow("lighter", Source.EXCHANGE, False, 2, 0.0, 1e-6),
    "binance": ExchangeRow("binance", Source.EXCHANGE, False, 6, 0.05, None),
    "paradex": ExchangeRow("paradex", Source.EXCHANGE, True, 14, 0.03, None),
    "variational": ExchangeRow("variational", Source.RECORDED, False, 17, 0.0, 1e-10),
}
HOSTILE = ("X[/]", "[@click=app.quit]Q", "\x1b]0;t\x07Z", "\u202eRTL", "L" * 200)
_ids = count(1)


def market(
    ticker: str = "BTC", exchange: str = "lighter", apr: float | None = 10.95, **columns: Any
) -> MarketRow:
    """A market with a fresh quote and full windows at `apr` percent."""
    blank: dict[str, Any] = dict.fromkeys(MarketRow._fields)
    windows = {
        f"{what}_{w}": v for w in ("24h", "3d", "7d", "30d") for what, v in (("apr", apr), ("coverage", 1.0))
    }
    return MarketRow(
        **blank
        | windows
        | {
            "market_id": next(_ids),
            "exchange": exchange,
            "symbol": f"{ticker}-{exchange}",
            "ticker": ticker,
            "asset_class": "crypto",
            "multiplier": 1.0,
            "group_name": "",
            "status": "active",
            "last_seen": NOW - 30,
            "failures": 0,
            "observed_at": NOW - 30,
            "hourly_rate": None if apr is None else hourly_rate(apr),
            "interval_hours": 8.0,
            "next_funding_time": NOW + 40 * 60,
            "mark_price": 100.0,
            "volume_24h_usd": 1e6,
            "same_as_group": 0,
            "recorded": 0,
        }
        | columns
    )


def snapshot(
    *markets: MarketRow,
    window: str = "now",
    trust: dict[int, Trust] | None = None,
    spreads: Iterable[Spread] = (),
    now: float = NOW,
    hold_hours: float = 168.0,
) -> Snapshot:
    """Every market is sound unless `trust` says otherwise."""
    return Snapshot(
        taken_at=now,
        question=Question(window, hold_hours),
        status=Status(CollectorState(False, None, None), [], []),
        markets=markets,
        trust={m.market_id: SOUND for m in markets} | (trust or {}),
        spreads=tuple(spreads),
        exchanges=EXCHANGES,
    )


def texts(row: Row) -> list[str]:
    """The words of a row's cells."""
    return [cell if isinstance(cell, str) else cell.text for cell in row.cells]


class PaneApp(App[None]):
    """One pane; what it says is in `heard`."""

    def __init__(self, pane: Pane, state: StateFile | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.pane = pane
        self.screen_state = state or StateFile()
        self.chosen: list[AssetChosen] = []
        self.said: list[str] = []
        self.holds: list[float] = []

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_asset_chosen(self, message: AssetChosen) -> None:
        self.chosen.append(message)

    def on_said(self, message: Said) -> None:
        self.said.append(message.text)

    def on_hold_wanted(self, message: HoldWanted) -> None:
        self.holds.append(message.hold_hours)


class WithDatabase(PaneApp):
    """The same with a database behind it."""

    def __init__(self, pane: Pane, database: Path, world: str = "real") -> None:
        super().__init__(pane)
        self.database = database
        self.world = world


async def pressed(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def drawn(widget: Widget) -> list[str]:
    """The lines of a widget as on the screen, without blanks at the right."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def whole(app: App[Any]) -> list[str]:
    """Every line of the screen."""
    strips: Sequence[Any] = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]
