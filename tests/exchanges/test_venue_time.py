"""Where our clock is wrong, the exchange's own (its Date headers) decides what has happened there."""

from collections.abc import AsyncIterator, Callable
from email.utils import formatdate

import httpx
import pytest

from fundwatch.exchanges.bans import Ban, MemoryBans
from fundwatch.exchanges.http import Http, Limit
from fundwatch.exchanges.paradex import Paradex
from fundwatch.exchanges.variational import parse_stats
from fundwatch.models import HOUR, Window
from tests.virtual_time import VirtualClock

NOON = 1_795_176_000


class Canned(httpx.AsyncBaseTransport):
    """Answers `body` to everything, stamped with the true time and the headers given."""

    def __init__(self, true: Callable[[], float], body: bytes = b"[]") -> None:
        self.true = true
        self.body = body
        self.status = 200
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        headers = {"Date": formatdate(self.true(), usegmt=True)} | self.headers
        return httpx.Response(self.status, headers=headers, stream=_Stream(self.body))


class _Stream(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def door(clock: VirtualClock, canned: Canned, bans: MemoryBans | None = None) -> Http:
    http = Http(
        name="paradex",
        base_url="http://127.0.0.1:9",
        limits={"requests": Limit(1000, 60)},
        clock=clock,
        bans=MemoryBans() if bans is None else bans,
    )
    http._client._transport = canned
    return http


@pytest.mark.parametrize("ahead", [-7200, 0, 90, 86400 * 30])
async def test_an_answer_tells_how_far_our_clock_is_ahead(ahead: int) -> None:
    clock = VirtualClock(NOON + ahead)
    http = door(clock, Canned(lambda: NOON))
    assert http.ahead_seconds() == 0
    await http.get("/x", spend={"requests": 1})
    assert http.ahead_seconds() == ahead
    clock.advance(600)
    assert http.ahead_seconds() == ahead


async def test_an_answer_from_a_cache_is_as_old_as_it_says() -> None:
    canned = Canned(lambda: NOON)
    canned.headers["Age"] = "45"
    http = door(VirtualClock(NOON + 45), canned)
    await http.get("/x", spend={"requests": 1})
    assert http.ahead_seconds() == 0


async def test_what_an_answer_told_is_forgotten_when_the_clock_is_set() -> None:
    clock = VirtualClock(NOON + 86400)
    http = door(clock, Canned(lambda: NOON))
    await http.get("/x", spend={"requests": 1})
    clock.wall -= 86400
    assert http.ahead_seconds() == 0


class Accruing(Canned):
    """Paradex's newest funding row up to `end_at`, or up to now."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stamp = min(int(request.url.params["end_at"]), int(self.true() * 1000)) - 3000
        self.body = (
            b'{"results": [{"market": "BTC-USD-PERP", "funding_index": "0.%d", "funding_premium": "0.01",'
            b' "funding_rate": "0.0001", "created_at": %d}]}' % (stamp, stamp)
        )
        return await super().handle_async_request(request)


async def test_paradex_settles_nothing_that_has_not_happened_there() -> None:
    """The newest row of 11:10 answers a question about 12:00 too, and is not the index of 12:00."""
    wanted = {"BTC-USD-PERP": [Window(NOON - HOUR, NOON)]}
    for true, rows in ((NOON + 600, 1), (NOON - 3000, 0)):
        clock = VirtualClock(NOON + 600)
        exchange = Paradex(door(clock, Accruing(lambda true=true: true)), clock)  # type: ignore[misc]
        answers = [answer async for answer in exchange.fetch_settlements(wanted)]
        assert sum(len(answer.rows) for answer in answers) == rows
        assert sum(len(answer.answered) for answer in answers) == rows


def test_a_variational_estimate_belongs_to_the_payment_that_is_next_by_the_venues_clock() -> None:
    listing = (
        b'{"listings": [{"ticker": "BTC", "funding_rate": "0.1095", "funding_interval_s": 3600,'
        b' "mark_price": "100"}]}'
    )
    ours = NOON + 59 * 60 + 5
    assert parse_stats(listing, ours).quotes["BTC"].next_funding_time == NOON + HOUR
    # Ours is a minute behind: there the payment has been made, and this is the estimate of the next one.
    slow = parse_stats(listing, ours, ahead_seconds=-60).quotes["BTC"]
    assert slow.next_funding_time == NOON + 2 * HOUR
    assert slow.observed_at == ours
    # Three hours wrong: our record of the last five minutes would not be one.
    for ahead in (-3 * HOUR, 3 * HOUR):
        assert parse_stats(listing, ours, ahead_seconds=ahead).quotes["BTC"].next_funding_time is None


async def test_a_ban_noted_by_a_clock_that_was_ahead_ends_when_its_time_has_passed() -> None:
    clock = VirtualClock(NOON + 5 * 86400)
    canned = Canned(lambda: NOON)
    canned.status = 429
    canned.headers["Retry-After"] = "600"
    http = door(clock, canned)
    with pytest.raises(Exception, match="too many"):
        await http.get("/x", spend={"requests": 1})
    clock.wall -= 5 * 86400
    clock.advance(500)
    assert http.ban() is not None
    clock.advance(150)
    assert http.ban() is None


async def test_nor_does_such_a_ban_end_before_its_time() -> None:
    clock = VirtualClock(NOON + 9 * 86400)
    canned = Canned(lambda: NOON)
    canned.status = 418
    canned.headers["Retry-After"] = "5400"
    http = door(clock, canned)
    with pytest.raises(Exception, match="banned"):
        await http.get("/x", spend={"requests": 1})
    clock.wall -= 9 * 86400
    for _ in range(5):
        assert http.ban() is not None
        clock.advance(1070)
    clock.advance(100)
    assert http.ban() is None


async def test_such_a_ban_does_not_come_back_with_the_next_process() -> None:
    clock = VirtualClock(NOON + 5 * 86400)
    canned, bans = Canned(lambda: NOON), MemoryBans()
    canned.status = 429
    canned.headers["Retry-After"] = "600"
    http = door(clock, canned, bans)
    with pytest.raises(Exception, match="too many"):
        await http.get("/x", spend={"requests": 1})
    clock.wall -= 5 * 86400
    assert http.ban() is not None
    later = door(clock, canned, bans)
    assert later.ban() is not None
    clock.advance(650)
    assert later.ban() is None


async def test_a_ban_of_a_week_was_noted_by_a_clock_that_was_ahead() -> None:
    """And the process that noted it is gone: whoever comes next keeps away for half an hour."""
    clock, bans = VirtualClock(NOON), MemoryBans()
    http = door(clock, Canned(lambda: NOON), bans)
    bans.put(http.standing.scope, Ban("throttled", NOON + 7 * 86400.0, "too many requests"))
    assert http.ban() is not None
    clock.advance(1801)
    assert http.ban() is None


@pytest.mark.parametrize("behind_seconds", [40, 3300, 9 * 86400])
@pytest.mark.parametrize("is_new_process", [False, True])
async def test_a_ban_noted_by_a_clock_that_was_behind_is_not_over_when_it_is_set_right(
    behind_seconds: float, is_new_process: bool
) -> None:
    clock = VirtualClock(NOON - behind_seconds)
    canned, bans = Canned(lambda: NOON), MemoryBans()
    canned.status = 418
    canned.headers["Retry-After"] = "5400"
    http = door(clock, canned, bans)
    with pytest.raises(Exception, match="banned"):
        await http.get("/x", spend={"requests": 1})
    clock.advance(300)
    clock.wall += behind_seconds
    if is_new_process:
        http = door(clock, canned, bans)
    clock.advance(5095)
    assert http.ban() is not None
    clock.advance(1500)
    assert http.ban() is None
