"""Lighter's files. A funding-rates answer was never recorded."""

from typing import Any

from fundwatch.exchanges import lighter
from fundwatch.exchanges.errors import Refused
from tests.exchanges.recordings import raw, readers
from tests.exchanges.recordings.file import File, Uncalled, derivative_tickers, uncalled
from tests.exchanges.recordings.raw import Values


def _lighter_ws_opinion(theirs: Any) -> Values:
    """They keep the venue's percent."""
    rates: Values = {ticker["symbol"]: ticker["fundingRate"] / 100 for ticker in derivative_tickers(theirs)}
    return rates | {
        f"{ticker['symbol']} mark_price": ticker["markPrice"] for ticker in derivative_tickers(theirs)
    }


def _lighter_details_opinion(theirs: Any) -> Values:
    """Their open interest is in base units; in dollars it needs the price that neither of us has."""
    ticker = theirs["fetchTicker"]
    return {
        "ETH mark_price": ticker["markPrice"],
        "ETH index_price": ticker["indexPrice"],
        "ETH volume_24h_usd": ticker["quoteVolume"],
        "ETH open_interest_usd": ticker["markPrice"],
        "ETH multiplier": theirs["fetchMarkets"][0]["contractSize"],
    }


LIGHTER = (
    File(
        "lighter/fundings__nautilus.json",
        "GET /fundings?resolution=1h",
        readers.lighter_fundings("ETH", mark_price=2256.56),
        raw.lighter_fundings("ETH"),
        rates=2,
        literal={
            "ETH 2026-05-13 20:00": 0.000012,
            "ETH 2026-05-13 20:00 payment_usd": 0.02707872,
            "ETH 2026-05-13 21:00": -0.000002,
            "ETH 2026-05-13 21:00 payment_usd": -0.00452778,
        },
    ),
    File(
        "lighter/orderBookDetails_2025-10__docs-file46236998364.json",
        "GET /orderBookDetails, fields of 2025-10: no prices",
        readers.lighter_details,
        markets=1,
        rates=1,
        literal={"SYRUP": 0.000012, "SYRUP open_interest_usd": None, "SYRUP volume_24h_usd": 9891610.124046},
    ),
    File(
        "lighter/orderBookDetails_2026-05__nautilus.json",
        "GET /orderBookDetails, fields of 2026-05: still no prices",
        readers.lighter_details,
        markets=1,
        rates=1,
        literal={"ETH": 0.000012, "ETH mark_price": None, "ETH volume_24h_usd": 460664167.955905},
    ),
    File(
        "lighter/orderBookDetails_ETH__ccxt-static.json",
        "GET /orderBookDetails?market_id=0, fields of 2025-11: no prices",
        readers.lighter_details,
        markets=1,
        rates=1,
        literal={"ETH": 0.000012, "ETH open_interest_usd": None, "ETH volume_24h_usd": 1671431095.263844},
    ),
    File(
        "lighter/orderBookDetails_ETH__ccxt-static.expected.json",
        "what ccxt makes of it",
        opinion=_lighter_details_opinion,
        of="lighter/orderBookDetails_ETH__ccxt-static.json",
    ),
    File(
        "lighter/orderBookDetails_openapi-example__jkorf.json",
        "GET /orderBookDetails, documented example: numbers as strings, spot in a list of its own",
        readers.lighter_details,
        markets=1,
        rates=1,
        literal={"ETH": 0.000012, "ETH volume_24h_usd": 93566.25, "ETH listed_time": None},
    ),
    File(
        "lighter/ws_market_stats__tardis-node.json",
        "WebSocket market_stats/all",
        readers.lighter_stream,
        rates=2,
        literal={"0": 0.000011, "1": 0.000012, "1 mark_price": 75241.1},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone", ask=lighter.parse_markets, words="Expected `object`"
        ),
    ),
    File(
        "lighter/ws_market_stats__tardis-node.expected.json",
        "what tardis makes of its second frame",
        opinion=_lighter_ws_opinion,
        of="lighter/ws_market_stats__tardis-node.json",
    ),
    File(
        "lighter/ws_market_stats_2025-10__docs-file46236998364.json",
        "WebSocket market_stats/all, fields of 2025-10: no symbol",
        readers.lighter_stream,
        rates=1,
        literal={"0": 0.000012, "0 mark_price": 4670.63},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone", ask=lighter.parse_markets, words="Expected `object`"
        ),
    ),
    File(
        "lighter/ws_market_stats_BTC_subscribed__nautilus.json",
        "WebSocket market_stats/1",
        readers.lighter_stream,
        rates=1,
        literal={"1": -0.000028, "1 mark_price": 64356.3},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone",
            ask=lighter.parse_markets,
            error=Refused,
            words="no reason given",
        ),
    ),
    *(
        File(
            f"lighter/{name}",
            endpoint,
            uncalled=Uncalled(
                why="documented example of a stream that is not read, placeholders for values",
                ask=lighter.parse_markets,
                error=Refused,
                words="no reason given",
            ),
        )
        for name, endpoint in (
            ("ws_market_stats_update_single__nautilus.json", "WebSocket market_stats/{id}"),
            ("ws_spot_market_stats_all__nautilus.json", "WebSocket spot_market_stats/all"),
        )
    ),
    uncalled(
        "lighter/exchangeStats__jkorf.json",
        "GET /exchangeStats",
        "orderBookDetails has the same volumes, and no request has to be spent",
        lighter.parse_markets,
        "order_book_details is missing",
    ),
    *(
        uncalled(
            f"lighter/{name}",
            "GET /orderBooks",
            "orderBookDetails has these fields and the prices too",
            lighter.parse_markets,
            "order_book_details is missing",
        )
        for name in ("orderBooks_FARTCOIN__jkorf.json", "orderBooks__nautilus.json")
    ),
    File(
        "lighter/markets_derived_2026-04__mindraid.json",
        "no answer of the venue: a table that somebody made of GET /orderBooks",
        uncalled=Uncalled(
            why="not the venue's own words", ask=lighter.parse_markets, error=Refused, words="no reason given"
        ),
    ),
)
