"""The only module that speaks HTTP to an exchange.

Every request has a total deadline and caps on what it may bring; none is sent while the exchange
has asked us to stay away, also after a restart (the `BanBook` outlives the process). What came
back is bytes of one JSON document, or a typed `ExchangeError` in words for a person.
"""

import asyncio
import random
import ssl
from collections.abc import Mapping
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from fundwatch import __version__
from fundwatch.clock import Clock
from fundwatch.exchanges.bans import Ban, BanBook, BanKind
from fundwatch.exchanges.body import Body
from fundwatch.exchanges.budget import Budget, Limit, in_background
from fundwatch.exchanges.errors import ExchangeError, TooSlow, Truncated, Unreachable
from fundwatch.exchanges.sockets import closing_handshakes, keepalive_options
from fundwatch.exchanges.standing import Standing
from fundwatch.exchanges.verdict import http_date, verdict_of
from fundwatch.text import clean

__all__ = ["Http", "Limit", "Reply"]

DEADLINE_SECONDS = 20.0
RETRY_AFTER_SECONDS = (1.0, 2.0)
"""Before each retry: half of it for sure, the other half by chance."""

_CONNECT_SHARE = 0.4
"""Of the deadline, for the TCP and for the TLS handshake each."""

_REASON_SECONDS = 1.0
_REASON_CAP = 64 * 2**10
_LIVE_IN_FLIGHT = 12
_BACKGROUND_IN_FLIGHT = 8
_RETRY_COST = 10
"""Good answers that earn a retry, so that retries stay a tenth of all requests."""

_RETRY_RESERVE = 3 * _RETRY_COST
_RETRY_MOST = 10 * _RETRY_COST
_KEEPALIVE_SECONDS = 900
_AGAIN = "fundwatch.again"


@cache
def _ssl_context() -> ssl.SSLContext:
    """Certificates are always verified: against certifi's, or those that SSL_CERT_FILE or _DIR name."""
    return httpx.create_ssl_context()


async def _forget_where_to(response: httpx.Response) -> None:
    """A redirect is an error by its status; httpx need not even read where it leads."""
    response.headers.pop("location", None)


def _way(proxy: str, most: int, *, kept: int) -> httpx.AsyncHTTPTransport:
    """At most so many connections, of which so many are kept for the next requests."""
    return httpx.AsyncHTTPTransport(
        verify=_ssl_context(),
        proxy=proxy or None,
        socket_options=keepalive_options(),
        limits=httpx.Limits(
            max_connections=most, max_keepalive_connections=kept, keepalive_expiry=_KEEPALIVE_SECONDS
        ),
    )


class _Request(NamedTuple):
    """`content` is a JSON document; `again` is a request that was sent before, in vain."""

    method: str
    path: str
    params: Mapping[str, str | int]
    content: bytes | None = None
    again: bool = False


class _Ways(httpx.AsyncBaseTransport):
    """Kept connections, and new ones for what is sent again: after a sleep all kept ones may be dead, and
    a retry that takes the next of them fails like the first."""

    def __init__(self, kept: httpx.AsyncHTTPTransport, new: httpx.AsyncHTTPTransport) -> None:
        self._kept = kept
        self._new = new

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        way = self._new if request.extensions.get(_AGAIN) else self._kept
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        await self._kept.aclose()
        await self._new.aclose()


class Reply(NamedTuple):
    """What an HTTP answer was like: complete after `seconds`, `size` bytes of a body (inflated).

    `server_time` is the server's clock (UTC seconds) by its Date header and the age that a cache adds to
    it, `tls` the version that was spoken ("TLSv1.3"); None where the answer does not tell.
    """

    status: int
    seconds: float
    size: int
    server_time: float | None
    tls: str | None


