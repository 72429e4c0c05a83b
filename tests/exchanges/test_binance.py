from typing import Any

import httpx
import pytest

from fundwatch.exchanges.binance import (
    Binance,
    hourly_cap,
    hourly_estimate,
    parse_markets,
    parse_page,
    parse_quotes,
    parse_terms,
    settled_rate,
)
from fundwatch.exchanges.decode import BadNumber
from fundwatch.exchanges.errors import Drift, Throttled
from fundwatch.exchanges.fapi import Terms, TermsBook, TermsRow
from fundwatch.models import HOUR, AssetClass, Kind, Refusal, Settlement, apr_percent
from tests.exchanges.fapi_venue import NOON, FakeVenue, body, connected

NOW = NOON + 6 * 60
FOREVER = 4_133_404_800_000


@pytest.mark.parametrize(
    ("told", "hours", "hourly", "apr"),
    [
        ("0.00010000", 8.0, 0.0000125, 10.95),
        ("0.00005000", 4.0, 0.0000125, 10.95),
        ("0.00001250", 1.0, 0.0000125, 10.95),
        ("0.00010000", 4.0, 0.000025, 21.9),
        ("0.00010000", 1.0, 0.0001, 87.6),
        ("-0.02000000", 1.0, -0.02, -17520.0),
        ("0", 8.0, 0.0, 0.0),
    ],
)
def test_last_funding_rate_is_a_signed_fraction_per_interval(
    told: str, hours: float, hourly: float, apr: float
) -> None:
    assert hourly_estimate(told, hours) == pytest.approx(hourly)
    assert apr_percent(hourly_estimate(told, hours)) == pytest.approx(apr)


def test_funding_rate_is_the_signed_fraction_of_the_whole_interval() -> None:
    assert settled_rate("0.00010000") == 0.0001
    assert settled_rate("-0.00360693") == -0.00360693


@pytest.mark.parametrize("told", ["0.9", "-0.81", "9000", ""])
def test_a_settled_rate_that_no_interval_could_explain_is_refused(told: str) -> None:
    with pytest.raises(BadNumber):
        settled_rate(told)


def test_caps_are_fractions_per_interval() -> None:
    row = TermsRow(adjustedFundingRateCap="0.02000000", adjustedFundingRateFloor="-0.02000000")
    assert hourly_cap(row, 4.0) == pytest.approx(0.005)
    uneven = TermsRow(adjustedFundingRateCap="0.01", adjustedFundingRateFloor="-0.03")
    assert hourly_cap(uneven, 8.0) == pytest.approx(0.00375)
    assert hourly_cap(TermsRow(adjustedFundingRateCap="0.02"), 8.0) is None


def contract(symbol: str, base: str, **more: Any) -> dict[str, Any]:
    row = {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": "USDT",
        "underlyingType": "COIN",
        "onboardDate": 1_569_398_400_000,
        "deliveryDate": FOREVER,
    }
    return row | more


def test_trading_perpetuals_are_markets_with_the_times_the_venue_tells() -> None:
    leaving = contract("OLDUSDT", "OLD", deliveryDate=1_790_500_000_000)
    listing = parse_markets(body({"symbols": [contract("BTCUSDT", "BTC"), leaving]}))
    assert [(m.symbol, m.listed_time, m.delisting_time) for m in listing.markets] == [
        ("BTCUSDT", 1_569_398_400, None),
        ("OLDUSDT", 1_569_398_400, 1_790_500_000),
    ]
    assert (listing.closed, listing.refused) == (frozenset(), ())


@pytest.mark.parametrize(
    "status", ["SETTLING", "CLOSE", "PRE_SETTLE", "PRE_DELIVERING", "DELIVERING", "DELIVERED"]
)
def test_settling_and_delivered_perpetuals_are_closed(status: str) -> None:
    listing = parse_markets(body({"symbols": [contract("OLDUSDT", "OLD", status=status)]}))
    assert (listing.markets, listing.closed) == ((), frozenset({"OLDUSDT"}))


