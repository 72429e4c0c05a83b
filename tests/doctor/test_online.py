"""What an exchange answers, or does not, in words: over real sockets."""

import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from fundwatch.clock import SystemClock
from fundwatch.config import Config, ExchangeSection
from fundwatch.doctor import online
from fundwatch.doctor.finding import Finding, Level
from fundwatch.doctor.online import QUESTIONS, Memory, ask_all
from fundwatch.exchanges import REGISTRY, http, load
from fundwatch.models import HOUR
from fundwatch.storage.bans import BanRow
from fundwatch.storage.presence import Spending
from tests.fault_server import Behaviour, FaultServer, answer, hang, json_answer, raw, then_close, then_reset

NOTHING = Memory()
HTML = b"<!DOCTYPE html><html>Just a moment...</html>"


def only(name: str, url: str, **section: Any) -> Config:
    sections = {other: ExchangeSection(enabled=False) for other in REGISTRY}
    return Config(exchanges=sections | {name: ExchangeSection(base_url=url, **section)})


async def asked(
    *script: Behaviour, name: str = "binance", known: Memory = NOTHING, deadline: float = 20, **section: Any
) -> tuple[list[Finding], FaultServer]:
    async with FaultServer(*script) as server:
        found = await ask_all(
            only(name, server.url, **section), known, SystemClock(), deadline_seconds=deadline
        )
    return found, server


async def told(*script: Behaviour, **words: Any) -> Finding:
    """The finding about the one exchange that was asked, once."""
    found, server = await asked(*script, **words)
    assert len(server.requests) == 1
    return found[0]


async def test_a_good_answer_says_how_good() -> None:
    finding = await told(json_answer(b"[1,2,3]"))
    assert (finding.level, finding.subject, finding.advice) == (Level.OK, "binance", "")
    assert finding.message.startswith("127.0.0.1 answered HTTP 200 in 0.")
    assert finding.message.endswith(" s, 7 bytes, without TLS")


