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
from fundwatch.exchanges.errors import Drift, Refused, Throttled
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.lighter import (
    Lighter,
    parse_fundings,
    parse_markets,
    parse_quotes,
)
from fundwatch.models import HOUR, Refusal, Window

BASE = Lighter.facts.base_url
NOON = 1_778_716_800 // HOUR * HOUR
"""A full hour of 2026-05."""

NOW = NOON + 120


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
async def lighter() -> AsyncIterator[Lighter]:
    clock, facts = FakeClock(), Lighter.facts
    http = Http(name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans())
    yield Lighter(http, clock)
    await http.aclose()


def body(**fields: Any) -> bytes:
    return json.dumps({"code": 200, **fields}).encode()


def details(symbol: str, market_id: int, **fields: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "market_id": market_id,
        "market_type": "perp",
        "status": "active",
        "created_at": "1736000000000",
        "mark_price": "2000.0",
        "index_price": "2001.5",
        "last_trade_price": 1999.0,
        "open_interest": 10.5,
        "daily_quote_token_volume": 123456.5,
        "daily_chart": {},
        **fields,
    }


def estimate(market_id: int, rate: object, exchange: str = "lighter", symbol: str = "X") -> dict[str, Any]:
    return {"market_id": market_id, "exchange": exchange, "symbol": symbol, "rate": rate}


def funding(hour: int, rate: object = "0.0012", direction: object = "long", **fields: Any) -> dict[str, Any]:
    """A settlement `hour` hours after noon at a price of 2000 USD."""
    return {
        "timestamp": NOON + hour * HOUR,
        "value": f"{float(str(rate)) / 100 * 2000:.8f}" if str(rate).replace(".", "").isdigit() else "0",
        "rate": rate,
        "direction": direction,
        **fields,
    }


BOOK = body(order_book_details=[details("ETH", 0), details("BTC", 1)], spot_order_book_details=[])
RATES = body(funding_rates=[estimate(0, 0.00009599999999999999), estimate(1, -0.00016)])


def serve(path: str, answer: bytes | Callable[[httpx.Request], httpx.Response]) -> respx.Route:
    route = respx.get(f"{BASE}/api/v1/{path}")
    if isinstance(answer, bytes):
        return route.respond(200, content=answer)
    return route.mock(side_effect=answer)


async def answers_of(exchange: Lighter, *wanted: str, hours: int = 3, until: int = 0) -> list[Answer]:
    window = Window(NOON + (until - hours) * HOUR, NOON + until * HOUR)
    return [a async for a in exchange.fetch_settlements({symbol: [window] for symbol in wanted})]


# Market list


def test_eth_has_the_number_zero_and_is_listed() -> None:
    eth = parse_markets(BOOK).markets[0]
    assert (eth.symbol, eth.venue_id, eth.asset.ticker) == ("ETH", 0, "ETH")
    assert eth.listed_time == 1736000000


def test_only_perpetuals_that_trade_are_listed_and_ended_ones_are_closed() -> None:
    rows = [
        details("A", 1),
        details("B", 2, status="inactive"),
        details("C", 3, status="settled"),
        details("D/USDC", 4, market_type="spot"),
        details("E", 5, market_type="binary_options"),
    ]
    listing = parse_markets(body(order_book_details=rows, spot_order_book_details=[details("F", 2048)]))
    assert [m.symbol for m in listing.markets] == ["A"]
    assert listing.closed == {"B", "C"}
    assert listing.refused == ()


def test_a_row_of_the_old_schema_is_a_perpetual_without_a_mark_price() -> None:
    row = details("SYRUP", 44)
    for field in ("market_type", "mark_price", "index_price", "created_at"):
        del row[field]
    book = body(order_book_details=[row])
    (quote,) = parse_quotes(book, body(funding_rates=[estimate(44, 0.0001)]), NOW).quotes
    assert quote.mark_price is None
    assert quote.open_interest_usd is None
    assert quote.volume_24h_usd == 123456.5
    assert quote.hourly_rate == pytest.approx(0.0000125)


@pytest.mark.parametrize("order", [1, -1])
def test_a_symbol_that_was_listed_anew_is_not_closed(order: int) -> None:
    rows = [details("A", 1, status="settled"), details("A", 200)][::order]
    listing = parse_markets(body(order_book_details=rows))
    assert [(m.symbol, m.venue_id) for m in listing.markets] == [("A", 200)]
    assert listing.closed == frozenset()
    assert listing.refused == ()


