"""One exchange's adapter over the answers of its demo, without sockets; an answer can be changed on its way.

Everything above the socket is the product's own: the door with its caps, verdicts and retries, the adapter,
the decoding. Each answer is made once and then comes from memory, so that thousands of trials are cheap.
"""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

import httpx

from fundwatch.demo.truth import Truth
from fundwatch.demo.venues.base import Reply, Request
from fundwatch.demo.world import VENUES
from fundwatch.exchanges import load
from fundwatch.exchanges.bans import MemoryBans
from fundwatch.exchanges.base import Exchange, Options, Wanted
from fundwatch.exchanges.http import Http
from fundwatch.models import HOUR, Window
from tests.rigs.small_world import TICKERS, small
from tests.virtual_time import VirtualClock

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""

_HEADERS = {"user-agent": "fundwatch", "accept": "application/json"}

Spoil = Callable[[str, bytes], bytes]
"""Makes what arrives of (what was asked, the true answer)."""


class Tape(httpx.AsyncBaseTransport):
    """The way to one demo exchange with a few markets; `asked` says what was asked, in order."""

    def __init__(self, name: str) -> None:
        self.asked: list[str] = []
        self.spoil: Spoil = lambda asked, body: body
        self._venue = next(venue for venue in VENUES if venue.name == name)(Truth(7))
        self._venue.listing = small(name, TICKERS[name])
        self._made: dict[tuple[str, float], Reply] = {}
        self.now: Callable[[], float] = lambda: NOON

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = b"".join([part async for part in request.stream])  # type: ignore[union-attr]
        asked = f"{request.method} {request.url.raw_path.decode()} {body.decode()}".strip()
        self.asked.append(asked)
        made = self.true_answer(asked)
        changed = self.spoil(asked, made.body) if made.status == 200 else made.body
        return httpx.Response(made.status, stream=httpx.ByteStream(changed))

    def true_answer(self, asked: str) -> Reply:
        """What the exchange says now to `asked`, written as in the list of that name."""
        now = self.now()
        if (asked, now) not in self._made:
            method, target, body = (*asked.split(" ", 2), "")[:3]
            path, _, query = target.partition("?")
            request = Request(method, unquote(path), dict(parse_qsl(query)), _HEADERS, body.encode())
            self._made[asked, now] = self._venue.answer(request, now)
        return self._made[asked, now]


def adapter(tape: Tape, name: str, clock: VirtualClock) -> Exchange:
    """A new adapter that knows nothing yet. Its door is ours to close."""
    kind = load(name)
    http = Http(
        name=name,
        base_url="http://venue.invalid",
        limits=kind.facts.limits,
        clock=clock,
        bans=MemoryBans(),
        budget_scale=1e6,
    )
    http._client._transport = tape
    return kind(http, clock, Options(dexes=("xyz",)))


def kind_of(asked: str) -> str:
    """What is asked, without for which market and when."""
    method, target, body = (*asked.split(" ", 2), "")[:3]
    path = re.sub("/info/.+/funding", "/info/*/funding", target.partition("?")[0])
    if not body:
        return f"{method} {path}"
    words = [
        word for word in ("metaAndAssetCtxs", "perpDexs", "fundingHistory", "xyz") if f'"{word}"' in body
    ]
    return " ".join([method, path, *words])


def wanted_of(name: str, hours: int = 24) -> Wanted:
    """The last `hours` of four markets."""
    return {symbol: [Window(NOON - hours * HOUR, NOON)] for symbol in TICKERS[name].split()[:4]}