class Http:
    """The one door to one exchange, for its whole life in one asyncio loop.

    `requests` counts what was sent, `last_reply` is the newest answer of any status; `budget` is shared
    by live work and backfills. Without `retries` a request is sent once, whatever becomes of it.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        limits: Mapping[str, Limit],
        clock: Clock,
        bans: BanBook,
        budget_scale: float = 1.0,
        proxy: str = "",
        blocked_hint: str = "",
        deadline_seconds: float = DEADLINE_SECONDS,
        retries: bool = True,
    ) -> None:
        self.name = name
        self.budget = Budget(limits, clock, budget_scale)
        self.requests = 0
        self.last_reply: Reply | None = None
        self._clock = clock
        scope = f"{name} at {urlsplit(base_url).hostname}" + (" by proxy" if proxy else "")
        self.standing = Standing(scope, clock, bans)
        self._blocked_hint = blocked_hint
        self._deadline_seconds = deadline_seconds
        self._backoffs = RETRY_AFTER_SECONDS if retries else ()
        self._retry_credit = _RETRY_RESERVE
        self._live_gate = asyncio.Semaphore(_LIVE_IN_FLIGHT)
        self._background_gate = asyncio.Semaphore(_BACKGROUND_IN_FLIGHT)
        in_flight = _LIVE_IN_FLIGHT + _BACKGROUND_IN_FLIGHT
        self._client = httpx.AsyncClient(
            base_url=base_url,
            transport=_Ways(_way(proxy, in_flight, kept=in_flight), _way(proxy, in_flight, kept=0)),
            trust_env=False,
            follow_redirects=False,
            event_hooks={"response": [_forget_where_to]},
            timeout=httpx.Timeout(deadline_seconds, connect=_CONNECT_SHARE * deadline_seconds),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"User-Agent": f"fundwatch/{__version__}", "Accept-Encoding": "gzip"},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(
        self, path: str, params: Mapping[str, str | int] | None = None, *, spend: Mapping[str, float]
    ) -> bytes:
        """The JSON document at `path`; `spend` is the weight by limit name that this request costs."""
        return await self._ask(_Request("GET", path, dict(params or {})), spend)

    async def post(self, path: str, body: object, *, spend: Mapping[str, float]) -> bytes:
        """The answer to `body` sent as JSON."""
        return await self._ask(_Request("POST", path, {}, msgspec.json.encode(body)), spend)

    def seconds_for(self, spend: Mapping[str, float]) -> float:
        return self.budget.seconds_for(spend)

    def ahead_seconds(self) -> float:
        """How far our clock is ahead of the venue's, by its last answer; 0 where that is not known."""
        return self.standing.ahead_seconds()

    def ban(self) -> Ban | None:
        """The ban in force now, if any."""
        return self.standing.ban()

    def stay_away(self, kind: BanKind, seconds: float, reason: str) -> ExchangeError:
        """Bans further requests for `seconds`, doubling with each ban in a row; the error to raise.

        For venues that say "too many requests" inside a 200, by the request that just got it.
        """
        return self._obey(self.standing.drawn(kind, seconds, reason))

    def _obey(self, ban: Ban) -> ExchangeError:
        """The error to raise for a ban that was just met."""
        in_force = self.standing.impose(ban)
        if in_force is ban and ban.kind != "blocked":
            self.budget.slow_down()
        return in_force.error()

    def _check_ban(self) -> None:
        if ban := self.ban():
            raise ban.error()

    async def _ask(self, asked: _Request, spend: Mapping[str, float]) -> bytes:
        gate = self._background_gate if in_background.get() else self._live_gate
        now = asyncio.get_running_loop().time
        wire_seconds = 0.0
        backoffs = iter(self._backoffs)
        while True:
            async with gate:
                self._check_ban()
                await self.budget.take(spend)
                self._check_ban()
                started = now()
                try:
                    return await self._once(asked)
                except ExchangeError as error:
                    wire_seconds += now() - started
                    backoff = next(backoffs, None)
                    if backoff is None or not self._may_retry(error, wire_seconds):
                        raise
            asked = asked._replace(again=True)
            await self._clock.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    def _may_retry(self, error: ExchangeError, wire_seconds: float) -> bool:
        """Retries are a small share of all requests, and with them one takes 2.5 deadlines at most."""
        late = wire_seconds > 1.5 * self._deadline_seconds
        if not error.transient or late or self._retry_credit < _RETRY_COST:
            return False
        self._retry_credit -= _RETRY_COST
        return True

    async def _once(self, asked: _Request) -> bytes:
        self.requests += 1
        started = self._clock.monotonic()
        try:
            response, body = await self._exchange(asked)
        except (TimeoutError, httpx.TimeoutException):
            raise TooSlow(f"no complete answer within {self._deadline_seconds:g} s") from None
        except httpx.RemoteProtocolError as error:
            raise Truncated(f"the answer broke off or is not HTTP ({_words(error)})") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise Unreachable(f"the connection failed ({_words(error)})") from None
        self.last_reply = _reply(response, self._clock.monotonic() - started, len(body))
        self.budget.learn(response.headers)
        self.standing.hear(self.last_reply.server_time)
        verdict = verdict_of(
            response.status_code,
            response.headers,
            body,
            now=self._clock.now(),
            strikes=self.standing.strikes(),
            hint=self._blocked_hint,
        )
        if isinstance(verdict, Ban):
            raise self._obey(verdict)
        if verdict:
            raise verdict
        self._retry_credit = min(_RETRY_MOST, self._retry_credit + 1)
        self.standing.forgive()
        return body

    async def _exchange(self, asked: _Request) -> tuple[httpx.Response, bytes]:
        response: httpx.Response | None = None
        body: Body | None = None
        try:
            async with asyncio.timeout(self._deadline_seconds) as deadline:
                request = self._client.build_request(
                    asked.method,
                    asked.path,
                    params=asked.params or None,
                    content=asked.content,
                    headers={"Content-Type": "application/json"} if asked.content is not None else None,
                    extensions={"trace": closing_handshakes(), _AGAIN: asked.again},
                )
                response = await self._client.send(request, stream=True)
                encoding = response.headers.get("content-encoding", "")
                if response.status_code == 200:
                    body = Body(encoding)
                else:
                    body = Body(encoding, cap=_REASON_CAP)
                    soon = asyncio.get_running_loop().time() + _REASON_SECONDS
                    deadline.reschedule(min(soon, deadline.when() or soon))
                async for chunk in response.aiter_raw():
                    body.feed(chunk)
                body.finish()
        except (TimeoutError, httpx.HTTPError, ExchangeError):
            # What a status other than 200 says holds whatever becomes of its body.
            if response is None or response.status_code == 200:
                raise
        finally:
            if response is not None:
                await response.aclose()
        return response, body.data if body else b""


def _reply(response: httpx.Response, seconds: float, size: int) -> Reply:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    sent_at, age = http_date(response.headers.get("date", "")), response.headers.get("age", "")
    if sent_at is not None and age.isascii() and age.isdigit() and len(age) < 10:
        sent_at += int(age)
    return Reply(response.status_code, seconds, size, sent_at, tls.version() if tls else None)


def _words(error: BaseException) -> str:
    """An error of a library in a few harmless words."""
    return clean(str(error) or type(error).__name__, 80)
