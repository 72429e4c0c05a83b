import re
from collections import Counter

import pytest

from tests.demo.conftest import HOUR, Asker, Clock


async def test_rates_are_per_year_and_half_of_the_coins_rest(ask: Asker) -> None:
    stats = await ask.get("variational", "/metadata/stats")
    rates = Counter(row["funding_rate"] for row in stats["listings"])
    assert rates.most_common(2)[0][0] == "0.1095"
    assert rates.most_common(2)[1][0] == "0"
    assert stats["num_markets"] == len(stats["listings"])


async def test_swaps_have_no_interval(ask: Asker) -> None:
    rows = (await ask.get("variational", "/metadata/stats"))["listings"]
    swaps = [row for row in rows if row["funding_interval_s"] == 0]
    assert {row["ticker"] for row in swaps} == {"XAUS", "XAGS", "USOILP", "UKOILP", "US500S", "US100S"}
    assert all(row["name"].startswith("Swap on ") for row in swaps)
    assert {row["funding_interval_s"] for row in rows} == {0, 3600, 14_400, 28_800}


async def test_pre_launch_markets_rest_at_half_and_stocks_at_zero(ask: Asker) -> None:
    rows = {row["ticker"]: row for row in (await ask.get("variational", "/metadata/stats"))["listings"]}
    assert rows["CAT"]["name"] == "Caterpillar Inc."
    assert rows["CAT"]["funding_rate"] == rows["TSLA"]["funding_rate"] == "0"
    assert "0.05475" in {rows[name]["funding_rate"] for name in ("OPENAI", "ANTHROPIC", "SPACEX", "STRIPE")}


async def test_estimates_change_every_five_minutes_only(ask: Asker, clock: Clock) -> None:
    async def rates() -> list[str]:
        return [r["funding_rate"] for r in (await ask.get("variational", "/metadata/stats"))["listings"]]

    clock.time = HOUR + 600
    first = await rates()
    clock.time = HOUR + 899
    assert await rates() == first
    clock.time = HOUR + 900
    assert await rates() != first


async def test_the_last_estimate_before_the_boundary_is_the_truth(ask: Asker, clock: Clock) -> None:
    boundary = HOUR // 28_800 * 28_800
    clock.time = boundary - 120
    compared = 0
    for row in (await ask.get("variational", "/metadata/stats"))["listings"][:300]:
        hours = row["funding_interval_s"] / 3600
        [paid] = ask.world.truth_settlements("variational", row["ticker"], boundary - 3600, boundary)
        assert paid.rate == pytest.approx(float(row["funding_rate"]) * hours / 8760, abs=1e-15)
        assert paid.interval_hours == hours
        compared += 1
    assert compared == 300


async def test_quotes_have_nanoseconds_and_may_be_incomplete(ask: Asker) -> None:
    rows = (await ask.get("variational", "/metadata/stats"))["listings"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", rows[0]["quotes"]["updated_at"])
    assert any("size_1k" not in row["quotes"] for row in rows)


async def test_nothing_else_is_served(ask: Asker) -> None:
    assert (await ask.raw("variational", "/metadata/history")).status_code == 404
