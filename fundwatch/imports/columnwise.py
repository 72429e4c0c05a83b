"""The same as `layouts.reader`, many lines of CSV at a time and several times faster.

A batch is read column by column, with checks that hold for whole columns. Anything out of the ordinary
gives None: then the batch is read row by row, which decides and finds the words.
"""

import re
from collections.abc import Callable, Sequence
from itertools import repeat
from math import isfinite
from typing import TypeVar

from fundwatch.imports import cells
from fundwatch.imports.cells import TimeUnit
from fundwatch.imports.layouts import (
    LONGEST_USUAL_HOURS,
    ORIGINS,
    Layout,
    ManyReader,
    Measure,
    Places,
    reader,
)
from fundwatch.imports.rows import ImportedRow
from fundwatch.models import (
    EARLY_STAMP_SECONDS,
    HOUR,
    LATE_STAMP_SECONDS,
    MAX_HOURLY_RATE,
    Kind,
    hourly_rate,
)

T = TypeVar("T")

_DIGITS = b"0123456789,"
_DECIMALS = b"0123456789.+-,"
_DECIMALS_OR_EXPONENTS = _DECIMALS + b"eE"
_LONGEST_NUMBER = 80
_LONG_EXPONENT = re.compile(rb"[eE][+-]?\d{4}")
_PER_SECOND = {TimeUnit.SECONDS: 1, TimeUnit.MILLISECONDS: 1000}


_PLAIN = frozenset({"regular", ""})


class _Unusual(ValueError):
    """Something in the batch wants a closer look."""


def placed(
    name: str,
    unit_note: str,
    columns: Sequence[str],
    at: Places,
    now: float,
    unguarded: Callable[[str], str] | None = None,
) -> Layout:
    """The layout of a file whose cells stand at `at`, with both ways to read it."""
    one, many = reader(columns, at, now, unguarded), many_reader(columns, at, now, unguarded)
    return Layout(name, unit_note, tuple(columns), one, many)


def many_reader(
    columns: Sequence[str], at: Places, now: float, unguarded: Callable[[str], str] | None = None
) -> ManyReader | None:
    """Reads batches as `at` says (see `layouts.reader`); None where the shape has no fast way."""
    if at.unit not in _PER_SECOND:
        return None
    width = len(columns)
    hours_of = _hours(_PER_SECOND[at.unit], now)
    exchange_of, symbol_of = cells.exchanges(unguarded), cells.symbols("symbol", unguarded)
    interval_of, origin_of = cells.intervals(), cells.one_of("source", ORIGINS)

    def converted(first: int, lines: Sequence[str]) -> list[ImportedRow]:
        count = len(lines)
        column = list(zip(*[line.split(",") for line in lines], strict=True))
        if len(column) != width or (at.kind is not None and not _PLAIN.issuperset(column[at.kind])):
            raise _Unusual

        def each(place: int | str | None, convert: Callable[[str], T]) -> Sequence[T]:
            """What stands at a place; each distinct cell is converted once."""
            if not isinstance(place, int):
                return [place] * count  # type: ignore[list-item]
            known = {cell: convert(cell) for cell in set(column[place])}
            return list(map(known.__getitem__, column[place]))

        intervals = each(at.interval, interval_of)
        found = zip(
            range(first, first + count),
            each(at.exchange, exchange_of),
            each(at.symbol, symbol_of),
            hours_of(column[at.time]),
            _rates(at.measure, column[at.rate], intervals),
            intervals,
            repeat(Kind.REGULAR, count),
            repeat(None, count) if at.payment is None else _payments(column[at.payment]),
            each(at.origin, origin_of),
            strict=True,
        )
        return list(map(ImportedRow._make, found))

    def read(first: int, lines: Sequence[str]) -> list[ImportedRow] | None:
        try:
            return converted(first, lines)
        except ValueError:
            return None

    return read


def _hours(per_second: int, now: float) -> Callable[[Sequence[str]], list[int]]:
    earliest = cells.EARLIEST_TIME * per_second
    latest = int((now + cells.SETTLED_AHEAD_SECONDS) * per_second)
    early, late, hour = (n * per_second for n in (EARLY_STAMP_SECONDS, LATE_STAMP_SECONDS, HOUR))

    def read(column: Sequence[str]) -> list[int]:
        _only(_DIGITS, column)
        stamps = list(map(int, column))
        if min(stamps) < earliest or max(stamps) > latest:
            raise _Unusual
        if max([(stamp + early) % hour for stamp in stamps]) > early + late:
            raise _Unusual
        return [(stamp + early) // hour * HOUR for stamp in stamps]

    return read


def _rates(measure: Measure, column: Sequence[str], intervals: Sequence[float | None]) -> list[float]:
    hours = [interval for interval in set(intervals) if interval is not None]
    if measure is Measure.PERCENT:
        _only(_DECIMALS, column)
        found = [float(f"{cell}e-2") + 0.0 for cell in column]
    else:
        _only(_DECIMALS_OR_EXPONENTS, column)
        found = [float(cell) + 0.0 for cell in column]
    if measure in (Measure.HOURLY, Measure.APR):
        if None in intervals:
            raise _Unusual
        per_hour = found if measure is Measure.HOURLY else map(hourly_rate, found)
        found = [rate * (interval or 0) for rate, interval in zip(per_hour, intervals, strict=True)]
    shortest = min([*hours, LONGEST_USUAL_HOURS])
    if shortest == 0 or not max(map(abs, found)) <= MAX_HOURLY_RATE * shortest:
        raise _Unusual
    return found


def _payments(column: Sequence[str]) -> list[float | None]:
    _only(_DECIMALS_OR_EXPONENTS, column)
    found = [float(cell) if cell else None for cell in column]
    if not all(map(isfinite, filter(None, found))):
        raise _Unusual
    return found


def _only(allowed: bytes, column: Sequence[str]) -> None:
    """Refuses what `int` and `float` are too lenient with: signs of other scripts, blanks, `_`, `nan`."""
    text = ",".join(column).encode("ascii")
    if text.translate(None, allowed) or max(map(len, column)) > _LONGEST_NUMBER:
        raise _Unusual
    if b"e" in allowed and _LONG_EXPONENT.search(text):
        raise _Unusual
