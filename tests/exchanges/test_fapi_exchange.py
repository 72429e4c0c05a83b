"""Requests, errors and paging that Binance and Aster share, driven through Binance."""

import httpx
import pytest

from fundwatch.exchanges import fapi_exchange
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.binance import Binance
from fundwatch.exchanges.errors import Banned, Blocked, Drift, ExchangeError, Refused, ServerFault, Throttled
from fundwatch.exchanges.fapi_exchange import FapiExchange
from fundwatch.models import HOUR, Kind, Window
from tests.exchanges.fapi_venue import NOON, FakeVenue, all_of, connected, paid
from tests.virtual_time import VirtualClock

NOW = NOON + 6 * 60
DAY = 24 * HOUR
FOUR_HOURLY = [f"{n}USDT" for n in range(40)]
CROWD = [f"{n}USDT" for n in range(90)]


def paying(symbols: list[str], days: int = 40) -> FakeVenue:
    """A venue where `symbols` have paid every 4 hours for so many days, until noon."""
    venue = FakeVenue()
    for symbol in symbols:
        venue.pay(symbol, range(NOON - days * DAY, NOON + 1, 4 * HOUR))
    return venue


def set_clock(binance: Binance, now: float) -> None:
    assert isinstance(binance.clock, VirtualClock)
    binance.clock.wall = now


def hours(*days: float) -> Window:
    first, last = days
    return Window(NOON + round(first * DAY), NOON + round(last * DAY))


def answered(answers: list[Answer], symbol: str) -> list[Window]:
    return [window for answer in answers for name, window in answer.answered if name == symbol]


async def test_one_settled_hour_of_all_markets_is_one_request_without_a_symbol() -> None:
    venue = paying(FOUR_HOURLY)
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, {symbol: [hours(-1 / 24, 0)] for symbol in FOUR_HOURLY})
    assert venue.asked == [
        (
            "fundingRate",
            {
                "startTime": str((NOON - 9 * HOUR - 60) * 1000),
                "endTime": str((NOON + 15 * 60) * 1000),
                "limit": "1000",
            },
        )
    ]
    assert paid(answers) == {symbol: [NOON - 8 * HOUR, NOON - 4 * HOUR, NOON] for symbol in FOUR_HOURLY}


async def test_an_hour_after_an_hour_does_not_ask_for_the_same_lead_again() -> None:
    """The answers are those of a venue that is asked for the first time."""
    crowd = [f"{n}USDT" for n in range(700)]
    venue = paying(crowd, days=1)
    for symbol in crowd:
        venue.pay(symbol, [NOON + 4 * HOUR, NOON + 8 * HOUR])
    hourly = [f"{n}1HUSDT" for n in range(20)]
    for symbol in hourly:
        venue.pay(symbol, range(NOON - 30 * HOUR, NOON + 9 * HOUR, HOUR))
    each = [
        (hour + 6 * 60, {symbol: [Window(hour - HOUR, hour)] for symbol in [*crowd, *hourly]})
        for hour in range(NOON, NOON + 9 * HOUR, HOUR)
    ]
    requests, answers = [], []
    async with connected(Binance, venue, NOW) as known:
        for now, wanted in each:
            set_clock(known, now)
            before = len(venue.asked)
            answers.append(await all_of(known, wanted))
            requests.append(len(venue.asked) - before)
    assert requests[0] == 3
    assert max(requests[1:]) <= 2
    for (now, wanted), told in zip(each, answers, strict=True):
        async with connected(Binance, venue, now) as fresh:
            assert told == await all_of(fresh, wanted)


async def test_a_lead_that_could_not_be_read_whole_is_asked_for_again() -> None:
    venue = paying(FOUR_HOURLY)
    venue.pay("1HUSDT", range(NOON - 30 * HOUR, NOON + 4 * HOUR, HOUR))
    venue.pay("1HUSDT", [NOON - 5 * HOUR + 60], rate="unread")
    starts = []
    async with connected(Binance, venue, NOW) as binance:
        for hour in (NOON, NOON + HOUR):
            set_clock(binance, hour + 6 * 60)
            await all_of(binance, {symbol: [Window(hour - HOUR, hour)] for symbol in FOUR_HOURLY})
            starts.append(int(venue.asked[-1][1]["startTime"]) // 1000 + 60 - hour)
    assert starts == [-9 * HOUR, -9 * HOUR]


async def test_a_long_time_comes_newest_first_with_eight_hours_before_each_piece() -> None:
    venue = paying(CROWD)
    wanted = {symbol: [hours(-12, 0)] for symbol in CROWD}
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, wanted)
    assert answered(answers, "7USDT") == [
        Window(NOON - 5 * DAY - 8 * HOUR, NOON),
        Window(NOON - 10 * DAY - 8 * HOUR, NOON - 5 * DAY),
        Window(NOON - 12 * DAY - 8 * HOUR, NOON - 10 * DAY),
    ]
    assert paid(answers)["7USDT"] == list(range(NOON - 12 * DAY - 8 * HOUR, NOON + 1, 4 * HOUR))
    assert all(row.interval_hours is None for answer in answers for row in answer.rows)


