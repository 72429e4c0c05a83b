import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.errors import Drift
from fundwatch.exchanges.paradex_answers import (
    Perp,
    hourly_rate,
    hourly_rate_cap,
    parse_index_row,
    parse_markets,
    parse_quotes,
    parse_underlying_price,
    window_rate,
)
from fundwatch.models import apr_percent

NOW = 1_790_000_100
MARKET = "BTC-USD-PERP"


def results(*rows: object) -> bytes:
    return json.dumps({"results": rows}).encode()


def perp(symbol: str = MARKET, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "base_currency": "BTC",
        "asset_kind": "PERP",
        "funding_period_hours": 8,
        "funding_multiplier": 1,
        "max_funding_rate": "0.05",
        "open_at": 1_698_756_879_745,
        **changes,
    }


SUMMARY: dict[str, Any] = {
    "symbol": MARKET,
    "mark_price": "77804.85141726",
    "underlying_price": "77788.24195927",
    "open_interest": "50.4599",
    "funding_rate": "0.00007688102642",
    "volume_24h": "4273947.632803999",
    "created_at": 1789147120003,
}


def listed(*rows: dict[str, Any]) -> dict[str, Perp]:
    return parse_markets(results(*(rows or (perp(),)))).perps


@pytest.mark.parametrize(
    ("raw", "period", "apr"),
    [
        ("0.0001", 8, 10.95),
        ("0.0000125", 1, 10.95),
        ("0.00006662303798776373", 8, 7.2952),
        ("0.00007688102642", 8, 8.41847),
        ("0.00001250176896", 1, 10.95155),
        ("-0.01070340466085", 8, -1172.0228),
        ("0.0003", 24, 10.95),
    ],
)
def test_a_rate_is_per_the_markets_own_period(raw: str, period: float, apr: float) -> None:
    assert apr_percent(hourly_rate(raw, period)) == pytest.approx(apr, rel=1e-5)


def test_an_hour_of_the_documents_example_is_an_eighth_of_its_rate() -> None:
    assert window_rate(100.0, 102.25, 60_000, 1) == pytest.approx(0.0003 / 8, rel=1e-12)
    assert window_rate(100.0, 118.0, 60_000, 8) == pytest.approx(0.0003, rel=1e-12)
    assert window_rate(102.25, 100.0, 60_000, 1) == pytest.approx(-0.0003 / 8, rel=1e-12)


def test_an_absurd_rate_is_refused() -> None:
    with pytest.raises(BadNumber):
        hourly_rate("0.81", 8)
    with pytest.raises(BadNumber):
        window_rate(0.0, 7000.0, 60_000, 1)


def test_the_cap_is_known_for_the_usual_period_only() -> None:
    assert hourly_rate_cap("0.05", 8) == 0.00625
    assert hourly_rate_cap("0.05", 1) is None
    assert hourly_rate_cap(None, 8) is None


@pytest.mark.parametrize("kind", ["OPTION", "PERP_OPTION", "SPOT", "FUTURE", "perp", ""])
def test_only_perpetuals_are_listed(kind: str) -> None:
    answer = parse_markets(results(perp("X", asset_kind=kind), perp()))
    assert list(answer.perps) == [MARKET]
    assert answer.refused == ()


@pytest.mark.parametrize("period", [8, "8", 8.0, "8.0"])
def test_the_period_comes_as_a_number_or_a_string(period: object) -> None:
    listing = listed(perp(funding_period_hours=period))[MARKET]
    assert listing.period_hours == 8
    assert listing.market.listed_time == 1_698_756_879


@pytest.mark.parametrize("opened", [0, None, "", "soon", -5, 10**40])
def test_an_opening_time_that_is_none_stays_unknown(opened: object) -> None:
    assert listed(perp(open_at=opened))[MARKET].market.listed_time is None


@pytest.mark.parametrize("period", [None, 0, "", -8, 1000, "NaN", [8]])
def test_without_a_period_a_market_is_listed_but_not_quoted(period: object) -> None:
    quotes, refused = parse_quotes(results(SUMMARY), NOW, listed(perp(funding_period_hours=period)))
    assert quotes == ()
    assert [refusal.reason for refusal in refused] == ["the list does not say its funding period"]


def test_a_summary_becomes_a_quote() -> None:
    [quote], refused = parse_quotes(results(SUMMARY), NOW, listed())
    assert refused == ()
    assert apr_percent(quote.hourly_rate or 0) == pytest.approx(8.418, abs=1e-3)
    assert quote.interval_hours == 8
    assert quote.next_funding_time is None
    assert quote.mark_price == 77804.85141726
    assert quote.index_price == 77788.24195927
    assert quote.open_interest_usd == pytest.approx(50.4599 * 77804.85141726)
    assert quote.volume_24h_usd == 4273947.632803999
    assert quote.hourly_rate_cap == 0.00625