def test_dated_contracts_and_those_not_listed_yet_are_neither() -> None:
    rows = [
        contract("BTCUSDT_261225", "BTC", contractType="CURRENT_QUARTER"),
        contract("ETHUSDT_260925", "ETH", contractType="NEXT_QUARTER", status="SETTLING"),
        contract("NEWUSDT", "NEW", contractType="", status="PENDING_TRADING"),
        contract("SOONUSDT", "SOON", status="PENDING_TRADING"),
    ]
    assert parse_markets(body({"symbols": rows})) == parse_markets(body({"symbols": []}))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"status": "TRADING_HALT"}, "neither trading nor closed: status TRADING_HALT"),
        ({"status": ["TRADING"]}, "neither trading nor closed: status missing"),
        ({"baseAsset": "DOGE"}, "its base asset does not fit its symbol"),
        ({"baseAsset": None}, "its base asset does not fit its symbol"),
        ({"quoteAsset": "BTC"}, "quoted in BTC, not in dollars"),
    ],
)
def test_what_is_odd_about_a_perpetual_is_said(more: dict[str, Any], reason: str) -> None:
    listing = parse_markets(body({"symbols": [contract("XYZUSDT", "XYZ") | more]}))
    assert listing.refused == (Refusal("XYZUSDT", reason),)
    assert (listing.markets, listing.closed) == ((), frozenset())


@pytest.mark.parametrize(
    ("kind", "underlying", "asset_class"),
    [
        ("PERPETUAL", "COIN", AssetClass.CRYPTO),
        ("PERPETUAL", "INDEX", AssetClass.INDEX),
        ("PERPETUAL", "PREMARKET", AssetClass.PRELAUNCH),
        ("TRADIFI_PERPETUAL", "EQUITY", AssetClass.EQUITY),
        ("TRADIFI_PERPETUAL", "KR_EQUITY", AssetClass.EQUITY),
        ("TRADIFI_PERPETUAL", "HK_EQUITY", AssetClass.EQUITY),
        ("TRADIFI_PERPETUAL", "COMMODITY", AssetClass.COMMODITY),
        ("TRADIFI_PERPETUAL", "SOMETHING", AssetClass.UNKNOWN),
        ("TRADIFI_PERPETUAL", "COIN", AssetClass.UNKNOWN),
    ],
)
def test_the_class_is_what_the_venue_says_and_tradfi_is_never_crypto(
    kind: str, underlying: str, asset_class: AssetClass
) -> None:
    row = contract("QQZUSDT", "QQZ", contractType=kind, underlyingType=underlying)
    assert parse_markets(body({"symbols": [row]})).markets[0].asset.asset_class is asset_class


def premium(symbol: str, rate: str = "0.00010000", next_hours: int = 4) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "markPrice": "100.5",
        "indexPrice": "100.4",
        "lastFundingRate": rate,
        "nextFundingTime": (NOON + next_hours * HOUR) * 1000,
        "time": NOON * 1000,
    }


def test_a_symbol_without_terms_pays_every_eight_hours() -> None:
    quote = parse_quotes(body([premium("BTCUSDT")]), ["BTCUSDT"], TermsBook({}), {}, NOW).quotes[0]
    assert (quote.interval_hours, quote.hourly_rate_cap) == (8.0, None)
    assert quote.hourly_rate == pytest.approx(0.0000125)
    assert quote.next_funding_time == NOON + 4 * HOUR


def test_a_next_payment_off_the_eight_hour_grid_shows_that_eight_is_not_the_interval() -> None:
    row = body([premium("BTCUSDT", next_hours=1)])
    quotes = parse_quotes(row, ["BTCUSDT"], TermsBook({}), {}, NOW)
    assert quotes.refused == (Refusal("BTCUSDT", "the funding interval is unknown"),)


def test_an_unreadable_row_of_terms_may_be_that_of_any_symbol_without_terms() -> None:
    terms = parse_terms(body([{"symbol": None, "fundingIntervalHours": 4}, 7]))
    assert terms.unreadable == 2
    assert parse_quotes(body([premium("BTCUSDT")]), ["BTCUSDT"], terms, {}, NOW).quotes == ()


def test_a_row_of_terms_gives_interval_and_hourly_cap() -> None:
    told = {"symbol": "XUSDT", "adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02"}
    terms = parse_terms(body([told | {"fundingIntervalHours": 4, "disclaimer": False}]))
    assert terms.by_symbol == {"XUSDT": Terms(4.0, 0.005)}


def test_settlements_are_stamped_on_the_hour_and_leave_the_interval_to_their_spacing() -> None:
    rows = [
        {"symbol": "BTCUSDT", "fundingTime": 1577923200002, "fundingRate": "0.00003662"},
        {
            "symbol": "XUSDT",
            "fundingTime": 1781078400011,
            "fundingRate": "0.00005000",
            "markPrice": "0.50",
            "rateType": "Regular",
        },
        {
            "symbol": "TSLAUSDT",
            "fundingTime": 1781078400011,
            "fundingRate": "-0.0030",
            "markPrice": "400",
            "rateType": "Special",
        },
    ]
    assert parse_page(body(rows), 1_790_000_000).rows == (
        Settlement("BTCUSDT", 1577923200, 0.00003662, None),
        Settlement("XUSDT", 1781078400, 0.00005, None),
        Settlement("TSLAUSDT", 1781078400, -0.003, 0.0, Kind.SPECIAL),
    )


