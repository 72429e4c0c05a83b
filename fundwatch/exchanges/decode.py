"""From JSON bytes to typed rows: a bad row is refused by name, a wrong envelope is drift.

An object that says a field of ours twice does not say it at all: parsers differ in which one they take.
"""

import json
import math
import re
from collections.abc import Hashable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar, cast, get_args

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
        answer = msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Drift(f"the answer is not in the documented shape: {clean(str(error))}") from error
    if twice := _said_twice(body, _lists(cast(Hashable, shape))):
        raise Drift(f"the answer is not in the documented shape: {twice} is in it twice")
    return answer


def rows(raw_rows: Iterable[msgspec.Raw], shape: type[T]) -> Iterable[T | str]:
    """Each row as `shape`, or the reason why it does not fit, so that one bad row costs one row."""
    decoder, fields = msgspec.json.Decoder(shape), _fields(cast(Hashable, shape))
    for raw in raw_rows:
        try:
            row = decoder.decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            yield f"unreadable row: {clean(str(error))}"
            continue
        twice = _said_twice(bytes(raw), fields)
        yield f"unreadable row: {twice} is in it twice" if twice else row


@cache
def _fields(shape: Any) -> tuple[bytes, ...]:
    """The names of all fields of `shape` as they stand in JSON, with those of the structs inside it."""
    found: dict[bytes, None] = {}
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        for field in msgspec.structs.fields(shape):
            found |= dict.fromkeys([f'"{field.encode_name}"'.encode(), *_fields(field.type)])
    for part in get_args(shape):
        found |= dict.fromkeys(_fields(part))
    return tuple(found)


@cache
def _lists(shape: Any) -> tuple[bytes, ...]:
    """Those of the fields that hold the rows of an answer."""
    structs = [part for part in (shape, *get_args(shape)) if isinstance(part, type)]
    return tuple(
        f'"{field.encode_name}"'.encode()
        for part in structs
        if issubclass(part, msgspec.Struct)
        for field in msgspec.structs.fields(part)
        if "list[" in str(field.type)
    )


def _said_twice(data: bytes, fields: tuple[bytes, ...]) -> str | None:
    """The first of `fields` that an object in `data` holds twice. Only what looks like it is read again."""
    count = data.count
    for field in fields:
        if count(field) > 1:
            break
    else:
        if not fields or b"\\u" not in data:
            return None
    found: list[str] = []
    ours = {field[1:-1].decode() for field in fields}

    def note(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs if name in ours]
        found.extend(name for name in set(names) if names.count(name) > 1)

    with suppress(ValueError, RecursionError):
        json.loads(data, object_pairs_hook=note, parse_int=str, parse_float=str)
    return found[0] if found else None


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
