"""Makes the pictures in this folder: `python screenshots/make.py [NAME]...`

A demo world on a clock set by hand, the real collector over real sockets, and the real dashboard: the
same pictures on every run, byte for byte in SVG. It takes some five minutes, most of them to live
through a day of sweeps; names of pictures as arguments make only those.

The PNGs are drawn from the SVGs by a browser, which is not a dependency of fundwatch. On Debian:
`apt-get install chromium fonts-firacode pngquant`. Without chromium only the SVGs are made; without
pngquant the PNGs are three times as large.
"""

import asyncio
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from blocks import drawn
from textual.pilot import Pilot

from fundwatch.collector import alerts, derive, second_source
from fundwatch.collector.build import build_collector
from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.local import Fanout, LocalDoor
from fundwatch.collector.events import Event, RunStarted
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.thread import CollectorThread
from fundwatch.config import Config, ExchangeSection
from fundwatch.demo.world import DemoWorld
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from fundwatch.tui.app import FundwatchApp
from fundwatch.tui.messages import Linked
from fundwatch.tui.panes.base import AssetChosen

FOLDER = Path(__file__).parent
NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""

PICTURE_TIME = NOON + 20 * 60
LIVED_HOURS = 26
"""A window of 24 hours is complete where only what was seen counts (Variational)."""

TROUBLED_HOURS = 3
TROUBLE_TIME = PICTURE_TIME + TROUBLED_HOURS * HOUR
SEED = 7
SCALE = 1e6
"""No budget is ever full: waiting for one would take time off a clock that stands still."""

PID = 4242
WIDE, SMALL = (120, 40), (80, 24)

RUN_SECONDS = {
    "lighter": 7, "hyperliquid": 11, "binance": 4, "aster": 6, "extended": 5, "paradex": 8, "variational": 2
}  # fmt: skip
"""How long a sweep takes on the clock set by hand; a quotes pass takes one second."""