@pytest.mark.parametrize(("symbol", "market_id"), [("A", 2), ("B", 1)])
def test_a_market_listed_twice_is_refused_once(symbol: str, market_id: int) -> None:
    listing = parse_markets(body(order_book_details=[details("A", 1), details(symbol, market_id)]))
    assert [m.venue_id for m in listing.markets] == [1]
    assert listing.refused == (Refusal(symbol, "listed twice"),)


def test_an_unknown_status_is_refused_by_name() -> None:
    listing = parse_markets(body(order_book_details=[details("A", 1, status="resting")]))
    assert listing.markets == ()
    assert listing.refused[0].symbol == "A"
    assert "resting" in listing.refused[0].reason


# Quotes


def test_a_quote_has_every_unit_right() -> None:
    eth, btc = parse_quotes(BOOK, RATES, NOW).quotes
    assert eth.hourly_rate == pytest.approx(0.000012)
    assert eth.interval_hours == 1.0
    assert eth.next_funding_time == NOON + HOUR
    assert (eth.mark_price, eth.index_price) == (2000.0, 2001.5)
    assert eth.open_interest_usd == 21000.0
    assert eth.volume_24h_usd == 123456.5
    assert eth.hourly_rate_cap == 0.005
    assert eth.observed_at == NOW
    assert btc.hourly_rate == pytest.approx(-0.00002)


def test_the_next_payment_after_a_full_hour_is_a_whole_hour_away() -> None:
    assert parse_quotes(BOOK, RATES, NOON).quotes[0].next_funding_time == NOON + HOUR


def test_the_rates_of_other_exchanges_are_not_lighters() -> None:
    rates = body(
        funding_rates=[
            estimate(0, 0.5, "binance"),
            estimate(0, 0.000096),
            estimate(0, 0.7, "hyperliquid"),
            estimate(1, 0.3, "bybit"),
        ]
    )
    eth, btc = parse_quotes(BOOK, rates, NOW).quotes
    assert eth.hourly_rate == pytest.approx(0.000012)
    assert btc.hourly_rate is None


def test_the_rates_of_other_exchanges_are_a_second_opinion_by_ticker() -> None:
    rates = body(
        funding_rates=[
            estimate(0, 0.000096),
            estimate(9, 0.0001, "binance", "1000PEPE"),
            estimate(8, -0.0008, "hyperliquid", "ETH"),
            estimate(7, "NaN", "hyperliquid", "BTC"),
            estimate(6, 0.5, "hyperliquid", "X\x1b[31m"),
        ]
    )
    assert parse_quotes(BOOK, rates, NOW).relayed == {
        "binance": {"PEPE": pytest.approx(0.0000125)},
        "hyperliquid": {"ETH": pytest.approx(-0.0001)},
    }


def test_an_answer_without_any_rate_of_lighter_is_drift() -> None:
    with pytest.raises(Drift, match="no rate of Lighter"):
        parse_quotes(BOOK, body(funding_rates=[estimate(0, 0.1, "binance")]), NOW)


def test_a_missing_rate_is_none_not_zero() -> None:
    eth, btc = parse_quotes(BOOK, body(funding_rates=[estimate(0, 0.000096)]), NOW).quotes
    assert eth.hourly_rate is not None
    assert btc.hourly_rate is None


def test_two_different_rates_for_one_market_are_refused() -> None:
    rates = body(funding_rates=[estimate(0, 0.1, symbol="ETH"), estimate(0, 0.2), estimate(1, 0.0)])
    quotes = parse_quotes(BOOK, rates, NOW)
    assert [q.symbol for q in quotes.quotes] == ["BTC"]
    assert quotes.quotes[0].hourly_rate == 0.0
    assert len(quotes.refused) == 1


MALFORMED: list[object] = [None, "", "NaN", "Infinity", "1e999", [], [[1]], {}, True, 10**25]
MALFORMED += ["0x10", "\x1b[2J", "1,5", "9" * 99]


@pytest.mark.parametrize("value", [*MALFORMED, 1.0])
def test_a_malformed_or_absurd_rate_is_refused_and_its_neighbour_kept(value: object) -> None:
    rates = body(funding_rates=[estimate(0, value, symbol="ETH"), estimate(1, 0.0001)])
    quotes = parse_quotes(BOOK, rates, NOW)
    assert [q.symbol for q in quotes.quotes] == ["BTC"]
    assert [r.symbol for r in quotes.refused] == ["ETH"]


