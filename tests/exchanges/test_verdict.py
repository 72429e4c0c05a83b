from email.utils import formatdate

import pytest

from fundwatch.exchanges.bans import Ban
from fundwatch.exchanges.errors import Drift, ExchangeError, Refused, ServerFault, Truncated
from fundwatch.exchanges.verdict import verdict_of

NOW = 1_790_000_000.0
DAY = 86400.0
PAGE = b"<!DOCTYPE html><html><title>Just a moment...</title></html>"


def judged(
    status: int, headers: dict[str, str] | None = None, body: bytes = b"", strikes: int = 0, hint: str = ""
) -> ExchangeError | Ban | None:
    return verdict_of(status, headers or {}, body, now=NOW, strikes=strikes, hint=hint)


def ban(
    status: int, headers: dict[str, str] | None = None, body: bytes = b"", strikes: int = 0, hint: str = ""
) -> Ban:
    verdict = judged(status, headers, body, strikes, hint)
    assert isinstance(verdict, Ban)
    return verdict


@pytest.mark.parametrize("body", [b"{}", b"[]", b" [1,2]\n", b"null", '{"a":"é"}'.encode(), b'{"a":"<"}'])
def test_a_document_is_no_error(body: bytes) -> None:
    assert judged(200, body=body) is None


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 8),
        ("0", 1),
        ("1.5", 2.5),
        (" 30 ", 31),
        (formatdate(NOW + 90, usegmt=True), 91),
        (formatdate(NOW - 90, usegmt=True), 1),
        ("Sunday, 20-Sep-26 14:14:50 GMT", 1),
        ("86000", 86001),
        ("1000000000", DAY),
        ("9" * 15, DAY),
        (formatdate(NOW + 900 * DAY, usegmt=True), DAY),
    ],
)
def test_the_pause_that_a_venue_asks_for_is_kept(told: str, seconds: float) -> None:
    assert ban(429, {"retry-after": told}).until == pytest.approx(NOW + seconds, abs=1e-3)


@pytest.mark.parametrize(
    "told", ["", "-5", "1e9", "soon", "NaN", "Wed, 99 Foo 2026 99:99:99 GMT", "١٢", "5 seconds", "9" * 400]
)
def test_a_pause_that_makes_no_sense_is_half_a_minute(told: str) -> None:
    assert NOW + 30 <= ban(429, {"retry-after": told}).until <= NOW + 37.5
    assert NOW + 30 <= ban(429).until <= NOW + 37.5


def test_a_venue_that_always_says_zero_is_not_asked_every_second() -> None:
    assert [ban(429, {"retry-after": "0"}, strikes=n).until - NOW for n in range(4)] == [1, 2, 4, 8]


def test_too_many_requests_is_a_throttle_and_418_a_ban() -> None:
    assert (ban(429).kind, ban(418).kind) == ("throttled", "banned")


def test_the_end_of_a_ban_is_read_from_the_body() -> None:
    told = b'{"code":-1003,"msg":"Way too many requests; IP(1.2.3.4) banned until 1790003600000. Stop."}'
    assert ban(418, body=told).until == NOW + 3601
    assert ban(418, {"retry-after": "10"}, told).until == NOW + 3601, "the later end counts"
    assert ban(418, {"retry-after": "7200"}, told).until == NOW + 7201
    assert ban(400, body=told).until == NOW + 3601


def test_a_ban_of_three_days_is_believed_and_one_of_a_year_is_not() -> None:
    assert ban(418, body=b"banned until 1790259200000").until == NOW + 3 * DAY + 1
    assert ban(418, {"retry-after": str(365 * 86400)}).until == NOW + 4 * DAY


def test_a_time_in_a_refusal_that_speaks_of_no_ban_is_none() -> None:
    assert isinstance(judged(400, body=b'{"msg":"market closed until 1790259200000"}'), Refused)


def test_a_clock_of_ours_that_is_ahead_does_not_bring_us_back_early() -> None:
    skewed = {"date": formatdate(NOW - 300, usegmt=True), "retry-after": formatdate(NOW - 200, usegmt=True)}
    assert ban(429, skewed).until == NOW + 101
    body = b"banned until 1790000100000"
    assert ban(418, {"date": formatdate(NOW - 300, usegmt=True)}, body).until == NOW + 401
    assert ban(418, {"date": "garbage"}, body).until == NOW + 101


def test_bans_whose_end_nobody_tells_double_up_to_a_day() -> None:
    for strikes, own in enumerate([1800, 3600, 7200, 14400, 28800, 57600, DAY, DAY]):
        verdict = ban(418, strikes=strikes)
        assert own <= verdict.until - NOW <= own * 1.25
        assert verdict.strikes == strikes + 1