class HandClock:
    """Stands still but for `set` and `advance`; who sleeps on it goes on at once."""

    def __init__(self, now: float) -> None:
        self._wall = now
        self._up = 1000.0

    def now(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._up

    async def sleep(self, seconds: float) -> None:
        self._up += seconds
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._wall += seconds
        self._up += seconds

    def set(self, now: float) -> None:
        self.advance(max(0.0, now - self._wall))


class House:
    """The world, a collector in a thread of its own, and the database it fills."""

    def __init__(self, database: Path) -> None:
        self.clock = HandClock(PICTURE_TIME - LIVED_HOURS * HOUR)
        self.database = database
        self.world = DemoWorld(seed=SEED, now=self.clock.now, scale=SCALE).start()
        self.config = Config(
            exchanges={
                name: ExchangeSection(base_url=url, budget_scale=SCALE)
                for name, url in self.world.base_urls.items()
            }
        )
        self._fanout = Fanout(self._take_time)
        self._thread = CollectorThread(self._build, self._close, _wait_for_work)
        self._collector = self._thread.start()
        self.door = LocalDoor(self._thread, self._collector, self._fanout)

    def _build(self) -> Collector:
        self._ledger = Ledger.open(
            self.database, world=self.world.name, role="collector", clock=self.clock, exchanges=REGISTRY
        )
        return build_collector(self.config, self._ledger, self._fanout, self.clock)

    async def _close(self) -> None:
        for tracker in self._collector.trackers.values():
            await tracker.exchange.http.aclose()
        self._ledger.close()

    def _take_time(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.clock.advance(1 if event.kind == "quotes" else RUN_SECONDS[event.exchange])

    def close(self) -> None:
        self._thread.stop()
        self.world.stop()

    async def live_to(self, end: float, faults: dict[float, dict[str, str]] | None = None) -> None:
        """Sweeps each exchange at its minute of every hour and takes quotes before every full hour.

        `faults` are what goes wrong in the hour that begins so many hours before `end`.
        """
        hour = self.clock.now() // HOUR * HOUR
        while hour < end:
            wrong = (faults or {}).get((end // HOUR * HOUR - hour) / HOUR, {})
            for name, fault in wrong.items():
                self.world.fault(name, fault)
            await self._do(self._live_through(hour, end))
            for name in wrong:
                self.world.heal(name)
            hour += HOUR

    async def _live_through(self, hour: float, end: float) -> None:
        minutes = {name: t.exchange.facts.minute * 60 for name, t in self._collector.trackers.items()}
        for name, after in sorted(minutes.items(), key=lambda item: item[1]):
            if self.clock.now() <= hour + after <= end:
                self.clock.set(hour + after)
                await self._sweep(name, hour)
        for after in (19 * 60, 59 * 60):
            if self.clock.now() <= hour + after <= end:
                self.clock.set(hour + after)
                await self._take_quotes()
        self.clock.set(min(end, hour + HOUR))
        self._ledger.beat(PID)

    async def _sweep(self, name: str, hour: float) -> None:
        tracker = self._collector.trackers[name]
        outcome = await tracker.sweep()
        if outcome.word != "error" and (old := tracker.missing_behind()):
            await tracker.fill(old)
        done = outcome.word == "ok"
        next_try = None if done else self.clock.now() + 300
        self._ledger.swept(name, int(hour // HOUR) if done else None, next_try=next_try)
        self._note()

    async def _take_quotes(self) -> None:
        for name, tracker in self._collector.trackers.items():
            await tracker.quotes_pass()
            second_source.compare(self._ledger, name, tracker.relayed, self.clock.now())
        derive.refresh_identity(self._ledger, self.clock.now())
        derive.refresh_summaries(self._ledger, self.clock.now())
        derive.tidy(self._ledger, self.clock.now())
        self._note()

    def _note(self) -> None:
        collector = self.config.collector
        alerts.keep(
            self._ledger,
            tuple(self._collector.trackers),
            quotes_every_seconds=collector.quotes_every_seconds,
            stale_after_seconds=collector.stale_after_seconds,
            now=self.clock.now(),
        )

    async def _do(self, work: Any) -> None:
        await asyncio.wrap_future(self._thread.submit(work))

    @asynccontextmanager
    async def dashboard(self, size: tuple[int, int]) -> AsyncIterator[Pilot[int]]:
        """The app over what was collected so far, with the first snapshot on screen."""
        app = FundwatchApp(
            self.config, self.database, self.world.name, demo=True, clock=self.clock, link=self._link
        )
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            yield pilot

    def _link(self, app: FundwatchApp) -> None:
        app.post_message(Linked(self.door, "collector", PID, None))


async def _wait_for_work(_: Collector) -> None:
    await asyncio.Event().wait()


async def settled(pilot: Pilot[int]) -> str:
    """Waits until the screen has stood still for half a second; the screen as SVG."""
    app = pilot.app
    assert isinstance(app, FundwatchApp)
    still, last = 0, ""
    while still < 5:
        await pilot.pause(0.1)
        await app.workers.wait_for_complete()
        is_current = app.snapshot is not None and app.snapshot.taken_at == app.clock.now()
        if not is_current:
            app.loader.load()
        now = app.export_screenshot(title="fundwatch") if is_current else ""
        still, last = (still + 1 if now and now == last else 0), now
    return last


# The pictures

Steps = Callable[[House, Pilot[int]], Awaitable[None]]


class Picture(NamedTuple):
    name: str
    size: tuple[int, int]
    steps: Steps


def keys(*pressed: str) -> Steps:
    async def press(_: House, pilot: Pilot[int]) -> None:
        for key in pressed:
            await pilot.press(key)
            await settled(pilot)

    return press


async def _bitcoin(_: House, pilot: Pilot[int]) -> None:
    pilot.app.post_message(AssetChosen("BTC", "crypto"))


def last_hour_of_trouble(*pressed: str) -> Steps:
    """Presses the keys, and looks on while the collector works."""

    async def look_on(house: House, pilot: Pilot[int]) -> None:
        await keys(*pressed)(house, pilot)
        await house.live_to(TROUBLE_TIME, TROUBLES)

    return look_on


CALM = (
    Picture("overview", WIDE, keys()),
    Picture("overview-80x24", SMALL, keys()),
    Picture("rates", WIDE, keys("2")),
    Picture("heat-map", WIDE, keys("2", "g", "home")),
    Picture(
        "arbitrage", WIDE, keys("3", "right_square_bracket", "right_square_bracket", "right_square_bracket")
    ),
    Picture("asset", WIDE, _bitcoin),
    Picture("help", WIDE, keys("question_mark")),
)
TROUBLED = (
    Picture("trackers", WIDE, last_hour_of_trouble("4", "down", "down", "down")),
    Picture("alerts", WIDE, last_hour_of_trouble("5")),
    Picture("overview-in-trouble", WIDE, last_hour_of_trouble()),
)
HICCUPS: dict[float, dict[str, str]] = {
    17: {"aster": "502"},
    9: {"hyperliquid": "half"},
    5: {"paradex": "429:60"},
}
TROUBLES: dict[float, dict[str, str]] = {
    hours: {"extended": "502", "aster": "unit-quotes:8"} for hours in range(TROUBLED_HOURS)
}


async def make(wanted: set[str]) -> None:
    random.seed(SEED)  # the jitter of waits and bans
    with TemporaryDirectory() as folder:
        house = House(Path(folder) / "fundwatch.db")
        try:
            await house.live_to(PICTURE_TIME, HICCUPS)
            await _take(house, CALM, wanted)
            await house.live_to(TROUBLE_TIME - HOUR, TROUBLES)
            await _take(house, TROUBLED, wanted)
        finally:
            house.close()


async def _take(house: House, pictures: tuple[Picture, ...], wanted: set[str]) -> None:
    for picture in pictures:
        if wanted and picture.name not in wanted:
            continue
        async with house.dashboard(picture.size) as pilot:
            await picture.steps(house, pilot)
            svg = drawn(await settled(pilot), picture.name)
        (FOLDER / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
        print(f"{picture.name}.svg")
        photograph(picture.name, svg)


# PNG


def photograph(name: str, svg: str) -> None:
    """Draws a PNG of an SVG where a browser is at hand."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    found = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    if browser is None or found is None:
        print(f"no chromium: {name}.png stays as it was", file=sys.stderr)
        return
    width, height = (round(float(side)) for side in found.groups())
    picture = FOLDER / f"{name}.png"
    with TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(
            '<!doctype html><meta charset="utf-8"><style>html,body{margin:0;background:transparent}'
            f"svg{{display:block;width:{width}px;height:{height}px}}</style>{svg}",
            encoding="utf-8",
        )
        _run(
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={folder}", "--default-background-color=00000000"),
            *(f"--window-size={width},{height}", f"--screenshot={picture}", page.as_uri()),
        )
    if quantizer := shutil.which("pngquant"):
        _run(quantizer, "--force", "--strip", "--speed=1", f"--output={picture}", "128", "--", str(picture))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


if __name__ == "__main__":
    with TemporaryDirectory() as home:  # no person's stars, sort or theme in the pictures
        os.environ |= {"XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home, "TZ": "UTC"}
        os.environ.pop("NO_COLOR", None)
        asyncio.run(make(set(sys.argv[1:])))
