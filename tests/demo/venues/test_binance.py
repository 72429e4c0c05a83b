from collections import Counter

import pytest

from fundwatch.demo.venues.base import Paid
from tests.demo.conftest import HOUR, MONTH_AGO, NOW, Asker

RATES = "/fapi/v1/fundingRate"


def hour_of(row: dict[str, int]) -> int:
    return row["fundingTime"] // 3_600_000 * 3600


async def test_perpetuals_are_told_from_dated_and_settling_contracts(ask: Asker) -> None:
    symbols = (await ask.get("binance", "/fapi/v1/exchangeInfo"))["symbols"]
    trading = Counter(row["contractType"] for row in symbols if row["status"] == "TRADING")
    assert trading["PERPETUAL"] == pytest.approx(570, abs=5)
    assert trading["TRADIFI_PERPETUAL"] == pytest.approx(168, abs=3)
    assert trading["CURRENT_QUARTER"] == trading["NEXT_QUARTER"] == 1
    assert sum(row["status"] == "SETTLING" for row in symbols) >= 124
    assert {"COIN", "EQUITY", "COMMODITY", "INDEX", "PREMARKET", "KR_EQUITY", "HK_EQUITY"} == {
        row["underlyingType"] for row in symbols
    }


async def test_dated_contracts_have_blank_rates_and_no_next_payment(ask: Asker) -> None:
    rows = await ask.get("binance", "/fapi/v1/premiumIndex")
    dated = [row for row in rows if "_" in row["symbol"]]
    assert {(row["lastFundingRate"], row["nextFundingTime"]) for row in dated} == {("", 0)}
    assert len(dated) == 2


async def test_estimates_are_per_interval_and_the_next_payment_lies_on_its_grid(ask: Asker) -> None:
    hours = {r["symbol"]: r["fundingIntervalHours"] for r in await ask.get("binance", "/fapi/v1/fundingInfo")}
    resting: Counter[tuple[int, str]] = Counter()
    for row in await ask.get("binance", "/fapi/v1/premiumIndex"):
        if row["symbol"] not in ask.world.symbols("binance"):
            continue
        interval = hours.get(row["symbol"], 8)
        assert row["nextFundingTime"] % (interval * 3_600_000) == 0
        assert 0 < row["nextFundingTime"] / 1000 - NOW <= interval * 3600
        assert row["time"] % 60_000 == 0
        resting[interval, row["lastFundingRate"]] += 1
    for interval, text in ((8, "0.00010000"), (4, "0.00005000"), (1, "0.00001250")):
        same = {rate: n for (i, rate), n in resting.items() if i == interval}
        assert max(same, key=lambda rate: same[rate]) == text


async def test_only_adjusted_symbols_stand_in_funding_info(ask: Asker) -> None:
    listed = {row["symbol"] for row in await ask.get("binance", "/fapi/v1/fundingInfo")}
    absent = set(ask.world.symbols("binance")) - listed
    assert absent
    for symbol in sorted(absent)[:20]:
        paid = ask.world.truth_settlements("binance", symbol, HOUR - 86_400, HOUR)
        assert {p.interval_hours for p in paid if p.kind == "regular"} == {8}


async def test_history_of_all_symbols_is_the_truth_page_by_page(ask: Asker) -> None:
    start, end = HOUR - 86_400, HOUR
    seen: dict[tuple[str, int, str], str] = {}
    cursor = start * 1000 + 60_000
    while True:
        rows = await ask.get("binance", RATES, startTime=cursor, endTime=end * 1000 + 60_000, limit=1000)
        assert rows == sorted(rows, key=lambda row: (row["fundingTime"], row["symbol"]))
        seen |= {(r["symbol"], hour_of(r), r["rateType"].lower()): r["fundingRate"] for r in rows}
        if len(rows) < 1000:
            break
        cursor = rows[-1]["fundingTime"]
    for symbol in ask.world.symbols("binance"):
        for paid in ask.world.truth_settlements("binance", symbol, start, end):
            assert float(seen.pop((symbol, paid.funding_time, paid.kind))) == paid.rate
    assert seen == {}


async def test_stamps_of_one_hour_are_milliseconds_late_and_not_all_the_same(ask: Asker) -> None:
    rows = await ask.get("binance", RATES, startTime=HOUR // 28_800 * 28_800_000, limit=1000)
    late = {row["fundingTime"] % 3_600_000 for row in rows if hour_of(row) == HOUR // 28_800 * 28_800}
    assert len(late) > 1
    assert max(late) < 100


async def test_one_symbol_pages_ascending_with_both_ends_included(ask: Asker) -> None:
    all_rows = await ask.get("binance", RATES, symbol="BTCUSDT", startTime=MONTH_AGO * 1000)
    assert len(all_rows) == 90
    first, last = all_rows[3]["fundingTime"], all_rows[7]["fundingTime"]
    part = await ask.get("binance", RATES, symbol="BTCUSDT", startTime=first, endTime=last)
    assert part == all_rows[3:8]
    newest = await ask.get("binance", RATES, symbol="BTCUSDT", limit=2)
    assert newest == all_rows[-2:]


async def test_special_payments_share_symbol_and_hour_with_the_regular_one(ask: Asker) -> None:
    specials: list[tuple[str, Paid]] = [
        (symbol, paid)
        for symbol in ask.world.symbols("binance")
        for paid in ask.world.truth_settlements("binance", symbol, MONTH_AGO, HOUR)
        if paid.kind == "special"
    ]
    assert specials
    symbol, special = specials[0]
    rows = await ask.get(
        "binance",
        RATES,
        symbol=symbol,
        startTime=special.funding_time * 1000,
        endTime=special.funding_time * 1000 + 60_000,
    )
    assert sorted(row["rateType"] for row in rows) == ["Regular", "Special"]
    assert special.interval_hours == 0


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("fundingRate", {"symbol": "NOSUCH"}, -1121),
        ("fundingRate", {"limit": 1001}, -1130),
        ("fundingRate", {"limit": "x"}, -1102),
        ("openInterest", {}, -1102),
    ],
)
async def test_wrong_parameters_are_refused_with_a_code(
    ask: Asker, path: str, params: dict[str, str], code: int
) -> None:
    answer = await ask.raw("binance", f"/fapi/v1/{path}", **params)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_open_interest_is_asked_one_symbol_at_a_time(ask: Asker) -> None:
    row = await ask.get("binance", "/fapi/v1/openInterest", symbol="BTCUSDT")
    assert row.keys() == {"openInterest", "symbol", "time"}
    assert float(row["openInterest"]) > 1000


async def test_a_path_that_does_not_exist_is_a_page(ask: Asker) -> None:
    answer = await ask.raw("binance", "/fapi/v1/fundingRates")
    assert answer.status_code == 404
    assert answer.text.startswith("<html>")
