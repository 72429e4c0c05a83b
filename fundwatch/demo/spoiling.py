"""Faults inside a good answer: rows altered, dropped, repeated or renamed, whatever the exchange's format."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any
from zlib import crc32

import msgspec

from fundwatch.demo.faults import Fault
from fundwatch.demo.venues.base import Request, Venue

Row = dict[str, Any]
_ROW_KEYS = (
    "symbols", "order_book_details", "order_books", "funding_rates", "fundings", "data", "results",
    "listings",
)  # fmt: skip
_NAME_KEYS = ("symbol", "name", "ticker", "m", "coin", "market")
_HOUR_MS = 3_600_000


def spoil(body: bytes, faults: Iterable[Fault], venue: Venue, request: Request) -> bytes:
    """`body` with `faults` (of the kinds in `faults.ROWS`) worked into it."""
    payload = msgspec.json.decode(body)
    for fault in faults:
        _Spoiler(fault, venue, request).work(payload)
    spoiled = msgspec.json.encode(payload)
    return spoiled.replace(b'"@NaN@"', b"NaN")


class _Spoiler:
    def __init__(self, fault: Fault, venue: Venue, request: Request) -> None:
        self.fault = fault
        self.kind, _, self.part = fault.kind.partition("-") if _has_part(fault.kind) else (fault.kind, "", "")
        self._venue = venue
        self._quoted = {k for f in venue.quoted if f.path in request.path for k in f.keys}
        self._settled = {k for f in venue.settled_rows if f.path in request.path for k in f.keys}

    def work(self, payload: Any) -> None:
        tables = list(_tables(payload))
        kept = self._kept(tables)
        for at, rows in enumerate(tables):
            if kept is not None:
                rows[:] = [row for row, stays in zip(rows, kept[at], strict=True) if stays]
            elif self.kind == "empty":
                rows.clear()
            elif self.kind == "duplicates":
                rows += [dict(row) for row in rows[: len(rows) // 10 + 1]]
            else:
                self._alter(rows)

    def _kept(self, tables: list[list[Row]]) -> list[list[bool]] | None:
        """For faults that drop rows: which rows of each table stay."""
        if self.kind == "half":
            if _is_pair(tables):
                halves = [_even(row) for row in tables[0]]
                return [halves, halves]
            return [[self._is_settled(row) or _even(row) for row in rows] for rows in tables]
        if self.kind == "missing-rows":
            return [
                [not self._is_settled(row) or self._hour(row) % 7 != 3 for row in rows] for rows in tables
            ]
        if self.kind == "one-symbol":
            return [
                [not self._is_settled(row) or _name(row) == _name(rows[0]) for row in rows] for rows in tables
            ]
        return None

    def _alter(self, rows: list[Row]) -> None:
        factor = self.fault.number or 100.0
        word = "NaN" if self.kind == "nan" else "@NaN@"
        for at, row in enumerate(rows):
            settled = self._is_settled(row)
            if self.kind in ("jitter", "revise") and not settled:
                continue
            if self.kind == "jitter":
                self._shift(row, at)
            elif self.kind == "revise" and self._hour(row) % 5 == 0:
                self._rates(row, lambda value: _times(value, 2))
            elif self.kind in ("nan", "nan-bare") and at % 5 == 0:
                self._rates(row, lambda _: word)
            elif self.kind == "drift":
                self._rename(row)
            elif self.kind == "unit" and self._meant(settled):
                self._rates(row, lambda value: _times(value, factor))
            elif self.kind == "sign" and self._meant(settled):
                if "direction" in row:
                    row["direction"] = "long"
                self._rates(row, _unsigned)

    def _meant(self, settled: bool) -> bool:
        return self.part in ("", "settled" if settled else "quotes")

    def _is_settled(self, row: Row) -> bool:
        return not self._settled.isdisjoint(row)

    def _hour(self, row: Row) -> int:
        return int(_ms(row[self._venue.stamp_key]) // _HOUR_MS)

    def _shift(self, row: Row, at: int) -> None:
        seconds = (59, -59, 7)[at % 3]
        key = self._venue.stamp_key
        row[key] += seconds * (1 if row[key] < 10**11 else 1000)

    def _holders(self, row: Row) -> Iterator[tuple[Row, str]]:
        """Each rate field of a row with the object that holds it."""
        for holder in (row, row.get("marketStats")):
            if isinstance(holder, dict):
                for key in (self._quoted | self._settled) & holder.keys():
                    yield holder, key

    def _rates(self, row: Row, change: Callable[[Any], Any]) -> None:
        for holder, key in self._holders(row):
            holder[key] = change(holder[key])

    def _rename(self, row: Row) -> None:
        for holder, key in list(self._holders(row)):
            holder[f"{key}Value"] = holder.pop(key)


def _has_part(kind: str) -> bool:
    return kind.startswith(("unit-", "sign-"))


def _tables(payload: Any) -> Iterator[list[Row]]:
    """The lists of rows in an answer; Hyperliquid's pair of lists counts as two of equal length."""
    if isinstance(payload, dict):
        for key in _ROW_KEYS:
            if _is_table(payload.get(key)):
                yield payload[key]
    elif _is_table(payload):
        yield payload
    elif isinstance(payload, list) and len(payload) == 2 and isinstance(payload[0], dict):
        yield payload[0]["universe"]
        yield payload[1]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_pair(tables: list[list[Row]]) -> bool:
    return len(tables) == 2 and bool(tables[1]) and "markPx" in tables[1][0]


def _name(row: Row) -> str:
    return next((str(row[key]) for key in _NAME_KEYS if key in row), "")


def _even(row: Row) -> bool:
    """The same half of the markets in every answer."""
    return crc32(_name(row).encode()) % 2 == 0


def _ms(stamp: float) -> float:
    return stamp * 1000 if stamp < 10**11 else stamp


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, str):
        return format(Decimal(value) * Decimal(str(factor)), "f") if value else value
    return value * factor


def _unsigned(value: Any) -> Any:
    return value.removeprefix("-") if isinstance(value, str) else abs(value)
