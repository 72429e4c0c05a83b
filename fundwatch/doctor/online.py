"""One light request to each exchange, and what became of it, in words."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from statistics import median
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from fundwatch.clock import Clock
from fundwatch.config import Config, ExchangeSection
from fundwatch.doctor.finding import Finding, Level
from fundwatch.exchanges import load
from fundwatch.exchanges.bans import Ban, BanKind, MemoryBans
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    Drift,
    ExchangeError,
    Refused,
    ServerFault,
    Throttled,
    TooSlow,
    Truncated,
    Unreachable,
)
from fundwatch.exchanges.http import Http
from fundwatch.exchanges.lookups import Lookups
from fundwatch.storage import bans, presence
from fundwatch.storage.bans import BanRow
from fundwatch.storage.database import Database
from fundwatch.storage.presence import Spending
from fundwatch.text import age, clean

AREA = "network"
CLOCK_SECONDS = 60.0
"""A clock that is further off than this is worth a warning."""
DEADLINE_SECONDS = 10.0
TURN_SECONDS = 20.0
"""So long a request may wait for room in its exchange's budget."""


class Question(NamedTuple):
    """A small request that collecting makes too: a GET of `path`, or a POST of `body`."""

    path: str
    spend: Mapping[str, float]
    params: Mapping[str, str | int] | None = None
    body: Mapping[str, str] | None = None


QUESTIONS = {
    "lighter": Question("/api/v1/funding-rates", {"requests": 1}),
    "hyperliquid": Question("/info", {"weight": 20}, body={"type": "perpDexs"}),
    "binance": Question("/fapi/v1/fundingInfo", {"funding": 1}),
    "aster": Question("/fapi/v1/fundingInfo", {"weight": 1}),
    "extended": Question("/api/v1/info/markets", {"requests": 1}, {"market": "BTC-USD"}),
    "paradex": Question("/v1/markets/summary", {"requests": 1}, {"market": "BTC-USD-PERP"}),
    "variational": Question("/metadata/stats", {"requests": 1}),
}
"""By exchange; with the paths and weights of its module."""


class Memory(NamedTuple):
    """What a database knows that a request must respect: bans in force, and what was just spent."""

    bans: Sequence[BanRow] = ()
    spent: Mapping[str, Spending] = {}


class _Asked(NamedTuple):
    finding: Finding
    ahead_seconds: float | None
    """How far our clock is ahead of the server's; None where it told no time."""


def memory(db: Database, exchanges: Sequence[str]) -> Memory:
    spent = {name: presence.load_spending(db, name) for name in exchanges}
    return Memory(bans.all_bans(db), {name: found for name, found in spent.items() if found})


async def ask_all(
    config: Config, known: Memory, clock: Clock, *, deadline_seconds: float = DEADLINE_SECONDS
) -> list[Finding]:
    """Asks each enabled exchange once, all at the same time. Nothing is sent into a ban."""
    asyncio.get_running_loop().set_default_executor(Lookups())
    asked = await asyncio.gather(
        *(_ask(name, config.exchange(name), known, clock, deadline_seconds) for name in config.enabled())
    )
    return [*(one.finding for one in asked), *_of_clock(asked)]


async def _ask(
    name: str, section: ExchangeSection, known: Memory, clock: Clock, deadline_seconds: float
) -> _Asked:
    http = _door(name, section, known, clock, deadline_seconds)
    question = QUESTIONS[name]
    host = urlsplit(section.base_url or load(name).facts.base_url).hostname or ""
    try:
        async with asyncio.timeout(TURN_SECONDS + deadline_seconds):
            if question.body is None:
                await http.get(question.path, question.params, spend=question.spend)
            else:
                await http.post(question.path, question.body, spend=question.spend)
    except TimeoutError:
        told = f"{host} was not asked: its budget is in use, and no room came within {TURN_SECONDS:.0f} s"
        return _Asked(Finding(AREA, Level.NOTE, name, told, "Try again in a minute"), None)
    except ExchangeError as error:
        return _Asked(_explained(name, host, section, http, error), _ahead(http, clock))
    finally:
        await http.aclose()
    return _Asked(_answered(name, host, section, http), _ahead(http, clock))


