"""Cleaning text from outside, and how numbers look to a person."""

import math
import unicodedata
from datetime import UTC, datetime

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean(text: str, limit: int = 160) -> str:
    """`text` from outside made harmless for a terminal, a log line or a pane.

    Controls, escape sequences' bytes, bidi overrides, surrogates and unassigned characters go,
    white space is joined, and the result is at most `limit` characters long.
    """
    kept = []
    for char in text[: limit * 4]:
        if char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) not in _UNSAFE:
            kept.append(char)
    joined = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    return joined if len(joined) <= limit else joined[: limit - 1] + "…"


def is_symbol(text: str) -> bool:
    """Whether a venue's symbol or asset name can be taken as it is.

    1 to 64 characters: letters and digits of any script, marks of ordinary width, and `._:/+-$&`.
    """
    if not 0 < len(text) <= 64 or not unicodedata.is_normalized("NFC", text):
        return False
    return all(c in "._:/+-$&" or unicodedata.category(c)[0] in "LN" for c in text)


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
