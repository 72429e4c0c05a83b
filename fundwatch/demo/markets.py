"""One market of the demo world, and how markets come, change and go over time.

Changes hang on absolute hours, so two runs agree on them: an interval that changes does so every 15 days,
and each exchange lists a new coin every 10 days and closes it 25 days later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from fundwatch.demo.assets import Asset, coin
from fundwatch.demo.noise import pick

CHANGE_HOURS = 360
LAUNCH_HOURS = 240
LIFE_HOURS = 600
SHOWN_AFTER_CLOSING_HOURS = 720
FIRST_LISTED_HOUR = 24 * 19_358
"""2023-01-01; the long-listed markets appeared in the 900 days after it."""

_LAUNCH_COINS = 4000
_REMEMBERED_LAUNCHES = 24
_LAUNCH_OFFSET_HOURS = {
    "binance": 0, "aster": 24, "hyperliquid": 48, "lighter": 72, "extended": 96, "paradex": 120,
    "variational": 144,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """One perpetual on one exchange.

    `intervals` alternate every CHANGE_HOURS; `interest_8h` is the resting rate (fraction per 8 h) and
    `factor` what the exchange multiplies the whole rate by; `size` is its share of the asset's business
    there; `group` a builder dex of Hyperliquid; `venue_id` Lighter's number. Hours count from 1970.
    """

    exchange: str
    symbol: str
    asset: Asset
    multiplier: float = 1.0
    intervals: tuple[int, ...] = (1,)
    listed_hour: int = FIRST_LISTED_HOUR
    closed_hour: int | None = None
    group: str = ""
    quote: str = "USDT"
    interest_8h: float = 0.0001
    factor: float = 1.0
    size: float = 1.0
    venue_id: int = 0

    def interval(self, hour: int) -> int:
        """Hours of one payment in force during the hour that begins at `hour`."""
        return self.intervals[hour // CHANGE_HOURS % len(self.intervals)]

    def is_open(self, hour: float) -> bool:
        return self.listed_hour <= hour and (self.closed_hour is None or hour < self.closed_hour)

    def is_closed(self, hour: float) -> bool:
        return self.closed_hour is not None and hour >= self.closed_hour

    def pays(self, hour: int) -> int:
        """The interval that is paid for at `hour`, 0 when nothing is."""
        if hour <= self.listed_hour or (self.closed_hour is not None and hour > self.closed_hour):
            return 0
        interval = self.interval(hour - 1)
        return 0 if hour % interval else interval

    def payments(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(hour, interval hours) of each payment in (start, end], oldest first."""
        for hour in range(max(start, self.listed_hour) + 1, end + 1):
            if interval := self.pays(hour):
                yield hour, interval


class Listing:
    """All markets that an exchange ever shows: `lasting` ones, and launches that come and go.

    A launch is `pattern` with a symbol made from its coin by `launch_format`.
    """

    def __init__(
        self,
        lasting: tuple[DemoMarket, ...],
        pattern: DemoMarket,
        launch_format: str,
        first_launch_id: int = 0,
    ) -> None:
        self.lasting = lasting
        self._by_symbol = {m.symbol: m for m in lasting}
        self._pattern = pattern
        self._format = launch_format
        self._first_launch_id = first_launch_id
        self._launches: dict[int, DemoMarket] = {}

    def at(self, hour: int) -> list[DemoMarket]:
        """What the exchange lists at `hour`, markets closed in the last 30 days included."""
        newest = (hour - _LAUNCH_OFFSET_HOURS[self._pattern.exchange]) // LAUNCH_HOURS
        oldest = newest - (LIFE_HOURS + SHOWN_AFTER_CLOSING_HOURS) // LAUNCH_HOURS
        launches = [self._launch(n) for n in range(oldest, newest + 1)]
        return [m for m in (*self.lasting, *launches) if m.listed_hour <= hour]

    def find(self, symbol: str, hour: int) -> DemoMarket | None:
        """The market of a symbol, listed now or some time ago."""
        market = self._by_symbol.get(symbol)
        if market is None:
            newest = (hour - _LAUNCH_OFFSET_HOURS[self._pattern.exchange]) // LAUNCH_HOURS
            recent = (self._launch(n) for n in range(newest, newest - _REMEMBERED_LAUNCHES, -1))
            market = next((m for m in recent if m.symbol == symbol), None)
        return market if market and market.listed_hour <= hour else None

    def _launch(self, number: int) -> DemoMarket:
        found = self._launches.get(number)
        if found is None:
            asset = coin(_LAUNCH_COINS + number % 2000, 260 + number % 60)
            listed = number * LAUNCH_HOURS + _LAUNCH_OFFSET_HOURS[self._pattern.exchange]
            found = self._launches[number] = replace(
                self._pattern,
                symbol=self._format.format(asset.ticker),
                asset=asset,
                listed_hour=listed,
                closed_hour=listed + LIFE_HOURS,
                venue_id=self._first_launch_id + number % 24,
            )
        return found


@cache
def listed_hour(exchange: str, symbol: str) -> int:
    """When a long-listed market appeared: some midnight between 2023 and mid-2025."""
    return FIRST_LISTED_HOUR + 24 * pick(0, 900, "listed", exchange, symbol)
