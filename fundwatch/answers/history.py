"""What was paid for one asset, on every exchange."""

from collections.abc import Collection, Sequence

import msgspec

from fundwatch.assets import nearest, resolve
from fundwatch.models import Asset, AssetClass, Source, apr_percent
from fundwatch.storage import queries
from fundwatch.storage.database import Database
from fundwatch.storage.queries import MarketRow


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

    Delisted markets are in it. Raises `UnknownAsset`.
    """
    everything = queries.market_rows(db, with_delisted=True)
    if not everything:
        return nothing_yet(asset)
    markets = markets_named(everything, asset)
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


def nothing_yet(asset: str) -> History:
    """The answer where nothing was collected ever, and so nobody can say what exists."""
    return History(asset.upper(), [])


def markets_named(everything: Sequence[MarketRow], text: str) -> list[MarketRow]:
    """The markets of one ticker, in all its classes unless `text` names one. Raises `UnknownAsset`."""
    found = _resolved(text, {(row.ticker, row.asset_class) for row in everything})
    if not found:
        same = [row for row in everything if row.symbol.casefold() == text.strip().casefold()]
        if not same:
            word, _, suffix = text.rpartition(":")
            name = word if suffix.lower() in list(AssetClass) else text
            near = nearest(name, {row.ticker for row in everything})
            hint = f"; near it: {', '.join(near)}" if near else ""
            raise UnknownAsset(f"no market is about {text!r}{hint}")
        largest = max(same, key=lambda row: (row.volume_24h_usd or 0.0, row.exchange))
        found = {(largest.ticker, largest.asset_class)}
    return [row for row in everything if (row.ticker, row.asset_class) in found]


def _resolved(text: str, known: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """What `text` means among `known`; where it could be two tickers, the one spelt like it."""
    classes = set(AssetClass)  # another program may have stored others
    assets = resolve(text, [Asset(ticker, AssetClass(name)) for ticker, name in known if name in classes])
    spelt = [asset for asset in assets if asset.ticker == text.strip().partition(":")[0].upper()]
    one = (spelt or assets)[:1]
    return {(a.ticker, str(a.asset_class)) for a in assets if a.ticker == one[0].ticker} if one else set()
