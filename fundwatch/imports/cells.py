"""One cell to one value: strict, and the same for CSV text and for JSON values.

Each maker gives a function that raises `BadNumber` with words for a person. They remember what they
have seen, within bounds, as files repeat the same symbols and hours.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from fundwatch.exchanges.decode import BadNumber, number
from fundwatch.imports.rows import NotThisLayout
from fundwatch.models import EARLY_STAMP_SECONDS, HOUR, LATE_STAMP_SECONDS, Kind
from fundwatch.text import clean, is_symbol, utc

Cell = object
"""Text of CSV ("" is missing), or any JSON value (null is missing)."""

EARLIEST_TIME = 1_451_606_400
"""2016-01-01: before the first perpetual contract. UTC seconds."""

SETTLED_AHEAD_SECONDS = 600
"""A payment cannot lie in the future, but clocks differ."""

LONGEST_INTERVAL_HOURS = 24.0

_REMEMBERED = 50_000
_MOST_BITS = 200
_WHOLE = re.compile(r"-?\d{1,18}(\.0*)?", re.ASCII)
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(?P<zone>Z| ?UTC|[+-]\d\d(:?\d\d)?)?", re.ASCII
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)


class TimeUnit(StrEnum):
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    ISO = "ISO 8601"
    """With a zone: a time without one could be anybody's."""
    UTC_TEXT = "ISO 8601 in UTC"
    """The column says that it is UTC, so a zone may be left out."""


def shown(cell: Cell) -> str:
    """A cell in a refusal: short and harmless."""
    if isinstance(cell, int) and cell.bit_length() > _MOST_BITS:
        return "an endless number"
    return repr(clean(str(cell)[:200], 40))


def decimals(field: str) -> Callable[[Cell], float]:
    """Finite numbers from strict decimals; a missing one raises too."""

    def read(cell: Cell) -> float:
        try:
            return number(cell, field)
        except BadNumber as error:
            if cell is None or cell == "":
                raise
            comma = isinstance(cell, str) and _DECIMAL_COMMA.fullmatch(cell[:80])
            hint = ": write it with a decimal point" if comma else ""
            raise BadNumber(f"{error}{hint}: {shown(cell)}") from None

    return read


def hours(unit: TimeUnit, field: str, now: float) -> Callable[[Cell], int]:
    """The full hour (UTC seconds) that a stamp means: from 60 s before to 15 min after it.

    `unit` is what the file declares. Raises `BadNumber` for a stamp between two hours, before 2016 or
    later than ten minutes after `now`.
    """
    per_second = 1000 if unit is TimeUnit.MILLISECONDS else 1
    earliest, latest = EARLIEST_TIME * per_second, int((now + SETTLED_AHEAD_SECONDS) * per_second)
    early, late, hour = (part * per_second for part in (EARLY_STAMP_SECONDS, LATE_STAMP_SECONDS, HOUR))
    is_number = unit in (TimeUnit.SECONDS, TimeUnit.MILLISECONDS)
    known: dict[str, int] = {}

    def of_stamp(stamp: int, cell: Cell) -> int:
        if not earliest <= stamp <= latest:
            raise BadNumber(_no_time(stamp, cell, unit, field, now))
        count = (stamp + early) // hour
        if stamp - count * hour > late:
            raise BadNumber(
                f"{field} {utc(stamp / per_second, '%Y-%m-%d %H:%M:%S')} is not near a full hour: "
                "a payment is stamped from 60 s before to 15 min after it"
            )
        return count * HOUR

    def read(cell: Cell) -> int:
        if type(cell) is str:
            found = known.get(cell)
            if found is not None:
                return found
            if len(known) >= _REMEMBERED:
                known.clear()
            stamp = _whole(cell, field, unit) if is_number else _of_text(cell, field, unit)
            found = known[cell] = of_stamp(stamp, cell)
            return found
        if type(cell) in (int, float) and not is_number:
            raise NotThisLayout(_undeclared(field))
        if is_number and type(cell) is int:
            return of_stamp(cell, cell)
        if is_number and type(cell) is float and cell.is_integer():
            return of_stamp(int(cell), cell)
        raise BadNumber(f"{field} is missing" if cell is None else f"{field} is no time: {shown(cell)}")

    return read


def _whole(cell: str, field: str, unit: TimeUnit) -> int:
    if cell.isascii() and cell.isdigit() and len(cell) <= 18:
        return int(cell)
    if _WHOLE.fullmatch(cell):
        return int(cell.partition(".")[0])
    if cell == "":
        raise BadNumber(f"{field} is missing")
    raise BadNumber(f"{field} is not a whole number of {unit}: {shown(cell)}")


