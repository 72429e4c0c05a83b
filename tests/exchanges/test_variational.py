import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Cost
from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.errors import Banned, Drift
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.variational import Variational, hourly_rate, interval_hours, parse_stats
from fundwatch.models import Source, Window, apr_percent

NOW = 1_790_000_100  # 2026-09-21 14:15 UTC
STATS = "https://omni-client-api.prod.ap-northeast-1.variational.io/metadata/stats"

BTC: Mapping[str, Any] = {
    "ticker": "BTC",
    "name": "Bitcoin",
    "mark_price": "77229.3565140889",
    "volume_24h": "245987215.191356",
    "open_interest": {"long_open_interest": "79488330.5", "short_open_interest": "70056049.25"},
    "funding_rate": "0.091241",
    "funding_interval_s": 28800,
    "base_spread_bps": "1.0811",
    "quotes": {"size_1k": {"bid": "77200", "ask": "77230.88"}, "size_1m": {"bid": "1", "ask": "2"}},
}


class StandingClock:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
async def variational() -> AsyncIterator[Variational]:
    clock = StandingClock()
    facts = Variational.facts
    http = Http(name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans())
    yield Variational(http, clock)
    await http.aclose()


def listing(**changes: Any) -> dict[str, Any]:
    return {**BTC, **changes}


def stats(*listings: object) -> bytes:
    return json.dumps({"num_markets": 553, "listings": listings}).encode()


@pytest.mark.parametrize(
    ("raw", "apr"),
    [("0.1095", 10.95), ("0.091241", 9.1241), ("0.05475", 5.475), ("-85.536623", -8553.6623), ("0", 0.0)],
)
def test_a_rate_is_a_fraction_per_year(raw: str, apr: float) -> None:
    assert apr_percent(hourly_rate(raw)) == pytest.approx(apr, rel=1e-12)


def test_a_rate_does_not_depend_on_the_interval() -> None:
    rows = [
        listing(ticker=f"M{s}", funding_interval_s=s, funding_rate="0.1095") for s in (3600, 14400, 28800)
    ]
    rates = {quote.hourly_rate for quote in parse_stats(stats(*rows), NOW).quotes.values()}
    assert rates == {0.1095 / 8760}


def test_an_absurd_rate_is_refused() -> None:
    with pytest.raises(BadNumber):
        hourly_rate("877")


@pytest.mark.parametrize(("seconds", "hours"), [(3600, 1), (14400, 4), (28800, 8), ("7200", 2)])
def test_intervals_are_seconds(seconds: object, hours: float) -> None:
    assert interval_hours(seconds) == hours


@pytest.mark.parametrize("seconds", [None, -3600, 5000, 90000 * 10, "", "x", True, [3600]])
def test_an_interval_of_no_full_hours_is_refused(seconds: object) -> None:
    with pytest.raises(BadNumber):
        interval_hours(seconds)


def test_a_listing_becomes_a_market_and_a_quote() -> None:
    answer = parse_stats(stats(BTC), NOW)
    quote = answer.quotes["BTC"]
    assert answer.refused == ()
    assert answer.markets["BTC"].asset.ticker == "BTC"
    assert quote.hourly_rate == pytest.approx(1.04156e-5, rel=1e-5)
    assert quote.interval_hours == 8
    assert quote.mark_price == 77229.3565140889
    assert quote.open_interest_usd == pytest.approx(149_544_379.75)
    assert quote.volume_24h_usd == 245987215.191356
    assert quote.quoted_spread_percent == pytest.approx(0.04, rel=1e-3)
    assert quote.hourly_rate_cap == 0.02
    assert quote.index_price is None


@pytest.mark.parametrize(
    ("seconds", "due"), [(3600, 1_790_002_800), (14400, 1_790_006_400), (28800, 1_790_006_400)]
)
def test_the_next_payment_is_on_the_utc_grid_of_the_interval(seconds: int, due: int) -> None:
    quote = parse_stats(stats(listing(funding_interval_s=seconds)), NOW).quotes["BTC"]
    assert quote.next_funding_time == due


def test_on_the_very_boundary_the_next_payment_is_an_interval_ahead() -> None:
    boundary = 1_790_006_400
    quote = parse_stats(stats(BTC), boundary).quotes["BTC"]
    assert quote.next_funding_time == boundary + 28800


def test_swaps_are_neither_listed_nor_refused() -> None:
    swap = listing(ticker="US500S", name="Swap on S&P 500", funding_interval_s=0, funding_rate="0")
    answer = parse_stats(stats(swap, BTC), NOW)
    assert list(answer.markets) == ["BTC"]
    assert answer.refused == ()


@pytest.mark.parametrize(
    ("ticker", "asset"),
    [("OPN_OPINION", "OPN"), ("RE_ETH", "RE"), ("1NEIRO", "NEIRO"), ("FF0", "FF"), ("BTR0", "BTR")],
)
def test_suffixes_that_tell_assets_apart_are_taken_off(ticker: str, asset: str) -> None:
    market = parse_stats(stats(listing(ticker=ticker, name="A token")), NOW).markets[ticker]
    assert market.asset.ticker == asset
    assert market.symbol == ticker


@pytest.mark.parametrize("rate", [None, "", "NaN", "inf", "1e9", {"x": 1}, [], True, "0,1", 10**400])
def test_a_bad_rate_refuses_its_row_and_never_becomes_zero(rate: object) -> None:
    answer = parse_stats(stats(listing(ticker="BAD", funding_rate=rate), BTC), NOW)
    assert list(answer.quotes) == ["BTC"]
    assert [refusal.symbol for refusal in answer.refused] == ["BAD"]
    assert "BAD" in answer.markets


