"""The demo's rows against real recorded answers, for those who have a folder of them.

The folder, with one subfolder per exchange, is `shared/recorded` beside the checkout, or the one that
`FUNDWATCH_RECORDED` names. Without it the key sets that the documents promise are still checked, in
`tests/demo/venues`.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.demo.conftest import HOUR, MONTH_AGO, Asker

RECORDED = Path(os.environ.get("FUNDWATCH_RECORDED") or Path(__file__).parents[3] / "shared" / "recorded")


def recorded(name: str) -> Any:
    path = RECORDED / name
    if not path.is_file():
        pytest.skip(f"no recorded answer {name}: set FUNDWATCH_RECORDED to a folder that has it")
    return json.loads(path.read_text())


def keys(row: dict[str, Any], *without: str) -> set[str]:
    return row.keys() - set(without)


async def test_lighter_s_market_rows(ask: Asker) -> None:
    real = recorded("lighter/orderBookDetails_2026-05__nautilus.json")
    ours = await ask.get("lighter", "/api/v1/orderBookDetails")
    assert keys(real) == keys(ours)
    assert keys(real["order_book_details"][0]) <= keys(ours["order_book_details"][0])
    assert real["order_book_details"][0]["market_config"].keys() == (
        ours["order_book_details"][0]["market_config"].keys()
    )


async def test_lighter_s_settlements(ask: Asker) -> None:
    real = recorded("lighter/fundings__nautilus.json")
    ours = await ask.get(
        "lighter",
        "/api/v1/fundings",
        market_id=0,
        resolution="1h",
        start_timestamp=MONTH_AGO,
        end_timestamp=HOUR,
        count_back=0,
    )
    assert keys(real) == keys(ours)
    assert keys(real["fundings"][0]) == keys(ours["fundings"][0])
    for key, value in real["fundings"][0].items():
        assert type(value) is type(ours["fundings"][0][key])


@pytest.mark.parametrize("dex", ["main", "xyz"])
async def test_hyperliquid_s_contexts(ask: Asker, dex: str) -> None:
    real = recorded(f"hyperliquid/metaAndAssetCtxs_dex-{dex}_2026-02-06__go-hyperliquid.json")
    ours = await ask.info(type="metaAndAssetCtxs", dex="" if dex == "main" else dex)
    assert keys(real[0]) == keys(ours[0])
    assert keys(real[0]["universe"][0], "lastGrowthModeChangeTime") == keys(ours[0]["universe"][0])
    assert keys(real[1][0]) == keys(ours[1][0])
    assert all(isinstance(ours[1][0][key], type(value)) for key, value in real[1][0].items())


async def test_hyperliquid_s_history_and_dexes(ask: Asker) -> None:
    real = recorded("hyperliquid/fundingHistory_BTC_start-end__hl-python-sdk.json")
    ours = await ask.info(type="fundingHistory", coin="BTC", startTime=MONTH_AGO * 1000)
    assert keys(real[0]) == keys(ours[0])
    dexes = recorded("hyperliquid/perpDexs_2026-07__hlmcp.json")
    our_dexes = await ask.info(type="perpDexs")
    assert our_dexes[0] is None
    assert keys(dexes[1]) == keys(our_dexes[1])


async def test_binance_s_rows(ask: Asker) -> None:
    funding = recorded("binance/fundingRate__docs-coincise.json")
    rows = await ask.get("binance", "/fapi/v1/fundingRate", symbol="BTCUSDT")
    assert keys(funding[0]) | {"rateType"} == keys(rows[0])
    premium = recorded("binance/premiumIndex__docs-coincise.json")
    premium = premium[0] if isinstance(premium, list) else premium
    ours = await ask.get("binance", "/fapi/v1/premiumIndex")
    assert keys(premium) == keys(ours[0])
    terms = recorded("binance/fundingInfo__docs-coincise.json")
    assert keys(terms[0]) == keys((await ask.get("binance", "/fapi/v1/fundingInfo"))[0])
    tickers = recorded("binance/ticker-24hr_all__gocryptotrader.json")
    assert keys(tickers[0]) == keys((await ask.get("binance", "/fapi/v1/ticker/24hr"))[0])
    info = recorded("binance/exchangeInfo__gocryptotrader.json")
    newer = ("maxMoveOrderLimit", "permissionSets")
    ours = await ask.get("binance", "/fapi/v1/exchangeInfo")
    assert keys(info["symbols"][0], *newer) <= keys(ours["symbols"][0])


async def test_aster_s_rows(ask: Asker) -> None:
    terms = recorded("aster/fundingInfo__jkorf.json")
    ours = await ask.get("aster", "/fapi/v1/fundingInfo")
    assert keys(terms[0]) == keys(ours[0])
    assert isinstance(ours[0]["fundingFeeCap"], float)
    funding = recorded("aster/fundingRate__jkorf.json")
    rows = await ask.get("aster", "/fapi/v1/fundingRate", symbol="BTCUSDT")
    assert keys(funding[0]) == keys(rows[0])
    info = recorded("aster/exchangeInfo__jkorf.json")
    symbols = (await ask.get("aster", "/fapi/v1/exchangeInfo"))["symbols"]
    assert keys(info["symbols"][0]) <= keys(symbols[0])


async def test_extended_s_markets_and_history(ask: Asker) -> None:
    real = recorded("extended/info_markets_BTC__ccxt-static.json")
    ours = await ask.get("extended", "/api/v1/info/markets")
    assert real["status"] == ours["status"]
    assert keys(real["data"][0]) <= keys(ours["data"][0])
    assert keys(real["data"][0]["marketStats"]) == keys(ours["data"][0]["marketStats"])
    assert keys(real["data"][0]["tradingConfig"]) == keys(ours["data"][0]["tradingConfig"])
    history = recorded("extended/info_funding_BTC-USD__defi_api-docs.json")
    rows = await ask.get(
        "extended", "/api/v1/info/BTC-USD/funding", startTime=MONTH_AGO * 1000, endTime=HOUR * 1000
    )
    assert keys(history["data"][0]) == keys(rows["data"][0])


async def test_paradex_s_rows(ask: Asker) -> None:
    markets = recorded("paradex/markets_BTC__ccxt-static.json")
    ours = await ask.get("paradex", "/v1/markets", market="BTC-USD-PERP")
    assert keys(markets["results"][0]) <= keys(ours["results"][0])
    summary = recorded("paradex/markets_summary_BTC__ccxt-static.json")
    ours = await ask.get("paradex", "/v1/markets/summary", market="BTC-USD-PERP")
    assert keys(summary["results"][0]) == keys(ours["results"][0])
    frame = recorded("paradex/ws_funding_data__docs-files46658171271-52903113075.json")
    rows = await ask.get("paradex", "/v1/funding/data", market="BTC-USD-PERP")
    assert keys(frame[0]["params"]["data"]) == keys(rows["results"][0])


async def test_variational_s_listing(ask: Asker) -> None:
    real = recorded("variational/metadata_stats_BTC__doc-file70941304111.json")
    ours = await ask.get("variational", "/metadata/stats")
    assert keys(real) == keys(ours)
    assert keys(real["listings"][0]) == keys(ours["listings"][0])
    assert keys(real["listings"][0]["quotes"]) == keys(ours["listings"][0]["quotes"])
