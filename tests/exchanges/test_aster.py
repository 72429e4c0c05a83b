from typing import Any

import pytest

from fundwatch.exchanges.aster import (
    Aster,
    hourly_cap,
    hourly_estimate,
    parse_markets,
    parse_page,
    parse_quotes,
    parse_terms,
    settled_rate,
)
from fundwatch.exchanges.fapi import Terms, TermsBook, TermsRow
from fundwatch.models import HOUR, AssetClass, Refusal, Settlement, Window, apr_percent
from tests.exchanges.fapi_venue import NOON, FakeVenue, all_of, body, connected, paid

NOW = NOON + 9 * 60
DAY = 24 * HOUR


@pytest.mark.parametrize(
    ("told", "hours", "hourly", "apr"),
    [
        ("0.00010000", 8.0, 0.0000125, 10.95),
        ("0.00005000", 4.0, 0.0000125, 10.95),
        ("0.00001250", 1.0, 0.0000125, 10.95),
        ("-0.00000578", 4.0, -0.000001445, -1.26582),
        ("0.00007396", 8.0, 0.000009245, 8.09862),
    ],
)
def test_last_funding_rate_is_a_signed_fraction_per_interval(
    told: str, hours: float, hourly: float, apr: float
) -> None:
    assert hourly_estimate(told, hours) == pytest.approx(hourly)
    assert apr_percent(hourly_estimate(told, hours)) == pytest.approx(apr)


def test_funding_rate_is_the_signed_fraction_of_the_whole_interval() -> None:
    assert settled_rate("-0.00012000") == -0.00012


def test_caps_are_numbers_and_fractions_per_interval() -> None:
    assert hourly_cap(TermsRow(fundingFeeCap=0.03, fundingFeeFloor=-0.03), 8.0) == pytest.approx(0.00375)
    assert hourly_cap(TermsRow(fundingFeeCap=0.02, fundingFeeFloor=-0.02), 4.0) == pytest.approx(0.005)
    assert hourly_cap(TermsRow(fundingFeeCap=None, fundingFeeFloor=-0.02), 4.0) is None


def contract(symbol: str, base: str, quote: str = "USDT", **more: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "onboardDate": 1_752_562_800_000,
        "deliveryDate": 4_133_404_800_000,
    }
    return row | more


def test_markets_of_every_dollar_quote_are_listed() -> None:
    rows = [contract(f"BTC{quote}", "BTC", quote) for quote in ("USDT", "USD1", "USDC", "U", "USD")]
    listing = parse_markets(body({"symbols": rows}))
    assert [market.symbol for market in listing.markets] == [
        "BTCUSDT",
        "BTCUSD1",
        "BTCUSDC",
        "BTCU",
        "BTCUSD",
    ]
    assert {market.asset.ticker for market in listing.markets} == {"BTC"}


@pytest.mark.parametrize("status", ["TRADING", "SETTLING", "CLOSE", "STRANGE"])
def test_shield_mode_is_neither_listed_nor_closed(status: str) -> None:
    row = contract("SHIELDAMZNUSDT", "SHIELDAMZN", status=status)
    assert parse_markets(body({"symbols": [row]})) == parse_markets(body({"symbols": []}))


@pytest.mark.parametrize(
    ("status", "closed"),
    [("PENDING_TRADING", False), ("PRE_SETTLE", True), ("SETTLING", True), ("CLOSE", True)],
)
def test_a_market_that_does_not_trade_is_closed_or_not_there_yet(status: str, closed: bool) -> None:
    listing = parse_markets(body({"symbols": [contract("XUSDT", "X", status=status)]}))
    assert (listing.markets, "XUSDT" in listing.closed, listing.refused) == ((), closed, ())


@pytest.mark.parametrize(
    ("subtypes", "asset_class"),
    [
        (["STOCK", "Semiconductor"], AssetClass.EQUITY),
        (["STOCK", "AOS2", "USD1-RWA"], AssetClass.EQUITY),
        (["ETF"], AssetClass.EQUITY),
        (["Commodities", "USD1-RWA"], AssetClass.COMMODITY),
        (["USD1-RWA"], AssetClass.UNKNOWN),
        (["pre-launch", "STOCK"], AssetClass.PRELAUNCH),
    ],
)
def test_the_class_stands_in_the_subtype_since_the_type_says_coin_of_stocks_too(
    subtypes: list[str], asset_class: AssetClass
) -> None:
    row = contract("QQZUSDT", "QQZ", underlyingSubType=subtypes)
    assert parse_markets(body({"symbols": [row]})).markets[0].asset.asset_class is asset_class


def test_a_type_other_than_coin_is_believed() -> None:
    row = contract("QQZUSDT", "QQZ", underlyingType="EQUITY", underlyingSubType="STOCK")
    assert parse_markets(body({"symbols": [row]})).markets[0].asset.asset_class is AssetClass.EQUITY


def test_terms_list_every_symbol_and_a_row_without_one_is_nobodys() -> None:
    told = {"interestRate": "0.00010000", "fundingIntervalHours": 8, "fundingFeeCap": 0.03}
    rows = [told | {"symbol": name, "fundingFeeFloor": -0.03} for name in ("INJUSDT", None)]
    assert parse_terms(body(rows)).by_symbol == {"INJUSDT": Terms(8.0, 0.00375)}