@pytest.mark.parametrize("volume", [None, "", "-5", "NaN", [], True])
def test_a_volume_that_cannot_be_is_unknown(volume: object) -> None:
    assert parse_stats(stats(listing(volume_24h=volume)), NOW).quotes["BTC"].volume_24h_usd is None


@pytest.mark.parametrize(
    "open_interest", [None, "5", {"long_open_interest": "5"}, {"long_open_interest": "-1"}, [], 7]
)
def test_an_open_interest_that_is_not_whole_is_unknown(open_interest: object) -> None:
    quote = parse_stats(stats(listing(open_interest=open_interest)), NOW).quotes["BTC"]
    assert quote.open_interest_usd is None


@pytest.mark.parametrize(
    ("quotes", "bps", "percent"),
    [
        (None, "1.0811", 0.010811),
        ({"size_1k": {"bid": "…", "ask": "…"}}, "2", 0.02),
        ({"size_1k": {"bid": "101", "ask": "100"}}, "2", 0.02),
        ({"size_1k": None}, "-1", None),
        ("later", None, None),
    ],
)
def test_without_a_quote_for_1000_usd_the_base_spread_counts(
    quotes: object, bps: object, percent: float | None
) -> None:
    quote = parse_stats(stats(listing(quotes=quotes, base_spread_bps=bps)), NOW).quotes["BTC"]
    assert quote.quoted_spread_percent == (None if percent is None else pytest.approx(percent))


@pytest.mark.parametrize("ticker", ["", "A B", "\x1b[31mX", "x" * 65])
def test_a_ticker_that_is_not_a_symbol_is_refused(ticker: str) -> None:
    answer = parse_stats(stats(listing(ticker=ticker), BTC), NOW)
    assert list(answer.markets) == ["BTC"]
    assert len(answer.refused) == 1
    assert "\x1b" not in answer.refused[0].symbol


def test_a_ticker_listed_twice_is_refused_once() -> None:
    answer = parse_stats(stats(BTC, listing(funding_rate="5")), NOW)
    assert apr_percent(answer.quotes["BTC"].hourly_rate or 0) == pytest.approx(9.1241)
    assert [refusal.reason for refusal in answer.refused] == ["listed twice"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*BTC]), json_values) | json_values)
def test_no_row_can_break_the_answer(row: object) -> None:
    changed = listing(**row) if isinstance(row, dict) and row.keys() <= BTC.keys() else row
    answer = parse_stats(stats(changed, listing(ticker="GOOD")), NOW)
    assert "GOOD" in answer.quotes


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"listings": 5}', b'{"listings": [', b'{"listings": null}'])
def test_another_shape_is_drift(body: bytes) -> None:
    with pytest.raises(Drift):
        parse_stats(body, NOW)


@respx.mock
async def test_one_request_brings_list_and_quotes(variational: Variational) -> None:
    route = respx.get(STATS).respond(content=stats(BTC, listing(ticker="BAD", funding_rate="")))
    listed = await variational.fetch_markets()
    assert [market.symbol for market in listed.markets] == ["BTC", "BAD"]
    assert listed.refused == ()
    quotes = await variational.fetch_quotes()
    assert [quote.symbol for quote in quotes.quotes] == ["BTC"]
    assert [(r.symbol, r.reason) for r in quotes.refused] == [("BAD", "funding_rate is missing")]
    assert route.call_count == 2
    assert quotes.quotes[0].observed_at == NOW


@respx.mock
async def test_quotes_need_no_list_first(variational: Variational) -> None:
    respx.get(STATS).respond(content=stats(BTC))
    assert [quote.symbol for quote in (await variational.fetch_quotes()).quotes] == ["BTC"]


@respx.mock
async def test_a_listed_market_that_is_gone_from_the_answer_is_refused(variational: Variational) -> None:
    respx.get(STATS).mock(
        side_effect=[
            httpx.Response(200, content=stats(BTC, listing(ticker="ETH"))),
            httpx.Response(200, content=stats(BTC, listing(ticker="NEW"))),
        ]
    )
    await variational.fetch_markets()
    quotes = await variational.fetch_quotes()
    assert [quote.symbol for quote in quotes.quotes] == ["BTC"]
    assert [(r.symbol, r.reason) for r in quotes.refused] == [("ETH", "not in the answer")]


@respx.mock
async def test_an_empty_list_is_drift_and_not_the_end_of_all_markets(variational: Variational) -> None:
    respx.get(STATS).respond(content=stats())
    with pytest.raises(Drift):
        await variational.fetch_markets()


@respx.mock
async def test_a_challenge_page_is_a_ban(variational: Variational) -> None:
    respx.get(STATS).respond(content=b"<html>Just a moment...</html>")
    with pytest.raises(Banned):
        await variational.fetch_quotes()


async def test_there_are_no_settlements_and_they_cost_nothing(variational: Variational) -> None:
    wanted = {"BTC": (Window(0, 3600),)}
    assert [answer async for answer in variational.fetch_settlements(wanted)] == []
    assert variational.cost(wanted) == Cost(0, 0.0)
    assert variational.http.requests == 0
    assert Variational.facts.source is Source.RECORDED
    assert Variational.facts.history_days == 0
