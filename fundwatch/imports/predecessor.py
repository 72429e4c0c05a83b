"""The tables of the TypeScript funding-rate collector that came before (2025-12 to 2026-03).

Its units differ from table to table, so each is known by its columns and has its own repair, taken
from its schema, collectors and import scripts (github.com/dhaussmann/defi_api: migrations/write,
src/Archive, v3_collectors, scripts). Never from the size of a number: a row that does not fit the
documented unit is refused. Intervals that it took from a median are not believed; spacing tells them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose

from fundwatch.exchanges.decode import BadNumber, bounded, number
from fundwatch.exchanges.hyperliquid_answers import settled_rate as hyperliquid_rate
from fundwatch.exchanges.lighter_units import payment_from_fundings, rate_from_fundings
from fundwatch.imports import cells
from fundwatch.imports.cells import Cell, TimeUnit
from fundwatch.imports.layouts import LONGEST_USUAL_HOURS, Layout, Reader
from fundwatch.imports.rows import ImportedRow, NotThisLayout

FORMAT = "predecessor"

Row = Mapping[str, Cell]
Paid = tuple[float, float | None, float | None]
"""Rate (fraction for the interval), its hours where the venue has only one kind, payment in USD."""

Repair = Callable[[Row, str, int], Paid]
"""(row, the rate's column, funding time) -> what was paid; raises `BadNumber`."""


def lighter(row: Row, field: str, _time: int) -> Paid:
    """/fundings as it came: percent per hour, with or without a sign of its own, and who pays."""
    percent = number(row[field], field)
    direction = row["direction"]
    if not isinstance(direction, str):
        raise BadNumber("direction is missing")
    if percent < 0 and direction != "short":
        raise BadNumber("the rate is negative, and yet direction says that longs pay")
    rate = bounded(rate_from_fundings(abs(percent), direction))
    value = row.get("cumulative_value")
    if value is None or value == "":
        return rate, 1.0, None
    return rate, 1.0, payment_from_fundings(abs(number(value, "cumulative_value")), direction)


def own_interval(row: Row, field: str, _time: int) -> Paid:
    rate = _fraction(row, field)
    bounded(rate / LONGEST_USUAL_HOURS)
    return rate, None, None


def hourly(row: Row, field: str, _time: int) -> Paid:
    return bounded(_fraction(row, field)), 1.0, None


def hyperliquid(row: Row, field: str, time: int) -> Paid:
    rate, interval = hyperliquid_rate(_fraction(row, field), time)
    return rate, interval, None


def _fraction(row: Row, field: str) -> float:
    """The raw fraction; the same in percent stands beside it and must agree."""
    rate = number(row[field], field)
    percent = number(row[f"{field}_percent"], f"{field}_percent")
    if not isclose(rate * 100, percent, rel_tol=1e-6, abs_tol=1e-12):
        raise BadNumber(f"{field}_percent is not 100 x {field}, so the unit of this row is not known")
    return rate


@dataclass(frozen=True, slots=True)
class Table:
    """One of its tables: known by the columns it `needs`; `may` are those that nothing hangs on.

    `exchange` is None where one shape serves many. `sources` are the values of `source` that mark
    payments, None where all do.
    """

    name: str
    needs: frozenset[str]
    may: frozenset[str]
    time: str
    unit: TimeUnit
    rate: str
    note: str
    repair: Repair
    exchange: str | None
    sources: frozenset[str] | None = None

    def fits(self, names: frozenset[str]) -> bool:
        return self.needs <= names <= self.needs | self.may


def _columns(names: str) -> frozenset[str]:
    return frozenset(names.split())


_BOOKKEEPING = _columns("id collected_at source base_asset synced_at time_iso")
_IMPORTED = frozenset({"import"})
_COLLECTED = frozenset({"api", "import"})
_LIGHTER_NOTE = (
    "unsigned percent per hour with a direction: signed (long pays is positive) and divided by 100"
)
_FRACTION_NOTE = "signed fractions for the interval, times in {unit}; its intervals are not believed"
_HOURLY_NOTE = "signed fractions per hour, times in milliseconds"
_V3 = _columns("symbol funding_time rate_raw rate_raw_percent interval_hours rate_1h_percent rate_apr source")
_V3_MAY = _BOOKKEEPING | _columns("open_interest open_interest_usd market_id")
_MS, _S = TimeUnit.MILLISECONDS, TimeUnit.SECONDS


def _v3(exchange: str, repair: Repair, note: str, sources: frozenset[str]) -> Table:
    return Table(
        f"{exchange}_funding_v3",
        _V3,
        _V3_MAY,
        "funding_time",
        _S,
        "rate_raw",
        note,
        repair,
        exchange,
        sources,
    )


_V2_TABLES = (
    Table(
        "lighter_funding_v2",
        _columns("symbol timestamp rate rate_hourly rate_annual direction"),
        _BOOKKEEPING | _columns("market_id cumulative_value market_symbol timestamp_iso"),
        "timestamp", _S, "rate", _LIGHTER_NOTE, lighter, "lighter",
    ),
    Table(
        "lighter_raw_data",
        _columns("symbol timestamp rate rate_annual direction"),
        _BOOKKEEPING | _columns("market_id cumulative_value market_symbol"),
        "timestamp", _MS, "rate", f"{_LIGHTER_NOTE}; times in milliseconds", lighter, "lighter",
    ),
    Table(
        "lighter_funding_v3",
        _V3 | {"direction"},
        _V3_MAY | {"cumulative_value"},
        "funding_time", _S, "rate_raw", _LIGHTER_NOTE, lighter, "lighter", _IMPORTED,
    ),
    Table(
        "binance_raw_data",
        _columns("symbol timestamp rate rate_percent rate_hourly rate_annual funding_interval_hours"),
        _BOOKKEEPING | {"market_status", "funding_time"},
        "timestamp", _MS, "rate", _FRACTION_NOTE.format(unit=_MS), own_interval, "binance",
    ),
    Table(
        "aster_raw_data",
        _columns("symbol funding_time rate_raw rate_raw_percent rate_hourly rate_annual interval_hours"),
        _BOOKKEEPING | _columns("events_per_year interval_label"),
        "funding_time", _MS, "rate_raw", _FRACTION_NOTE.format(unit=_MS), own_interval, "aster",
    ),
    Table(
        "extended_raw_data",
        _columns("symbol base_asset timestamp rate rate_percent rate_annual"),
        _BOOKKEEPING,
        "timestamp", _MS, "rate", _HOURLY_NOTE, hourly, "extended",
    ),
    Table(
        "hyperliquid_raw_data",
        _columns("symbol timestamp rate rate_percent rate_annual"),
        (_BOOKKEEPING - {"base_asset"}) | {"market_status", "funding_time"},
        "timestamp", _MS, "rate", _HOURLY_NOTE, hyperliquid, "hyperliquid",
    ),
)  # fmt: skip

_V3_TABLES = {
    "hyperliquid": _v3("hyperliquid", hyperliquid, "signed fractions per hour, times in seconds", _COLLECTED),
    "aster": _v3("aster", own_interval, _FRACTION_NOTE.format(unit=_S), _COLLECTED),
    "extended": _v3("extended", hourly, "signed fractions per hour, times in seconds", _IMPORTED),
}
"""Those of one shape. Paradex, Variational and the builders' dexes are not here: their rows carry the time
of collection and a running estimate. Extended's own collector did that too; its imports are payments."""

_UNIFIED = _columns(
    "normalized_symbol exchange funding_time original_symbol rate_raw rate_raw_percent interval_hours source"
)
_UNIFIED_MAY = _BOOKKEEPING | _columns("rate_1h_percent rate_apr timestamp")

_NO_PAYMENTS: tuple[tuple[frozenset[str], str], ...] = (
    (_columns("hour_timestamp avg_funding_rate"), "hourly averages of running estimates"),
    (_columns("minute_timestamp avg_funding_rate"), "averages of running estimates"),
    (_columns("normalized_symbol exchange funding_rate_apr"), "the latest estimate of each market"),
    (
        _columns("trading_pair annualized_rate collected_at"),
        "rates at the time of collection, in mixed units",
    ),
)

_TABLE_IN_NAME = re.compile(r"(?:^|[^a-z])([a-z]+)_(?:funding_v[23]|raw_data)")


def layout(
    names: Sequence[str], *, exchange: str | None, file_names: Sequence[str], now: float
) -> Layout | None:
    """How to read one of its tables; None when these are none of its columns.

    Raises `NotThisLayout` for a table that holds no payments, and for another exchange's.
    """
    found = frozenset(names)
    for columns, what in _NO_PAYMENTS:
        if columns <= found:
            raise NotThisLayout(f"this is a table of the predecessor that holds {what}, not payments")
    hint = next((name[1] for name in map(_TABLE_IN_NAME.search, map(str.lower, file_names)) if name), None)
    if _UNIFIED <= found <= _UNIFIED | _UNIFIED_MAY:
        note = "the unified table: each exchange's own unit, only rows that were payments"
        return Layout(FORMAT, note, tuple(names), _unified(names, now))
    table = next((table for table in _V2_TABLES if table.fits(found)), None)
    if table is None and _V3 <= found <= _V3 | _V3_MAY:
        table = _v3_table(exchange or hint)
    if table is None:
        return None
    for other, where in ((exchange, "--exchange names"), (hint, "the file's name says")):
        if other is not None and other != table.exchange:
            raise NotThisLayout(
                f"these are the columns of the predecessor's {table.name}, but {where} {cells.shown(other)}"
            )
    return Layout(FORMAT, f"{table.name}: {table.note}", tuple(names), _one(table, names, now))


def _v3_table(exchange: str | None) -> Table:
    if exchange is None:
        raise NotThisLayout(
            "this table of the predecessor does not say its exchange: name it with --exchange"
        )
    table = _V3_TABLES.get(exchange)
    if table is None:
        raise NotThisLayout(
            f"the predecessor's rows of {cells.shown(exchange)} carry the time of collection and a "
            f"running estimate, not payments; its V3 tables of {', '.join(sorted(_V3_TABLES))} and "
            "lighter can be imported"
        )
    return table


def _one(table: Table, names: Sequence[str], now: float) -> Reader:
    hour_of = cells.hours(table.unit, table.time, now)
    symbol_of = cells.symbols("symbol")

    def read(line: int, row: Sequence[Cell]) -> ImportedRow:
        cell = dict(zip(names, row, strict=True))
        return _row(table, line, cell, symbol_of(cell["symbol"]), hour_of(cell[table.time]))

    return read


def _unified(names: Sequence[str], now: float) -> Reader:
    hour_of = cells.hours(_S, "funding_time", now)
    symbol_of = cells.symbols("original_symbol")
    exchange_of = cells.exchanges()

    def read(line: int, row: Sequence[Cell]) -> ImportedRow:
        cell = dict(zip(names, row, strict=True))
        exchange = exchange_of(cell["exchange"]) or "?"
        if exchange == "lighter":
            raise BadNumber("this table has no direction, so Lighter's signs are not certain: import its own")
        table = _V3_TABLES.get(exchange)
        if table is None:
            raise BadNumber(f"rows of {exchange} are no payments here, or of an exchange not known")
        return _row(table, line, cell, symbol_of(cell["original_symbol"]), hour_of(cell["funding_time"]))

    return read


def _row(table: Table, line: int, cell: Row, symbol: str, time: int) -> ImportedRow:
    source = cell.get("source")
    if table.sources is not None and source not in table.sources:
        raise BadNumber(
            f"source {cells.shown(source)} marks no payments of {table.exchange}: export those with "
            f"{' or '.join(sorted(table.sources))} only"
        )
    if table.exchange == "hyperliquid" and ":" in symbol:
        raise BadNumber("builders' dexes were stamped with the time of collection, not of payment")
    rate, interval, payment = table.repair(cell, table.rate, time)
    return ImportedRow(line, table.exchange, symbol, time, rate + 0.0, interval, payment_usd=payment)