@pytest.mark.parametrize("most_rows", [1000, 100, 200])
async def test_pages_cut_in_the_middle_of_an_instant_lose_and_double_nothing(most_rows: int) -> None:
    venue = paying(CROWD)
    venue.most_rows = most_rows
    wanted = {symbol: [hours(-12, 0)] for symbol in CROWD}
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, wanted)
    assert len(venue.asked) > 12 * 6 * 90 / most_rows
    expected = list(range(NOON - 12 * DAY - 8 * HOUR, NOON + 1, 4 * HOUR))
    assert paid(answers) == dict.fromkeys(CROWD, expected)
    for answer in answers:
        keys = [(row.symbol, row.funding_time) for row in answer.rows]
        assert len(keys) == len(set(keys))
        assert [row.funding_time for row in answer.rows] == sorted(row.funding_time for row in answer.rows)


async def test_an_instant_larger_than_a_page_is_asked_symbol_by_symbol() -> None:
    crowd = [f"{n}USDT" for n in range(1100)]
    venue = FakeVenue()
    for symbol in crowd:
        venue.pay(symbol, [NOON - 4 * HOUR])
    venue.pay("0USDT", [NOON])
    async with connected(Binance, venue, NOW) as binance:
        answer, left = await binance._all_symbols(
            hours(-1 / 24, 0), {s: [hours(-1 / 24, 0)] for s in crowd[-3:]}
        )
    assert left == {}
    assert {row.symbol for row in answer.rows} == set(crowd[-3:])
    assert [params.get("symbol") for _, params in venue.asked][2:5] == crowd[-3:]


async def test_few_markets_over_a_long_time_are_asked_by_symbol() -> None:
    venue = paying(FOUR_HOURLY)
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, {"3USDT": [hours(-30, -20), hours(-2, -1)]})
    assert [params["symbol"] for _, params in venue.asked] == ["3USDT"]
    assert answered(answers, "3USDT") == [Window(NOON - 30 * DAY - 8 * HOUR, NOON - DAY)]


@pytest.mark.parametrize("bulk", ["one", "empty", "refused", "latest"])
async def test_a_venue_that_serves_no_bulk_is_asked_market_by_market(bulk: str) -> None:
    venue = paying(FOUR_HOURLY)
    venue.bulk = bulk
    wanted = {symbol: [hours(-30, -29)] for symbol in FOUR_HOURLY}
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, wanted)
        again = len(venue.asked)
        await all_of(binance, wanted)
        assert binance.cost(wanted).requests == len(FOUR_HOURLY)
    expected = list(range(NOON - 30 * DAY - 8 * HOUR, NOON - 29 * DAY + 1, 4 * HOUR))
    assert paid(answers) == dict.fromkeys(FOUR_HOURLY, expected)
    assert again == 1 + len(FOUR_HOURLY)
    assert len(venue.asked) == again + len(FOUR_HOURLY)


async def test_bulk_is_tried_again_after_a_day() -> None:
    venue = paying(FOUR_HOURLY)
    venue.bulk = "empty"
    wanted = {symbol: [hours(-1 / 24, 0)] for symbol in FOUR_HOURLY}
    async with connected(Binance, venue, NOW) as binance:
        await all_of(binance, wanted)
        venue.bulk = "all"
        binance.clock.advance(DAY)  # type: ignore[attr-defined]
        venue.asked.clear()
        await all_of(binance, wanted)
    assert len(venue.asked) == 1


async def test_a_market_that_bulk_leaves_out_is_asked_by_itself() -> None:
    venue = paying(FOUR_HOURLY)
    venue.pay("NEWUSDT", [NOON - 20 * DAY])
    wanted = {symbol: [hours(-1, 0)] for symbol in [*FOUR_HOURLY, "NEWUSDT"]}
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, wanted)
    assert [params.get("symbol") for _, params in venue.asked] == [None, "NEWUSDT"]
    assert answered(answers, "NEWUSDT") == []


