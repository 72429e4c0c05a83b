"""The rates of recorded files without our modules: the raw field in its documented unit, and nothing else.

Each function takes a file's parsed content and gives fractions per hour, keyed like
`reading`: by symbol for quotes, by "symbol time" for payments.
"""

import csv
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Values = dict[str, float | None]
Raw = Callable[[Any], Values]

HOUR = 3600


def loaded(path: str, body: bytes) -> Any:
    """JSON as it is, a CSV as a list of its rows."""
    if path.endswith(".json"):
        return json.loads(body)
    return list(csv.DictReader(body.decode().splitlines()))


def at(symbol: str, seconds: float) -> str:
    return f"{symbol} {datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def nearest_hour(stamp_ms: int) -> int:
    return round(stamp_ms / 1000 / HOUR) * HOUR


def stamp_ms(row: Mapping[str, Any]) -> int:
    """The time of a row of somebody's table: in milliseconds, or written out."""
    for name in ("time_ms", "fundingTime", "timestamp"):
        if name in row:
            return int(row[name])
    if isinstance(row["time"], int):
        return row["time"]
    return round(datetime.fromisoformat(row["time"]).timestamp() * 1000)


def funding_rate(row: Mapping[str, Any]) -> str:
    return str(row["fundingRate"] if "fundingRate" in row else row["funding_rate"])


def lighter_fundings(symbol: str) -> Raw:
    """Unsigned percent per hour beside the side that pays."""
    signs = {"long": 1, "short": -1}
    return lambda data: {
        at(symbol, row["timestamp"]): signs[row["direction"]] * float(row["rate"]) / 100
        for row in data["fundings"]
    }


def lighter_log(data: Any) -> Values:
    """Already divided by the 8 hours of /funding-rates by its author."""
    return {f"{row['coin']} {row['timestamp_utc']}": float(row["funding_rate_1h"]) for row in data}


def dex(data: Any) -> Values:
    """Asset contexts: a fraction per hour."""
    meta, contexts = data
    return {
        asset["name"]: float(context["funding"])
        for asset, context in zip(meta["universe"], contexts, strict=True)
        if not asset.get("isDelisted")
    }


def all_dexes(data: Any) -> Values:
    return {
        f"{dex}:{place}" if dex else str(place): float(context["funding"])
        for dex, contexts in data["data"]["ctxs"]
        for place, context in enumerate(contexts)
    }


def history(data: Any) -> Values:
    """fundingHistory: paid every 8 hours until 2023-06-08 00:00 UTC, every hour since."""
    hourly_since = datetime(2023, 6, 8, tzinfo=UTC).timestamp()
    expected: Values = {}
    for row in data:
        hour = nearest_hour(stamp_ms(row))
        if abs(stamp_ms(row) - hour * 1000) < 15 * 60_000:
            hours = 1 if hour > hourly_since else 8
            expected[at(row["coin"], hour)] = float(funding_rate(row)) / hours
    return expected


def predicted(data: Any) -> Values:
    """predictedFundings: each venue's raw rate beside its own interval."""
    return {
        f"{coin} {venue}": float(terms["fundingRate"]) / terms["fundingIntervalHours"]
        for coin, venues in data
        for venue, terms in venues
        if terms and venue != "BybitPerp"
    }


def listed_times(data: Any) -> Values:
    perpetuals = [row for row in data["symbols"] if row["contractType"] == "PERPETUAL"]
    return {f"{row['symbol']} listed_time": row["onboardDate"] // 1000 for row in perpetuals}


def terms(data: Any) -> Values:
    expected: Values = {}
    for row in data:
        hours = row["fundingIntervalHours"]
        cap = float(row.get("adjustedFundingRateCap") or row["fundingFeeCap"])
        expected[f"{row['symbol']} interval_hours"] = hours
        expected[f"{row['symbol']} hourly_rate_cap"] = cap / hours
    return expected


def volumes(data: Any) -> Values:
    return {f"{row['symbol']} volume_24h_usd": float(row["quoteVolume"]) for row in data}


def premium(data: Any) -> Values:
    """No fundingInfo was recorded beside it: without terms a symbol pays every 8 hours."""
    return {row["symbol"]: float(row["lastFundingRate"]) / 8 for row in data}


def payments(symbol: str) -> Raw:
    """Without a hole each payment covers the hours since the one before; nothing tells the first one's."""

    def raw(data: Any) -> Values:
        expected: Values = {}
        before: int | None = None
        for row in data:
            hour, rate = nearest_hour(stamp_ms(row)), float(funding_rate(row))
            expected[at(symbol, hour)] = None if before is None else rate / ((hour - before) / HOUR)
            expected[f"{at(symbol, hour)} paid"] = rate
            before = hour
        return expected

    return raw


def extended_markets(data: Any) -> Values:
    """marketStats: a fraction per hour."""
    return {row["name"]: float(row["marketStats"]["fundingRate"]) for row in data["data"]}


def extended_funding(data: Any) -> Values:
    return {at(row["m"], nearest_hour(row["T"])): float(row["f"]) for row in data["data"]}


def funding_data(data: Any) -> Values:
    """A fraction per the market's own period, which the row names."""
    rows = [frame["params"]["data"] for frame in data]
    return {row["market"]: float(row["funding_rate"]) / row["funding_period_hours"] for row in rows}


def stats(data: Any) -> Values:
    """A fraction per year of 365 days, whatever the interval."""
    return {row["ticker"]: float(row["funding_rate"]) / 365 / 24 for row in data.get("listings", [data])}
