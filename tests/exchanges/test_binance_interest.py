import httpx
import pytest
import respx

from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Quotes
from fundwatch.exchanges.binance import Binance
from fundwatch.exchanges.binance_interest import AT_A_TIME, KEPT_SECONDS, OpenInterest, open_interest_base
from fundwatch.exchanges.errors import Banned
from fundwatch.exchanges.http import Http
from fundwatch.models import Quote
from tests.virtual_time import VirtualClock

NOW = 1_790_000_000


def quotes(*symbols: str, mark_price: float | None = 50_000.0) -> Quotes:
    return Quotes(tuple(Quote("binance", s, NOW, 0.0, 8.0, mark_price=mark_price) for s in symbols))


def usd(interest: OpenInterest, quotes: Quotes, now: float) -> list[float | None]:
    return [quote.open_interest_usd for quote in interest.beside(quotes, now).quotes]


async def asked(
    interest: OpenInterest, symbols: list[str], answer: httpx.Response, now: float = NOW
) -> list[str]:
    """The symbols that one round asked for."""
    facts = Binance.facts
    http = Http(
        name="binance",
        base_url=facts.base_url,
        limits=facts.limits,
        clock=VirtualClock(now),
        bans=MemoryBans(),
    )
    with respx.mock(base_url=facts.base_url) as venue:
        route = venue.get("/fapi/v1/openInterest").mock(return_value=answer)
        try:
            await interest.refresh(http, symbols, now)
        finally:
            await http.aclose()
        return [call.request.url.params["symbol"] for call in route.calls]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"openInterest":"10659.509","symbol":"BTCUSDT","time":1589437530011}', 10659.509),
        (b'{"openInterest":"0"}', 0.0),
        (b'{"openInterest":"-1"}', None),
        (b'{"openInterest":"NaN"}', None),
        (b'{"openInterest":null}', None),
        (b"{}", None),
    ],
)
def test_open_interest_is_an_amount_of_base_units(body: bytes, expected: float | None) -> None:
    assert open_interest_base(body) == expected


async def test_the_amount_is_shown_in_dollars_at_the_mark_price_until_it_is_two_hours_old() -> None:
    interest = OpenInterest()
    await asked(interest, ["BTCUSDT"], httpx.Response(200, json={"openInterest": "2.5"}))
    assert usd(interest, quotes("BTCUSDT", "ETHUSDT"), NOW + 60) == [125_000.0, None]
    assert usd(interest, quotes("BTCUSDT", mark_price=None), NOW + 60) == [None]
    assert usd(interest, quotes("BTCUSDT"), NOW + KEPT_SECONDS + 1) == [None]


async def test_each_round_asks_for_the_markets_whose_amounts_are_oldest() -> None:
    interest, symbols = OpenInterest(), [f"S{n:03}USDT" for n in range(AT_A_TIME + 10)]
    answer = httpx.Response(200, json={"openInterest": "1"})
    first = await asked(interest, symbols, answer)
    second = await asked(interest, symbols, answer, NOW + 300)
    assert first == symbols[:AT_A_TIME]
    assert second[:10] == symbols[AT_A_TIME:]


async def test_a_market_that_settles_has_no_open_interest_and_stops_nothing() -> None:
    interest = OpenInterest()
    refused = httpx.Response(400, json={"code": -4108, "msg": "Symbol is on delivering"})
    assert len(await asked(interest, ["AUSDT", "BUSDT"], refused)) == 2
    assert usd(interest, quotes("AUSDT"), NOW) == [None]


async def test_a_ban_ends_the_round() -> None:
    with pytest.raises(Banned):
        await asked(OpenInterest(), ["AUSDT", "BUSDT"], httpx.Response(418, json={"code": -1003}))
