"""Variational Omni: one public answer, rates per year, no history."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.noise import pick
from fundwatch.demo.venues.base import (
    Paid,
    RateFields,
    Reply,
    Request,
    Venue,
    Window,
    fixed,
    page,
    plain,
    price,
    reply,
)

Row = dict[str, Any]
_EVERY_SECONDS = 300
_HOURS_PER_YEAR = 8760
_SWAPS = ("XAUS", "XAGS", "USOILP", "UKOILP", "US500S", "US100S")


class Variational(Venue):
    name = "variational"
    limits: ClassVar[dict[str, Window]] = {
        "requests": Window(10, 10),
        "requests_per_minute": Window(1000, 60),
    }
    quoted = (RateFields("/metadata/stats", ("funding_rate",)),)
    settled_rows = ()
    stamp_key = ""

    def weight(self, request: Request) -> dict[str, float]:
        return dict.fromkeys(self.limits, 1)

    def answer(self, request: Request, now: float) -> Reply:
        if request.path != "/metadata/stats" or request.method != "GET":
            return page(404, "Not Found")
        listings = [self._row(m, now) for m in self.markets(now) if m.is_open(now / 3600)]
        listings += [_swap(ticker, row) for ticker, row in zip(_SWAPS, listings, strict=False)]
        return reply(
            {
                "total_volume_24h": fixed(sum(float(row["volume_24h"]) for row in listings), 6),
                "cumulative_volume": "348402580227.375250",
                "tvl": "229362569.698083101125",
                "open_interest": "1816223014.2037356077068758884",
                "num_markets": len(listings),
                "loss_refund": {"pool_size": "0", "refunded_24h": "0"},
                "listings": listings,
            }
        )

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        return reply({"error": "rate limit exceeded"}, 429)

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        """What the last estimate before each boundary says: the venue itself publishes nothing."""
        return [
            Paid(hour * 3600, float(self._per_year(market, hour, hours)) * hours / _HOURS_PER_YEAR, hours)
            for hour, hours in market.payments(start // 3600, end // 3600)
        ]

    def _per_year(self, market: DemoMarket, hour: int, hours: int) -> str:
        return _annual(self.truth.settled(market, hour, hours), hours)

    def _row(self, market: DemoMarket, now: float) -> Row:
        minute = now // 60 * 60
        hour = minute / 3600
        interval = market.interval(int(hour))
        mark = self.truth.mark_price(market, hour)
        interest = self.truth.open_interest_usd(market, hour)
        basis_points = 1.0 if market.asset.rank < 8 else 10 + pick(0, 40, "spread", market.symbol)
        row: Row = {
            "ticker": market.symbol,
            "name": market.asset.name,
            "mark_price": price(mark),
            "volume_24h": fixed(self.truth.volume_24h_usd(market, hour), 6),
            "open_interest": {
                "long_open_interest": fixed(interest * 0.53, 24),
                "short_open_interest": fixed(interest * 0.47, 24),
            },
            "funding_rate": _annual(self.truth.estimate(market, now, _EVERY_SECONDS), interval),
            "funding_interval_s": interval * 3600,
            "base_spread_bps": fixed(basis_points, 28),
            "quotes": _quotes(mark, basis_points, now),
        }
        if pick(0, 60, "bare", market.symbol) == 0:
            del row["quotes"]["base"], row["quotes"]["size_1k"], row["base_spread_bps"]
        return row


def _annual(rate: float, hours: int) -> str:
    """A fraction per year of 365 days with at most 6 decimals."""
    return plain(rate / hours * _HOURS_PER_YEAR, 6).removesuffix(".0")


def _quotes(mark: float, basis_points: float, now: float) -> Row:
    stamp = datetime.fromtimestamp(now // 60 * 60, UTC)
    sizes: Row = {"updated_at": f"{stamp:%Y-%m-%dT%H:%M:%S}.367550571Z"}
    for name, width in (("base", 0.8), ("size_1k", 1.0), ("size_100k", 2.0), ("size_1m", 4.0)):
        half = basis_points * width / 2e4
        sizes[name] = {"bid": price(mark * (1 - half)), "ask": price(mark * (1 + half))}
    return sizes


def _swap(ticker: str, row: Row) -> Row:
    """Swaps have a daily financing that is not in this answer: interval and rate are 0."""
    return row | {
        "ticker": ticker,
        "name": f"Swap on {ticker[:-1]}",
        "funding_rate": "0",
        "funding_interval_s": 0,
    }
