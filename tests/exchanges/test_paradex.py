import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import respx

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.errors import Drift, ServerFault, Throttled
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.paradex import Paradex, pieces
from fundwatch.models import HOUR, Window

BASE = "https://api.prod.paradex.trade/v1"
MIDNIGHT = 1_790_035_200  # 2026-09-22 00:00 UTC
NOW = MIDNIGHT + 20 * HOUR + 14 * 60
OPENED = MIDNIGHT - 5 * 24 * HOUR
SPOT = 60_000.0
MARKET = "BTC-USD-PERP"
NEVER = Window(0, 0)


def at(hour: float) -> int:
    return int(MIDNIGHT + hour * HOUR)


class StandingClock:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
async def paradex() -> AsyncIterator[Paradex]:
    clock = StandingClock()
    facts = Paradex.facts
    http = Http(name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans())
    yield Paradex(http, clock)
    await http.aclose()


class Venue:
    """The funding index of a market whose rate is 0.0003 for 8 hours at a spot price of 60,000.

    A row every 5 s, none in `silent`, none before `opened`: the documents' own example, 2.25 USDC an hour.
    """

    def __init__(self, *, opened: int = OPENED, silent: Window = NEVER, rate: float = 0.0003) -> None:
        self.opened, self.silent, self.rate = opened, silent, rate
        self.asked: list[int] = []

    def index(self, seconds: float) -> float:
        return 20511.0 + (seconds - self.opened) * self.rate * SPOT / 28800

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        assert params["market"] == MARKET
        assert params["page_size"] == "1"
        assert set(params) == {"market", "page_size", "end_at"}
        boundary = int(params["end_at"]) // 1000
        self.asked.append(boundary)
        stamp = boundary - 2
        if self.silent.start <= stamp < self.silent.end:
            stamp = self.silent.start
        if stamp < self.opened:
            return httpx.Response(200, json={"next": None, "prev": None, "results": []})
        row = {
            "market": MARKET,
            "funding_index": f"{self.index(boundary):.17f}",
            "funding_premium": f"{self.rate * SPOT:.14f}",
            "funding_rate": f"{self.rate:.14f}",
            "funding_rate_8h": "",
            "funding_period_hours": 0,
            "created_at": stamp * 1000 + 327,
        }
        return httpx.Response(200, json={"next": "abc", "prev": None, "results": [row]})


async def settled(paradex: Paradex, *windows: Window) -> Answer:
    [answer] = [answer async for answer in paradex.fetch_settlements({MARKET: windows})]
    return answer


def test_windows_are_cut_at_the_8_hour_grid_but_exactly_to_the_hole() -> None:
    assert pieces([Window(at(3), at(18))]) == [
        Window(at(16), at(18)),
        Window(at(8), at(16)),
        Window(at(3), at(8)),
    ]
    assert pieces([Window(at(7), at(8))]) == [Window(at(7), at(8))]
    assert pieces([Window(at(8), at(9)), Window(at(0), at(1))]) == [
        Window(at(8), at(9)),
        Window(at(0), at(1)),
    ]


