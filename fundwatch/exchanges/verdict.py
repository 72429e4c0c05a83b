"""What an HTTP answer means: a document, or an error and perhaps a ban."""

import random
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from fundwatch.exchanges.bans import Ban, BanKind
from fundwatch.exchanges.errors import (
    ExchangeError,
    Refused,
    ServerFault,
    Truncated,
)
from fundwatch.text import clean

THROTTLED_SECONDS = 30.0
CHALLENGED_SECONDS = 60.0
FORBIDDEN_SECONDS = 1800.0
ELSEWHERE_SECONDS = 55 * 60.0
"""After a 451: one request in each hourly sweep finds out when it is over."""

LONGEST_BAN_SECONDS = 86400.0
LONGEST_STATED_BAN_SECONDS = 4 * 86400.0
"""Binance documents bans of up to three days; a longer statement is not believed."""

_UNTIL_MS = re.compile(rb"until (\d{13})\b")
_WORDS_OF_A_LIMIT = re.compile(rb"too many (requests|visits)|rate.?limit", re.IGNORECASE)

Verdict = tuple[ExchangeError | None, Ban | None]


def verdict_of(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, strikes: int, hint: str
) -> Verdict:
    """(None, None) for a JSON document with status 200, else the error and, where one was earned, the ban.

    `strikes` is how many bans came in a row before: a ban whose end nobody told doubles with each.
    `hint` is what a person can do when the exchange does not serve them.
    """
    html = body.lstrip()[:1] == b"<"
    told = "" if html else _message(body)
    stated = _until(headers, body, now)
    doubled = 2.0 ** min(strikes, 12)

    def banned(kind: BanKind, seconds: float, reason: str) -> Verdict:
        own = min(seconds * doubled, LONGEST_BAN_SECONDS)
        until = stated or now + random.uniform(own, own * 1.25)  # noqa: S311 - jitter
        ban = Ban(kind, until, reason, strikes + 1)
        return ban.error(), ban

    if status == 429:
        return banned("throttled", THROTTLED_SECONDS, "too many requests (HTTP 429)")
    if status == 418:
        return banned("banned", FORBIDDEN_SECONDS, "banned for too many requests (HTTP 418)")
    if status == 405 or (html and status in (200, 202)):
        what = "a challenge page" if html else told or "no reason"
        return banned("banned", CHALLENGED_SECONDS, f"turned away by its firewall (HTTP {status}, {what})")
    if status == 451:
        reason = " ".join(filter(None, ["not served from this location (HTTP 451).", hint])).rstrip(".")
        ban = Ban("blocked", now + ELSEWHERE_SECONDS, reason, strikes + 1)
        return ban.error(), ban
    if status == 403:
        reason = " ".join(filter(None, ["refuses us (HTTP 403).", hint])).rstrip(".")
        return banned("blocked", FORBIDDEN_SECONDS, reason)
    if 300 <= status < 400:
        return Refused(f"redirects elsewhere (HTTP {status}): not followed"), None
    if status >= 500:
        return ServerFault(f"its server failed (HTTP {status})"), None
    if status != 200:
        if stated and _WORDS_OF_A_LIMIT.search(body[:4096]):
            return banned("throttled", THROTTLED_SECONDS, f"too many requests (HTTP {status})")
        return Refused(f"refused the request (HTTP {status}): {told or 'no reason given'}"), None
    if body.strip()[-1:] not in (b"}", b"]") and body.strip() != b"null":
        return Truncated("the answer ended early or is not JSON"), None
    return None, None


def _until(headers: Mapping[str, str], body: bytes, now: float) -> float | None:
    """When the venue says that we may come back: "banned until <ms>" in the body, or Retry-After."""
    latest = now + LONGEST_STATED_BAN_SECONDS
    if found := _UNTIL_MS.search(body[:4096]):
        return min(max(int(found[1]) / 1000, now + 1), latest)
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(now + max(1, int(value[:9])), latest)
    if value:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, OverflowError):
            return None
        stamp = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
        return min(max(stamp, now + 1), latest)
    return None


class _Told(msgspec.Struct):
    """The places where venues put the reason of a refusal."""

    msg: str = ""
    message: str = ""
    code: str | int | float | None = None
    error: msgspec.Raw = msgspec.Raw(b"null")


class _Inner(msgspec.Struct):
    message: str = ""
    code: str | int | float | None = None


def _message(body: bytes) -> str:
    """The venue's own words inside a JSON refusal, cleaned; "" when there are none."""
    try:
        told = msgspec.json.decode(body[:65536], type=_Told)
        words = told.msg or told.message
        if not words and told.error[:1] == b"{":
            words = msgspec.json.decode(told.error, type=_Inner).message
        return clean(" ".join(filter(None, [words, f"({told.code})" if told.code is not None else ""])), 120)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""
