import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.errors import Blocked, Drift, Refused, ServerFault
from fundwatch.exchanges.extended import (
    Extended,
    hourly_rate_from_market_stats,
    parse_funding,
    parse_markets,
    parse_quotes,
    rate_from_funding_history,
)
from fundwatch.exchanges.http import Http
from fundwatch.models import HOUR, AssetClass, Refusal, Window, apr_percent

BASE = Extended.facts.base_url
NOON = 1_778_716_800 // HOUR * HOUR
"""A full hour of 2026-05."""

NOW = NOON + 12 * 60


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.time = float(NOW)

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
async def extended() -> AsyncIterator[Extended]:
    clock, facts = FakeClock(), Extended.facts
    http = Http(name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans())
    yield Extended(http, clock)
    await http.aclose()


def body(*rows: object, status: object = "OK") -> bytes:
    return json.dumps({"status": status, "data": rows}).encode()


def market(name: str = "BTC-USD", stats: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "PERPETUAL",
        "uiName": name,
        "category": "Crypto",
        "subCategory": "L1",
        "assetName": name.removesuffix("-USD"),
        "description": "Bitcoin",
        "active": True,
        "isRfq": True,
        "isOffHours": False,
        "status": "ACTIVE",
        "marketStats": {
            "dailyVolume": "72466662.264900",
            "markPrice": "77060.427881750001",
            "indexPrice": "77100.406683774985",
            "fundingRate": "0.000013",
            "nextFundingRate": (NOON + HOUR) * 1000,
            "openInterest": "44808704.907173",
            "openInterestBase": "579.77510",
            **(stats or {}),
        },
        "tradingConfig": {"hourlyFundingRateCap": "0.25"},
        "visibleOnUi": True,
        "referenceMarket": "null",
        "createdAt": 1752829532673,
        **fields,
    }


def funding(hour: int, rate: object = "0.000013", late_ms: int = 77, **fields: Any) -> dict[str, Any]:
    return {"m": "BTC-USD", "f": rate, "T": (NOON + hour * HOUR) * 1000 + late_ms, **fields}


def serve(path: str, answer: bytes | Callable[[httpx.Request], httpx.Response]) -> respx.Route:
    route = respx.get(f"{BASE}/api/v1/info/{path}")
    if isinstance(answer, bytes):
        return route.respond(200, content=answer)
    return route.mock(side_effect=answer)


def served(hours: range, late_ms: int = 77, cap: int = 1000) -> Callable[[httpx.Request], httpx.Response]:
    """The history as measured: both ends included, newest first, at most `cap` rows."""

    def answer(request: httpx.Request) -> httpx.Response:
        start, end = (int(request.url.params[name]) for name in ("startTime", "endTime"))
        rows = [r for h in hours if start <= (r := funding(h, late_ms=late_ms))["T"] <= end]
        return httpx.Response(200, content=body(*rows[::-1][:cap]))

    return answer


async def answers_of(exchange: Extended, *wanted: str, hours: int = 3) -> list[Answer]:
    window = Window(NOON - hours * HOUR, NOON)
    return [a async for a in exchange.fetch_settlements({symbol: [window] for symbol in wanted})]


# Converters


def test_the_estimate_is_a_fraction_per_hour_already() -> None:
    assert hourly_rate_from_market_stats(0.000013) == 0.000013
    assert apr_percent(hourly_rate_from_market_stats(0.000013)) == pytest.approx(11.388)


def test_the_settled_rate_is_a_fraction_per_hour_already() -> None:
    assert rate_from_funding_history(-0.000013) == -0.000013
    assert apr_percent(rate_from_funding_history(-0.000013)) == pytest.approx(-11.388)


# Market list


def test_a_market_has_its_asset_its_class_and_its_birthday() -> None:
    (btc,) = parse_markets(body(market())).markets
    assert (btc.symbol, btc.asset.ticker, btc.asset.asset_class) == ("BTC-USD", "BTC", AssetClass.CRYPTO)
    assert btc.listed_time == 1752829532


def test_only_perpetuals_that_trade_are_listed_and_ended_ones_are_closed() -> None:
    listing = parse_markets(
        body(
            market("A-USD"),
            market("B-USD", status="DELISTED"),
            market("C-USD", status="SETTLED"),
            market("D-USD", status="PRELISTED"),
            market("E-USD", status="REDUCE_ONLY"),
            market("F-USD", type="SPOT"),
            market("G-USD", visibleOnUi=False),
            market("H-USD", active=False),
        )
    )
    assert [m.symbol for m in listing.markets] == ["A-USD"]
    assert listing.closed == {"B-USD", "C-USD", "E-USD"}
    assert listing.refused == ()