def _of_text(cell: str, field: str, unit: TimeUnit) -> int:
    if cell == "":
        raise BadNumber(f"{field} is missing")
    found = _ISO.fullmatch(cell)
    if _WHOLE.fullmatch(cell):
        raise NotThisLayout(_undeclared(field))
    if found is None:
        raise BadNumber(f"{field} is not a time like 2026-01-31T08:00:00Z: {shown(cell)}")
    if not found["zone"] and unit is TimeUnit.ISO:
        hint = "write it like 2026-01-31T08:00:00Z, or say --time-unit utc"
        raise BadNumber(f"{field} has no time zone, {hint}: {shown(cell)}")
    try:
        time = datetime.fromisoformat(cell.removesuffix("UTC").rstrip())
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError, OSError):
        raise BadNumber(f"{field} is no date of the calendar: {shown(cell)}") from None


def _undeclared(field: str) -> str:
    return (
        f"{field} holds numbers and does not say whether they are seconds or milliseconds: "
        f"call the column {field}_s or {field}_ms, or say --time-unit s or ms"
    )


def _no_time(stamp: int, cell: Cell, unit: TimeUnit, field: str, now: float) -> str:
    if stamp.bit_length() > _MOST_BITS:
        return f"{field} is no time: {shown(cell)}"
    seconds = stamp / 1000 if unit is TimeUnit.MILLISECONDS else stamp
    if now < seconds < now + 366 * 86400:
        return f"{field} lies in the future: {shown(cell)}"
    if unit not in (TimeUnit.SECONDS, TimeUnit.MILLISECONDS):
        return f"{field} is no time between 2016 and now: {shown(cell)}"
    other, factor = ("seconds", 1.0) if unit is TimeUnit.MILLISECONDS else ("milliseconds", 0.001)
    hint = ""
    if EARLIEST_TIME <= stamp * factor <= now:
        hint = f" (it would be one in {other}, but the column is in {unit})"
    return f"{field} is no time between 2016 and now{hint}: {shown(cell)}"


def symbols(field: str, guarded: Callable[[str], str] | None = None) -> Callable[[Cell], str]:
    """A venue's symbol as it is; `guarded` takes a formula guard off first."""
    known: dict[str, str] = {}

    def read(cell: Cell) -> str:
        if type(cell) is not str:
            raise BadNumber(f"{field} is missing" if cell is None else f"{field} is not text: {shown(cell)}")
        found = known.get(cell)
        if found is not None:
            return found
        found = guarded(cell) if guarded else cell
        if not is_symbol(found):
            raise BadNumber(f"{field} is missing" if cell == "" else f"{field} is none: {shown(cell)}")
        if len(known) >= _REMEMBERED:
            known.clear()
        known[cell] = found
        return found

    return read


def exchanges(guarded: Callable[[str], str] | None = None) -> Callable[[Cell], str | None]:
    """The lower-case name of an exchange, None where the cell is empty."""
    known: dict[str, str | None] = {"": None}

    def read(cell: Cell) -> str | None:
        if cell is None:
            return None
        if type(cell) is not str:
            raise BadNumber(f"exchange is not text: {shown(cell)}")
        if cell in known:
            return known[cell]
        name = (guarded(cell) if guarded else cell).strip().lower()
        if not _NAME.fullmatch(name):
            raise BadNumber(f"exchange is no name: {shown(cell)}")
        if len(known) < _REMEMBERED:
            known[cell] = name
        return name

    return read


def intervals(field: str = "interval_hours") -> Callable[[Cell], float | None]:
    """Whole hours that a payment covers, up to 24; 0 is for special payments; None when empty."""
    known: dict[Cell, float | None] = {"": None}

    def read(cell: Cell) -> float | None:
        if cell is None:
            return None
        if type(cell) is str and cell in known:
            return known[cell]
        value = number(cell, field)
        if not 0 <= value <= LONGEST_INTERVAL_HOURS or value != int(value):
            raise BadNumber(f"{field} is no whole number of hours up to 24: {shown(cell)}")
        if type(cell) is str and len(known) < _REMEMBERED:
            known[cell] = value
        return value

    return read


_KINDS = {None: Kind.REGULAR, "": Kind.REGULAR, "regular": Kind.REGULAR, "special": Kind.SPECIAL}


def kind(cell: Cell) -> Kind:
    found = _KINDS.get(cell.lower() if isinstance(cell, str) else cell if cell is None else "?")
    if found is None:
        raise BadNumber(f"kind is neither regular nor special: {shown(cell)}")
    return found


def one_of(field: str, words: frozenset[str]) -> Callable[[Cell], str | None]:
    def read(cell: Cell) -> str | None:
        if cell is None or cell == "":
            return None
        if not isinstance(cell, str) or cell not in words:
            raise BadNumber(f"{field} is none of {', '.join(sorted(words))}: {shown(cell)}")
        return cell

    return read
