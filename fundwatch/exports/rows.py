"""One exported settlement: the stored row and what follows from it, in the order of `columns`."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from fundwatch.exports.columns import DEMO_SOURCE
from fundwatch.models import Kind, Source, apr_percent
from fundwatch.storage.queries import MarketRow, SettlementRow
from fundwatch.text import utc


class ExportedRow(msgspec.Struct, frozen=True, gc=False):
    """Units and meaning are those of `columns.COLUMNS`; a test holds the two together."""

    exchange: str
    symbol: str
    asset: str
    asset_class: str
    funding_time: int
    funding_time_iso: str
    kind: str
    rate: float
    interval_hours: float | None
    hourly_rate: float | None
    apr_percent: float | None
    payment_usd: float | None
    source: str


_KINDS = (Kind.REGULAR.value, Kind.SPECIAL.value)
_SOURCES = {int(source): source.name.lower() for source in Source}


def exported(
    market: MarketRow, rows: Iterable[SettlementRow], *, simulated: bool = False
) -> Iterator[ExportedRow]:
    """The rows of one market. A special payment, and one of unknown interval, has no rate per hour.

    `simulated` ones name the demo as their source, so that no file of them passes for the real thing.
    """
    head = (market.exchange, market.symbol, market.ticker, market.asset_class)
    for _, funding_time, kind, rate, hours, payment, source in rows:
        hourly = rate / hours if hours else None
        yield ExportedRow(
            *head,
            funding_time,
            _iso(funding_time),
            _KINDS[kind],
            rate,
            hours,
            hourly,
            None if hourly is None else apr_percent(hourly),
            payment,
            DEMO_SOURCE if simulated else _SOURCES[source],
        )


@lru_cache(maxsize=200_000)
def _iso(funding_time: int) -> str:
    return utc(funding_time, "%Y-%m-%dT%H:%M:%SZ")
