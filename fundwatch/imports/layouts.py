"""How the cells of one file become settlements: which column holds what, and in which unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fundwatch.exchanges.decode import BadNumber, number
from fundwatch.exports.columns import DEMO_SOURCE
from fundwatch.imports import cells
from fundwatch.imports.cells import Cell, TimeUnit
from fundwatch.imports.rows import ImportedRow
from fundwatch.models import MAX_HOURLY_RATE, Kind, hourly_rate

LONGEST_USUAL_HOURS = 8.0
"""What bounds a rate whose interval is not known."""

ManyReader = Callable[[int, Sequence[str]], list[ImportedRow] | None]
"""(number of the first line, lines of CSV) -> their rows, or None when `Reader` must look at each."""

Reader = Callable[[int, Sequence[Cell]], ImportedRow]
"""(line, cells in the order of the columns) -> the row; raises `BadNumber`."""


class Measure(StrEnum):
    """What a rate column holds, always signed and positive when longs pay."""

    FRACTION = "a fraction for the interval"
    PERCENT = "percent for the interval"
    HOURLY = "a fraction per hour"
    APR = "APR in percent"


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to read a file. `columns` are in the file's order; `unit_note` is a sentence for a person.

    `read_many` is a faster way for lines of CSV that holds nothing unusual, where there is one.
    """

    format: str
    unit_note: str
    columns: tuple[str, ...]
    read: Reader
    read_many: ManyReader | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the cells stand. A `str` for symbol or exchange stands for all rows, None for none."""

    time: int
    unit: TimeUnit
    rate: int
    measure: Measure = Measure.FRACTION
    symbol: int | str = 0
    exchange: int | str | None = None
    interval: int | None = None
    kind: int | None = None
    payment: int | None = None
    origin: int | None = None


ORIGINS = frozenset({"exchange", "import", "recorded", DEMO_SOURCE})


def reader(
    columns: Sequence[str], at: Places, now: float, unguarded: Callable[[str], str] | None = None
) -> Reader:
    """Reads rows as `at` says; `unguarded` takes a formula guard off text cells.

    `now` (UTC seconds) bounds the times.
    """
    hour_of = cells.hours(at.unit, columns[at.time], now)
    rate_of = rates(at.measure, columns[at.rate])
    symbol_of = cells.symbols(columns[at.symbol] if isinstance(at.symbol, int) else "symbol", unguarded)
    exchange_of = cells.exchanges(unguarded)
    interval_of = cells.intervals(columns[at.interval] if at.interval is not None else "interval_hours")
    origin_of = cells.one_of("source", ORIGINS)
    time_at, rate_at, interval_at, kind_at = at.time, at.rate, at.interval, at.kind
    payment_at, origin_at = at.payment, at.origin
    symbol_at = at.symbol if isinstance(at.symbol, int) else None
    exchange_at = at.exchange if isinstance(at.exchange, int) else None
    one_symbol = symbol_of(at.symbol) if isinstance(at.symbol, str) else ""
    one_exchange = at.exchange if isinstance(at.exchange, str) else None
    regular = Kind.REGULAR
    new = tuple.__new__

    def read(line: int, row: Sequence[Cell]) -> ImportedRow:
        kind = regular if kind_at is None or row[kind_at] == "regular" else cells.kind(row[kind_at])
        interval = None if interval_at is None else interval_of(row[interval_at])
        if kind is not regular:
            if interval:
                raise BadNumber("a special payment covers no hours: interval_hours must be 0 or empty")
            interval = 0.0
        elif interval == 0:
            raise BadNumber("interval_hours is 0, which only a special payment has")
        payment = None if payment_at is None else _payment(row[payment_at])
        return new(
            ImportedRow,
            (
                line,
                one_exchange if exchange_at is None else exchange_of(row[exchange_at]),
                one_symbol if symbol_at is None else symbol_of(row[symbol_at]),
                hour_of(row[time_at]),
                rate_of(row[rate_at], interval),
                interval,
                kind,
                payment,
                None if origin_at is None else origin_of(row[origin_at]),
            ),
        )

    return read


def rates(measure: Measure, field: str) -> Callable[[Cell, float | None], float]:
    """From a cell and the hours of its interval to the fraction for the interval, bounded."""
    decimal_of = cells.decimals(field)
    loose = MAX_HOURLY_RATE * LONGEST_USUAL_HOURS

    def fraction(cell: Cell, interval: float | None) -> float:
        rate = decimal_of(cell)
        limit = MAX_HOURLY_RATE * interval if interval else loose
        if not -limit <= rate <= limit:
            raise BadNumber(absurd(field, rate, interval))
        return rate + 0.0  # no negative zero

    def percent(cell: Cell, interval: float | None) -> float:
        value = decimal_of(cell)
        return fraction(hundredth(cell, value), interval)

    def per_hour(cell: Cell, interval: float | None) -> float:
        value = decimal_of(cell)
        if not interval:
            raise BadNumber(f"{field} is per hour or year, so the row needs its interval_hours")
        if measure is Measure.APR:
            value = hourly_rate(value)
        return fraction(value * interval, interval)

    if measure is Measure.FRACTION:
        return fraction
    return percent if measure is Measure.PERCENT else per_hour


def hundredth(cell: Cell, value: float) -> float:
    """`value`/100 as the decimal that a person would write: 0.07 % is 0.0007, to the last bit."""
    text = cell if isinstance(cell, str) else repr(value)
    return value / 100 if "e" in text or "E" in text else float(f"{text}e-2")


def absurd(field: str, rate: float, interval: float | None) -> str:
    per_hour = rate / (interval or LONGEST_USUAL_HOURS) * 100
    return f"{field} makes {per_hour:.4g} % per hour, more than any market pays: is its unit right?"


def _payment(cell: Cell) -> float | None:
    return None if cell is None or cell == "" else number(cell, "payment_usd")
