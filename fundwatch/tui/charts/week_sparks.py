"""How the rates of the last 7 days went, by market, read anew only when an hour was paid."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from fundwatch.analytics.windows import WINDOWS
from fundwatch.models import HOUR, Window
from fundwatch.tui.charts.history import week

if TYPE_CHECKING:
    from fundwatch.storage.queries import MarketRow
    from fundwatch.tui.charts.history import History

Token = tuple[int, float | None, float | None]
"""What a sparkline shows: the window's end, and the APR and coverage that its payments made."""

WIDTH = 14
"""Two characters a day."""


class WeekSparks:
    """What was read so far; belongs to one table."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Token, str]] = {}

    def of(self, market_id: int) -> str:
        """The sparkline, "" before it was read."""
        known = self._known.get(market_id)
        return "" if known is None else known[1]

    def missing(self, markets: "Iterable[MarketRow]", end: int) -> dict[int, Token]:
        """Those of `markets` whose sparkline up to `end` (UTC seconds) is still to be read."""
        wanted: dict[int, Token] = {}
        for market in markets:
            token = (end, market.apr_7d, market.coverage_7d)
            if self._known.get(market.market_id, (None,))[0] != token:
                wanted[market.market_id] = token
        return wanted

    def take(self, read: Mapping[int, tuple[Token, str]]) -> None:
        self._known.update(read)


def read_weeks(history: "History", wanted: Mapping[int, Token], end: int) -> dict[int, tuple[Token, str]]:
    """Blocks for some milliseconds. Raises `StorageError`."""
    window = Window(end - WINDOWS["7d"] * HOUR, end)
    paid = history.settlements(wanted, window)
    return {
        market_id: (token, week(paid.get(market_id, ()), window, WIDTH))
        for market_id, token in wanted.items()
    }
