"""Storing settlements: guarded, ranked, never overlapping, each hour once."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fundwatch.models import HOUR, MAX_HOURLY_RATE, Kind, Settlement, Window
from fundwatch.storage.database import Writer
from fundwatch.storage.holes.absences import trim
from fundwatch.storage.markets import market_ids
from fundwatch.storage.truth import OVERLAPS, REGULAR, SPECIAL, Row, Stretch

FIRST_FUNDING_TIME = 1_451_606_400
"""2016-01-01: no perpetual is older."""
FUTURE_SECONDS = 600
MAX_SPECIAL_RATE = 1.0
LONGEST_HOURS = 168
"""No venue pays less often than daily; a week leaves room for coarse imports."""
USUAL_LONGEST_HOURS = 8
"""Bounds the rate of a row of unknown interval."""

_INSERT = """
INSERT OR REPLACE INTO settlement (market_id, funding_time, kind, rate, interval_hours, run_id, payment_usd)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_STORED = """
SELECT s.funding_time, s.kind, s.rate, s.interval_hours, r.source, s.run_id, s.payment_usd
FROM settlement s JOIN run r ON r.id = s.run_id
WHERE s.market_id = ?
"""
_CONFLICT = """
INSERT INTO conflict
  (market_id, funding_time, kind, seen_rate, stored_rate, interval_hours, first_seen, times, run_id)
VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)
ON CONFLICT DO UPDATE SET times = times + 1
"""

Record = tuple[int, int, int, float, float | None, int, float | None]
"""A row of the table `settlement`, in its order."""


class Stored(NamedTuple):
    """What became of the rows of one call.

    `inserted` keys are new, `replaced` ones were stored before and changed (a higher rank, a finer
    row, an interval or payment learnt), `unchanged` rows told nothing new. `reasons` counts the
    refused rows by the reason; `market_ids` are the markets whose rows changed.
    """

    inserted: int = 0
    replaced: int = 0
    unchanged: int = 0
    conflicts: int = 0
    refused: int = 0
    reasons: Mapping[str, int] = {}
    market_ids: frozenset[int] = frozenset()


def refusal(row: Settlement, now: float) -> str | None:
    """Why `row` cannot be a settlement, in words; None when it can. The last net before the table."""
    if row.funding_time % HOUR:
        return "its funding time is not a full hour"
    if row.funding_time > now + FUTURE_SECONDS:
        return "its funding time lies in the future"
    if row.funding_time <= FIRST_FUNDING_TIME:
        return "its funding time lies before 2016"
    if row.kind is Kind.SPECIAL:
        return None if abs(row.rate) <= MAX_SPECIAL_RATE else "its rate is absurd"
    hours = row.interval_hours
    if hours is not None and not 0 < hours <= LONGEST_HOURS:
        return "its interval is absurd"
    most = MAX_HOURLY_RATE * (USUAL_LONGEST_HOURS if hours is None else hours)
    return None if abs(row.rate) <= most else "its rate is absurd"


def save_settlements(
    writer: Writer, run_id: int, exchange: str, rows: Sequence[Settlement], now: float
) -> Stored:
    """Stores `rows` of `exchange` inside the caller's transaction, as `truth` decides.

    Their rank is that of the run's source. A finer set takes the place of a coarser row only when
    one call brings all of it. Hours that now have a row are no longer absent.
    """
    rank = writer.value("SELECT source FROM run WHERE id = ?", run_id)
    if rank is None:
        raise ValueError(f"there is no run {run_id}")
    ids = market_ids(writer, exchange)
    by_symbol: defaultdict[str, list[Settlement]] = defaultdict(list)
    for row in rows:
        by_symbol[row.symbol].append(row)

    fresh: list[Record] = []
    inserted = replaced = conflicts = 0
    reasons: Counter[str] = Counter()
    touched: dict[int, Window] = {}
    for symbol, group in by_symbol.items():
        market_id = ids.get(symbol)
        if market_id is None:
            reasons["its market is not known"] += len(group)
            continue
        records, group = _plain_part(writer, market_id, group, run_id, now)
        if records:
            fresh += records
            touched[market_id] = Window(_start(records[0]), records[-1][1])
        reasons.update(reason for row in group if (reason := refusal(row, now)))
        accepted = [_row(row, rank, run_id) for row in group if refusal(row, now) is None]
        for part in _stretches(accepted):
            stretch = _load(writer, market_id, part)
            before = dict(stretch.rows)
            stretch.add(part)
            changed = [row for key, row in stretch.rows.items() if before.get(key) is not row]
            new = sum(row.key not in before for row in changed)
            inserted += new
            replaced += len(changed) - new
            conflicts += len(stretch.conflicts)
            reasons.update([OVERLAPS] * len(stretch.refused))
            _write(writer, market_id, changed, stretch.conflicts, run_id, now)
            if changed:
                start = min(row.start if row.covers else row.funding_time - HOUR for row in changed)
                end = max(row.funding_time for row in changed)
                earlier = touched.get(market_id, Window(start, end))
                touched[market_id] = Window(min(start, earlier.start), max(end, earlier.end))
    writer.executemany(_INSERT, fresh)
    for market_id, window in touched.items():
        trim(writer, market_id, *window)

    inserted += len(fresh)
    refused = reasons.total()
    return Stored(
        inserted=inserted,
        replaced=replaced,
        unchanged=len(rows) - inserted - replaced - conflicts - refused,
        conflicts=conflicts,
        refused=refused,
        reasons=dict(reasons),
        market_ids=frozenset(touched),
    )