@pytest.mark.parametrize("value", [*(v for v in MALFORMED if v != 10**25), "-3", -3])
@pytest.mark.parametrize("field", ["mark_price", "index_price", "open_interest", "daily_quote_token_volume"])
def test_a_malformed_price_or_size_is_none(field: str, value: object) -> None:
    book = body(order_book_details=[details("ETH", 0, **{field: value})])
    (quote,) = parse_quotes(book, body(funding_rates=[estimate(0, 0.0001)]), NOW).quotes
    shown = {
        "mark_price": quote.mark_price,
        "index_price": quote.index_price,
        "open_interest": quote.open_interest_usd,
        "daily_quote_token_volume": quote.volume_24h_usd,
    }
    assert shown[field] is None
    assert quote.hourly_rate is not None


@pytest.mark.parametrize("value", [v for v in MALFORMED if v not in ("NaN", "Infinity", "1e999", "0x10")])
def test_a_malformed_symbol_refuses_the_row_and_keeps_its_neighbour(value: object) -> None:
    rows = [details("ETH", 0) | {"symbol": value}, details("BTC", 1)]
    listing = parse_markets(body(order_book_details=rows))
    assert [m.symbol for m in listing.markets] == ["BTC"]
    (refusal,) = listing.refused
    assert "\x1b" not in refusal.symbol
    assert len(refusal.symbol) <= 64


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("field", ["market_id", "status"])
def test_a_malformed_number_or_status_refuses_the_row_by_name(field: str, value: object) -> None:
    rows = [details("ETH", 0) | {field: value}, details("BTC", 1)]
    listing = parse_markets(body(order_book_details=rows))
    assert [m.symbol for m in listing.markets] == ["BTC"]
    assert [r.symbol for r in listing.refused] == ["ETH"]
    assert "\x1b" not in listing.refused[0].reason


@pytest.mark.parametrize("value", [None, [], {}, True, 1])
def test_a_malformed_market_type_refuses_the_row_by_name(value: object) -> None:
    listing = parse_markets(body(order_book_details=[details("ETH", 0, market_type=value)]))
    assert [r.symbol for r in listing.refused] == ["ETH"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(details("A", 1))), json_values))
def test_no_row_of_the_list_can_harm_its_neighbour(damage: dict[str, Any]) -> None:
    book = body(order_book_details=[details("A", 1) | damage, details("BTC", 1_999_999_999)])
    quotes = parse_quotes(book, body(funding_rates=[estimate(1_999_999_999, 0.0001)]), NOW)
    assert "BTC" in [q.symbol for q in quotes.quotes]


@given(st.dictionaries(st.sampled_from(["timestamp", "value", "rate", "direction"]), json_values))
def test_no_settlement_row_can_harm_its_neighbour(damage: dict[str, Any]) -> None:
    page = parse_fundings(body(fundings=[funding(-1) | damage, funding(0)]), "ETH", NOW)
    assert NOON in [r.funding_time for r in page.rows]
    assert len(page.rows) + len(page.refused) == 2


# Settlements


def test_a_settlement_has_its_hour_its_sign_and_its_payment() -> None:
    answer = body(
        fundings=[
            {"timestamp": 1778702400, "value": "0.02707872", "rate": "0.0012", "direction": "long"},
            {"timestamp": 1778706000, "value": "0.00452778", "rate": "0.0002", "direction": "short"},
        ]
    )
    first, second = parse_fundings(answer, "ETH", NOW, mark_price=2256.0).rows
    assert (first.symbol, first.funding_time, first.interval_hours) == ("ETH", 1778702400, 1.0)
    assert first.rate == pytest.approx(0.000012)
    assert first.payment_usd == 0.02707872
    assert second.rate == pytest.approx(-0.000002)
    assert second.payment_usd == -0.00452778


def test_a_missing_value_costs_the_payment_not_the_row() -> None:
    (row,) = parse_fundings(body(fundings=[funding(0, value=None)]), "ETH", NOW).rows
    assert row.payment_usd is None


@pytest.mark.parametrize("value", [*MALFORMED, "-0.0012", "11"])
def test_a_malformed_settled_rate_is_refused(value: object) -> None:
    page = parse_fundings(body(fundings=[funding(0, rate=value)]), "ETH", NOW)
    assert page.rows == ()
    assert [r.symbol for r in page.refused] == ["ETH"]
    assert page.hours == {NOON}