def test_a_payment_of_an_unknown_type_is_refused() -> None:
    row = {"symbol": "X", "fundingTime": NOON * 1000, "fundingRate": "0.1", "rateType": "Bonus"}
    page = parse_page(body([row]), NOW)
    assert page.refused == (Refusal("X", "rateType is neither Regular nor Special"),)
    assert page.lost == (("X", NOON),)


def trading() -> FakeVenue:
    venue = FakeVenue()
    venue.symbols = [
        contract("BTCUSDT", "BTC"),
        contract("XUSDT", "X"),
        contract("GONEUSDT", "GONE", status="SETTLING"),
    ]
    venue.premiums = [premium("BTCUSDT"), premium("XUSDT", "0.00005000"), premium("GONEUSDT", "0.03")]
    venue.terms = [
        {
            "symbol": "XUSDT",
            "fundingIntervalHours": 4,
            "adjustedFundingRateCap": "0.02",
            "adjustedFundingRateFloor": "-0.02",
        }
    ]
    venue.tickers = [{"symbol": "BTCUSDT", "quoteVolume": "22175129357.20"}]
    return venue


async def test_quotes_take_three_requests_and_the_list_when_there_is_none() -> None:
    venue = trading()
    async with connected(Binance, venue, NOW) as binance:
        quotes = await binance.fetch_quotes()
        assert sorted(venue.names()) == ["exchangeInfo", "fundingInfo", "premiumIndex", "ticker/24hr"]
        await binance.fetch_quotes()
        assert binance.http.budget.snapshot() == {"weight": 1 + 2 * 50, "funding": 2}
    assert len(venue.asked) == 7
    first, second = quotes.quotes
    assert (first.symbol, first.interval_hours, first.volume_24h_usd) == ("BTCUSDT", 8.0, 22175129357.20)
    assert (second.symbol, second.interval_hours, second.volume_24h_usd) == ("XUSDT", 4.0, None)
    assert first.hourly_rate == second.hourly_rate == pytest.approx(0.0000125)
    assert (first.observed_at, first.mark_price, first.index_price) == (NOW, 100.5, 100.4)
    assert (first.open_interest_usd, second.hourly_rate_cap) == (None, 0.005)


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(429, json={"code": -1003, "msg": "Too many requests."}),
        httpx.Response(400, json={"code": -1100, "msg": "No."}),
        httpx.Response(200, json={"rows": []}),
    ],
)
async def test_a_ticker_that_fails_costs_the_volume_and_no_rate(trouble: httpx.Response) -> None:
    venue = trading()
    venue.instead["ticker/24hr"] = trouble
    async with connected(Binance, venue, NOW) as binance:
        quotes = await binance.fetch_quotes()
    assert [(quote.symbol, quote.volume_24h_usd) for quote in quotes.quotes] == [
        ("BTCUSDT", None),
        ("XUSDT", None),
    ]


@pytest.mark.parametrize("name", ["premiumIndex", "fundingInfo"])
async def test_without_rates_or_intervals_there_are_no_quotes(name: str) -> None:
    venue = trading()
    venue.instead[name] = httpx.Response(429, json={"code": -1003, "msg": "Too many requests."})
    async with connected(Binance, venue, NOW) as binance:
        with pytest.raises(Throttled):
            await binance.fetch_quotes()


async def test_a_list_of_intervals_that_lost_half_its_symbols_is_not_believed() -> None:
    venue = trading()
    venue.terms = [{"symbol": f"{n}USDT", "fundingIntervalHours": 4} for n in range(10)]
    async with connected(Binance, venue, NOW) as binance:
        await binance.fetch_quotes()
        venue.terms = venue.terms[:4]
        with pytest.raises(Drift, match="names 4 symbols, 10 before"):
            await binance.fetch_quotes()
        venue.terms = []
        with pytest.raises(Drift):
            await binance.fetch_quotes()


async def test_an_empty_market_list_is_drift_and_not_a_delisting_of_all() -> None:
    async with connected(Binance, FakeVenue(), NOW) as binance:
        with pytest.raises(Drift, match="no perpetual"):
            await binance.fetch_markets()


def test_the_documented_limits_and_the_minute_are_facts() -> None:
    facts = Binance.facts
    assert facts.limits["weight"] == (2400, 60, "x-mbx-used-weight-1m")
    assert facts.limits["funding"] == (500, 300, None)
    assert (facts.minute, facts.taker_fee_percent, facts.base_url) == (6, 0.05, "https://fapi.binance.com")
