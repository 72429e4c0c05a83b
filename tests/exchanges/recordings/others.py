"""The files of Extended, Paradex and Variational."""

from typing import Any

from fundwatch.exchanges import variational
from tests.exchanges.recordings import raw, readers
from tests.exchanges.recordings.file import File, Uncalled
from tests.exchanges.recordings.raw import Values


def _extended_opinion(theirs: Any) -> Values:
    ticker = theirs["fetchTickers"]["BTC/USDC:USDC"]
    return {
        "BTC-USD mark_price": ticker["markPrice"],
        "BTC-USD index_price": ticker["indexPrice"],
        "BTC-USD volume_24h_usd": ticker["quoteVolume"],
        "BTC-USD listed_time": theirs["fetchMarkets"][0]["created"] // 1000,
    }


EXTENDED = (
    File(
        "extended/info_markets_BTC__ccxt-static.json",
        "GET /info/markets?market=BTC-USD, fields of 2026-04: no type, no trading hours",
        readers.extended_markets(observed_at=1777443000),
        raw.extended_markets,
        markets=1,
        rates=1,
        literal={
            "BTC-USD": 0.000012,
            "BTC-USD next_funding_time": 1777446000,
            "BTC-USD open_interest_usd": 114851569.088316,
            "BTC-USD volume_24h_usd": 231216165.6666,
        },
    ),
    File(
        "extended/info_markets_BTC__ccxt-static.expected.json",
        "what ccxt makes of it",
        opinion=_extended_opinion,
        of="extended/info_markets_BTC__ccxt-static.json",
    ),
    File(
        "extended/info_funding_BTC-USD__defi_api-docs.json",
        "GET /info/BTC-USD/funding",
        readers.extended_funding("BTC-USD"),
        raw.extended_funding,
        rates=1,
        literal={"BTC-USD 2026-02-04 11:00": 0.000013, "BTC-USD 2026-02-04 11:00 hours": 1},
    ),
)

PARADEX = (
    File(
        "paradex/markets_BTC__ccxt-static.json",
        "GET /v1/markets of the testnet, older schema: no funding_period_hours",
        readers.paradex_markets,
        markets=1,
        literal={
            "BTC-USD-PERP period_hours": None,
            "BTC-USD-PERP hourly_rate_cap": None,
            "BTC-USD-PERP listed_time": 1698756879,
        },
    ),
    File(
        "paradex/markets_BTC__ccxt-static.expected.json",
        "what ccxt makes of it",
        opinion=lambda theirs: {
            "BTC-USD-PERP listed_time": theirs[0]["info"]["open_at"] // 1000,
            "BTC-USD-PERP multiplier": theirs[0]["contractSize"],
        },
        of="paradex/markets_BTC__ccxt-static.json",
    ),
    File(
        "paradex/markets_summary_BTC__ccxt-static.json",
        "GET /v1/markets/summary?market=ALL of the testnet, beside the list without periods",
        readers.paradex_summary,
        refused=1,
        reason="does not say its funding period",
        literal={"BTC-USD-PERP at 8 h": 0.00093742365399},
    ),
    File(
        "paradex/markets_summary_BTC__ccxt-static.expected.json",
        "what ccxt makes of it",
        opinion=lambda theirs: {
            "BTC-USD-PERP at 8 h": float(theirs["BTC/USD:USDC"]["info"]["funding_rate"]) / 8
        },
        of="paradex/markets_summary_BTC__ccxt-static.json",
    ),
    File(
        "paradex/ws_funding_data__docs-files46658171271-52903113075.json",
        "WebSocket funding_data: rows of GET /v1/funding/data, of markets that pay every 1 and 8 h",
        readers.funding_data,
        raw.funding_data,
        rates=2,
        literal={
            "HYPER-USD-PERP": 0.00001250176896,
            "HYPER-USD-PERP funding_index": -0.1013629022003508722,
            "HYPER-USD-PERP spot_price": 0.000003498531863578174094 / 0.00001250176896,
            "BERA-USD-PERP": -0.00133792558260625,
            "BERA-USD-PERP spot_price": 0.00550913173271130432 / 0.01070340466085,
        },
    ),
)

VARIATIONAL = (
    File(
        "variational/metadata_stats_BTC__doc-file70941304111.json",
        "GET /metadata/stats; the sizes of its quotes were left out, so that its base spread counts",
        readers.stats,
        raw.stats,
        markets=1,
        rates=1,
        modal_apr_percent=7.5426,
        literal={
            "BTC": 0.075426 / 8760,
            "BTC interval_hours": 8,
            "BTC mark_price": 85734.2744737329,
            "BTC open_interest_usd": 34542768.61,
            "BTC quoted_spread_percent": 0.0101436325234403,
        },
    ),
    File(
        "variational/metadata_stats_RAVE__test-file54677215524.json",
        "GET /metadata/stats: an hourly market at 683.6 % a year",
        readers.stats,
        raw.stats,
        markets=1,
        rates=1,
        modal_apr_percent=683.6009,
        literal={"RAVE": 6.836009 / 8760, "RAVE interval_hours": 1, "RAVE quoted_spread_percent": None},
    ),
    File(
        "variational/listing_ETH__doc-file44649699693.json",
        "one of the listings of GET /metadata/stats",
        readers.listing,
        raw.stats,
        markets=1,
        rates=1,
        modal_apr_percent=1.1135,
        literal={
            "ETH interval_hours": 8,
            "ETH open_interest_usd": 95784250.8,
            "ETH quoted_spread_percent": (3216.17 - 3216.01) / 3216.09 * 100,
        },
        uncalled=Uncalled(
            why="a part of an answer",
            ask=lambda body: variational.parse_stats(body, readers.LATER),
            words="missing required field `listings`",
        ),
    ),
)
