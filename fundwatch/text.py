"""Cleaning text from outside, and how numbers look to a person."""

import math
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

MOST_SHOWN = 4000
"""Characters of one text that are ever drawn or printed."""

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_TURNING = {"R", "AL", "AN"}
"""Letters and digits that many terminals draw from right to left, with the numbers that follow them."""
_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, range(0xFE00, 0xFE10)))
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Letters and marks that are drawn as nothing, or differently wide on each terminal."""
_MARKS_KEPT = 3
"""Over one letter: more than any script needs; heaps of them run over the lines above and below."""
_STAND_IN = "\N{REPLACEMENT CHARACTER}"


def clean(text: str, limit: int = 160) -> str:
    """`text` from outside made harmless for a terminal, a log line or a pane.

    Controls, escape sequences' bytes, bidi overrides, surrogates and unassigned characters go, letters
    written right to left become `�`, marks over one letter are at most three, white space is joined,
    and the result is at most `limit` characters long.
    """
    kept = []
    for char in text[: limit * 4]:
        if char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) not in _UNSAFE and char not in _UNSEEN:
            kept.append(_STAND_IN if unicodedata.bidirectional(char) in _TURNING else char)
    joined = " ".join(_without_heaps(unicodedata.normalize("NFC", "".join(kept))).split())
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def printable(text: str) -> str:
    """`text` letter by letter, as it can be drawn: for what was not cleaned at the door, or since.

    All that a terminal would obey, that changes the order or the width of what stands beside it, or that
    is no character at all becomes `�`; white space becomes a blank; what comes after `MOST_SHOWN`
    characters is cut.
    """
    if len(text) > MOST_SHOWN:
        text = text[: MOST_SHOWN - 1] + "…"
    return text if text.isascii() and text.isprintable() else _tamed(text)


@lru_cache(maxsize=4096)
def _tamed(text: str) -> str:
    return _without_heaps("".join(map(_drawn, text)))


def _drawn(char: str) -> str:
    if char in _UNSEEN:
        return ""
    if char.isprintable():
        return _STAND_IN if unicodedata.bidirectional(char) in _TURNING else char
    return " " if char.isspace() else _STAND_IN


def _without_heaps(text: str) -> str:
    """`text` with at most `_MARKS_KEPT` marks in a row."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MARKS_KEPT:
            kept.append(char)
    return "".join(kept)


def is_symbol(text: str) -> bool:
    """Whether a venue's symbol or asset name can be taken as it is.

    1 to 64 characters: letters and digits of any script that is written left to right, and `._:/+-$&`.
    """
    return 0 < len(text) <= 64 and _is_plain(text)


@lru_cache(maxsize=16_384)
def _is_plain(text: str) -> bool:
    """Kept, as every quotes pass brings the same few thousand symbols again."""
    if not unicodedata.is_normalized("NFC", text):
        return False
    return all(c in "._:/+-$&" or _is_plain_letter(c) for c in text)


def _is_plain_letter(char: str) -> bool:
    return (
        unicodedata.category(char)[0] in "LN"
        and char not in _UNSEEN
        and unicodedata.bidirectional(char) not in _TURNING
    )


def utc(seconds: float | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """UTC seconds as a person reads them; "-" for None."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime(form)


def age(seconds: float | None) -> str:
    """A duration in its two largest units: `42 s`, `14 min`, `2 h 14 min`, `3 d 4 h`; "-" for None."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def signed(value: float | None, decimals: int = 2) -> str:
    """A number with its sign always shown and thousands grouped; "-" for None."""
    if value is None or not math.isfinite(value):
        return "-"
    rounded = round(value, decimals)
    return f"{rounded + 0.0:+,.{decimals}f}" if rounded else f"{0:.{decimals}f}"


def usd_millions(value: float | None) -> str:
    return "-" if value is None else f"{value / 1e6:,.1f}"