BAD: dict[str, tuple[Behaviour, str, str]] = {
    "451": (answer(451, b"{}"), "not served from this location (HTTP 451). Binance may not", "proxy"),
    "403": (answer(403, HTML), "it refuses us (HTTP 403)", "another place"),
    "429": (answer(429, b"{}", retry_after="7"), "too many requests (HTTP 429); nothing is sent", "Wait"),
    "418": (answer(418, b"{}", retry_after="7"), "banned for too many requests (HTTP 418)", "Wait"),
    "challenge": (answer(200, HTML), "turned away by its firewall (HTTP 200, a challenge page)", "Wait"),
    "waf": (answer(405, HTML), "turned away by its firewall (HTTP 405, a challenge page)", "Wait"),
    "500": (answer(500), "its server failed (HTTP 500)", "maintenance"),
    "404": (answer(404, b'{"msg":"no such path"}'), "no such path", "update fundwatch"),
    "redirect": (answer(302, location="https://portal/"), "redirects elsewhere (HTTP 302)", "update"),
    "cut": (json_answer(b'{"a":'), "ended early or is damaged JSON", "login page"),
    "empty": (json_answer(b""), "the answer is empty", "login page"),
    "text": (json_answer(b"hello"), "not JSON", "update fundwatch"),
    "no http": (raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not HTTP", "login page"),
    "hangs": (hang, "no complete answer within 0.5 s", "firewall"),
    "closes": (then_close(), "broke off", "login page"),
    "resets": (then_reset(), "the connection failed", "VPN"),
}


@pytest.mark.parametrize(("behaviour", "words", "advice"), BAD.values(), ids=BAD.keys())
async def test_each_failure_gets_its_words_and_one_request(
    behaviour: Behaviour, words: str, advice: str
) -> None:
    finding = await told(behaviour, deadline=0.5 if behaviour is hang else 20)
    assert finding.level is Level.FAIL
    assert finding.message.startswith("127.0.0.1: ")
    assert words in finding.message
    assert advice in finding.advice


async def test_what_a_server_says_cannot_drive_the_terminal() -> None:
    finding = await told(answer(400, b'{"msg":"\\u001b[2Jgone"}'))
    assert "\x1b" not in finding.message
    assert "gone" in finding.message


async def test_nothing_listens() -> None:
    async with FaultServer(hang) as server:
        url = server.url
    (finding,) = await ask_all(only("binance", url), Memory(), SystemClock(), deadline_seconds=5)
    assert finding.message == "127.0.0.1: 127.0.0.1 refused the connection"


async def test_a_name_that_cannot_be_looked_up() -> None:
    (finding,) = await ask_all(
        only("binance", "https://no-such-exchange.invalid"), Memory(), SystemClock(), deadline_seconds=5
    )
    assert "the name no-such-exchange.invalid cannot be looked up (DNS)" in finding.message


# Proxies


async def test_a_proxy_is_named_without_its_login() -> None:
    async with FaultServer(hang) as gone:
        port = gone.url.rpartition(":")[2]
    (finding,) = await ask_all(
        only("binance", "http://127.0.0.1:9", proxy=f"http://me:word@127.0.0.1:{port}"),
        Memory(),
        SystemClock(),
        deadline_seconds=5,
    )
    assert f"the proxy http://127.0.0.1:{port} refused the connection" in finding.message
    assert "word" not in finding.message + finding.advice


async def test_a_proxy_that_wants_a_login() -> None:
    async with FaultServer(answer(407)) as proxy:
        (finding,) = await ask_all(
            only("binance", "https://127.0.0.1:9", proxy=proxy.url),
            Memory(),
            SystemClock(),
            deadline_seconds=5,
        )
    assert f"the proxy {proxy.url} does not let us through" in finding.message


# TLS


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    if not which("openssl"):
        pytest.skip("no openssl here to make a certificate with")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    subprocess.run(
        ["openssl", *options.split(), "-keyout", key, "-out", cert, "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


@pytest.fixture
def fresh_trust() -> Iterator[Callable[[], None]]:
    http._ssl_context.cache_clear()
    yield http._ssl_context.cache_clear
    http._ssl_context.cache_clear()


@pytest.mark.usefixtures("fresh_trust")
async def test_a_certificate_that_nobody_vouches_for(certificate: tuple[ssl.SSLContext, Path]) -> None:
    async with FaultServer(json_answer(), tls=certificate[0]) as server:
        (finding,) = await ask_all(only("binance", server.url), Memory(), SystemClock(), deadline_seconds=5)
    assert "the certificate is not to be trusted: self-signed certificate" in finding.message
    assert "SSL_CERT_FILE" in finding.advice


@pytest.mark.usefixtures("fresh_trust")
async def test_the_version_of_tls_is_told(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    async with FaultServer(json_answer(), tls=certificate[0]) as server:
        (finding,) = await ask_all(only("binance", server.url), Memory(), SystemClock(), deadline_seconds=5)
    assert finding.message.endswith(", TLS 1.3")


# The clock


@pytest.mark.parametrize(
    ("off", "level", "words"),
    [
        (0, Level.OK, "within 1 s of the clock of 1 exchange"),
        (-600, Level.WARN, "10 min ahead of the clock of 1 exchange"),
        (7200, Level.WARN, "behind the clock of 1 exchange"),
    ],
)
async def test_the_clock_is_held_against_the_date_of_the_answer(off: int, level: Level, words: str) -> None:
    found, _ = await asked(json_answer(date=formatdate(time.time() + off, usegmt=True)))
    (clock,) = [one for one in found if one.subject == "clock"]
    assert clock.level is level
    assert words in clock.message


async def test_an_answer_from_a_cache_tells_the_time_with_its_age() -> None:
    found, _ = await asked(json_answer(date=formatdate(time.time() - 900, usegmt=True), age="900"))
    assert [one.level for one in found if one.subject == "clock"] == [Level.OK]


async def test_a_refusal_tells_the_time_too() -> None:
    found, _ = await asked(answer(500, date=formatdate(time.time() - 900, usegmt=True)))
    assert [one.level for one in found] == [Level.FAIL, Level.WARN]


@pytest.mark.parametrize("date", ["yesterday", "", "Mon, 99 Foo 2026"])
async def test_a_date_that_is_none_is_no_clock(date: str) -> None:
    found, _ = await asked(json_answer(date=date))
    assert [one.subject for one in found] == ["binance"]


# Bans and budgets


async def test_nothing_is_sent_into_a_ban() -> None:
    ban = BanRow("binance at 127.0.0.1", "banned", time.time() + HOUR, "banned (HTTP 418)", 1)
    found, server = await asked(json_answer(), known=Memory([ban]))
    assert server.requests == []
    assert found[0].level is Level.WARN
    assert found[0].message.startswith("127.0.0.1 was not asked: banned (HTTP 418); nothing is sent before")


async def test_a_ban_that_is_over_does_not_count() -> None:
    ban = BanRow("binance at 127.0.0.1", "banned", time.time() - 1, "banned (HTTP 418)", 1)
    _, server = await asked(json_answer(), known=Memory([ban]))
    assert len(server.requests) == 1


async def test_a_budget_that_is_spent_is_waited_for_and_not_overrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "TURN_SECONDS", 0.1)
    known = Memory(spent={"binance": Spending({"funding": 10_000.0}, time.time())})
    found, server = await asked(json_answer(), known=known, deadline=0.4)
    assert server.requests == []
    assert found[0].level is Level.NOTE
    assert "was not asked: its budget is in use" in found[0].message


@pytest.mark.parametrize("name", REGISTRY)
async def test_each_exchange_has_its_question(name: str) -> None:
    assert set(QUESTIONS[name].spend) <= set(load(name).facts.limits)
    _, server = await asked(json_answer(), name=name)
    (request,) = server.requests
    assert request.target.split("?")[0] == QUESTIONS[name].path
    assert request.method == ("GET" if QUESTIONS[name].body is None else "POST")


async def test_exchanges_that_are_switched_off_are_not_asked() -> None:
    config = Config(exchanges={name: ExchangeSection(enabled=False) for name in REGISTRY})
    assert await ask_all(config, Memory(), SystemClock()) == []