def _plain_part(
    writer: Writer, market_id: int, group: list[Settlement], run_id: int, now: float
) -> tuple[list[Record], list[Settlement]]:
    """The records that need no decisions, and the rows that do.

    An answer meets with its last row what an answer of later hours left unknown; the others are mostly new.
    """
    records = _plain(writer, market_id, group, run_id, now)
    if records is not None:
        return records, []
    *others, last = group
    records = _plain(writer, market_id, others, run_id, now) if others else None
    if records is None:
        return [], group
    end = records[-1][1]
    if last.funding_time <= end or last.funding_time - (last.interval_hours or 0) * HOUR < end:
        return [], group
    return records, [last]


def _start(record: Record) -> int:
    """Where its hours begin; one of unknown interval stands in its last hour."""
    return record[1] - round((record[4] or 1) * HOUR)


def _plain(
    writer: Writer, market_id: int, group: Sequence[Settlement], run_id: int, now: float
) -> list[Record] | None:
    """The records of a group that needs no decisions; None when it does.

    That is: ascending regular rows that pass `refusal` and do not overlap, where nothing is stored.
    """
    records: list[Record] = []
    append = records.append
    previous = FIRST_FUNDING_TIME
    for symbol_row in group:
        hours = symbol_row.interval_hours
        if symbol_row.kind is not Kind.REGULAR or not (hours is None or 0 < hours <= LONGEST_HOURS):
            return None
        end = symbol_row.funding_time
        rate = symbol_row.rate
        most = (hours or USUAL_LONGEST_HOURS) * MAX_HOURLY_RATE
        if end % HOUR or end <= previous or end - (hours or 0) * HOUR < previous:
            return None
        if not -most <= rate <= most:
            return None
        append((market_id, end, REGULAR, rate, hours, run_id, symbol_row.payment_usd))
        previous = end
    if previous > now + FUTURE_SECONDS:
        return None
    following = writer.connection().execute(
        "SELECT funding_time, interval_hours FROM settlement WHERE market_id = ? AND funding_time > ?"
        " ORDER BY funding_time, kind",
        (market_id, _start(records[0])),
    )
    for funding_time, hours in following:
        if funding_time <= previous:
            return None
        if hours:
            return records if funding_time - hours * HOUR >= previous else None
    return records


def _stretches(rows: list[Row]) -> Iterator[list[Row]]:
    """`rows` by time, cut where no stored row can reach across: a hole of a year ago loads no year."""
    stretch: list[Row] = []
    for row in sorted(rows, key=lambda row: row.funding_time):
        if stretch and row.start - stretch[-1].funding_time > LONGEST_HOURS * HOUR:
            yield stretch
            stretch = []
        stretch.append(row)
    if stretch:
        yield stretch


def _load(writer: Writer, market_id: int, rows: Sequence[Row]) -> Stretch:
    """What is stored where `rows` want to lie, with the next row after them that could reach back."""
    start = min(row.start - 1 for row in rows)
    end = rows[-1].funding_time
    stored: list[Any] = writer.rows(
        f"{_STORED} AND s.funding_time > ? AND s.funding_time <= ?", market_id, start, end
    )
    stored += writer.rows(
        f"{_STORED} AND s.funding_time > ? AND s.kind = 0 AND s.interval_hours IS NOT NULL"
        " ORDER BY s.funding_time LIMIT 1",
        market_id,
        end,
    )
    return Stretch(Row(*row) for row in stored)


def _write(
    writer: Writer,
    market_id: int,
    changed: Sequence[Row],
    conflicts: Sequence[tuple[Row, Row]],
    run_id: int,
    now: float,
) -> None:
    writer.executemany(
        _INSERT,
        [
            (market_id, row.funding_time, row.kind, row.rate, row.hours, row.run_id, row.payment_usd)
            for row in changed
        ],
    )
    writer.executemany(
        _CONFLICT,
        [
            (market_id, *seen.key, seen.rate, stands.rate, seen.hours, int(now), run_id)
            for seen, stands in conflicts
        ],
    )


def _row(row: Settlement, rank: int, run_id: int) -> Row:
    """A special row is stored with the zero hours that it covers."""
    special = row.kind is Kind.SPECIAL
    return Row(
        row.funding_time,
        SPECIAL if special else REGULAR,
        float(row.rate),
        0.0 if special else row.interval_hours,
        rank,
        run_id,
        row.payment_usd,
    )