@pytest.mark.parametrize("status", [200, 202])
def test_a_page_instead_of_a_document_is_a_challenge(status: int) -> None:
    verdict = ban(status, body=b"\n " + PAGE)
    assert verdict.kind == "banned"
    assert NOW + 60 <= verdict.until <= NOW + 75
    assert "challenge page" in verdict.reason
    assert "<" not in verdict.reason


@pytest.mark.parametrize("status", [202, 405, 200])
def test_a_firewall_that_names_itself_is_one(status: int) -> None:
    assert ban(status, {"x-amzn-waf-action": "captcha"}).kind == "banned"


def test_405_is_a_firewall_too() -> None:
    assert (
        ban(405, body=b'{"message":"slow down"}').reason
        == "turned away by its firewall (HTTP 405, slow down)"
    )


def test_403_keeps_us_away_for_half_an_hour_and_says_what_to_do() -> None:
    verdict = ban(403, body=PAGE, hint="Set exchanges.binance.proxy.")
    assert verdict.kind == "blocked"
    assert verdict.until >= NOW + 1800
    assert verdict.reason == "it refuses us (HTTP 403). Set exchanges.binance.proxy"


def test_451_is_asked_again_in_the_next_hour_however_often_it_came() -> None:
    for strikes in (0, 50):
        verdict = ban(451, strikes=strikes, hint="Set a proxy.")
        assert (verdict.kind, verdict.until) == ("blocked", NOW + 3300)
        assert verdict.reason == "not served from this location (HTTP 451). Set a proxy"


@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_whoever_asks_for_a_pause_gets_it(status: int) -> None:
    verdict = ban(status, {"retry-after": "120"})
    assert (verdict.kind, verdict.until) == ("throttled", NOW + 121)


@pytest.mark.parametrize(
    "words", [b"Too many requests", b"too many visits!", b"Rate limit exceeded", b"ratelimit"]
)
def test_a_refusal_in_the_words_of_a_limit_is_a_throttle(words: bytes) -> None:
    assert ban(400, body=b'{"msg":"' + words + b'"}').kind == "throttled"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 521, 525, 526, 599])
def test_5xx_is_the_servers_fault_and_passes(status: int) -> None:
    verdict = judged(status, body=PAGE)
    assert isinstance(verdict, ServerFault)
    assert verdict.transient


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"code":-1121,"msg":"Invalid symbol."}', "Invalid symbol. (-1121)"),
        (b'{"code":20001,"message":"invalid param"}', "invalid param (20001)"),
        (b'{"status":"ERROR","error":{"code":1001,"message":"Market not found"}}', "Market not found (1001)"),
        (b'{"error":"VALIDATION_ERROR","message":"bad","data":null}', "bad VALIDATION_ERROR"),
        (b"Failed to deserialize the JSON body", "Failed to deserialize the JSON body"),
        (b'{"msg":{"deep":1},"message":null}', "no reason given"),
        (b'{"msg":"', "no reason given"),
        (b"[" * 100_000, "no reason given"),
        (PAGE, "no reason given"),
        (b"", "no reason given"),
        (b"\xff\xfe\x1b[2J", "��[2J"),
        (b'{"msg":"a\\u001b[31mb\\nc"}', "a[31mb c"),
    ],
)
def test_a_refusal_tells_the_venues_own_words(body: bytes, words: str) -> None:
    verdict = judged(422, body=body)
    assert isinstance(verdict, Refused)
    assert verdict.message == f"refused the request (HTTP 422): {words}"


@pytest.mark.parametrize(
    "body", [b"", b"  \n", b"{", b'{"a":[{"b":1}', b"[1,2", b"{} x", b'{"a":NaN}', b"[1,]"]
)
def test_json_that_is_not_whole_is_truncated(body: bytes) -> None:
    assert isinstance(judged(200, body=body), Truncated)


@pytest.mark.parametrize(
    "body",
    [
        b"OK",
        b'"maintenance"',
        b"true",
        b"1",
        b"nullx",
        "{}".encode("utf-16"),
        "{}".encode("utf-16-be"),
        b"\x00{}",
    ],
)
def test_what_is_no_json_document_is_drift(body: bytes) -> None:
    assert isinstance(judged(200, body=body), Drift)


def test_json_nested_without_end_is_drift() -> None:
    assert isinstance(judged(200, body=b"[" * 100_000 + b"]" * 100_000), Drift)


@pytest.mark.parametrize("status", [201, 204, 206])
def test_success_without_a_document_is_drift(status: int) -> None:
    assert isinstance(judged(status), Drift)
