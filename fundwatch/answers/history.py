"""What was paid for one asset, on every exchange."""

import msgspec

from fundwatch.assets import nearest, resolve
from fundwatch.models import Asset, AssetClass, Source, apr_percent
from fundwatch.storage import queries
from fundwatch.storage.database import Database


class Paid(msgspec.Struct, frozen=True):
    """One settlement: `rate` is the fraction paid for `interval_hours`, positive when longs paid."""

    funding_time: int
    rate: float
    interval_hours: float | None
    hourly_rate: float | None
    apr_percent: float | None
    kind: str
    source: str


class Series(msgspec.Struct, frozen=True):
    exchange: str
    symbol: str
    asset_class: str
    settlements: list[Paid]


class History(msgspec.Struct, frozen=True):
    """Exchanges in their order of name; settlements oldest first."""

    asset: str
    series: list[Series]


class UnknownAsset(Exception):
    """No market has this name; the message gives the nearest ones."""


def history(db: Database, asset: str, now: float, *, days: float) -> History:
    """The settlements of the last `days`; `asset` in any case, `BB:equity`, an alias or a symbol.

    Raises `UnknownAsset`.
    """
    markets = _markets_of(db, asset)
    rows = queries.settlements(
        db, [market.market_id for market in markets], int(now - days * 86400), int(now) + 600
    )
    by_market: dict[int, list[Paid]] = {market.market_id: [] for market in markets}
    for row in rows:
        hourly = row.rate / row.interval_hours if row.interval_hours else None
        by_market[row.market_id].append(
            Paid(
                funding_time=row.funding_time,
                rate=row.rate,
                interval_hours=row.interval_hours,
                hourly_rate=hourly,
                apr_percent=None if hourly is None else apr_percent(hourly),
                kind="special" if row.kind else "regular",
                source=Source(row.source).name.lower(),
            )
        )
    ordered = sorted(markets, key=lambda m: (m.exchange, -(m.volume_24h_usd or 0.0), m.symbol))
    return History(
        markets[0].ticker,
        [Series(m.exchange, m.symbol, m.asset_class, by_market[m.market_id]) for m in ordered],
    )


def _markets_of(db: Database, text: str) -> list[queries.MarketRow]:
    known = [Asset(row.ticker, AssetClass(row.asset_class)) for row in queries.assets(db)]
    found: list[queries.MarketRow] = []
    for asset in resolve(text, known):
        found += queries.markets_of_asset(db, asset.ticker, asset.asset_class, with_delisted=True)
    if not found:
        wanted = text.casefold()
        everything = queries.market_rows(db, with_delisted=True)
        same = next((m for m in everything if m.symbol.casefold() == wanted), None)
        if same is None:
            names = {row.ticker for row in everything}
            near = nearest(text, sorted(names))
            hint = f"; near it: {', '.join(near)}" if near else ""
            raise UnknownAsset(f"no market is about {text!r}{hint}")
        found = queries.markets_of_asset(db, same.ticker, same.asset_class, with_delisted=True)
    return found