@respx.mock
async def test_an_hour_is_the_difference_of_the_index_over_the_spot_price(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").mock(side_effect=Venue())
    answer = await settled(paradex, Window(at(11), at(12)))
    [row] = answer.rows
    assert row.funding_time == at(12)
    assert row.rate == pytest.approx(3.75e-5, rel=1e-9)
    assert row.interval_hours == 1
    assert row.payment_usd == pytest.approx(2.25, rel=1e-9)
    assert answer.answered == ((MARKET, Window(at(11), at(12))),)
    assert not answer.failed
    assert not answer.refused


@respx.mock
async def test_a_day_is_three_rows_of_eight_hours_and_four_lookups(paradex: Paradex) -> None:
    venue = Venue(rate=-0.0003)
    respx.get(f"{BASE}/funding/data").mock(side_effect=venue)
    answer = await settled(paradex, Window(at(-8), at(16)))
    assert [(row.funding_time, row.interval_hours) for row in answer.rows] == [
        (at(0), 8),
        (at(8), 8),
        (at(16), 8),
    ]
    assert [row.rate for row in answer.rows] == pytest.approx([-0.0003] * 3, rel=1e-9)
    assert answer.answered == ((MARKET, Window(at(-8), at(16))),)
    assert len(venue.asked) == 4


@respx.mock
async def test_the_next_hour_costs_one_lookup(paradex: Paradex) -> None:
    venue = Venue()
    respx.get(f"{BASE}/funding/data").mock(side_effect=venue)
    await settled(paradex, Window(at(11), at(12)))
    window = Window(at(12), at(13))
    assert paradex.cost({MARKET: (window,)}).requests == 1
    venue.asked.clear()
    answer = await settled(paradex, window)
    assert venue.asked == [at(13)]
    assert [row.rate for row in answer.rows] == pytest.approx([3.75e-5])


@respx.mock
async def test_what_has_not_passed_is_not_asked(paradex: Paradex) -> None:
    venue = Venue()
    respx.get(f"{BASE}/funding/data").mock(side_effect=venue)
    answer = await settled(paradex, Window(at(19), at(24)))
    assert [row.funding_time for row in answer.rows] == [at(20)]
    assert answer.answered == ((MARKET, Window(at(19), at(20))),)


@respx.mock
async def test_before_its_first_row_a_market_was_not_published(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").mock(side_effect=Venue(opened=at(2.5)))
    answer = await settled(paradex, Window(at(-8), at(8)))
    assert [(row.funding_time, row.interval_hours) for row in answer.rows] == [
        (at(h), 1) for h in range(4, 9)
    ]
    assert sum(row.rate for row in answer.rows) == pytest.approx(5 * 3.75e-5)
    assert answer.answered == ((MARKET, Window(at(-8), at(8))),)
    assert answer.refused == ()


@respx.mock
async def test_a_silence_inside_a_piece_loses_nothing(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").mock(side_effect=Venue(silent=Window(at(9.5), at(11.5))))
    answer = await settled(paradex, Window(at(8), at(16)))
    assert [row.funding_time for row in answer.rows] == [at(16)]
    assert answer.answered == ((MARKET, Window(at(8), at(16))),)


@respx.mock
async def test_a_silence_over_a_boundary_leaves_only_its_hours_open(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").mock(side_effect=Venue(silent=Window(at(15.5), at(16.5))))
    answer = await settled(paradex, Window(at(8), at(20)))
    assert answer.answered == ((MARKET, Window(at(8), at(15))), (MARKET, Window(at(17), at(20))))
    assert sum(row.interval_hours or 0 for row in answer.rows) == 10
    assert sum(row.rate for row in answer.rows) == pytest.approx(10 * 3.75e-5)
    assert "too far" in answer.refused[0].reason


@respx.mock
async def test_no_row_at_all_after_there_were_some_is_not_believed(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").mock(side_effect=Venue())
    await settled(paradex, Window(at(11), at(12)))
    respx.get(f"{BASE}/funding/data").respond(json={"results": []})
    answer = await settled(paradex, Window(at(12), at(13)))
    assert not answer.rows
    assert not answer.answered
    assert len(answer.refused) == 1


@respx.mock
@pytest.mark.parametrize("rate", ["0", "0.00000000100000", "", "NaN"])
async def test_without_a_rate_the_price_comes_from_the_klines(paradex: Paradex, rate: str) -> None:
    venue = Venue()

    def flat(request: httpx.Request) -> httpx.Response:
        answer = json.loads(venue(request).content)
        answer["results"][0]["funding_rate"] = rate
        return httpx.Response(200, json=answer)

    respx.get(f"{BASE}/funding/data").mock(side_effect=flat)
    klines = respx.get(f"{BASE}/markets/klines").respond(
        json={"results": [[at(11) * 1000, 1.0, 2.0, 0.5, 45_000.0, 3.0], [at(12) * 1000, 9, 9, 9, 9, 9]]}
    )
    answer = await settled(paradex, Window(at(11), at(12)))
    assert [row.rate for row in answer.rows] == pytest.approx([2.25 / 45_000])
    params = klines.calls.last.request.url.params
    assert dict(params) == {
        "symbol": MARKET,
        "resolution": "60",
        "start_at": str(at(11) * 1000),
        "end_at": str(at(12) * 1000),
        "price_kind": "underlying",
    }


@respx.mock
async def test_without_any_price_the_hole_stays_open(paradex: Paradex) -> None:
    venue = Venue(rate=0.0)
    respx.get(f"{BASE}/funding/data").mock(side_effect=venue)
    respx.get(f"{BASE}/markets/klines").respond(json={"results": []})
    answer = await settled(paradex, Window(at(11), at(12)))
    assert not answer.rows
    assert not answer.answered
    assert "no price" in answer.refused[0].reason


@respx.mock
@pytest.mark.parametrize(
    "row",
    [
        {"funding_index": None},
        {"funding_index": ""},
        {"funding_index": "NaN"},
        {"funding_index": [1]},
        {"created_at": None},
        {"created_at": 10**40},
        {"created_at": "soon"},
        {"market": "ETH-USD-PERP"},
        {"market": 5},
        {"funding_index": "1e30"},
    ],
)
async def test_a_bad_funding_row_is_refused_and_its_hour_stays_open(
    paradex: Paradex, row: Mapping[str, Any]
) -> None:
    venue = Venue()

    def bad(request: httpx.Request) -> httpx.Response:
        answer = json.loads(venue(request).content)
        if venue.asked[-1] == at(12):
            answer["results"][0].update(row)
        return httpx.Response(200, json=answer)

    respx.get(f"{BASE}/funding/data").mock(side_effect=bad)
    answer = await settled(paradex, Window(at(11), at(12)))
    assert not answer.rows
    assert not answer.answered
    assert [refusal.symbol for refusal in answer.refused] == [MARKET]


@respx.mock
async def test_an_unknown_market_fails_alone(paradex: Paradex) -> None:
    venue = Venue()

    def two(request: httpx.Request) -> httpx.Response:
        if request.url.params["market"] == MARKET:
            return venue(request)
        return httpx.Response(400, json={"error": "VALIDATION_ERROR", "message": "invalid market"})

    respx.get(f"{BASE}/funding/data").mock(side_effect=two)
    window = (Window(at(11), at(12)),)
    answers = [a async for a in paradex.fetch_settlements({"NO-USD-PERP": window, MARKET: window})]
    assert [refusal.symbol for answer in answers for refusal in answer.failed] == ["NO-USD-PERP"]
    assert [row.symbol for answer in answers for row in answer.rows] == [MARKET]


@respx.mock
async def test_a_failure_keeps_what_came_before_it(paradex: Paradex) -> None:
    venue = Venue()

    def failing(request: httpx.Request) -> httpx.Response:
        return venue(request) if int(request.url.params["end_at"]) >= at(8) * 1000 else httpx.Response(503)

    respx.get(f"{BASE}/funding/data").mock(side_effect=failing)
    answer = await settled(paradex, Window(at(0), at(16)))
    assert [row.funding_time for row in answer.rows] == [at(16)]
    assert answer.answered == ((MARKET, Window(at(8), at(16))),)
    assert [refusal.symbol for refusal in answer.failed] == [MARKET]


@respx.mock
async def test_too_many_requests_ends_the_work(paradex: Paradex) -> None:
    respx.get(f"{BASE}/funding/data").respond(429, headers={"Retry-After": "60"})
    with pytest.raises(Throttled):
        await settled(paradex, Window(at(11), at(12)))


def perp(symbol: str = MARKET, **changes: Any) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "base_currency": symbol.partition("-")[0],
        "asset_kind": "PERP",
        "funding_period_hours": 8,
        "max_funding_rate": "0.05",
        "open_at": 1_698_756_879_745,
        **changes,
    }


@respx.mock
async def test_the_list_is_asked_before_the_first_quotes_and_remembered(paradex: Paradex) -> None:
    option = perp("BTC-USD-25JUN27-86000-C", asset_kind="OPTION")
    lists = respx.get(f"{BASE}/markets").respond(json={"results": [perp(), option, perp("ETH-USD-PERP")]})
    row = {"symbol": MARKET, "funding_rate": "0.00007688102642", "created_at": 1, "bid": "1"}
    summary = respx.get(f"{BASE}/markets/summary", params={"market": "ALL"}).respond(
        json={"results": [row, {"symbol": "BTC-USD-25JUN27-86000-C", "funding_rate": ""}]}
    )
    for _ in range(2):
        quotes = await paradex.fetch_quotes()
        assert [(q.symbol, q.observed_at) for q in quotes.quotes] == [(MARKET, NOW)]
        assert [refusal.symbol for refusal in quotes.refused] == ["ETH-USD-PERP"]
    assert (lists.call_count, summary.call_count) == (1, 2)
    listed = await paradex.fetch_markets()
    assert [market.symbol for market in listed.markets] == [MARKET, "ETH-USD-PERP"]


@respx.mock
async def test_a_list_without_perpetuals_is_drift(paradex: Paradex) -> None:
    respx.get(f"{BASE}/markets").respond(json={"results": [perp(asset_kind="PERP_OPTION")]})
    with pytest.raises(Drift):
        await paradex.fetch_markets()


@respx.mock
async def test_a_server_error_of_the_list_is_raised(paradex: Paradex) -> None:
    respx.get(f"{BASE}/markets").respond(503)
    with pytest.raises(ServerFault):
        await paradex.fetch_markets()
