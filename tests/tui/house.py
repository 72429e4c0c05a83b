"""The whole dashboard over a real database, with a scripted collector and a clock set by hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from fundwatch.config import Config, parse
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR, hourly_rate
from fundwatch.tui.app import FundwatchApp
from fundwatch.tui.messages import Linked
from tests.answers.stage import NOW, Stage
from tests.tui.doors import ScriptedDoor
from tests.virtual_time import VirtualClock

NARROW, WIDE = (80, 24), (200, 50)
HOSTILE = "X[/] [@click=app.quit]Q[/] [bold]Z"
"""What markup would take for an end without a beginning, a link that quits, and a style."""


class House:
    """`stage` is the database, `door` the collector; `clock` moves only when a test says so."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.stage.writer.connection().execute("PRAGMA synchronous = OFF")
        self.clock = VirtualClock(NOW)
        self.door = ScriptedDoor()
        self.config = Config()

    def close(self) -> None:
        self.stage.writer.close()

    def furnish(self) -> None:
        """Four exchanges with two or three markets each, all well; nobody collects."""
        stage = self.stage
        for exchange, markets in (
            ("lighter", {"BTC": 10.95, "PEPE": -204.98}),
            ("binance", {"BTCUSDT": 8.10, "PEPEUSDT": 91.10, "ODD": 3.0}),
            ("aster", {"BTCUSDT": 12.0}),
            ("paradex", {"BTC-USD-PERP": 9.0, "SOL-USD-PERP": 76.51}),
        ):
            stage.describe(exchange)
            for symbol, apr in markets.items():
                ticker = symbol.split("-")[0].removesuffix("USDT")
                self.market(exchange, symbol, ticker, apr)
            stage.sweep(exchange, expected=len(markets), failed=0)

    def market(self, exchange: str, symbol: str, ticker: str, apr: float | None, **quote: Any) -> int:
        market_id = self.stage.market(symbol, exchange=exchange, ticker=ticker)
        columns: dict[str, Any] = {
            "observed_at": int(NOW - 12),
            "hourly_rate": None if apr is None else hourly_rate(apr),
            "interval_hours": 1.0,
            "next_funding_time": int(NOW // HOUR + 1) * HOUR,
            "mark_price": 100.0,
            "open_interest_usd": 1.9e6,
            "volume_24h_usd": 4e6,
        }
        self.stage.quote(market_id, **(columns | quote))
        return market_id

    def enabled(self, *names: str) -> None:
        """Only these exchanges are collected."""
        off = {name: {"enabled": False} for name in REGISTRY if name not in names}
        self.config = parse({"exchanges": off}, {})

    def app(self, *, linked: bool = True, **options: Any) -> FundwatchApp:
        def link(app: FundwatchApp) -> None:
            self.door.listen(app.overhear)
            app.post_message(Linked(self.door, "collector", self.door.pid, None))

        return FundwatchApp(
            self.config,
            self.stage.path,
            "real",
            clock=self.clock,
            link=link if linked else None,
            **options,
        )

    @asynccontextmanager
    async def open(
        self,
        size: tuple[int, int] = NARROW,
        *,
        app: FundwatchApp | None = None,
        all_panes: bool = False,
        **options: Any,
    ) -> AsyncIterator[Pilot[int]]:
        """The running dashboard, its first snapshot on the screen; other panes are made when wanted,
        or with `all_panes` soon."""
        is_linked = app is None and options.get("linked", True)
        app = app or self.app(**options)
        app.LINK_SECONDS = 0.01
        if not all_panes:
            app.SPARE_SECONDS = 1e6
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: app.snapshot is not None)
            if is_linked:
                await until(pilot, lambda: app.orders.door is not None)
            yield pilot


def app_of(pilot: Pilot[int]) -> FundwatchApp:
    app = pilot.app
    assert isinstance(app, FundwatchApp)
    return app


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    """Waits for what another thread brings."""
    for _ in range(250):
        await pilot.pause(0.02)
        if holds():
            await pilot.pause()
            return
    raise AssertionError(f"never came to hold; the screen says\n{screen(pilot)}")


async def reload(pilot: Pilot[int]) -> None:
    """The screen after what the database holds now."""
    app = app_of(pilot)
    for _ in range(2):  # the first may have been under way already
        before = app.snapshot
        app.loader.load()
        await until(pilot, lambda before=before: app.snapshot is not before)  # type: ignore[misc]


def screen(pilot: Pilot[int]) -> str:
    """All that is to be read on the screen."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def line(pilot: Pilot[int], holding: str) -> str:
    """The first line of the screen that holds some text."""
    found = [text for text in screen(pilot).splitlines() if holding in text]
    assert found, f"no line holds {holding!r}:\n{screen(pilot)}"
    return found[0]


def said(pilot: Pilot[int]) -> list[str]:
    """What was told in passing, oldest first."""
    return [str(note.message) for note in pilot.app._notifications]
