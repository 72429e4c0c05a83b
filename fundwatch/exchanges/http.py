"""The only module that speaks HTTP to an exchange.

Every request has a total deadline and caps on what it may bring; none is sent while the exchange
has asked us to stay away, also after a restart (the `BanBook` outlives the process). What came
back is bytes of one JSON document, or a typed `ExchangeError` in words for a person.
"""

import asyncio
import random
import ssl
import zlib
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

import httpx
import msgspec

from fundwatch import __version__
from fundwatch.clock import Clock
from fundwatch.exchanges.bans import Ban, BanBook, BanKind
from fundwatch.exchanges.budget import Budget, Limit
from fundwatch.exchanges.errors import (
    Drift,
    ExchangeError,
    TooSlow,
    Truncated,
    Unreachable,
)
from fundwatch.exchanges.verdict import LONGEST_BAN_SECONDS, verdict_of
from fundwatch.text import clean

__all__ = ["Http", "Limit"]

DEADLINE_SECONDS = 20.0
WIRE_CAP = 8 * 2**20
BODY_CAP = 16 * 2**20
IN_FLIGHT = 12
RETRIES = 2
_RETRY_SHARE = 0.1
_RETRY_RESERVE = 3.0
_KEEPALIVE_SECONDS = 900
_BOM = b"\xef\xbb\xbf"


@cache
def _ssl_context() -> ssl.SSLContext:
    return ssl.create_default_context()


class Http:
    """The one door to one exchange, for its whole life in one asyncio loop.

    `requests` counts what was sent; `budget` is shared by live work and backfills.
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
    ) -> None:
        self.name = name
        self.budget = Budget(limits, clock, budget_scale)
        self.requests = 0
        self._clock = clock
        self._bans = bans
        self._scope = f"{name} at {urlsplit(base_url).hostname}" + (" by proxy" if proxy else "")
        self._blocked_hint = blocked_hint
        self._deadline_seconds = deadline_seconds
        self._retry_credit = _RETRY_RESERVE
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._client = httpx.AsyncClient(
            base_url=base_url,
            proxy=proxy or None,
            verify=_ssl_context() if base_url.startswith("https") or proxy else False,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(deadline_seconds, connect=min(10.0, deadline_seconds)),
            limits=httpx.Limits(
                max_connections=IN_FLIGHT,
                max_keepalive_connections=IN_FLIGHT,
                keepalive_expiry=_KEEPALIVE_SECONDS,
            ),
            headers={"User-Agent": f"fundwatch/{__version__}", "Accept-Encoding": "gzip"},
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(
        self, path: str, params: Mapping[str, str | int] | None = None, *, spend: Mapping[str, float]
    ) -> bytes:
        """The JSON document at `path`; `spend` is the weight by limit name that this request costs."""
        return await self._ask("GET", path, dict(params or {}), None, spend)

    async def post(self, path: str, body: object, *, spend: Mapping[str, float]) -> bytes:
        """The answer to `body` sent as JSON."""
        return await self._ask("POST", path, {}, msgspec.json.encode(body), spend)

    def seconds_for(self, spend: Mapping[str, float]) -> float:
        return self.budget.seconds_for(spend)

    def ban(self) -> Ban | None:
        """The ban in force now, if any."""
        ban = self._bans.get(self._scope)
        return ban if ban and ban.until > self._clock.now() else None

    def stay_away(self, kind: BanKind, seconds: float, reason: str) -> ExchangeError:
        """Bans further requests for `seconds`, doubling with each ban in a row; the error to raise.

        For venues that say "too many requests" inside a 200.
        """
        previous = self._bans.get(self._scope)
        strikes = previous.strikes if previous else 0
        own = min(seconds * 2.0 ** min(strikes, 12), LONGEST_BAN_SECONDS)
        ban = Ban(kind, self._clock.now() + random.uniform(own, own * 1.25), reason, strikes + 1)  # noqa: S311
        self._bans.put(self._scope, ban)
        return ban.error()

    async def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int],
        content: bytes | None,
        spend: Mapping[str, float],
    ) -> bytes:
        for attempt in range(RETRIES + 1):
            await self.budget.take(spend)
            async with self._gate:
                try:
                    body = await self._once(method, path, params, content)
                except ExchangeError as error:
                    if not error.transient or attempt == RETRIES or self._retry_credit < 1:
                        raise
                    self._retry_credit -= 1
                else:
                    self._retry_credit = min(10.0, self._retry_credit + _RETRY_SHARE)
                    return body
            backoff = 2.0**attempt
            await self._clock.sleep(backoff / 2 + random.uniform(0, backoff / 2))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def _once(
        self, method: str, path: str, params: Mapping[str, str | int], content: bytes | None
    ) -> bytes:
        if ban := self.ban():
            raise ban.error()
        self.requests += 1
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._exchange(method, path, params, content)
        except TimeoutError:
            raise TooSlow(f"no complete answer within {self._deadline_seconds:g} s") from None
        except httpx.TimeoutException:
            raise TooSlow(f"no answer within {self._deadline_seconds:g} s") from None
        except httpx.RemoteProtocolError as error:
            raise Truncated(f"the connection broke inside the answer ({_words(error)})") from None
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise Unreachable(f"no connection ({_words(error)})") from None

    async def _exchange(
        self, method: str, path: str, params: Mapping[str, str | int], content: bytes | None
    ) -> bytes:
        request = self._client.build_request(
            method,
            path,
            params=params or None,
            content=content,
            headers={"Content-Type": "application/json"} if content is not None else None,
        )
        response = await self._client.send(request, stream=True)
        try:
            body = await _read(response)
        finally:
            await response.aclose()
        self.budget.learn(response.headers)
        previous = self._bans.get(self._scope)
        error, ban = verdict_of(
            response.status_code,
            response.headers,
            body,
            now=self._clock.now(),
            strikes=previous.strikes if previous else 0,
            hint=self._blocked_hint,
        )
        if ban:
            self._bans.put(self._scope, ban)
        if error:
            raise error
        if previous:
            self._bans.drop(self._scope)
        return body


async def _read(response: httpx.Response) -> bytes:
    """The body, inflated by ourselves so that a small answer cannot become a large one."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Drift("the answer came in an encoding that was not asked for")
    inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    body = bytearray()
    wire = 0
    async for chunk in response.aiter_raw():
        wire += len(chunk)
        if wire > WIRE_CAP:
            raise Drift(f"the answer is larger than {WIRE_CAP >> 20} MB")
        if inflate is None:
            body += chunk
            continue
        try:
            body += inflate.decompress(chunk, BODY_CAP + 1 - len(body))
        except zlib.error:
            raise Truncated("the compressed answer is damaged") from None
        if len(body) > BODY_CAP:
            raise Drift(f"the answer inflates to more than {BODY_CAP >> 20} MB")
    if inflate is not None and body and not inflate.eof:
        raise Truncated("the compressed answer ended early")
    if inflate is not None and inflate.unused_data:
        raise Truncated("data follows the compressed answer")
    return bytes(body.removeprefix(_BOM))


def _words(error: BaseException) -> str:
    """An error of a library in a few harmless words: its text can hold an address, never a secret."""
    return clean(str(error) or type(error).__name__, 80)
