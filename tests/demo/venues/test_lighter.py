from collections import Counter
from typing import Any

import pytest

from tests.demo.conftest import HOUR, MONTH_AGO, Asker

WINDOW: dict[str, Any] = {
    "market_id": 0,
    "resolution": "1h",
    "start_timestamp": MONTH_AGO,
    "end_timestamp": HOUR,
    "count_back": 0,
}


async def fundings(ask: Asker, **change: Any) -> list[dict[str, Any]]:
    answer = await ask.get("lighter", "/api/v1/fundings", **(WINDOW | change))
    assert answer["code"] == 200
    rows: list[dict[str, Any]] = answer["fundings"]
    return rows


async def test_ether_is_market_zero_and_closed_markets_stay_in_the_list(ask: Asker) -> None:
    answer = await ask.get("lighter", "/api/v1/orderBookDetails")
    rows = answer["order_book_details"]
    assert [(row["symbol"], row["market_id"]) for row in rows[:3]] == [("ETH", 0), ("BTC", 1), ("SOL", 2)]
    assert Counter(row["status"] for row in rows)["inactive"] >= 17
    assert len({row["market_id"] for row in rows}) == len(rows)
    assert all(row["market_id"] >= 2048 for row in answer["spot_order_book_details"])
    assert isinstance(rows[0]["open_interest"], float)
    assert isinstance(rows[0]["mark_price"], str)


async def test_rates_of_other_venues_are_mixed_in_all_per_8_hours(ask: Asker) -> None:
    rows = (await ask.get("lighter", "/api/v1/funding-rates"))["funding_rates"]
    assert {row["exchange"] for row in rows} == {"lighter", "binance", "bybit", "hyperliquid"}
    own = [row for row in rows if row["exchange"] == "lighter"]
    assert {row["symbol"] for row in own} == set(ask.world.symbols("lighter"))
    assert Counter(round(row["rate"], 9) for row in own).most_common(1)[0][0] == 0.000096
    relayed = {row["symbol"]: row["rate"] for row in rows if row["exchange"] == "hyperliquid"}
    meta, contexts = await ask.info(type="metaAndAssetCtxs")
    hourly = dict(zip((m["name"] for m in meta["universe"]), (c["funding"] for c in contexts), strict=True))
    assert relayed["BTC"] == pytest.approx(8 * float(hourly["BTC"]), abs=1e-8)


async def test_settled_rates_are_unsigned_percents_with_a_direction(ask: Asker) -> None:
    for market_id, symbol in ((0, "ETH"), (1, "BTC")):
        rows = await fundings(ask, market_id=market_id)
        truth = {p.funding_time: p.rate for p in ask.world.truth_settlements("lighter", symbol, 0, HOUR)}
        assert len(rows) == 720
        for row in rows:
            sign = {"long": 1, "short": -1}[row["direction"]]
            assert sign * float(row["rate"]) / 100 == truth[row["timestamp"]]


async def test_payment_over_rate_is_the_price(ask: Asker) -> None:
    books = (await ask.get("lighter", "/api/v1/orderBookDetails"))["order_book_details"]
    row = (await fundings(ask, start_timestamp=HOUR - 7200))[-1]
    price = float(row["value"]) / (float(row["rate"]) / 100)
    assert price == pytest.approx(float(books[0]["index_price"]), rel=0.02)


async def test_start_is_included_and_end_is_not(ask: Asker) -> None:
    stamps = [row["timestamp"] for row in await fundings(ask, start_timestamp=HOUR - 7200)]
    assert stamps == [HOUR - 7200, HOUR - 3600]
    in_milliseconds = await fundings(ask, start_timestamp=(HOUR - 7200) * 1000, end_timestamp=HOUR * 1000)
    assert [row["timestamp"] for row in in_milliseconds] == stamps


async def test_count_back_reaches_before_the_start(ask: Asker) -> None:
    rows = await fundings(ask, start_timestamp=HOUR - 3600, count_back=5)
    assert [row["timestamp"] for row in rows] == [HOUR - h * 3600 for h in (5, 4, 3, 2, 1)]


async def test_at_most_750_rows_come_the_newest(ask: Asker) -> None:
    rows = await fundings(ask, start_timestamp=HOUR - 1000 * 3600)
    assert (len(rows), rows[-1]["timestamp"]) == (750, HOUR - 3600)


async def test_order_is_not_the_same_for_all_markets(ask: Asker) -> None:
    even, odd = await fundings(ask, market_id=0), await fundings(ask, market_id=1)
    assert even[0]["timestamp"] < even[-1]["timestamp"]
    assert odd[0]["timestamp"] > odd[-1]["timestamp"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"market_id": ""}, 20001),
        ({"market_id": 254}, 20001),
        ({"count_back": ""}, 20001),
        ({"resolution": "5m"}, 20001),
        ({"end_timestamp": MONTH_AGO}, 22400),
    ],
)
async def test_every_parameter_is_required_and_checked(ask: Asker, change: dict[str, Any], code: int) -> None:
    answer = await ask.raw("lighter", "/api/v1/fundings", **(WINDOW | change))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
