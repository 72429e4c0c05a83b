import gzip

import httpx
import pytest

from fundwatch.demo.faults import Fault, parse_all
from fundwatch.demo.world import DemoWorld
from tests.demo.conftest import HOUR, MONTH_AGO, Asker

BULK = {"startTime": MONTH_AGO * 1000, "limit": 1000}
ONE = {"startTime": MONTH_AGO * 1000, "endTime": HOUR * 1000 + 60_000}


def test_faults_read_as_words() -> None:
    assert Fault.parse("451") == Fault("451")
    assert Fault.parse("unit:24@fundingRate*3") == Fault("unit", 24.0, "fundingRate", 3)
    assert list(parse_all("binance=451, aster=half+unit:8")) == [
        ("binance", Fault("451")),
        ("aster", Fault("half")),
        ("aster", Fault("unit", 8.0)),
    ]


@pytest.mark.parametrize("text", ["", "200", "rain", "unit:x", "451*"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault.parse(text)


def test_a_world_takes_its_faults_from_words_and_refuses_unknown_exchanges() -> None:
    with pytest.raises(KeyError, match="kraken"):
        DemoWorld(faults="kraken=451")


@pytest.mark.parametrize("status", [403, 418, 429, 451, 500, 503])
async def test_a_status_is_answered_until_healed(ask: Asker, status: int) -> None:
    ask.world.fault("binance", str(status))
    answer = await ask.raw("binance", "/fapi/v1/premiumIndex")
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) == (status in (418, 429))
    ask.world.heal("binance")
    assert (await ask.raw("binance", "/fapi/v1/premiumIndex")).status_code == 200


async def test_a_fault_can_be_kept_to_a_path_and_a_number_of_times(ask: Asker) -> None:
    ask.world.fault("binance", "429:7", path="premium", times=2)
    statuses = [(await ask.raw("binance", "/fapi/v1/premiumIndex")).status_code for _ in range(3)]
    assert statuses == [429, 429, 200]
    assert (await ask.raw("aster", "/fapi/v1/premiumIndex")).status_code == 200
    ask.world.fault("binance", "429:7", path="premium")
    assert (await ask.raw("binance", "/fapi/v1/premiumIndex")).headers["retry-after"] == "7"
    assert (await ask.raw("binance", "/fapi/v1/fundingInfo")).status_code == 200


async def test_a_challenge_page_comes_with_status_200(ask: Asker) -> None:
    ask.world.fault("extended", "html")
    answer = await ask.raw("extended", "/api/v1/info/markets")
    assert answer.status_code == 200
    assert answer.text.startswith("<html>")


async def test_a_redirect_points_away(ask: Asker) -> None:
    ask.world.fault("extended", "redirect")
    answer = await ask.raw("extended", "/api/v1/info/markets")
    assert (answer.status_code, answer.headers["location"][:14]) == (302, "http://169.254")


async def test_a_gzip_bomb_is_small_on_the_wire(ask: Asker) -> None:
    ask.world.fault("paradex", "gzip-bomb")
    url = ask.world.base_urls["paradex"] + "/v1/markets"
    async with ask.client.stream("GET", url) as answer:
        wire = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert len(wire) < 200_000
    assert len(gzip.decompress(wire)) == 64 * 2**20


@pytest.mark.parametrize("kind", ["hang", "drip"])
async def test_an_answer_that_does_not_come(ask: Asker, kind: str) -> None:
    ask.world.fault("variational", kind)
    url = ask.world.base_urls["variational"] + "/metadata/stats"
    with pytest.raises(httpx.ReadTimeout):
        await ask.client.get(url, timeout=0.2 if kind == "hang" else 0.04)


@pytest.mark.parametrize("kind", ["truncate", "reset"])
async def test_a_body_that_ends_early(ask: Asker, kind: str) -> None:
    ask.world.fault("extended", kind)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await ask.raw("extended", "/api/v1/info/markets")


async def test_nan_stands_in_every_fifth_rate(ask: Asker) -> None:
    ask.world.fault("binance", "nan")
    rows = await ask.get("binance", "/fapi/v1/premiumIndex")
    assert [at for at, row in enumerate(rows) if row["lastFundingRate"] == "NaN"] == list(
        range(0, len(rows), 5)
    )
    ask.world.heal("binance")
    ask.world.fault("binance", "nan-bare")
    assert b'"lastFundingRate":NaN' in (await ask.raw("binance", "/fapi/v1/premiumIndex")).content


async def test_half_of_the_markets_are_missing_from_every_list_alike(ask: Asker) -> None:
    before = {row["symbol"] for row in await ask.get("binance", "/fapi/v1/premiumIndex")}
    ask.world.fault("binance", "half")
    quoted = {row["symbol"] for row in await ask.get("binance", "/fapi/v1/premiumIndex")}
    info = await ask.get("binance", "/fapi/v1/exchangeInfo")
    assert 0.4 < len(quoted) / len(before) < 0.6
    assert {row["symbol"] for row in info["symbols"]} == quoted
    ask.world.fault("hyperliquid", "half")
    meta, contexts = await ask.info(type="metaAndAssetCtxs")
    assert 80 < len(meta["universe"]) == len(contexts) < 150


async def test_empty_lists_and_duplicated_rows(ask: Asker) -> None:
    ask.world.fault("extended", "empty")
    assert (await ask.get("extended", "/api/v1/info/markets"))["data"] == []
    ask.world.fault("variational", "duplicates")
    tickers = [row["ticker"] for row in (await ask.get("variational", "/metadata/stats"))["listings"]]
    assert len(tickers) > len(set(tickers))


async def test_a_renamed_field_is_gone_under_its_old_name(ask: Asker) -> None:
    ask.world.fault("extended", "drift")
    stats = (await ask.get("extended", "/api/v1/info/markets"))["data"][0]["marketStats"]
    assert "fundingRate" not in stats
    assert "fundingRateValue" in stats


async def test_jitter_moves_stamps_and_nothing_else(ask: Asker) -> None:
    path = "/api/v1/info/BTC-USD/funding"
    before = (await ask.get("extended", path, **ONE))["data"]
    ask.world.fault("extended", "jitter")
    after = (await ask.get("extended", path, **ONE))["data"]
    assert {b["T"] - a["T"] for a, b in zip(before, after, strict=True)} == {59_000, -59_000, 7_000}
    assert [row["f"] for row in before] == [row["f"] for row in after]


async def test_some_hours_are_missing_or_revised(ask: Asker) -> None:
    path = "/api/v1/info/BTC-USD/funding"
    before = {row["T"]: row["f"] for row in (await ask.get("extended", path, **ONE))["data"]}
    ask.world.fault("extended", "missing-rows")
    left = {row["T"]: row["f"] for row in (await ask.get("extended", path, **ONE))["data"]}
    assert len(before) - len(left) == pytest.approx(len(before) / 7, abs=1)
    assert all(t // 3_600_000 % 7 == 3 for t in before.keys() - left.keys())
    ask.world.heal("extended")
    ask.world.fault("extended", "revise")
    revised = {row["T"]: row["f"] for row in (await ask.get("extended", path, **ONE))["data"]}
    changed = {t for t in before if float(revised[t]) != float(before[t])}
    assert changed == {t for t in before if t // 3_600_000 % 5 == 0 and float(before[t])}


async def test_history_of_all_symbols_can_turn_out_to_be_of_one(ask: Asker) -> None:
    ask.world.fault("aster", "one-symbol")
    rows = await ask.get("aster", "/fapi/v1/fundingRate", **BULK)
    assert len({row["symbol"] for row in rows}) == 1


@pytest.mark.parametrize(
    ("kind", "quotes", "settled"), [("unit", 8, 8), ("unit-quotes", 8, 1), ("unit-settled", 1, 8)]
)
async def test_rates_in_a_wrong_unit(ask: Asker, kind: str, quotes: float, settled: float) -> None:
    async def rates() -> tuple[list[float], list[float]]:
        premiums = await ask.get("aster", "/fapi/v1/premiumIndex")
        rows = await ask.get("aster", "/fapi/v1/fundingRate", **BULK)
        return [float(r["lastFundingRate"]) for r in premiums], [float(r["fundingRate"]) for r in rows]

    true_quotes, true_settled = await rates()
    ask.world.fault("aster", f"{kind}:8")
    wrong_quotes, wrong_settled = await rates()
    assert wrong_quotes == pytest.approx([rate * quotes for rate in true_quotes])
    assert wrong_settled == pytest.approx([rate * settled for rate in true_settled])


async def test_a_wrong_unit_reaches_hyperliquid_s_and_paradex_s_own_fields(ask: Asker) -> None:
    start = MONTH_AGO * 1000
    _, contexts = await ask.info(type="metaAndAssetCtxs")
    paid = await ask.info(type="fundingHistory", coin="BTC", startTime=start)
    ask.world.fault("hyperliquid", "unit-settled:8")
    assert (await ask.info(type="metaAndAssetCtxs"))[1] == contexts
    wrong = await ask.info(type="fundingHistory", coin="BTC", startTime=start)
    assert float(wrong[0]["fundingRate"]) == pytest.approx(8 * float(paid[0]["fundingRate"]))

    asked = {"market": "BTC-USD-PERP", "end_at": HOUR * 1000, "page_size": 1}
    row = (await ask.get("paradex", "/v1/funding/data", **asked))["results"][0]
    ask.world.fault("paradex", "unit:8")
    wrong_row = (await ask.get("paradex", "/v1/funding/data", **asked))["results"][0]
    for key in ("funding_index", "funding_premium", "funding_rate"):
        assert float(wrong_row[key]) == pytest.approx(8 * float(row[key]))


async def test_signs_get_lost(ask: Asker) -> None:
    negative = next(
        symbol
        for symbol in ask.world.symbols("lighter")
        if any(paid.rate < 0 for paid in ask.world.truth_settlements("lighter", symbol, MONTH_AGO, HOUR))
    )
    books = (await ask.get("lighter", "/api/v1/orderBookDetails"))["order_book_details"]
    market_id = next(row["market_id"] for row in books if row["symbol"] == negative)
    window = {
        "market_id": market_id,
        "resolution": "1h",
        "start_timestamp": MONTH_AGO,
        "end_timestamp": HOUR,
        "count_back": 0,
    }
    ask.world.fault("lighter", "sign-settled")
    rows = (await ask.get("lighter", "/api/v1/fundings", **window))["fundings"]
    assert {row["direction"] for row in rows} == {"long"}
    rates = (await ask.get("lighter", "/api/v1/funding-rates"))["funding_rates"]
    assert any(row["rate"] < 0 for row in rates)
    ask.world.heal("lighter")
    ask.world.fault("lighter", "sign-quotes")
    rates = (await ask.get("lighter", "/api/v1/funding-rates"))["funding_rates"]
    assert all(row["rate"] >= 0 for row in rates)