def _door(name: str, section: ExchangeSection, known: Memory, clock: Clock, deadline_seconds: float) -> Http:
    """A door of our own, with what the database remembers; what happens here is not written there."""
    facts = load(name).facts
    book = MemoryBans(
        {row.scope: Ban(cast(BanKind, row.kind), row.until, row.reason, row.strikes) for row in known.bans}
    )
    http = Http(
        name=name,
        base_url=section.base_url or facts.base_url,
        limits=facts.limits,
        clock=clock,
        bans=book,
        budget_scale=section.budget_scale,
        proxy=section.proxy,
        blocked_hint=facts.blocked_hint,
        deadline_seconds=deadline_seconds,
        retries=False,
    )
    if spent := known.spent.get(name):
        http.budget.restore(spent.used, clock.now() - spent.at)
    return http


def _answered(name: str, host: str, section: ExchangeSection, http: Http) -> Finding:
    reply = http.last_reply
    assert reply is not None
    told = [f"{host} answered HTTP {reply.status} in {reply.seconds:.2f} s", f"{reply.size:,} bytes"]
    told.append(reply.tls.replace("TLSv", "TLS ") if reply.tls else "without TLS")
    told += [f"by the proxy {_proxy(section)}"] if section.proxy else []
    return Finding(AREA, Level.OK, name, ", ".join(told))


def _ahead(http: Http, clock: Clock) -> float | None:
    reply = http.last_reply
    if reply is None or reply.server_time is None:
        return None
    return clock.now() - reply.server_time


def _of_clock(asked: Sequence[_Asked]) -> Iterator[Finding]:
    """What the servers' Date headers, which have whole seconds, say of our clock."""
    told = [one.ahead_seconds for one in asked if one.ahead_seconds is not None]
    if not told:
        return
    ahead = median(told)
    whose = "1 exchange" if len(told) == 1 else f"{len(told)} exchanges (median)"
    if abs(ahead) <= CLOCK_SECONDS:
        yield Finding(
            AREA, Level.OK, "clock", f"within {max(1, round(abs(ahead)))} s of the clock of {whose}"
        )
        return
    way = "ahead of" if ahead > 0 else "behind"
    yield Finding(
        AREA,
        Level.WARN,
        "clock",
        f"this machine's clock is {age(abs(ahead))} {way} the clock of {whose}",
        "Let the system keep its time (NTP): sweeps come at the wrong minute, and ages are wrong",
    )


def _explained(name: str, host: str, section: ExchangeSection, http: Http, error: ExchangeError) -> Finding:
    message, advice = clean(error.message, 300), ""
    if isinstance(error, Unreachable):
        message, advice = _unreachable(host, section, error)
    elif isinstance(error, TooSlow):
        advice = "The network or the exchange is slow, or something swallows the packets: a firewall, a VPN"
    elif isinstance(error, Blocked):
        advice = f"Ask from another place, or set `proxy` in [exchanges.{name}]"
    elif isinstance(error, Throttled | Banned):
        advice = (
            f"Wait; a collector does so by itself. `budget_scale` below 1 in [exchanges.{name}] asks less, "
            "where others share this address"
        )
    elif isinstance(error, ServerFault):
        advice = "Its own trouble or maintenance: wait"
    elif isinstance(error, Drift | Refused | Truncated):
        advice = "Where this stays so, the exchange has changed: update fundwatch"
        if section.proxy or isinstance(error, Truncated):
            advice += "; a proxy or a login page in between does the same"
    if http.requests == 0:
        return Finding(AREA, Level.WARN, name, f"{host} was not asked: {message}", advice)
    return Finding(AREA, Level.FAIL, name, f"{host}: {message}", advice)


def _unreachable(host: str, section: ExchangeSection, error: Unreachable) -> tuple[str, str]:
    """Why no connection came about, and what to do."""
    causes = list(_causes(error))
    way = f"the proxy {_proxy(section)}" if section.proxy else host
    peer = (urlsplit(section.proxy).hostname or "") if section.proxy else host
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return f"the name {peer} cannot be looked up (DNS)", "Check the network and the name server"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate is not to be trusted: {clean(cause.verify_message, 120)}",
                "Something in between (a proxy, a virus scanner) may answer instead; SSL_CERT_FILE names its "
                "authority. A clock that is wrong does the same",
            )
        if isinstance(cause, ConnectionRefusedError):
            return f"{way} refused the connection", "Check the address; nothing listens there"
    if section.proxy and any(type(cause).__name__ == "ProxyError" for cause in causes):
        return f"{way} does not let us through: {clean(error.message, 160)}", "Check its address and login"
    return clean(error.message, 200), "Check the network, the firewall and the VPN"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors behind `error`, those inside groups too."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [cause for cause in (one.__cause__, one.__context__) if cause is not None]
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()


def _proxy(section: ExchangeSection) -> str:
    """The proxy without its login."""
    with suppress(ValueError):
        parts = urlsplit(section.proxy)
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    return "(unreadable)"
