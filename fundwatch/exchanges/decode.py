"""From JSON bytes to typed rows: a bad row is refused by name, a wrong envelope is drift."""

import math
import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fundwatch.exchanges.errors import Drift
from fundwatch.models import MAX_HOURLY_RATE
from fundwatch.text import clean

T = TypeVar("T")

Number = str | float | int | None
"""How venues send numbers: decimal strings mostly, sometimes JSON numbers."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_DECIMAL = 80


class BadNumber(ValueError):
    """A field that must hold a number and does not; the message is for a person."""


def envelope(body: bytes, shape: type[T]) -> T:
    """`body` as `shape`; raises `Drift` naming the path that does not fit."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Drift(f"the answer is not in the documented shape: {clean(str(error))}") from error


def rows(raw_rows: Iterable[msgspec.Raw], shape: type[T]) -> Iterable[T | str]:
    """Each row as `shape`, or the reason why it does not fit, so that one bad row costs one row."""
    decoder = msgspec.json.Decoder(shape)
    for raw in raw_rows:
        try:
            yield decoder.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            yield f"unreadable row: {clean(str(error))}"


def number(value: object, field: str) -> float:
    """A finite number from a strict decimal string or a JSON number; raises `BadNumber`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadNumber(f"{field} is missing" if value is None else f"{field} is not a number")
    if isinstance(value, str):
        if value == "":
            raise BadNumber(f"{field} is missing")
        if len(value) > _LONGEST_DECIMAL or not _DECIMAL.fullmatch(value):
            raise BadNumber(f"{field} is not a decimal")
    try:
        result = float(value)
    except (ValueError, OverflowError):
        raise BadNumber(f"{field} is not a number") from None
    if not math.isfinite(result):
        raise BadNumber(f"{field} is not finite")
    return result


def optional(value: object) -> float | None:
    """Like `number`, but a missing or malformed value is None: for fields that no bet hangs on."""
    try:
        return number(value, "")
    except BadNumber:
        return None


def positive(value: object) -> float | None:
    """A price above zero, or None."""
    result = optional(value)
    return result if result is not None and result > 0 else None


def bounded(hourly_rate: float) -> float:
    """`hourly_rate` (fraction) unless it is absurd; raises `BadNumber` beyond ±10 % per hour."""
    if not -MAX_HOURLY_RATE <= hourly_rate <= MAX_HOURLY_RATE:
        raise BadNumber(f"rate of {hourly_rate * 100:.4g} % per hour is absurd")
    return hourly_rate


def notional(amount: object, price: float | None) -> float | None:
    """`amount` base units at `price` in USD; None when either is not known or the amount is negative."""
    units = optional(amount)
    if units is None or units < 0 or price is None:
        return None
    value = units * price
    return value if math.isfinite(value) else None


def time_from_ms(value: object) -> int | None:
    """UTC seconds from a venue's milliseconds; None for what is no time between 2010 and 2100."""
    stamp = optional(value)
    if stamp is None or not 1_262_304_000_000 <= stamp <= 4_102_444_800_000:
        return None
    return int(stamp // 1000)
