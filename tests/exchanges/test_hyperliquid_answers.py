import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.errors import Drift
from fundwatch.exchanges.hyperliquid_answers import (
    HOURLY_SINCE,
    asset_of,
    context_hourly_rate,
    parse_dex,
    parse_dexes,
    parse_settlements,
    settled_rate,
)
from fundwatch.models import HOUR, AssetClass, Window, apr_percent

NOW = 1_790_000_100
HOUR_AT = 1_789_999_200  # a full hour
DAY = Window(HOUR_AT - 24 * HOUR, HOUR_AT)

CONTEXT: dict[str, Any] = {
    "funding": "0.0000125",
    "openInterest": "27353.17682",
    "prevDayPx": "76317.0",
    "dayNtlVlm": "1516669192.1953897476",
    "premium": None,
    "oraclePx": "77605.0",
    "markPx": "77562.0",
    "midPx": None,
    "impactPxs": None,
}


def dex_answer(*pairs: tuple[object, object]) -> bytes:
    universe, contexts = [asset for asset, _ in pairs], [context for _, context in pairs]
    return json.dumps([{"universe": universe, "marginTables": [], "collateralToken": 0}, contexts]).encode()


def context(**changes: Any) -> dict[str, Any]:
    return {**CONTEXT, **changes}


@pytest.mark.parametrize(
    ("raw", "apr"),
    [
        ("0.0000125", 10.95),
        ("0.00000625", 5.475),
        ("0.0000057078", 5.0),
        ("-0.000003688", -3.2307),
        ("0.0", 0.0),
    ],
)
def test_a_running_rate_is_a_fraction_per_hour(raw: str, apr: float) -> None:
    assert apr_percent(context_hourly_rate(raw)) == pytest.approx(apr, rel=1e-4)


def test_a_settled_rate_is_a_fraction_of_its_hour() -> None:
    assert settled_rate("-0.0000081", HOUR_AT) == (-0.0000081, 1.0)


def test_until_june_2023_a_payment_covered_8_hours() -> None:
    assert settled_rate("0.0001", HOURLY_SINCE) == (0.0001, 8.0)
    assert settled_rate("0.0000125", HOURLY_SINCE + HOUR) == (0.0000125, 1.0)


@pytest.mark.parametrize("rate", [None, "", "NaN", "0.11", "-0.2", {}, True])
def test_a_rate_that_is_none_or_absurd_is_refused(rate: object) -> None:
    with pytest.raises(BadNumber):
        context_hourly_rate(rate)
    with pytest.raises(BadNumber):
        settled_rate(rate, HOUR_AT)


def test_an_extreme_rate_is_kept() -> None:
    assert context_hourly_rate("-0.04") == -0.04


def test_dexes_are_named_and_null_is_the_main_one() -> None:
    body = json.dumps([None, {"name": "xyz", "fullName": "XYZ"}, {"name": "hyna"}, {"name": "a b"}]).encode()
    assert parse_dexes(body) == ("xyz", "hyna")


def test_a_context_becomes_a_quote() -> None:
    answer = parse_dex(dex_answer(({"name": "BTC", "szDecimals": 5}, CONTEXT)), NOW, "")
    [market], [quote] = answer.markets, answer.quotes
    assert (market.symbol, market.group, market.asset.ticker) == ("BTC", "", "BTC")
    assert quote.hourly_rate == 0.0000125
    assert quote.interval_hours == 1
    assert quote.next_funding_time == 1_790_002_800
    assert quote.mark_price == 77562.0
    assert quote.index_price == 77605.0
    assert quote.open_interest_usd == pytest.approx(27353.17682 * 77562.0)
    assert quote.volume_24h_usd == 1516669192.1953897476
    assert quote.hourly_rate_cap == 0.04


