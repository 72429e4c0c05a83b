"""Hyperliquid with its builder dexes, as documented in its gitbook: everything is a POST to /info."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from fundwatch.demo.listings import DEXES
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
_MAX_ROWS = 500
_LIGHT = {"l2Book", "allMids", "clearinghouseState"}
_COLLATERAL = {"km": 360, "hyna": 235}
_WEIGHT_KEY = "weight"


class _Info(msgspec.Struct, rename="camel"):
    type: str
    dex: str = ""
    coin: str = ""
    start_time: int | None = None
    end_time: int | None = None


class Hyperliquid(Venue):
    name = "hyperliquid"
    limits: ClassVar[dict[str, Window]] = {_WEIGHT_KEY: Window(1200, 60)}
    quoted = (RateFields("/info", ("funding",)),)
    settled_rows = (RateFields("/info", ("fundingRate",)),)
    stamp_key = "time"

    def weight(self, request: Request) -> Mapping[str, float]:
        asked = _asked(request)
        return {_WEIGHT_KEY: 2 if asked is not None and asked.type in _LIGHT else 20}

    def answer(self, request: Request, now: float) -> Reply:
        if request.path != "/info":
            return page(404, "Not Found")
        if request.method != "POST":
            return page(405, "Method Not Allowed")
        asked = _asked(request)
        if asked is None:
            return _malformed()
        if asked.type == "perpDexs":
            return reply(self._dexs())
        if asked.type == "allPerpMetas":
            return reply([self._meta(dex, now) for dex in ("", *DEXES)])
        if asked.type in ("meta", "metaAndAssetCtxs"):
            if asked.dex not in ("", *DEXES):
                return reply(None)
            meta = self._meta(asked.dex, now)
            return reply(meta if asked.type == "meta" else [meta, self._contexts(asked.dex, now)])
        if asked.type == "fundingHistory":
            return self._history(asked, now)
        return _malformed()

    def too_many(self, wait_seconds: float, now: float) -> Reply:
        return reply(None, 429)

    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        return [
            Paid(hour * 3600, float(plain(self.truth.settled(market, hour, 1), 10)), 1)
            for hour, _ in market.payments(start // 3600, end // 3600)
        ]

    def _in_dex(self, dex: str, now: float) -> list[DemoMarket]:
        return [m for m in self.markets(now) if m.group == dex]

    def _meta(self, dex: str, now: float) -> Row:
        universe: list[Row] = []
        for market in self._in_dex(dex, now):
            row: Row = {"szDecimals": 2, "name": market.symbol, "maxLeverage": 10, "marginTableId": 51}
            if market.is_closed(now / 3600):
                row["isDelisted"] = True
            if dex:
                row |= {"onlyIsolated": True, "marginMode": "strictIsolated", "growthMode": "enabled"}
            universe.append(row)
        table = {"description": "tiered 10x", "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 10}]}
        collateral = _COLLATERAL.get(dex, 0)
        return {"universe": universe, "marginTables": [[51, table]], "collateralToken": collateral}

    def _contexts(self, dex: str, now: float) -> list[Row]:
        return [self._context(market, now) for market in self._in_dex(dex, now)]

    def _context(self, market: DemoMarket, now: float) -> Row:
        minute = now // 60 * 60
        hour = minute / 3600
        if market.is_closed(hour):
            last = price(self.truth.index_price(market, float(market.closed_hour or 0)))
            return {
                "funding": "0.0",
                "openInterest": "0.0",
                "prevDayPx": last,
                "dayNtlVlm": "0.0",
                "premium": None,
                "oraclePx": last,
                "markPx": last,
                "midPx": None,
                "impactPxs": None,
                "dayBaseVlm": "0.0",
            }
        mark = self.truth.mark_price(market, hour)
        volume = self.truth.volume_24h_usd(market, hour)
        return {
            "funding": plain(self.truth.estimate(market, minute), 10),
            "openInterest": plain(self.truth.open_interest_usd(market, hour) / mark, 5),
            "prevDayPx": price(self.truth.mark_price(market, hour - 24)),
            "dayNtlVlm": plain(volume, 10),
            "premium": plain(self.truth.premium(market, int(hour)), 10),
            "oraclePx": price(self.truth.index_price(market, hour)),
            "markPx": price(mark),
            "midPx": price(mark * 1.0001),
            "impactPxs": [price(mark * 0.9998), price(mark * 1.0002)],
            "dayBaseVlm": plain(volume / mark, 5),
        }

    def _dexs(self) -> list[Row | None]:
        rows: list[Row | None] = [None]
        for dex in DEXES:
            markets = [m for m in self.listing.lasting if m.group == dex]
            rows.append(
                {
                    "name": dex,
                    "fullName": dex.upper(),
                    "deployer": "0x" + fixed(pick(0, 10**15, "deployer", dex), 0).zfill(40),
                    "oracleUpdater": None,
                    "feeRecipient": None,
                    "assetToStreamingOiCap": [[m.symbol, "25000000.0"] for m in markets],
                    "subDeployers": [],
                    "deployerFeeScale": "1.0",
                    "lastDeployerFeeScaleChangeTime": "1970-01-01T00:00:00",
                    "assetToFundingMultiplier": [
                        [m.symbol, plain(m.factor, 4)] for m in markets if m.factor != 1
                    ],
                    "assetToFundingInterestRate": [],
                }
            )
        return rows

    def _history(self, asked: _Info, now: float) -> Reply:
        """Both ends inclusive, oldest first, at most 500 rows; the answer to an unknown coin is null."""
        if not asked.coin or asked.start_time is None:
            return _malformed()
        market = self.find(asked.coin, now)
        if market is None:
            return reply(None)
        end = min(int(now * 1000), int(now * 1000) if asked.end_time is None else asked.end_time)
        rows: list[Row] = []
        for hour, _ in market.payments(asked.start_time // 3_600_000 - 1, end // 3_600_000):
            stamp = hour * 3_600_000 + pick(0, 90, "stamp", market.symbol, str(hour))
            if not asked.start_time <= stamp <= end:
                continue
            rows.append(
                {
                    "coin": market.symbol,
                    "fundingRate": plain(self.truth.settled(market, hour, 1), 10),
                    "premium": plain(self.truth.premium(market, hour - 1), 10),
                    "time": stamp,
                }
            )
            if len(rows) == _MAX_ROWS:
                break
        return reply(rows)._replace(extra={_WEIGHT_KEY: len(rows) // 20})


def _asked(request: Request) -> _Info | None:
    try:
        return msgspec.json.decode(request.body, type=_Info)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _malformed() -> Reply:
    text = b"Failed to deserialize the JSON body into the target type"
    return Reply(422, text, "text/plain")