def premium(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "markPrice": "62873.90000000",
        "indexPrice": "62880.1",
        "lastFundingRate": "0.00007396",
        "interestRate": "0.00010000",
        "nextFundingTime": (NOON + 4 * HOUR) * 1000,
        "time": NOON * 1000,
    }


def test_a_symbol_without_terms_is_refused_and_never_taken_for_eight_hours() -> None:
    terms = TermsBook({"BTCUSDT": Terms(8.0, None)}, unreadable=1)
    rows = body([premium("BTCUSDT"), premium("XUSDT")])
    quotes = parse_quotes(rows, ["BTCUSDT", "XUSDT"], terms, {}, NOW)
    assert [quote.symbol for quote in quotes.quotes] == ["BTCUSDT"]
    assert quotes.refused == (Refusal("XUSDT", "the funding interval is unknown"),)


def test_payments_have_no_price_and_no_interval_of_their_own() -> None:
    row = {"symbol": "BTCUSDT", "fundingTime": 1762214400001, "fundingRate": "0.00010000"}
    assert parse_page(body([row]), NOW).rows == (Settlement("BTCUSDT", 1762214400, 0.0001, None),)


def test_payments_before_2024_are_binances_and_refused() -> None:
    rows = [
        {"symbol": "BTCUSDT", "fundingTime": stamp, "fundingRate": "0.00010000"}
        for stamp in (1704038400000, 1704067200000)
    ]
    page = parse_page(body(rows), NOW)
    assert [row.funding_time for row in page.rows] == [1704067200]
    assert (page.refused, page.lost) == ((Refusal("BTCUSDT", "older than the venue's own record"),), ())


def paying(count: int = 40) -> FakeVenue:
    venue = FakeVenue()
    for n in range(count):
        venue.pay(f"{n}USDT", range(NOON - 40 * DAY, NOON + 1, 4 * HOUR))
    return venue


async def test_bulk_is_used_when_it_answers_for_all() -> None:
    venue = paying()
    wanted = {f"{n}USDT": [Window(NOON - HOUR, NOON)] for n in range(40)}
    async with connected(Aster, venue, NOW) as aster:
        assert aster.cost(wanted).requests == 40
        answers = await all_of(aster, wanted)
        assert aster.cost(wanted).requests == 3
    assert [params.get("symbol") for _, params in venue.asked] == [None]
    assert paid(answers)["39USDT"] == [NOON - 8 * HOUR, NOON - 4 * HOUR, NOON]


async def test_one_request_finds_out_that_bulk_is_not_served_and_is_not_repeated() -> None:
    venue = paying()
    venue.bulk = "one"
    wanted = {f"{n}USDT": [Window(NOON - HOUR, NOON)] for n in range(40)}
    async with connected(Aster, venue, NOW) as aster:
        answers = await all_of(aster, wanted)
        await all_of(aster, wanted)
    assert [params.get("symbol") for _, params in venue.asked].count(None) == 1
    assert set(paid(answers)) == set(wanted)


async def test_a_market_is_paged_by_its_start_alone_from_eight_hours_before() -> None:
    venue = FakeVenue()
    venue.pay("1USDT", range(NOON - 80 * DAY, NOON + 1, HOUR))
    async with connected(Aster, venue, NOW) as aster:
        answers = await all_of(aster, {"1USDT": [Window(NOON - 60 * DAY, NOON - 10 * DAY)]})
    assert all("endTime" not in params for _, params in venue.asked)
    assert min(int(params["startTime"]) for _, params in venue.asked) == (
        (NOON - 60 * DAY - 8 * HOUR - 60) * 1000
    )
    expected = range(NOON - 60 * DAY - 8 * HOUR, NOON - 10 * DAY + 1, HOUR)
    assert set(expected) <= set(paid(answers)["1USDT"])
    covered = [window for answer in answers for _, window in answer.answered]
    assert min(w.start for w in covered) == NOON - 60 * DAY - 8 * HOUR
    assert max(w.end for w in covered) == NOON - 10 * DAY


async def test_quotes_cost_what_the_documents_say() -> None:
    venue = FakeVenue()
    venue.symbols = [contract("BTCUSDT", "BTC")]
    venue.premiums = [premium("BTCUSDT"), premium("APXUSDT") | {"lastFundingRate": "0"}]
    venue.terms = [{"symbol": "BTCUSDT", "fundingIntervalHours": 8}]
    async with connected(Aster, venue, NOW) as aster:
        quotes = await aster.fetch_quotes()
        assert aster.http.budget.snapshot() == {"weight": 1 + 1 + 1 + 40}
    assert [quote.symbol for quote in quotes.quotes] == ["BTCUSDT"]
    assert quotes.quotes[0].hourly_rate == pytest.approx(0.000009245)


def test_the_documented_limits_and_the_minute_are_facts() -> None:
    facts = Aster.facts
    assert facts.limits == {"weight": (2400, 60, "x-mbx-used-weight-1m")}
    assert (facts.minute, facts.taker_fee_percent, facts.base_url) == (9, 0.04, "https://fapi.asterdex.com")