def test_markets_of_a_builder_keep_the_prefix_and_name_the_dex() -> None:
    answer = parse_dex(dex_answer(({"name": "xyz:TSLA"}, context(funding="0.00000625"))), NOW, "xyz")
    [market] = answer.markets
    assert (market.symbol, market.group, market.asset.ticker) == ("xyz:TSLA", "xyz", "TSLA")
    assert answer.quotes[0].symbol == "xyz:TSLA"


@pytest.mark.parametrize(
    ("dex", "name"), [("xyz", "BTC"), ("xyz", "hyna:BTC"), ("", "xyz:TSLA"), ("xyz", "xyz:"), ("", "A B")]
)
def test_a_row_of_another_dex_is_refused(dex: str, name: str) -> None:
    answer = parse_dex(dex_answer(({"name": name}, CONTEXT)), NOW, dex)
    assert answer.markets == ()
    assert answer.quotes == ()
    assert len(answer.refused) == 1


def test_contexts_stay_with_their_assets_when_one_is_delisted() -> None:
    body = dex_answer(
        ({"name": "OLD", "isDelisted": True}, context(funding="0.0")),
        ({"name": "ETH"}, context(funding="0.00002")),
        ({"name": "BAD"}, None),
        ({"name": "SOL"}, context(funding="0.00003")),
    )
    answer = parse_dex(body, NOW, "")
    assert answer.closed == {"OLD"}
    assert {quote.symbol: quote.hourly_rate for quote in answer.quotes} == {"ETH": 0.00002, "SOL": 0.00003}
    assert [market.symbol for market in answer.markets] == ["ETH", "BAD", "SOL"]
    assert [refusal.symbol for refusal in answer.refused] == ["BAD"]


def test_lists_of_different_length_are_drift() -> None:
    body = json.dumps([{"universe": [{"name": "BTC"}, {"name": "ETH"}]}, [CONTEXT]]).encode()
    with pytest.raises(Drift, match="2 assets but 1 contexts"):
        parse_dex(body, NOW, "")


def test_an_asset_listed_twice_is_refused_once() -> None:
    body = dex_answer(({"name": "BTC"}, CONTEXT), ({"name": "BTC"}, context(funding="0.01")))
    answer = parse_dex(body, NOW, "")
    assert [quote.hourly_rate for quote in answer.quotes] == [0.0000125]
    assert [refusal.reason for refusal in answer.refused] == ["listed twice"]


@pytest.mark.parametrize("funding", [None, "", "NaN", "Infinity", {}, [1], True, 10**400, "0.5"])
def test_a_bad_rate_refuses_its_row_and_never_becomes_zero(funding: object) -> None:
    body = dex_answer(({"name": "BAD"}, context(funding=funding)), ({"name": "BTC"}, CONTEXT))
    answer = parse_dex(body, NOW, "")
    assert [quote.symbol for quote in answer.quotes] == ["BTC"]
    assert [refusal.symbol for refusal in answer.refused] == ["BAD"]


@pytest.mark.parametrize("value", [None, "", "NaN", {}, [1], "x", "-1", True])
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("markPx", "mark_price"),
        ("markPx", "open_interest_usd"),
        ("oraclePx", "index_price"),
        ("openInterest", "open_interest_usd"),
        ("dayNtlVlm", "volume_24h_usd"),
    ],
)
def test_other_fields_are_unknown_rather_than_wrong(field: str, name: str, value: object) -> None:
    [quote] = parse_dex(dex_answer(({"name": "BTC"}, context(**{field: value}))), NOW, "").quotes
    assert getattr(quote, name) is None


@pytest.mark.parametrize(
    "body", [b"null", b"{}", b"[]", b"[{}]", b'[{"universe": null}, []]', b'[{"universe": []}', b"[1, 2]"]
)
def test_another_shape_is_drift(body: bytes) -> None:
    with pytest.raises(Drift):
        parse_dex(body, NOW, "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    json_values | st.fixed_dictionaries({"name": json_values, "isDelisted": json_values}),
    json_values | st.dictionaries(st.sampled_from([*CONTEXT]), json_values).map(lambda c: {**CONTEXT, **c}),
)
def test_no_row_can_break_the_answer(asset: object, bad: object) -> None:
    answer = parse_dex(dex_answer((asset, bad), ({"name": "GOOD"}, CONTEXT)), NOW, "")
    assert "GOOD" in [quote.symbol for quote in answer.quotes]


