"""Which settlements of one market stand: the rank of truth, and no hour counted twice. Pure.

A regular row of known interval covers (funding_time - interval, funding_time]; two of them never
overlap. A special row, and one whose interval nobody knows, covers nothing and is bound by its key
alone. What happens to a new row:

- Its hours are free: it is stored.
- It sits on the key of a stored row of the same hours, or one of the two does not know its hours:
  the higher rank (`models.Source`) stands. Within a rank an equal rate (to a relative 1e-9) is the
  same payment and only fills in the hours or the payment that the other did not know; another
  rate is a conflict and the first stays, except that a newer run's recorded rate replaces an older
  one's. Hours are never taken over from a row of another rate: they may belong to another unit.
- It is finer than the stored row that it lies in: the finer rows of this call take its place if
  they are of the same or a higher rank and cover it completely; else they are refused.
- It is coarser than what is stored: refused, except that a higher rank replaces a single row of
  its own funding time, and that the same rate at the same time is the same payment.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from math import isclose
from typing import NamedTuple

from fundwatch.models import HOUR, Source

REGULAR, SPECIAL = 0, 1
OVERLAPS = "its hours overlap a stored settlement"

Key = tuple[int, int]
"""(funding_time, kind number)"""


class Row(NamedTuple):
    """A settlement of one market with its provenance; `hours` is its interval, None when unknown."""

    funding_time: int
    kind: int
    rate: float
    hours: float | None
    rank: int
    run_id: int
    payment_usd: float | None

    @property
    def key(self) -> Key:
        return self.funding_time, self.kind

    @property
    def covers(self) -> bool:
        return self.kind == REGULAR and self.hours is not None

    @property
    def seconds(self) -> int:
        return round((self.hours or 0) * HOUR)

    @property
    def start(self) -> int:
        return self.funding_time - self.seconds


def same_rate(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-9, abs_tol=0)


def _tells_nothing(row: Row, old: Row | None) -> bool:
    """Whether `row` is what is stored: most rows of a window that is fetched again.

    Not asked of recorded rows, where the last word counts, and it may return to what is stored.
    """
    return (
        old is not None
        and row.rank != Source.RECORDED
        and row.rate == old.rate
        and row.hours == old.hours
        and row.rank <= old.rank
        and (row.payment_usd is None or old.payment_usd is not None)
    )


def _inside(row: Row, other: Row) -> bool:
    """Whether `row` covers a part of what `other` covers, and less."""
    return row.seconds < other.seconds and other.start <= row.start and row.funding_time <= other.funding_time


def _may_replace(row: Row, at_key: Row | None, coarse: Row) -> bool:
    """Whether nothing but `coarse` holds the key of `row`, or what does gives way."""
    return at_key is None or at_key is coarse or row.rank > at_key.rank or same_rate(row.rate, at_key.rate)


class Stretch:
    """The rows of one market in a stretch of time, and what becomes of new ones."""

    def __init__(self, stored: Iterable[Row] = ()) -> None:
        self.rows: dict[Key, Row] = {}
        self.conflicts: list[tuple[Row, Row]] = []
        """(seen, standing) pairs, in the order seen."""
        self.refused: list[Row] = []
        for row in stored:
            self.rows[row[0], row[1]] = row
        self._ends = sorted(row.funding_time for row in self.rows.values() if row.covers)

    def add(self, rows: Iterable[Row]) -> None:
        """Takes the rows of one call, all of one rank; their order decides only between conflicting ones."""
        known: list[Row] = []
        others: list[Row] = []
        for row in rows:
            if not _tells_nothing(row, self.rows.get(row[:2])):
                (known if row.covers else others).append(row)
        finer: dict[Key, list[Row]] = {}
        for row in sorted(known, key=lambda row: (-row.seconds, row.funding_time)):
            parent = self._add_covering(row)
            if parent is not None:
                finer.setdefault(parent.key, []).append(row)
        for key, parts in finer.items():
            self._refine(self.rows[key], parts)
        for row in others:
            self._add_by_key(row)

    def _add_covering(self, row: Row) -> Row | None:
        """Decides about `row`, or returns the coarser row that its set may take the place of."""
        at_key = self.rows.get(row.key)
        overlapping = self._overlapping(row)
        other = overlapping[0] if overlapping else None
        alone = len(overlapping) == 1
        if other is None or (alone and other is at_key and other.hours == row.hours):
            self._add_by_key(row)
        elif alone and _inside(row, other) and row.rank >= other.rank and _may_replace(row, at_key, other):
            return other
        elif alone and other is at_key and row.seconds > other.seconds and row.rank > other.rank:
            self._put(row)
        elif at_key is None or not at_key.covers or not same_rate(row.rate, at_key.rate):
            self.refused.append(row)
        return None

    def _refine(self, coarse: Row, parts: list[Row]) -> None:
        finer = Stretch()
        finer.add(parts)
        accepted = list(finer.rows.values())
        if sum(row.seconds for row in accepted) == coarse.seconds:
            self.conflicts += finer.conflicts
            self.refused += finer.refused
            self._remove(coarse)
            for row in accepted:
                self._add_by_key(row)
        else:
            self.refused += [
                row for row in parts if row.key != coarse.key or not same_rate(row.rate, coarse.rate)
            ]

    def _add_by_key(self, row: Row) -> None:
        old = self.rows.get(row.key)
        if old is None:
            self._put(row)
        elif same_rate(row.rate, old.rate):
            stands, other = (row, old) if row.rank > old.rank else (old, row)
            hours = other.hours if stands.hours is None else stands.hours
            payment = other.payment_usd if stands.payment_usd is None else stands.payment_usd
            whole = stands._replace(hours=hours, payment_usd=payment)
            if whole != old:
                self._put(whole)
        elif row.rank > old.rank or (row.rank == old.rank == Source.RECORDED and row.run_id >= old.run_id):
            self._put(row)
        elif row.rank == old.rank != Source.RECORDED:
            self.conflicts.append((row, old))

    def _overlapping(self, row: Row) -> list[Row]:
        found = []
        for index in range(bisect_right(self._ends, row.start), len(self._ends)):
            other = self.rows[self._ends[index], REGULAR]
            if other.start >= row.funding_time:
                break
            found.append(other)
        return found

    def _put(self, row: Row) -> None:
        old = self.rows.get(row.key)
        if old is not None:
            self._remove(old)
        self.rows[row.key] = row
        if row.covers:
            insort(self._ends, row.funding_time)

    def _remove(self, row: Row) -> None:
        del self.rows[row.key]
        if row.covers:
            del self._ends[bisect_left(self._ends, row.funding_time)]
