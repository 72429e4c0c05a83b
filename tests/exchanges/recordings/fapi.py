"""Binance's and Aster's files. A premiumIndex answer of Aster was never recorded."""

from typing import Any

from fundwatch.exchanges import aster, binance
from fundwatch.exchanges.fapi import TermsBook
from tests.exchanges.recordings import raw, readers
from tests.exchanges.recordings.file import File, Uncalled, derivative_tickers, uncalled
from tests.exchanges.recordings.raw import Values


def _binance_quotes(body: bytes) -> object:
    return binance.parse_quotes(body, ["BTCUSDT"], TermsBook({}), {}, readers.LATER)


def _binance_ws_opinion(theirs: Any) -> Values:
    numbers: Values = {}
    for ticker in derivative_tickers(theirs):
        if ticker["fundingRate"] is not None and ticker["symbol"] == "BTCUSDT":
            key = f"BTCUSDT {ticker['timestamp'][:16].replace('T', ' ')}"
            numbers[key] = ticker["fundingRate"] / 8
            numbers[f"{key} mark_price"] = ticker["markPrice"]
    return numbers


BINANCE = (
    File(
        "binance/exchangeInfo__gocryptotrader.json",
        "GET /fapi/v1/exchangeInfo",
        readers.fapi_markets(binance),
        raw.listed_times,
        markets=25,
        literal={"BTCUSDT listed_time": 1569398400, "BTCUSDT multiplier": 1},
    ),
    File(
        "binance/exchangeInfo_full_2021-07-22__cryptofeed.json",
        "GET /fapi/v1/exchangeInfo: 119 of 122, two are dated, one waits for its listing",
        readers.fapi_markets(binance),
        raw.listed_times,
        markets=119,
        literal={"1000SHIBUSDT multiplier": 1000, "DEFIUSDT multiplier": 1},
    ),
    File(
        "binance/fundingInfo__gocryptotrader.json",
        "GET /fapi/v1/fundingInfo",
        readers.fapi_terms(binance),
        raw.terms,
        literal={"LPTUSDT interval_hours": 4, "LPTUSDT hourly_rate_cap": 0.005, "GTCUSDT interval_hours": 8},
    ),
    File(
        "binance/fundingInfo__docs-coincise.json",
        "GET /fapi/v1/fundingInfo, documented example",
        readers.fapi_terms(binance),
        raw.terms,
        literal={"BLZUSDT interval_hours": 8, "BLZUSDT hourly_rate_cap": 0.003125},
    ),
    File(
        "binance/premiumIndex_all__gocryptotrader.json",
        "GET /fapi/v1/premiumIndex",
        readers.premium,
        raw.premium,
        rates=5,
        modal_apr_percent=10.95,
        literal={
            "EOSUSDT": 0.0000125,
            "EOSUSDT interval_hours": 8,
            "EOSUSDT mark_price": 2.59828765,
            "EOSUSDT index_price": 2.59732255,
            "EOSUSDT next_funding_time": 1602835200,
            "EOSUSDT open_interest_usd": None,
        },
    ),
    File(
        "binance/premiumIndex_1__docs-coincise.json",
        "GET /fapi/v1/premiumIndex, documented example",
        readers.premium,
        raw.premium,
        rates=1,
        literal={"BTCUSDT": 0.0000478075, "BTCUSDT next_funding_time": 1597392000},
    ),
    File(
        "binance/fundingRate_BTCUSDT_2020-01_6rows__gocryptotrader.json",
        "GET /fapi/v1/fundingRate of BTCUSDT",
        readers.payments(binance),
        raw.payments("BTCUSDT"),
        rates=5,
        unknown=1,
        literal={
            "BTCUSDT 2020-01-01 00:00 paid": -0.00012359,
            "BTCUSDT 2020-01-01 08:00": -0.00001547875,
        },
    ),
    File(
        "binance/fundingRate_BTCUSDT_2020-09_100rows__gocryptotrader.json",
        "GET /fapi/v1/fundingRate of BTCUSDT",
        readers.payments(binance),
        raw.payments("BTCUSDT"),
        rates=99,
        unknown=1,
        literal={"BTCUSDT 2020-09-15 00:00 paid": -0.0002227, "BTCUSDT 2020-09-15 08:00": -0.000003495},
    ),
    File(
        "binance/fundingRate__docs-coincise.json",
        "GET /fapi/v1/fundingRate, documented example: markPrice is a price, no payment",
        readers.payments(binance),
        raw.payments("BTCUSDT"),
        rates=1,
        unknown=1,
        literal={
            "BTCUSDT 2019-10-09 08:00 paid": -0.0375,
            "BTCUSDT 2019-10-09 16:00": 0.0000125,
            "BTCUSDT 2019-10-09 16:00 payment_usd": None,
        },
    ),
    File(
        "binance/ticker-24hr_all__gocryptotrader.json",
        "GET /fapi/v1/ticker/24hr",
        readers.fapi_volumes(binance),
        raw.volumes,
        literal={"BTCUSDT volume_24h_usd": 10941924833.36},
    ),
    *(
        uncalled(
            f"binance/{name}.json",
            f"GET {path}?symbol=BTCUSDT",
            "all symbols are asked at once",
            _binance_quotes,
            "Expected `array`, got `object`",
        )
        for name, path in (
            ("premiumIndex_BTCUSDT__gocryptotrader", "/fapi/v1/premiumIndex"),
            ("premiumIndex__docs-coincise", "/fapi/v1/premiumIndex"),
            ("ticker-24hr_BTCUSDT__gocryptotrader", "/fapi/v1/ticker/24hr"),
        )
    ),
    uncalled(
        "binance/error_invalid_symbol_-1121__gocryptotrader.json",
        "GET /fapi/v1/ticker/24hr?symbol=BTCUSD_201225",
        "an error, which comes with HTTP 400 and never reaches a parser",
        _binance_quotes,
        "Expected `array`, got `object`",
    ),
    File(
        "binance/ws_usdm__tardis-node.json",
        "WebSocket trades, tickers, books and markPriceUpdate",
        readers.mark_frames,
        rates=2,
        literal={"BTCUSDT 2019-10-01 00:00": 0.0000125, "BTCUSDT 2020-08-16 00:00": 0.00001955},
        uncalled=Uncalled(
            why="quotes come from bulk requests alone", ask=binance.parse_markets, words="Expected `object`"
        ),
    ),
    File(
        "binance/ws_usdm__tardis-node.expected.json",
        "what tardis makes of them",
        opinion=_binance_ws_opinion,
        of="binance/ws_usdm__tardis-node.json",
    ),
)

ASTER = (
    File(
        "aster/exchangeInfo__jkorf.json",
        "GET /fapi/v1/exchangeInfo, documented example: a DOGEUSDT that is about BLZ",
        readers.fapi_markets(aster),
        refused=1,
        reason="base asset does not fit",
    ),
    File(
        "aster/fundingInfo__jkorf.json",
        "GET /fapi/v1/fundingInfo",
        readers.fapi_terms(aster),
        raw.terms,
        literal={
            "INJUSDT interval_hours": 8,
            "INJUSDT hourly_rate_cap": 0.00375,
            "ZORAUSDT interval_hours": 4,
            "ZORAUSDT hourly_rate_cap": 0.005,
        },
    ),
    File(
        "aster/fundingRate__jkorf.json",
        "GET /fapi/v1/fundingRate, documented example: Binance's payments of 2019",
        readers.payments(aster),
        refused=2,
        reason="older than the venue's own record",
    ),
    File(
        "aster/ticker-24hr__jkorf.json",
        "GET /fapi/v1/ticker/24hr, documented example",
        readers.fapi_volumes(aster),
        raw.volumes,
        literal={"BTCUSDT volume_24h_usd": 15.3},
    ),
)