def row(hours_ago: int = 0, jitter_ms: int = 76, **changes: Any) -> dict[str, Any]:
    time = (HOUR_AT - hours_ago * HOUR) * 1000 + jitter_ms
    return {"coin": "BTC", "fundingRate": "0.0000125", "premium": "-0.0005", "time": time, **changes}


def test_settlements_come_in_ascending_time_on_the_full_hour() -> None:
    rows = [row(2, 0), row(1, 400), row(0, 600_000, fundingRate="-0.0001")]
    rows[0].pop("premium")
    history = parse_settlements(json.dumps(rows[::-1]).encode(), "BTC", DAY)
    assert [(s.funding_time, s.rate, s.interval_hours) for s in history.settlements] == [
        (HOUR_AT - 2 * HOUR, 0.0000125, 1),
        (HOUR_AT - HOUR, 0.0000125, 1),
        (HOUR_AT, -0.0001, 1),
    ]
    assert history.refused == ()
    assert history.row_count == 3


def test_an_unknown_coin_is_told_from_an_empty_window() -> None:
    assert parse_settlements(b"null", "NO", DAY).row_count is None
    assert parse_settlements(b"[]", "BTC", DAY).row_count == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"fundingRate": None},
        {"fundingRate": ""},
        {"fundingRate": "NaN"},
        {"fundingRate": "0.2"},
        {"coin": "ETH"},
        {"coin": None},
        {"time": None},
        {"time": "soon"},
        {"time": 10**30},
        {"time": HOUR_AT},  # seconds where milliseconds are due
        {"time": (HOUR_AT - 1800) * 1000},
        {"time": (HOUR_AT + HOUR) * 1000},
        {"time": [1]},
    ],
)
def test_a_bad_row_is_refused_and_the_others_are_kept(bad: dict[str, Any]) -> None:
    history = parse_settlements(json.dumps([row(1), row(0, **bad)]).encode(), "BTC", DAY)
    assert [s.funding_time for s in history.settlements] == [HOUR_AT - HOUR]
    assert len(history.refused) == 1


def test_the_same_row_twice_counts_once_and_another_rate_is_refused() -> None:
    twice = parse_settlements(json.dumps([row(), row(jitter_ms=90)]).encode(), "BTC", DAY)
    assert (len(twice.settlements), len(twice.refused)) == (1, 0)
    other = parse_settlements(json.dumps([row(), row(fundingRate="0.001")]).encode(), "BTC", DAY)
    assert ([s.rate for s in other.settlements], len(other.refused)) == ([0.0000125], 1)


@given(
    st.lists(
        json_values
        | st.fixed_dictionaries({"coin": st.just("BTC"), "fundingRate": json_values, "time": json_values})
    )
)
def test_no_settlement_row_can_break_the_answer(rows: list[object]) -> None:
    history = parse_settlements(json.dumps([*rows, row()]).encode(), "BTC", DAY)
    assert HOUR_AT in [s.funding_time for s in history.settlements]


@pytest.mark.parametrize(
    ("base", "dex", "expected"),
    [
        ("BB", "", AssetClass.CRYPTO),
        ("BB", "hyna", AssetClass.CRYPTO),
        ("BB", "xyz", AssetClass.EQUITY),
        ("QNT", "km", AssetClass.UNKNOWN),
        ("TSLA", "km", AssetClass.EQUITY),
        ("GOLD", "xyz", AssetClass.COMMODITY),
    ],
)
def test_a_builders_coin_is_not_taken_for_the_coin_of_that_name(
    base: str, dex: str, expected: AssetClass
) -> None:
    assert asset_of(base, dex).asset_class is expected
