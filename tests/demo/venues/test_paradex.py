from itertools import pairwise
from typing import Any

import pytest

from tests.demo.conftest import HOUR, NOW, Asker

BTC = "BTC-USD-PERP"


async def at(ask: Asker, seconds: int, market: str = BTC) -> dict[str, Any]:
    asked = {"market": market, "end_at": seconds * 1000, "page_size": 1}
    rows: list[dict[str, Any]] = (await ask.get("paradex", "/v1/funding/data", **asked))["results"]
    assert len(rows) == 1
    return rows[0]


async def test_options_are_in_every_list_with_blank_rates(ask: Asker) -> None:
    kinds = {row["symbol"]: row["asset_kind"] for row in (await ask.get("paradex", "/v1/markets"))["results"]}
    rows = (await ask.get("paradex", "/v1/markets/summary", market="ALL"))["results"]
    assert {row["symbol"] for row in rows} == kinds.keys()
    options = [row for row in rows if kinds[row["symbol"]] == "OPTION"]
    assert len(options) > 200
    assert {row["funding_rate"] for row in options} == {""}
    perpetuals = {symbol for symbol, kind in kinds.items() if kind == "PERP"}
    assert perpetuals == set(ask.world.symbols("paradex"))


async def test_a_few_markets_have_a_period_of_one_hour_once_written_as_text(ask: Asker) -> None:
    rows = (await ask.get("paradex", "/v1/markets"))["results"]
    periods = {row["funding_period_hours"] for row in rows}
    assert periods == {8, 1, "1"}


async def test_the_index_difference_over_spot_is_the_payment(ask: Asker) -> None:
    for start, end in (
        (HOUR - 8 * 3600, HOUR),
        (HOUR - 3600, HOUR),
        (HOUR - 40 * 86_400, HOUR - 39 * 86_400),
    ):
        before, after = await at(ask, start), await at(ask, end)
        spot = float(after["funding_premium"]) / float(after["funding_rate"])
        paid = (float(after["funding_index"]) - float(before["funding_index"])) / spot
        [truth] = ask.world.truth_settlements("paradex", BTC, start, end)
        assert paid == pytest.approx(truth.rate, rel=0.005)
        assert truth.interval_hours == (end - start) / 3600


async def test_windows_add_up(ask: Asker) -> None:
    parts = [
        ask.world.truth_settlements("paradex", BTC, HOUR - h * 3600, HOUR - (h - 1) * 3600)[0]
        for h in range(8, 0, -1)
    ]
    [whole] = ask.world.truth_settlements("paradex", BTC, HOUR - 8 * 3600, HOUR)
    assert sum(part.rate for part in parts) == pytest.approx(whole.rate, rel=0.01)


async def test_the_quoted_rate_is_per_period_of_the_market(ask: Asker) -> None:
    row = (await ask.get("paradex", "/v1/markets/summary", market="LIT-USD-PERP"))["results"][0]
    [hour] = ask.world.truth_settlements("paradex", "LIT-USD-PERP", int(NOW) - 1800, int(NOW) + 1800)
    assert float(row["funding_rate"]) == pytest.approx(hour.rate, rel=0.02)


async def test_observations_come_newest_first_every_5_seconds_and_page_back(ask: Asker) -> None:
    page = await ask.get("paradex", "/v1/funding/data", market=BTC, page_size=10)
    stamps = [row["created_at"] for row in page["results"]]
    assert [a - b for a, b in pairwise(stamps)] == [5000] * 9
    assert NOW * 1000 - 5000 < stamps[0] <= NOW * 1000
    older = await ask.get("paradex", "/v1/funding/data", market=BTC, page_size=10, cursor=page["next"])
    assert older["results"][0]["created_at"] == stamps[-1] - 5000


async def test_the_first_page_has_no_next_when_it_holds_all(ask: Asker) -> None:
    window = {"start_at": (HOUR - 20) * 1000, "end_at": HOUR * 1000}
    page = await ask.get("paradex", "/v1/funding/data", market=BTC, **window)
    assert page["next"] is None
    assert len(page["results"]) == pytest.approx(4, abs=1)


async def test_old_observations_lack_the_newer_fields(ask: Asker) -> None:
    old = await at(ask, HOUR - 30 * 86_400)
    assert (old["funding_rate_8h"], old["funding_period_hours"]) == ("", 0)
    assert (await at(ask, HOUR))["funding_period_hours"] == 8


async def test_hourly_prices_of_the_underlying(ask: Asker) -> None:
    asked = {"symbol": BTC, "resolution": 60, "start_at": (HOUR - 7200) * 1000, "end_at": HOUR * 1000}
    rows = (await ask.get("paradex", "/v1/markets/klines", price_kind="underlying", **asked))["results"]
    assert [row[0] for row in rows] == [(HOUR - h * 3600) * 1000 for h in (2, 1, 0)]
    after = await at(ask, HOUR)
    spot = float(after["funding_premium"]) / float(after["funding_rate"])
    assert rows[1][4] == pytest.approx(spot, rel=1e-4)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/markets/summary", {}),
        ("/v1/funding/data", {}),
        ("/v1/funding/data", {"market": "NOSUCH"}),
        ("/v1/funding/data", {"market": BTC, "page_size": 5001}),
        ("/v1/funding/data", {"market": BTC, "cursor": "?"}),
        ("/v1/markets/klines", {"symbol": BTC, "resolution": 7, "start_at": 0, "end_at": 1}),
    ],
)
async def test_wrong_parameters_are_a_validation_error(ask: Asker, path: str, params: dict[str, Any]) -> None:
    answer = await ask.raw("paradex", path, **params)
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