@pytest.mark.parametrize("rate", [None, "", "NaN", "Infinity", {}, [1], True, "0,1", "9e9", 10**400])
def test_a_bad_rate_refuses_its_row_and_never_becomes_zero(rate: object) -> None:
    bad = {**SUMMARY, "symbol": "X", "funding_rate": rate}
    quotes, refused = parse_quotes(results(bad, SUMMARY), NOW, listed(perp(), perp("X")))
    assert [quote.symbol for quote in quotes] == [MARKET]
    assert [refusal.symbol for refusal in refused] == ["X"]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("mark_price", "mark_price"),
        ("mark_price", "open_interest_usd"),
        ("underlying_price", "index_price"),
        ("open_interest", "open_interest_usd"),
        ("volume_24h", "volume_24h_usd"),
    ],
)
@pytest.mark.parametrize("value", [None, "", "NaN", {}, [1], "x", "-1"])
def test_other_fields_are_unknown_rather_than_wrong(field: str, name: str, value: object) -> None:
    [quote], _ = parse_quotes(results({**SUMMARY, field: value}), NOW, listed())
    assert getattr(quote, name) is None


def test_options_and_markets_not_listed_are_passed_over() -> None:
    option = {"symbol": "BTC-USD-25JUN27-86000-C", "funding_rate": ""}
    quotes, refused = parse_quotes(results(option, SUMMARY), NOW, listed())
    assert [quote.symbol for quote in quotes] == [MARKET]
    assert refused == ()


def test_a_listed_market_missing_from_the_summary_is_refused() -> None:
    quotes, refused = parse_quotes(results(), NOW, listed())
    assert quotes == ()
    assert [refusal.symbol for refusal in refused] == [MARKET]


def test_a_market_answered_twice_is_refused() -> None:
    quotes, refused = parse_quotes(results(SUMMARY, SUMMARY), NOW, listed())
    assert quotes == ()
    assert [refusal.reason for refusal in refused] == ["in the answer twice"]


@pytest.mark.parametrize("row", [{"symbol": "A B"}, {"base_currency": "\x1b[0m"}, {"symbol": ""}])
def test_symbols_that_cannot_be_taken_are_refused(row: dict[str, str]) -> None:
    answer = parse_markets(results(perp(**row), perp("ETH-USD-PERP")))
    assert list(answer.perps) == ["ETH-USD-PERP"]
    assert len(answer.refused) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*perp()]), json_values),
    st.dictionaries(st.sampled_from([*SUMMARY]), json_values),
)
def test_no_row_can_break_an_answer(market: dict[str, Any], summary: dict[str, Any]) -> None:
    perps = parse_markets(results({**perp(), **market}, perp("GOOD"))).perps
    rows = results({**SUMMARY, **summary}, {**SUMMARY, "symbol": "GOOD"})
    quotes, _ = parse_quotes(rows, NOW, {"GOOD": perps["GOOD"]})
    assert [quote.symbol for quote in quotes] == ["GOOD"] or summary.get("symbol") == "GOOD"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"results": null}', b'{"results": 5}', b'{"results": ['])
def test_another_shape_is_drift(body: bytes) -> None:
    with pytest.raises(Drift):
        parse_markets(body)


def test_a_funding_row_tells_index_and_spot_price() -> None:
    row = {
        "market": "HYPER-USD-PERP",
        "funding_index": "-0.1013629022003508722",
        "funding_premium": "0.000003498531863578174094",
        "funding_rate": "0.00001250176896",
        "created_at": 1759822714408,
    }
    index = parse_index_row(json.dumps(row).encode(), "HYPER-USD-PERP", 1759822800)
    assert index.funding_index == -0.1013629022003508722
    assert index.spot_price == pytest.approx(0.279843, rel=1e-6)
    with pytest.raises(BadNumber):
        parse_index_row(json.dumps(row).encode(), "HYPER-USD-PERP", 1759822714 + 601)
    with pytest.raises(BadNumber):
        parse_index_row(json.dumps(row).encode(), "HYPER-USD-PERP", 1759822714)


@pytest.mark.parametrize(
    ("rows", "price"),
    [
        ([[0, 1, 1, 1, 42.5, 9]], 42.5),
        ([[3_600_000, 7, 1, 1, 1, 9]], 7.0),
        ([[0, 1, 1, 1, 0, 9]], None),
        ([[0, 1], "x", None, [None, 1, 2, 3, 4]], None),
        ([[1000, 1, 1, 1, 42.5, 9]], None),
        ([], None),
    ],
)
def test_the_price_at_a_boundary_is_the_close_before_or_the_open_after(
    rows: list[object], price: float | None
) -> None:
    assert parse_underlying_price(results(*rows), 3600) == price
