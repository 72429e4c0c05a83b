"""What was paid, for the sparklines and charts of a screen: read in a thread when somebody looks."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fundwatch.analytics.spreads import hourly_rates
from fundwatch.analytics.windows import WINDOWS
from fundwatch.models import HOUR, Window
from fundwatch.tui.charts.sparks import spark

if TYPE_CHECKING:
    from fundwatch.storage.queries import SettlementRow

SPARK_WIDTH = 21
"""Three characters a day: each is the most extreme of eight hours."""


@runtime_checkable
class HasDatabase(Protocol):
    """What the app is to one who needs its database."""

    database: Path
    world: str


def history_of(app: object) -> "History | None":
    """The settlements of the app's database; None for an app that has none."""
    return History(app.database, app.world) if isinstance(app, HasDatabase) else None


class History:
    """The settlements of one database. Every method opens a connection of its own and blocks for some
    milliseconds; they raise `StorageError`."""

    def __init__(self, database: Path, world: str) -> None:
        self._database = database
        self._world = world

    def settlements(self, market_ids: Collection[int], window: Window) -> "dict[int, list[SettlementRow]]":
        """By market, in ascending time; a market without any is left out."""
        from fundwatch.storage import queries  # with the first of them, not with the first screen
        from fundwatch.storage.database import reader

        found: defaultdict[int, list[SettlementRow]] = defaultdict(list)
        with reader(self._database, world=self._world) as db:
            for row in queries.settlements(db, market_ids, *window):
                found[row.market_id].append(row)
        return dict(found)

    def weeks(self, market_ids: Collection[int], end: int, width: int = SPARK_WIDTH) -> dict[int, str]:
        """A sparkline of `width` characters for each market: the hourly rates in the 7 days up to `end`
        (UTC seconds)."""
        window = Window(end - WINDOWS["7d"] * HOUR, end)
        paid = self.settlements(market_ids, window)
        return {market_id: week(paid.get(market_id, ()), window, width) for market_id in market_ids}


def week(rows: "Collection[SettlementRow]", window: Window, width: int = SPARK_WIDTH) -> str:
    """The sparkline of the hourly rates that `rows` paid in `window`."""
    rates = paid_by_hour(rows, window)
    hours = range(window.start + HOUR, window.end + 1, HOUR)
    return spark([rates.get(hour) for hour in hours], width)


def paid_by_hour(rows: "Collection[SettlementRow]", window: Window) -> dict[int, float]:
    """End of each known hour (UTC seconds) -> the fraction paid in it."""
    return hourly_rates(
        ((row.funding_time, row.rate, row.interval_hours, bool(row.kind)) for row in rows), window
    )