async def test_a_delisted_symbol_fails_alone() -> None:
    venue = paying(FOUR_HOURLY)
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, {"GONEUSDT": [hours(-1, 0)], "3USDT": [hours(-1, 0)]})
    failed = [refusal for answer in answers for refusal in answer.failed]
    assert [refusal.symbol for refusal in failed] == ["GONEUSDT"]
    assert "Invalid symbol" in failed[0].reason
    assert "3USDT" in paid(answers)


async def test_a_special_payment_beside_a_regular_one_is_a_second_row() -> None:
    venue = paying(["TSLAUSDT"])
    venue.pay("TSLAUSDT", [NOON - 4 * HOUR], "0.00300000", rateType="Special", markPrice="400.0")
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, {"TSLAUSDT": [hours(-1, 0)]})
    both = [row for row in answers[0].rows if row.funding_time == NOON - 4 * HOUR]
    assert [(row.kind, row.interval_hours) for row in both] == [
        (Kind.REGULAR, None),
        (Kind.SPECIAL, 0.0),
    ]


async def test_payments_of_another_market_are_not_believed() -> None:
    venue = paying(["BTCUSDT"])
    strange = [{"symbol": "ETHUSDT", "fundingTime": NOON * 1000, "fundingRate": "0.0001"}]
    venue.instead["fundingRate"] = httpx.Response(200, json=strange)
    async with connected(Binance, venue, NOW) as binance:
        answers = await all_of(binance, {"BTCUSDT": [hours(-1, 0)]})
    assert [refusal.symbol for refusal in answers[0].failed] == ["BTCUSDT"]
    assert answers[0].rows == ()


async def test_a_full_page_in_descending_order_is_drift() -> None:
    venue = paying(FOUR_HOURLY)
    rows = sorted(venue.payments, key=lambda row: -row["fundingTime"])[:1000]
    venue.instead["fundingRate"] = httpx.Response(200, json=rows)
    async with connected(Binance, venue, NOW) as binance:
        with pytest.raises(Drift, match="ascending"):
            await _read(binance)


async def _read(exchange: FapiExchange) -> None:
    async for _ in exchange._pages("0USDT", hours(-1, 0), ("0USDT",)):
        pass


async def test_endless_pages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fapi_exchange, "_MOST_PAGES", 3)
    venue = paying(FOUR_HOURLY)
    venue.most_rows = 100
    async with connected(Binance, venue, NOW) as binance:
        with pytest.raises(Drift, match="more than 3 pages"):
            await all_of(binance, {symbol: [hours(-4, 0)] for symbol in FOUR_HOURLY})


@pytest.mark.parametrize(
    ("status", "told", "error"),
    [
        (200, {"code": -1003, "msg": "Too many requests."}, Throttled),
        (400, {"code": -1003, "msg": "Too many requests."}, Throttled),
        (200, {"code": -1003, "msg": f"Way too many; IP banned until {(NOW + 3600) * 1000}."}, Banned),
        (200, {"code": -1121, "msg": "Invalid symbol."}, Refused),
        (400, {"code": -1130, "msg": "Data sent for parameter 'x' is not valid."}, Refused),
        (200, {"code": "none", "msg": 5}, Drift),
        (451, {"code": 0, "msg": "Service unavailable from a restricted location"}, Blocked),
        (503, {"code": -1000, "msg": "unknown"}, ServerFault),
    ],
)
async def test_errors_inside_and_outside_the_body_are_told_apart(
    status: int, told: dict[str, object], error: type[ExchangeError]
) -> None:
    venue = FakeVenue()
    venue.instead["exchangeInfo"] = httpx.Response(status, json=told)
    async with connected(Binance, venue, NOW) as binance:
        with pytest.raises(error) as raised:
            await binance.fetch_markets()
        asked = len(venue.asked)
        if raised.value.retry_at is not None:
            with pytest.raises(error):
                await binance.fetch_markets()
            assert len(venue.asked) == asked
            assert raised.value.retry_at >= NOW + (3600 if error in (Banned, Blocked) else 60) - 301


async def test_cost_names_the_requests_and_the_time_at_our_pace() -> None:
    async with connected(Binance, FakeVenue(), NOW) as binance:
        month = binance.cost({f"{n}USDT": [hours(-30, 0)] for n in range(740)})
    assert 120 <= month.requests <= 150
    assert month.seconds == pytest.approx(month.requests / (500 * 0.8 * 0.9) * 300)
