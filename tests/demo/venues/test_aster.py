from collections import Counter

from tests.demo.conftest import HOUR, Asker


async def test_shielded_and_idle_symbols_are_mixed_into_the_quotes(ask: Asker) -> None:
    symbols = {row["symbol"] for row in (await ask.get("aster", "/fapi/v1/exchangeInfo"))["symbols"]}
    rows = {row["symbol"]: row for row in await ask.get("aster", "/fapi/v1/premiumIndex")}
    assert {"SHIELDAMZNUSDT", "APXUSDT"} <= rows.keys()
    assert rows["APXUSDT"]["lastFundingRate"] == "0"
    assert "APXUSDT" not in symbols
    assert "SHIELDAMZNUSDT" in symbols


async def test_funding_info_lists_every_symbol_and_one_without_a_name(ask: Asker) -> None:
    rows = await ask.get("aster", "/fapi/v1/fundingInfo")
    assert set(ask.world.symbols("aster")) <= {row["symbol"] for row in rows}
    assert [row["symbol"] for row in rows].count(None) == 1
    assert Counter(row["fundingIntervalHours"] for row in rows)[2] == 2


async def test_both_versions_of_the_address_give_the_same(ask: Asker) -> None:
    asked = {"symbol": "ETHUSDT", "limit": 5}
    old = await ask.get("aster", "/fapi/v1/fundingRate", **asked)
    assert await ask.get("aster", "/fapi/v3/fundingRate", **asked) == old


async def test_settlements_have_three_fields_and_the_true_rate(ask: Asker) -> None:
    rows = await ask.get("aster", "/fapi/v1/fundingRate", startTime=(HOUR - 8 * 3600) * 1000, limit=1000)
    assert rows[0].keys() == {"symbol", "fundingTime", "fundingRate"}
    for row in rows[:300]:
        hour = row["fundingTime"] // 3_600_000 * 3600
        paid = ask.world.truth_settlements("aster", row["symbol"], hour - 3600, hour)
        assert [p.rate for p in paid] == [float(row["fundingRate"])]


async def test_without_times_the_newest_rows_come(ask: Asker) -> None:
    rows = await ask.get("aster", "/fapi/v1/fundingRate", limit=700)
    assert len(rows) == 700
    assert rows[-1]["fundingTime"] // 3_600_000 * 3600 == HOUR


async def test_open_interest_is_not_published(ask: Asker) -> None:
    assert (await ask.raw("aster", "/fapi/v1/openInterest", symbol="BTCUSDT")).status_code == 404
