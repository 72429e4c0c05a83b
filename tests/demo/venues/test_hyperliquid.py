from collections import Counter
from typing import Any

import pytest

from tests.demo.conftest import HOUR, MONTH_AGO, NOW, Asker


async def test_contexts_belong_to_names_by_position(ask: Asker) -> None:
    for dex, count in (("", 194), ("xyz", 114), ("hyna", 24), ("abcd", 0)):
        meta, contexts = await ask.info(type="metaAndAssetCtxs", dex=dex)
        live = [row for row in meta["universe"] if "isDelisted" not in row]
        assert len(meta["universe"]) == len(contexts)
        assert len(live) == pytest.approx(count, abs=3)
        if dex:
            assert all(row["name"].startswith(f"{dex}:") for row in live)


async def test_delisted_coins_stay_with_a_rate_of_zero(ask: Asker) -> None:
    meta, contexts = await ask.info(type="metaAndAssetCtxs")
    gone = [c for m, c in zip(meta["universe"], contexts, strict=True) if m.get("isDelisted")]
    assert len(gone) > 30
    assert {context["funding"] for context in gone} == {"0.0"}


@pytest.mark.parametrize(("dex", "text"), [("", "0.0000125"), ("xyz", "0.00000625"), ("flx", "0.0")])
async def test_each_dex_rests_at_its_own_rate(ask: Asker, dex: str, text: str) -> None:
    meta, contexts = await ask.info(type="metaAndAssetCtxs", dex=dex)
    live = [c["funding"] for m, c in zip(meta["universe"], contexts, strict=True) if "isDelisted" not in m]
    assert Counter(live).most_common(1)[0][0] == text


async def test_the_main_dex_stands_as_null_in_the_list_of_dexes(ask: Asker) -> None:
    dexes = await ask.info(type="perpDexs")
    assert dexes[0] is None
    assert [dex["name"] for dex in dexes[1:]] == [
        "xyz", "flx", "vntl", "hyna", "km", "cash", "para", "mkts", "abcd",
    ]  # fmt: skip
    metas = await ask.info(type="allPerpMetas")
    assert len(metas) == len(dexes)


async def test_history_ascends_in_pages_of_500_and_is_the_truth(ask: Asker) -> None:
    for coin in ("BTC", "xyz:GOLD", "kPEPE"):
        first = await ask.info(type="fundingHistory", coin=coin, startTime=MONTH_AGO * 1000)
        rest = await ask.info(type="fundingHistory", coin=coin, startTime=first[-1]["time"] + 1)
        assert (len(first), len(rest)) == (500, 221)
        rows = first + rest
        assert rows == sorted(rows, key=lambda row: row["time"])
        truth = ask.world.truth_settlements("hyperliquid", coin, MONTH_AGO - 3600, HOUR)
        assert [float(row["fundingRate"]) for row in rows] == [paid.rate for paid in truth]
        assert [row["time"] // 3_600_000 * 3600 for row in rows] == [paid.funding_time for paid in truth]


async def test_both_ends_of_a_window_are_included(ask: Asker) -> None:
    rows = await ask.info(type="fundingHistory", coin="ETH", startTime=MONTH_AGO * 1000)
    window = {"startTime": rows[4]["time"], "endTime": rows[9]["time"]}
    assert await ask.info(type="fundingHistory", coin="ETH", **window) == rows[4:10]


async def test_no_payment_comes_from_the_future(ask: Asker) -> None:
    window = {"startTime": HOUR * 1000, "endTime": (HOUR + 86_400) * 1000}
    rows = await ask.info(type="fundingHistory", coin="ETH", **window)
    assert [row["time"] // 1000 <= NOW for row in rows] == [True]


async def test_an_unknown_coin_is_null_and_case_counts(ask: Asker) -> None:
    assert await ask.info(type="fundingHistory", coin="KPEPE", startTime=0) is None


@pytest.mark.parametrize("body", [{}, {"type": "nothing"}, {"type": "fundingHistory", "coin": "BTC"}, []])
async def test_a_malformed_body_is_refused(ask: Asker, body: Any) -> None:
    answer = await ask.client.post(ask.world.base_urls["hyperliquid"] + "/info", json=body)
    assert answer.status_code == 422