@pytest.mark.parametrize("value", [*MALFORMED, "up"])
def test_a_row_of_unknown_direction_is_refused(value: object) -> None:
    page = parse_fundings(body(fundings=[funding(0, direction=value)]), "ETH", NOW)
    assert page.rows == ()
    assert len(page.refused) == 1


@pytest.mark.parametrize("stamp", [*MALFORMED, NOON * 1000, 0, NOON + 1800])
def test_a_stamp_that_is_no_hour_in_seconds_is_refused(stamp: object) -> None:
    page = parse_fundings(body(fundings=[funding(0, timestamp=stamp)]), "ETH", NOW)
    assert page.rows == ()
    assert len(page.refused) == 1


def test_a_stamp_a_little_after_the_hour_is_that_hour() -> None:
    (row,) = parse_fundings(body(fundings=[funding(0, timestamp=NOON + 1)]), "ETH", NOW).rows
    assert row.funding_time == NOON


@pytest.mark.parametrize("factor", [100, 8, 24, 1 / 100])
def test_rates_in_another_unit_refuse_the_whole_answer(factor: float) -> None:
    rows = [funding(h, value=f"{0.000012 * 2000 * factor:.8f}") for h in range(-5, 1)]
    with pytest.raises(Refused, match=f"imply {factor:.4g} times"):
        parse_fundings(body(fundings=rows), "ETH", NOW, mark_price=2000.0)


def test_one_odd_payment_does_not_refuse_an_answer() -> None:
    rows = [funding(-2), funding(-1, value="99"), funding(0)]
    assert len(parse_fundings(body(fundings=rows), "ETH", NOW, mark_price=2000.0).rows) == 3


def test_rates_too_small_to_tell_a_price_are_not_checked() -> None:
    rows = [funding(0, rate="0.0009", value="99")]
    assert len(parse_fundings(body(fundings=rows), "ETH", NOW, mark_price=2000.0).rows) == 1


def test_a_price_of_long_ago_may_differ_more_but_not_a_hundredfold() -> None:
    old = -60 * 24
    assert parse_fundings(body(fundings=[funding(old)]), "ETH", NOW, mark_price=100.0).rows
    with pytest.raises(Refused, match="in doubt"):
        parse_fundings(body(fundings=[funding(old)]), "ETH", NOW, mark_price=20.0)


# Errors inside answers


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b'{"code":20001,"message":"invalid param"}', r"invalid param \(20001\)"),
        (b'{"code":22400,"message":"end <= start","fundings":[]}', "22400"),
        (b'{"code":null,"message":"\\u001b[31mbad"}', "bad"),
    ],
)
def test_an_error_inside_a_200_is_refused_in_its_own_words(answer: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        parse_fundings(answer, "ETH", NOW)
    assert "\x1b" not in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [b'{"code":200}', b'{"code":200,"fundings":{}}', b"[]", b"null", b'{"code":200,"fundings":null}'],
)
def test_another_envelope_is_drift(answer: bytes) -> None:
    with pytest.raises(Drift):
        parse_fundings(answer, "ETH", NOW)


@respx.mock
@pytest.mark.parametrize(("status", "pause"), [(200, 60), (400, 30)])
async def test_too_many_requests_inside_an_answer_is_a_ban(lighter: Lighter, status: int, pause: int) -> None:
    limited = b'{"code":23000,"message":"Too Many Requests!"}'
    route = respx.get(f"{BASE}/api/v1/orderBookDetails").respond(status, content=limited)
    with pytest.raises(Throttled) as throttled:
        await lighter.fetch_markets()
    assert throttled.value.retry_at is not None
    assert pause <= throttled.value.retry_at - NOW <= 75
    with pytest.raises(Throttled):
        await lighter.fetch_quotes()
    assert route.call_count == 1


# Over HTTP


@respx.mock
async def test_quotes_cost_two_requests_and_renew_the_list(lighter: Lighter) -> None:
    book, rates = serve("orderBookDetails", BOOK), serve("funding-rates", RATES)
    quotes = await lighter.fetch_quotes()
    assert [q.symbol for q in quotes.quotes] == ["ETH", "BTC"]
    assert lighter.http.requests == 2
    assert dict(book.calls.last.request.url.params) == {"filter": "perp"}
    assert dict(rates.calls.last.request.url.params) == {}
    assert lighter.cost({"ETH": [Window(NOON - HOUR, NOON)]}).requests == 1


@respx.mock
async def test_the_list_costs_one_request(lighter: Lighter) -> None:
    serve("orderBookDetails", BOOK)
    assert [m.symbol for m in (await lighter.fetch_markets()).markets] == ["ETH", "BTC"]
    assert lighter.http.requests == 1