def test_a_row_of_the_old_schema_is_a_perpetual_unless_it_calls_itself_spot() -> None:
    old, spot = market("A-USD"), market("B-USD", category="Spot")
    for row in (old, spot):
        del row["type"], row["isOffHours"], row["referenceMarket"], row["isRfq"]
    listing = parse_markets(body(old, spot))
    assert [m.symbol for m in listing.markets] == ["A-USD"]
    assert parse_quotes(body(old), NOW).quotes[0].session_open is None


@pytest.mark.parametrize(
    ("category", "sub_category", "expected"),
    [
        ("RWA", "Equity", AssetClass.EQUITY),
        ("RWA", "Commodity", AssetClass.COMMODITY),
        ("RWA", "FX", AssetClass.FX),
        ("RWA", "ETF/Index", AssetClass.INDEX),
        ("RWA", "ETF-Index", AssetClass.INDEX),
        ("RWA", "Pre-market", AssetClass.PRELAUNCH),
        ("RWA", "Weather", AssetClass.UNKNOWN),
        ("Crypto", "Commodity", AssetClass.CRYPTO),
        ("crypto", None, AssetClass.CRYPTO),
    ],
)
def test_the_class_is_what_the_venue_says(
    category: str, sub_category: str | None, expected: AssetClass
) -> None:
    row = market("TSTX-USD", category=category, subCategory=sub_category, description="")
    (found,) = parse_markets(body(row)).markets
    assert found.asset.asset_class == expected


def test_the_session_variant_of_a_share_is_that_share() -> None:
    row = market("MU_24_5-USD", category="RWA", subCategory="Equity", description="Micron", isOffHours=True)
    (found,) = parse_markets(body(row)).markets
    assert (found.symbol, found.asset.ticker) == ("MU_24_5-USD", "MU")
    assert parse_quotes(body(row), NOW).quotes[0].session_open is False


def test_a_market_listed_twice_is_refused_once() -> None:
    listing = parse_markets(body(market(), market()))
    assert len(listing.markets) == 1
    assert listing.refused == (Refusal("BTC-USD", "listed twice"),)


# Quotes


def test_a_quote_has_every_unit_right() -> None:
    (quote,) = parse_quotes(body(market()), NOW).quotes
    assert quote.hourly_rate == 0.000013
    assert quote.interval_hours == 1.0
    assert quote.next_funding_time == NOON + HOUR
    assert quote.mark_price == 77060.427881750001
    assert quote.index_price == 77100.406683774985
    assert quote.open_interest_usd == 44808704.907173
    assert quote.volume_24h_usd == 72466662.2649
    assert quote.session_open is True
    assert quote.observed_at == NOW


@pytest.mark.parametrize("value", [0.000013, "soon", None, NOON, (NOON - 5 * HOUR) * 1000, [], 10**30])
def test_a_next_payment_that_is_no_time_to_come_is_none(value: object) -> None:
    (quote,) = parse_quotes(body(market(stats={"nextFundingRate": value})), NOW).quotes
    assert quote.next_funding_time is None
    assert quote.hourly_rate == 0.000013


@pytest.mark.parametrize("late_ms", [-59_000, 0, 11, 559_000])
def test_the_next_payment_is_at_the_full_hour_that_its_stamp_means(late_ms: int) -> None:
    stamp = (NOON + HOUR) * 1000 + late_ms
    (quote,) = parse_quotes(body(market(stats={"nextFundingRate": stamp})), NOW).quotes
    assert quote.next_funding_time == NOON + HOUR


def test_stats_that_tell_their_rate_twice_tell_none() -> None:
    twice = body(market()).replace(b'"fundingRate":', b'"fundingRate":"0.5","fundingRate":')
    answer = parse_quotes(twice, NOW)
    assert answer.quotes == ()
    assert [refusal.reason for refusal in answer.refused] == [
        "marketStats: unreadable row: fundingRate is in it twice"
    ]


MALFORMED: list[object] = [None, "", "NaN", "Infinity", "1e999", [], [[1]], {}, True, 10**25]
MALFORMED += ["0x10", "\x1b[2J", "1,5", "9" * 99]


@pytest.mark.parametrize("value", [*MALFORMED, "0.11", "-0.11"])
def test_a_malformed_or_absurd_rate_refuses_the_quote_and_not_the_market(value: object) -> None:
    answer = body(market("A-USD", {"fundingRate": value}), market("B-USD"))
    quotes = parse_quotes(answer, NOW)
    assert [q.symbol for q in quotes.quotes] == ["B-USD"]
    assert [r.symbol for r in quotes.refused] == ["A-USD"]
    assert [m.symbol for m in parse_markets(answer).markets] == ["A-USD", "B-USD"]


