"""What an HTTP answer means: a document, or an error, or a ban."""

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from fundwatch.exchanges.bans import (
    LONGEST_BAN_SECONDS,
    LONGEST_STATED_BAN_SECONDS,
    Ban,
    BanKind,
    doubled,
)
from fundwatch.exchanges.errors import Drift, ExchangeError, Refused, ServerFault, Truncated
from fundwatch.text import clean

THROTTLED_SECONDS = 30.0
CHALLENGED_SECONDS = 60.0
FORBIDDEN_SECONDS = 1800.0
ELSEWHERE_SECONDS = 55 * 60.0
"""After a 451: one request in each hourly sweep finds out when it is over."""

MARGIN_SECONDS = 1.0
"""Added to every end that a venue tells: its clock and ours round differently."""

_BANNED_UNTIL_MS = re.compile(rb"banned until (\d{13})\b", re.IGNORECASE)
_WORDS_OF_A_LIMIT = re.compile(rb"too many (requests|visits)|rate.?limit", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,15}(\.\d*)?", re.ASCII)
_LOOKED_AT = 4096


def verdict_of(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, strikes: int, hint: str
) -> ExchangeError | Ban | None:
    """None for one JSON document with status 200, else what went wrong.

    `strikes` is how many bans came in a row before: a ban whose end nobody told doubles with each.
    `hint` is what a person can do when the exchange does not serve them.
    """
    start = body[:_LOOKED_AT].lstrip()
    html = start.startswith(b"<")
    stated = None if status == 200 else _until(headers, start, now)

    def ban(kind: BanKind, own_seconds: float, reason: str) -> Ban:
        own = doubled(own_seconds, strikes)
        longest = LONGEST_STATED_BAN_SECONDS if status == 418 else LONGEST_BAN_SECONDS
        if stated is None:
            until = now + random.uniform(own, own * 1.25)  # noqa: S311 - jitter
        else:
            until = min(max(stated, now + doubled(MARGIN_SECONDS, strikes)), now + longest)
        return Ban(kind, until, reason, strikes + 1)

    if status == 429:
        return ban("throttled", THROTTLED_SECONDS, "too many requests (HTTP 429)")
    if status == 418:
        return ban("banned", FORBIDDEN_SECONDS, "banned for too many requests (HTTP 418)")
    if status == 451:
        reason = _with_hint("not served from this location (HTTP 451)", hint)
        return Ban("blocked", now + ELSEWHERE_SECONDS, reason, strikes + 1)
    if status == 403:
        return ban("blocked", FORBIDDEN_SECONDS, _with_hint("it refuses us (HTTP 403)", hint))
    challenged = "x-amzn-waf-action" in headers or (html and 200 <= status < 300)
    if status == 405 or challenged:
        what = "a challenge page" if html or challenged else _told(body)
        return ban("banned", CHALLENGED_SECONDS, f"turned away by its firewall (HTTP {status}, {what})")
    if status == 200:
        return _flaw(body, start)
    if status < 300:
        return Drift(f"an answer without a document (HTTP {status})")
    if stated is not None or (status < 500 and _WORDS_OF_A_LIMIT.search(start)):
        return ban("throttled", THROTTLED_SECONDS, f"it asks for a pause (HTTP {status})")
    if status < 400:
        return Refused(f"redirects elsewhere (HTTP {status}): not followed")
    if status < 500:
        return Refused(f"refused the request (HTTP {status}): {_told(body)}")
    return ServerFault(f"its server failed (HTTP {status})")


def _with_hint(reason: str, hint: str) -> str:
    return f"{reason}. {hint.rstrip('.')}" if hint else reason


def _flaw(body: bytes, start: bytes) -> ExchangeError | None:
    """Why `body` is not one whole JSON object, array or null in UTF-8."""
    if not start:
        return Truncated("the answer is empty")
    if start[:1] not in b"{[" and body.strip() != b"null":
        return Drift("the answer is not JSON in UTF-8")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError:
        return Truncated("the answer ended early or is damaged JSON")
    except RecursionError:
        return Drift("the answer is nested too deeply")
    return None


def _until(headers: Mapping[str, str], start: bytes, now: float) -> float | None:
    """When the venue lets us come back (UTC seconds of our clock): the later of what body and header say."""
    # A venue's absolute times are of its clock; where ours is ahead we would come too early.
    ahead = max(0.0, now - (http_date(headers.get("date", "")) or now))
    ends = []
    if found := _BANNED_UNTIL_MS.search(start):
        ends.append(int(found[1]) / 1000 + ahead)
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        ends.append(now + float(value))
    elif (date := http_date(value)) is not None:
        ends.append(date + ahead)
    return max(ends) + MARGIN_SECONDS if ends else None


def http_date(value: str) -> float | None:
    """An HTTP date as UTC seconds."""
    try:
        date: datetime = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _told(body: bytes) -> str:
    """The venue's own words in a refusal, cleaned: the text fields that venues use, or a plain text."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        plain = body[:_LOOKED_AT].decode("utf-8", "replace").strip()
        return clean(plain, 120) if plain[:1] not in ("", "<", "{", "[") else "no reason given"
    inner = document.get("error") if isinstance(document, dict) else None
    places = [place for place in (document, inner) if isinstance(place, dict)]
    words = [p[key] for p in places for key in ("msg", "message", "error") if isinstance(p.get(key), str)]
    words += [f"({p['code']})" for p in places if isinstance(p.get("code"), str | int)]
    return clean(" ".join(words), 120) or "no reason given"
