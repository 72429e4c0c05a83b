import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import respx

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Answer, Options
from fundwatch.exchanges.errors import Banned, Drift, ServerFault, Throttled
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.hyperliquid import Hyperliquid
from fundwatch.models import HOUR, Window

INFO = "https://api.hyperliquid.xyz/info"
HOUR_AT = 1_789_999_200  # a full hour
NOW = HOUR_AT + 20 * 60


class Clock:
    """Stands still, except for what is slept."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return self.slept

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        await asyncio.sleep(0)


@pytest.fixture
async def door() -> AsyncIterator[Callable[..., Hyperliquid]]:
    opened: list[Http] = []

    def open_door(*dexes: str) -> Hyperliquid:
        facts, clock = Hyperliquid.facts, Clock()
        opened.append(
            Http(
                name=facts.name, base_url=facts.base_url, limits=facts.limits, clock=clock, bans=MemoryBans()
            )
        )
        return Hyperliquid(opened[-1], clock, Options(dexes=dexes or ("*",)))

    yield open_door
    for http in opened:
        await http.aclose()


class Venue:
    """Dexes with their coins, and an hourly payment of 0.0000125 from `since` on for each of them."""

    def __init__(self, since: int = 0) -> None:
        self.coins = {"": ["BTC", "ETH"], "xyz": ["xyz:TSLA", "xyz:GOLD"], "io": [], "hyna": ["hyna:BTC"]}
        self.broken: dict[str, httpx.Response] = {}
        self.since = since
        self.late_ms = 76
        self.asked: list[dict[str, Any]] = []

    def dexes_asked(self) -> list[str]:
        return sorted(q["dex"] for q in self.asked if q["type"] == "metaAndAssetCtxs")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        question = json.loads(request.content)
        self.asked.append(question)
        if question["type"] == "perpDexs":
            return httpx.Response(200, json=[None, *({"name": dex} for dex in self.coins if dex)])
        if question["type"] == "fundingHistory":
            return self._history(**question)
        if broken := self.broken.get(question["dex"]):
            return broken
        names = self.coins[question["dex"]]
        contexts = [{"funding": "0.0000125", "markPx": "10", "openInterest": "5"} for _ in names]
        return httpx.Response(200, json=[{"universe": [{"name": name} for name in names]}, contexts])

    def _history(self, type: str, coin: str, startTime: int, endTime: int) -> httpx.Response:
        if coin in self.broken:
            return self.broken[coin]
        if not any(coin in names for names in self.coins.values()):
            return httpx.Response(200, json=None)
        first = max(self.since * 1000, startTime)
        hour = -(-(first - self.late_ms) // (HOUR * 1000)) * HOUR
        rows: list[dict[str, Any]] = []
        while hour * 1000 + self.late_ms <= min(endTime, NOW * 1000) and len(rows) < 500:
            rows.append({"coin": coin, "fundingRate": "0.0000125", "time": hour * 1000 + self.late_ms})
            hour += HOUR
        return httpx.Response(200, json=rows)


Door = Callable[..., Hyperliquid]


async def settled(exchange: Hyperliquid, symbol: str, *windows: Window) -> Answer:
    [answer] = [answer async for answer in exchange.fetch_settlements({symbol: windows})]
    return answer


@respx.mock
async def test_the_list_holds_the_markets_of_all_dexes(door: Door) -> None:
    respx.post(INFO).mock(side_effect=Venue())
    listing = await door().fetch_markets()
    assert [(m.symbol, m.group) for m in listing.markets] == [
        ("BTC", ""),
        ("ETH", ""),
        ("xyz:TSLA", "xyz"),
        ("xyz:GOLD", "xyz"),
        ("hyna:BTC", "hyna"),
    ]
    assert listing.refused == ()


@respx.mock
async def test_quotes_leave_out_dexes_without_a_live_market(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    exchange = door()
    await exchange.fetch_markets()
    assert venue.dexes_asked() == ["", "hyna", "io", "xyz"]
    venue.asked.clear()
    quotes = await exchange.fetch_quotes()
    assert [q["type"] for q in venue.asked] == ["metaAndAssetCtxs"] * 3
    assert venue.dexes_asked() == ["", "hyna", "xyz"]
    assert len(quotes.quotes) == 5
    assert quotes.quotes[0].observed_at == NOW
    assert quotes.refused == ()


@respx.mock
async def test_quotes_need_no_list_first(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    assert len((await door().fetch_quotes()).quotes) == 5
    assert len(venue.asked) == 5


@respx.mock
async def test_dexes_can_be_chosen_by_name(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    listing = await door("xyz", "nope").fetch_markets()
    assert {market.group for market in listing.markets} == {"", "xyz"}
    assert [(r.symbol, r.reason) for r in listing.refused] == [("nope:*", "no such dex")]


@respx.mock
async def test_without_builder_dexes_one_request_is_enough(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    listing = await door("").fetch_markets()
    assert [market.symbol for market in listing.markets] == ["BTC", "ETH"]
    assert len(venue.asked) == 1


@respx.mock
async def test_markets_of_a_dex_that_fails_are_refused_by_name(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    exchange = door()
    await exchange.fetch_markets()
    venue.broken["xyz"] = httpx.Response(422, json={"error": "no"})
    quotes = await exchange.fetch_quotes()
    assert {quote.symbol for quote in quotes.quotes} == {"BTC", "ETH", "hyna:BTC"}
    assert [refusal.symbol for refusal in quotes.refused] == ["xyz:TSLA", "xyz:GOLD"]
    assert [refusal.symbol for refusal in (await exchange.fetch_markets()).refused] == [
        "xyz:TSLA",
        "xyz:GOLD",
    ]


@respx.mock
async def test_a_dex_that_never_answered_is_refused_as_a_whole_on_every_pass(door: Door) -> None:
    venue = Venue()
    venue.broken["xyz"] = httpx.Response(200, json={"no": "list"})
    respx.post(INFO).mock(side_effect=venue)
    exchange = door()
    assert [refusal.symbol for refusal in (await exchange.fetch_markets()).refused] == ["xyz:*"]
    assert [refusal.symbol for refusal in (await exchange.fetch_quotes()).refused] == ["xyz:*"]
    venue.broken.clear()
    await exchange.fetch_markets()
    assert (await exchange.fetch_quotes()).refused == ()


@respx.mock
async def test_without_the_main_dex_all_has_failed(door: Door) -> None:
    venue = Venue()
    venue.broken[""] = httpx.Response(500)
    respx.post(INFO).mock(side_effect=venue)
    with pytest.raises(ServerFault):
        await door().fetch_markets()


@respx.mock
async def test_too_many_requests_on_a_builder_dex_ends_the_pass(door: Door) -> None:
    venue = Venue()
    venue.broken["xyz"] = httpx.Response(429, headers={"Retry-After": "60"})
    respx.post(INFO).mock(side_effect=venue)
    with pytest.raises(Throttled):
        await door().fetch_markets()


@respx.mock
async def test_an_empty_main_dex_is_drift_and_not_the_end_of_all_markets(door: Door) -> None:
    venue = Venue()
    venue.coins[""] = []
    respx.post(INFO).mock(side_effect=venue)
    with pytest.raises(Drift):
        await door().fetch_markets()


@respx.mock
async def test_a_listed_market_missing_from_the_answer_is_refused(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    exchange = door()
    await exchange.fetch_markets()
    venue.coins[""] = ["ETH", "NEW"]
    quotes = await exchange.fetch_quotes()
    assert ("BTC", "not in the answer") in [(r.symbol, r.reason) for r in quotes.refused]
    assert "NEW" not in [quote.symbol for quote in quotes.quotes]


@respx.mock
@pytest.mark.parametrize("late_ms", [0, 76, 400_000])
async def test_a_window_is_settled_whatever_the_jitter_of_stamps(door: Door, late_ms: int) -> None:
    venue = Venue()
    venue.late_ms = late_ms
    respx.post(INFO).mock(side_effect=venue)
    window = Window(HOUR_AT - 3 * HOUR, HOUR_AT)
    answer = await settled(door(), "xyz:TSLA", window)
    assert [(row.funding_time, row.rate, row.interval_hours) for row in answer.rows] == [
        (HOUR_AT - 2 * HOUR, 0.0000125, 1),
        (HOUR_AT - HOUR, 0.0000125, 1),
        (HOUR_AT, 0.0000125, 1),
    ]
    assert answer.answered == (("xyz:TSLA", window),)
    assert not answer.refused
    [question] = venue.asked
    assert question == {
        "type": "fundingHistory",
        "coin": "xyz:TSLA",
        "startTime": (HOUR_AT - 2 * HOUR - 60) * 1000,
        "endTime": (HOUR_AT + 15 * 60) * 1000,
    }


@respx.mock
async def test_a_month_is_asked_in_two_pages_newest_first(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    exchange = door()
    month = Window(HOUR_AT - 720 * HOUR, HOUR_AT)
    cost = exchange.cost({"BTC": (month,)})
    assert cost.requests == 2
    assert cost.seconds == pytest.approx((40 + 36) / (1200 * 0.8 * 0.9) * 60)
    answer = await settled(exchange, "BTC", month)
    assert len(answer.rows) == 720
    assert [row.funding_time for row in answer.rows] == sorted({row.funding_time for row in answer.rows})
    assert venue.asked[0]["endTime"] > venue.asked[1]["endTime"]
    assert sum(window.hours for _, window in answer.answered) == 720


@respx.mock
async def test_hours_before_the_listing_were_not_published(door: Door) -> None:
    respx.post(INFO).mock(side_effect=Venue(since=HOUR_AT - 2 * HOUR))
    window = Window(HOUR_AT - 600 * HOUR, HOUR_AT)
    answer = await settled(door(), "BTC", window)
    assert len(answer.rows) == 3
    assert sum(window.hours for _, window in answer.answered) == 600
    assert not answer.failed


@respx.mock
async def test_an_unknown_coin_fails_and_answers_nothing(door: Door) -> None:
    respx.post(INFO).mock(side_effect=Venue())
    answer = await settled(door(), "KPEPE", Window(HOUR_AT - HOUR, HOUR_AT))
    assert [refusal.symbol for refusal in answer.failed] == ["KPEPE"]
    assert not answer.answered


@respx.mock
async def test_no_rows_are_an_answer_only_for_a_coin_that_exists(door: Door) -> None:
    venue = Venue(since=HOUR_AT + HOUR)
    respx.post(INFO).mock(side_effect=venue)
    exchange, window = door(), Window(HOUR_AT - HOUR, HOUR_AT)
    assert (await settled(exchange, "BTC", window)).failed
    await exchange.fetch_markets()
    answer = await settled(exchange, "BTC", window)
    assert not answer.failed
    assert answer.answered == (("BTC", window),)


@respx.mock
async def test_an_hour_that_may_still_be_published_stays_open(door: Door) -> None:
    venue = Venue()
    respx.post(INFO).mock(side_effect=venue)
    answer = await settled(door(), "BTC", Window(HOUR_AT - HOUR, HOUR_AT + HOUR))
    assert [row.funding_time for row in answer.rows] == [HOUR_AT]
    assert answer.answered == (("BTC", Window(HOUR_AT - HOUR, HOUR_AT)),)


@respx.mock
async def test_a_full_answer_settles_only_up_to_its_last_row(door: Door) -> None:
    rows = [
        {"coin": "BTC", "fundingRate": "0.0000125", "time": (HOUR_AT - (10 - n // 100) * HOUR) * 1000 + n}
        for n in range(500)
    ]
    respx.post(INFO).respond(json=rows)
    answer = await settled(door(), "BTC", Window(HOUR_AT - 11 * HOUR, HOUR_AT))
    assert answer.answered == (("BTC", Window(HOUR_AT - 11 * HOUR, HOUR_AT - 6 * HOUR)),)


@respx.mock
async def test_a_refused_row_leaves_its_hour_open(door: Door) -> None:
    rows = [
        {"coin": "BTC", "fundingRate": "0.0000125", "time": (HOUR_AT - HOUR) * 1000},
        {"coin": "BTC", "fundingRate": "", "time": HOUR_AT * 1000},
    ]
    respx.post(INFO).respond(json=rows)
    answer = await settled(door(), "BTC", Window(HOUR_AT - 2 * HOUR, HOUR_AT))
    assert answer.answered == (("BTC", Window(HOUR_AT - 2 * HOUR, HOUR_AT - HOUR)),)
    assert [refusal.reason for refusal in answer.refused] == ["fundingRate is missing"]


@respx.mock
async def test_a_failure_on_an_older_page_keeps_the_newer_one(door: Door) -> None:
    venue = Venue()

    def failing(request: httpx.Request) -> httpx.Response:
        older = json.loads(request.content)["endTime"] < (HOUR_AT - 300 * HOUR) * 1000
        return httpx.Response(502) if older else venue(request)

    respx.post(INFO).mock(side_effect=failing)
    answer = await settled(door(), "BTC", Window(HOUR_AT - 720 * HOUR, HOUR_AT))
    assert len(answer.rows) == 480
    assert [refusal.symbol for refusal in answer.failed] == ["BTC"]
    assert sum(window.hours for _, window in answer.answered) == 480


@respx.mock
async def test_one_coins_trouble_is_its_own_and_a_ban_is_everybodys(door: Door) -> None:
    venue = Venue()
    venue.broken["ETH"] = httpx.Response(422, json={"error": "no"})
    respx.post(INFO).mock(side_effect=venue)
    window = (Window(HOUR_AT - HOUR, HOUR_AT),)
    wanted = dict.fromkeys(["BTC", "ETH", "xyz:TSLA"], window)
    answers = [answer async for answer in door().fetch_settlements(wanted)]
    assert {row.symbol for answer in answers for row in answer.rows} == {"BTC", "xyz:TSLA"}
    assert [refusal.symbol for answer in answers for refusal in answer.failed] == ["ETH"]
    venue.broken["ETH"] = httpx.Response(418)
    with pytest.raises(Banned):
        [answer async for answer in door().fetch_settlements(wanted)]