def served(hours: range, cap: int = 1000) -> Callable[[httpx.Request], httpx.Response]:
    """/fundings as documented: start inclusive, end exclusive, at most `cap` rows, the newest."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        start, end = int(asked["start_timestamp"]), int(asked["end_timestamp"])
        rows = [r for h in hours if start <= (r := funding(h))["timestamp"] < end]
        return httpx.Response(200, content=body(resolution="1h", fundings=rows[-cap:]))

    return answer


@respx.mock
async def test_settlements_name_all_five_parameters_and_include_the_last_hour(lighter: Lighter) -> None:
    serve("orderBookDetails", BOOK)
    route = serve("fundings", served(range(-50, 1)))
    (answer,) = await answers_of(lighter, "ETH")
    assert dict(route.calls.last.request.url.params) == {
        "market_id": "0",
        "resolution": "1h",
        "start_timestamp": str(NOON - 3 * HOUR),
        "end_timestamp": str(NOON + HOUR),
        "count_back": "4",
    }
    assert [r.funding_time for r in answer.rows] == [NOON - 2 * HOUR, NOON - HOUR, NOON]
    assert answer.answered == (("ETH", Window(NOON - 3 * HOUR, NOON)),)


@respx.mock
async def test_a_month_arrives_in_one_request_or_by_pages(lighter: Lighter) -> None:
    serve("orderBookDetails", BOOK)
    route = serve("fundings", served(range(-2000, 1)))
    (answer,) = await answers_of(lighter, "BTC", hours=720)
    assert len(answer.rows) == 720
    assert route.call_count == 1
    serve("fundings", served(range(-2000, 1), cap=100))
    (answer,) = await answers_of(lighter, "BTC", hours=720)
    assert len(answer.rows) == 720
    assert answer.answered == (("BTC", Window(NOON - 720 * HOUR, NOON)),)


@respx.mock
async def test_a_known_list_is_not_fetched_again_for_settlements(lighter: Lighter) -> None:
    book = serve("orderBookDetails", BOOK)
    serve("fundings", served(range(-50, 1)))
    await lighter.fetch_markets()
    await answers_of(lighter, "ETH", "BTC")
    assert book.call_count == 1


@respx.mock
async def test_a_symbol_that_is_not_listed_fails_alone(lighter: Lighter) -> None:
    serve("orderBookDetails", BOOK)
    serve("fundings", served(range(-50, 1)))
    answers = await answers_of(lighter, "GONE", "ETH")
    assert [f.symbol for a in answers for f in a.failed] == ["GONE"]
    assert [s for a in answers for s, _ in a.answered] == ["ETH"]


@respx.mock
async def test_nothing_wanted_costs_nothing(lighter: Lighter) -> None:
    assert await answers_of(lighter) == []
    assert lighter.http.requests == 0


@respx.mock
async def test_a_closed_market_can_still_be_asked_for_its_past(lighter: Lighter) -> None:
    serve("orderBookDetails", body(order_book_details=[details("OLD", 9, status="settled")]))
    serve("fundings", served(range(-50, 1)))
    (answer,) = await answers_of(lighter, "OLD")
    assert len(answer.rows) == 3


@respx.mock
async def test_a_market_in_another_unit_fails_and_names_the_factor(lighter: Lighter) -> None:
    serve("orderBookDetails", body(order_book_details=[details("ETH", 0, mark_price="20")]))
    serve("fundings", served(range(-50, 1)))
    (answer,) = await answers_of(lighter, "ETH")
    assert answer.rows == ()
    assert "100 times" in answer.failed[0].reason


@respx.mock
async def test_a_ban_in_the_middle_ends_the_fetching(lighter: Lighter) -> None:
    serve("orderBookDetails", BOOK)
    respx.get(f"{BASE}/api/v1/fundings").respond(429)
    with pytest.raises(Throttled):
        await answers_of(lighter, "ETH", "BTC")


@respx.mock
async def test_the_cost_counts_requests_and_the_list_that_is_not_known_yet(lighter: Lighter) -> None:
    windows = [Window(NOON - 721 * HOUR, NOON - 700 * HOUR), Window(NOON - HOUR, NOON)]
    cost = lighter.cost({"ETH": windows, "BTC": windows[1:]})
    assert cost.requests == 4
    assert cost.seconds == pytest.approx(4 / (60 * 0.8 * 0.9) * 60)
    assert lighter.cost({}).requests == 0
