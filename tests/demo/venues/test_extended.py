from collections import Counter
from typing import Any

import pytest

from tests.demo.conftest import HOUR, MONTH_AGO, Asker

MONTH = {"startTime": MONTH_AGO * 1000, "endTime": HOUR * 1000 + 900_000}


async def test_the_list_mixes_active_delisted_prelisted_and_spot(ask: Asker) -> None:
    rows = (await ask.get("extended", "/api/v1/info/markets"))["data"]
    usable = [
        row["name"]
        for row in rows
        if row["type"] == "PERPETUAL" and row["status"] == "ACTIVE" and row["active"] and row["visibleOnUi"]
    ]
    assert set(usable) == set(ask.world.symbols("extended"))
    statuses = Counter(row["status"] for row in rows)
    assert statuses["DELISTED"] >= 60
    assert statuses["PRELISTED"] == 12
    assert sum(row["type"] == "SPOT" for row in rows) == 3


async def test_rates_have_6_decimals_and_the_next_time_a_misleading_name(ask: Asker) -> None:
    rows = (await ask.get("extended", "/api/v1/info/markets"))["data"]
    stats = [r["marketStats"] for r in rows if r["category"] == "Crypto" and r["status"] == "ACTIVE"]
    assert Counter(s["fundingRate"] for s in stats).most_common(1)[0][0] == "0.000013"
    assert {s["nextFundingRate"] for s in stats} == {(HOUR + 3600) * 1000}


async def test_history_comes_newest_first_and_is_the_truth(ask: Asker) -> None:
    rows = (await ask.get("extended", "/api/v1/info/ETH-USD/funding", **MONTH))["data"]
    truth = ask.world.truth_settlements("extended", "ETH-USD", MONTH_AGO, HOUR)
    settled = {row["T"] // 3_600_000 * 3600: float(row["f"]) for row in rows}
    assert rows == sorted(rows, key=lambda row: -row["T"])
    assert settled.items() >= {paid.funding_time: paid.rate for paid in truth}.items()


async def test_at_most_1000_rows_come_whatever_limit_says(ask: Asker) -> None:
    asked = MONTH | {"startTime": (HOUR - 2000 * 3600) * 1000, "limit": 5, "cursor": 7}
    rows = (await ask.get("extended", "/api/v1/info/BTC-USD/funding", **asked))["data"]
    assert len(rows) == 1000
    assert rows[0]["T"] // 3_600_000 * 3600 == HOUR


async def test_stamps_are_a_second_late_and_some_minutes(ask: Asker) -> None:
    rows = (await ask.get("extended", "/api/v1/info/BTC-USD/funding", **MONTH))["data"]
    late = [row["T"] % 3_600_000 for row in rows]
    assert set(late) - set(range(700, 1000)) == {559_000}


@pytest.mark.parametrize(
    ("market", "params", "code"),
    [
        ("NOSUCH-USD", MONTH, 1001),
        ("BTC-USD", {"endTime": 1}, 1006),
        ("BTC-USD", {"startTime": 1}, 1006),
        ("BTC-USD", {"startTime": "x", "endTime": 1}, 1006),
    ],
)
async def test_wrong_requests_get_a_numeric_code(
    ask: Asker, market: str, params: dict[str, Any], code: int
) -> None:
    answer = await ask.raw("extended", f"/api/v1/info/{market}/funding", **params)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


async def test_who_does_not_name_himself_is_forbidden(ask: Asker) -> None:
    url = ask.world.base_urls["extended"] + "/api/v1/info/markets"
    assert (await ask.client.get(url, headers={"User-Agent": ""})).status_code == 403