@pytest.mark.parametrize("value", [*(v for v in MALFORMED if v != 10**25), "-3", -3])
@pytest.mark.parametrize("field", ["markPrice", "indexPrice", "openInterest", "dailyVolume"])
def test_a_malformed_price_or_size_is_none(field: str, value: object) -> None:
    (quote,) = parse_quotes(body(market(stats={field: value})), NOW).quotes
    shown = {
        "markPrice": quote.mark_price,
        "indexPrice": quote.index_price,
        "openInterest": quote.open_interest_usd,
        "dailyVolume": quote.volume_24h_usd,
    }
    assert shown[field] is None
    assert quote.hourly_rate == 0.000013


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("field", ["status", "active", "visibleOnUi"])
def test_a_malformed_state_refuses_the_row_by_name(field: str, value: object) -> None:
    if value is True and field != "status":
        value = "true"
    listing = parse_markets(body(market("A-USD") | {field: value}, market("B-USD")))
    assert [m.symbol for m in listing.markets] == ["B-USD"]
    assert [r.symbol for r in listing.refused] == ["A-USD"]
    assert "\x1b" not in listing.refused[0].reason


@pytest.mark.parametrize("value", [None, "", [], {}, True, 10**25, "\x1b[2J", "A USD", "9" * 99])
def test_a_malformed_name_refuses_the_row(value: object) -> None:
    listing = parse_markets(body(market() | {"name": value}, market("B-USD")))
    assert [m.symbol for m in listing.markets] == ["B-USD"]
    (refusal,) = listing.refused
    assert "\x1b" not in refusal.symbol
    assert len(refusal.symbol) <= 64


@pytest.mark.parametrize("value", [None, [], "", 5, "null"])
def test_missing_statistics_refuse_the_quote(value: object) -> None:
    quotes = parse_quotes(body(market(marketStats=value)), NOW)
    assert quotes.quotes == ()
    assert [r.symbol for r in quotes.refused] == ["BTC-USD"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted(market())), json_values),
    st.dictionaries(st.sampled_from(sorted(market()["marketStats"])), json_values),
)
def test_no_row_of_the_list_can_harm_its_neighbour(damage: dict[str, Any], stats: dict[str, Any]) -> None:
    quotes = parse_quotes(body(market("A-USD", stats) | damage, market("SOUND-USD")), NOW)
    assert "SOUND-USD" in [q.symbol for q in quotes.quotes]


@given(st.dictionaries(st.sampled_from(["m", "f", "T"]), json_values))
def test_no_settlement_row_can_harm_its_neighbour(damage: dict[str, Any]) -> None:
    page = parse_funding(body(funding(-1) | damage, funding(0)), "BTC-USD", NOW)
    assert NOON in [r.funding_time for r in page.rows]
    assert len(page.rows) + len(page.refused) == 2


# Settlements


def test_a_settlement_has_its_hour_and_its_sign() -> None:
    (row,) = parse_funding(body({"m": "BTC-USD", "f": "-0.000013", "T": 1770202800077}), "BTC-USD", NOW).rows
    assert (row.symbol, row.funding_time, row.interval_hours) == ("BTC-USD", 1770202800, 1.0)
    assert row.rate == -0.000013
    assert row.payment_usd is None


@pytest.mark.parametrize("value", [*MALFORMED, "0.11"])
def test_a_malformed_settled_rate_is_refused(value: object) -> None:
    page = parse_funding(body(funding(0, rate=value)), "BTC-USD", NOW)
    assert page.rows == ()
    assert [r.symbol for r in page.refused] == ["BTC-USD"]
    assert page.hours == {NOON}


@pytest.mark.parametrize("stamp", [*MALFORMED, NOON, NOON * 10**6, (NOON + 1800) * 1000])
def test_a_stamp_that_is_no_hour_in_milliseconds_is_refused(stamp: object) -> None:
    page = parse_funding(body(funding(0, T=stamp)), "BTC-USD", NOW)
    assert page.rows == ()
    assert len(page.refused) == 1


def test_a_row_of_another_market_is_refused() -> None:
    page = parse_funding(body(funding(0, m="ETH-USD")), "BTC-USD", NOW)
    assert page.rows == ()
    assert page.refused == (Refusal("BTC-USD", "the row belongs to another market"),)


# Envelope


@pytest.mark.parametrize("status", ["OK", "ok", "Ok"])
def test_the_status_may_be_in_any_case(status: str) -> None:
    assert len(parse_markets(body(market(), status=status)).markets) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"status":"ERROR","error":{"code":1001,"message":"Market not found"}}', r"not found \(1001\)"),
        (b'{"status":"ERROR","error":{"code":"NOT_FOUND","message":"\\u001b[31m"},"data":[]}', "NOT_FOUND"),
        (b'{"status":"ERROR","error":"broken"}', "no reason given"),
        (b'{"status":7,"data":[]}', "no reason given"),
    ],
)
def test_an_error_inside_a_200_is_refused_in_its_own_words(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        parse_markets(answer)
    assert "\x1b" not in refused.value.message


@pytest.mark.parametrize("answer", [b'{"status":"OK"}', b'{"status":"OK","data":{}}', b"[]", b"null", b"{}"])
def test_another_envelope_is_refused_or_drift(answer: bytes) -> None:
    with pytest.raises((Drift, Refused)):
        parse_markets(answer)


# Over HTTP


@respx.mock
async def test_list_and_quotes_cost_one_request_each_and_name_us(extended: Extended) -> None:
    route = serve("markets", body(market("A-USD"), market("B-USD")))
    assert [q.symbol for q in (await extended.fetch_quotes()).quotes] == ["A-USD", "B-USD"]
    assert extended.http.requests == 1
    assert [m.symbol for m in (await extended.fetch_markets()).markets] == ["A-USD", "B-USD"]
    assert extended.http.requests == 2
    assert route.calls.last.request.headers["user-agent"].startswith("fundwatch/")


@respx.mock
async def test_settlements_are_asked_in_milliseconds_with_room_for_late_stamps(extended: Extended) -> None:
    route = serve("BTC-USD/funding", served(range(-50, 1), late_ms=559_000))
    (answer,) = await answers_of(extended, "BTC-USD")
    assert dict(route.calls.last.request.url.params) == {
        "startTime": str((NOON - 3 * HOUR) * 1000),
        "endTime": str((NOON + 900) * 1000),
    }
    assert [r.funding_time for r in answer.rows] == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert answer.answered == (("BTC-USD", Window(NOON - 3 * HOUR, NOON)),)


@respx.mock
async def test_the_newest_hour_stays_open_until_its_late_stamp_is_there(extended: Extended) -> None:
    serve("BTC-USD/funding", served(range(-50, 0)))
    (answer,) = await answers_of(extended, "BTC-USD")
    assert answer.answered == (("BTC-USD", Window(NOON - 3 * HOUR, NOON - HOUR)),)


@respx.mock
async def test_a_month_costs_one_request(extended: Extended) -> None:
    route = serve("BTC-USD/funding", served(range(-2000, 1)))
    (answer,) = await answers_of(extended, "BTC-USD", hours=720)
    assert len(answer.rows) == 720
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize("cap", [100, 1000])
async def test_a_long_history_arrives_whole_by_pages(extended: Extended, cap: int) -> None:
    serve("BTC-USD/funding", served(range(-3000, 1), cap=cap))
    (answer,) = await answers_of(extended, "BTC-USD", hours=2000)
    assert [r.funding_time for r in answer.rows] == [NOON + h * HOUR for h in range(-1999, 1)]
    assert {symbol for symbol, _ in answer.answered} == {"BTC-USD"}
    assert sum(window.hours for _, window in answer.answered) == 2000


@respx.mock
async def test_a_market_that_the_venue_does_not_know_fails_alone(extended: Extended) -> None:
    error = b'{"status":"ERROR","error":{"code":1001,"message":"Market not found"}}'
    respx.get(f"{BASE}/api/v1/info/GONE-USD/funding").respond(400, content=error)
    serve("BTC-USD/funding", served(range(-50, 1)))
    answers = await answers_of(extended, "GONE-USD", "BTC-USD")
    (failed,) = [f for a in answers for f in a.failed]
    assert failed.symbol == "GONE-USD"
    assert "Market not found" in failed.reason
    assert [s for a in answers for s, _ in a.answered] == ["BTC-USD"]


@respx.mock
async def test_a_symbol_cannot_lead_to_another_path(extended: Extended) -> None:
    route = respx.get(url__startswith=BASE).respond(200, content=body())
    await answers_of(extended, "../../user/x-USD")
    assert route.calls.last.request.url.raw_path.startswith(b"/api/v1/info/..%2F..%2Fuser%2Fx-USD/funding?")


@respx.mock
async def test_a_refusal_to_serve_us_ends_the_fetching(extended: Extended) -> None:
    respx.get(url__startswith=BASE).respond(403, content=b"Forbidden")
    with pytest.raises(Blocked):
        await answers_of(extended, "BTC-USD", "ETH-USD")


@respx.mock
async def test_a_broken_server_is_not_asked_for_every_market(extended: Extended) -> None:
    route = respx.get(url__startswith=BASE).respond(503)
    with pytest.raises(ServerFault):
        await answers_of(extended, *(f"M{number}-USD" for number in range(50)))
    assert route.call_count < 20


async def test_the_cost_counts_one_request_for_a_month_of_a_market(extended: Extended) -> None:
    month = [Window(NOON - 720 * HOUR, NOON)]
    cost = extended.cost({"A-USD": month, "B-USD": month})
    assert cost.requests == 2
    assert cost.seconds == pytest.approx(2 / (1000 * 0.8 * 0.9) * 60)
