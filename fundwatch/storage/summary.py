"""The table `summary`: window APRs of each market, always derived from its settlements.

Window APR and coverage are as `analytics.windows` defines them: sum of rates over sum of interval
hours of the settlements with funding_time in (window_end - window, window_end].
"""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from fundwatch.analytics.windows import WINDOWS, window_end
from fundwatch.models import HOUR, Source, apr_percent
from fundwatch.storage.database import Database, Writer
from fundwatch.storage.queries import MarketRow

Derived = dict[str, Any]
"""The columns of a market's summary by name."""

_BAND = """
SELECT m.value, SUM(s.rate), SUM(s.interval_hours)
FROM json_each(?) m CROSS JOIN settlement s
WHERE s.market_id = m.value AND s.funding_time > ? AND s.funding_time <= ? AND s.interval_hours IS NOT NULL
GROUP BY m.value
"""
_COLUMNS = (
    "market_id",
    "window_end",
    *(f"{what}_{window}" for window in WINDOWS for what in ("apr", "coverage")),
    "recorded",
)
_STORE = f"INSERT OR REPLACE INTO summary ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608

_NEW_RECORDERS = "SELECT DISTINCT exchange_id FROM run NOT INDEXED WHERE id >= ? AND source = ?"
_SETTLED = "INSERT OR REPLACE INTO meta (key, value) VALUES ('settled', hex(randomblob(8)))"
"""A new token that nothing has had before: what readers derived from settlements is old."""


def refresh(writer: Writer, now: float, market_ids: Collection[int] | None = None) -> int:
    """Derives the summaries of `market_ids` anew, in the caller's transaction; returns how many.

    Without `market_ids`: of every market whose summary is missing or of another window end than the
    one at `now`. After storing or taking back settlements name the markets touched, which tells
    readers that what they derived from settlements is old; once an hour call it without.
    """
    end = window_end(now)
    if market_ids:
        writer.change(_SETTLED)
    if market_ids is None:
        market_ids = [
            market_id
            for (market_id,) in writer.rows(
                "SELECT m.id FROM market m LEFT JOIN summary s ON s.market_id = m.id"
                " WHERE s.window_end IS NOT ?",
                end,
            )
        ]
    rows = _derive(writer, end, market_ids)
    writer.executemany(_STORE, rows)
    return len(rows)


def rebuild(writer: Writer, now: float) -> int:
    """Throws the table away and derives it anew, in the caller's transaction; how many summaries.

    Each market keeps its window end, so that the table is as it was, unless it was wrong; one
    without a summary gets the window end at `now`.
    """
    market_ids: defaultdict[int, list[int]] = defaultdict(list)
    for market_id, end in writer.rows(
        "SELECT m.id, COALESCE(s.window_end, ?) FROM market m LEFT JOIN summary s ON s.market_id = m.id",
        window_end(now),
    ):
        market_ids[end].append(market_id)
    writer.change(_SETTLED)
    writer.change("DELETE FROM summary")
    for end, ids in market_ids.items():
        writer.executemany(_STORE, _derive(writer, end, ids))
    return sum(map(len, market_ids.values()))


def current(
    db: Database, markets: Sequence[MarketRow], end: int, known: dict[int, Derived] | None = None
) -> list[MarketRow]:
    """`markets` with the windows that end at `end`: where the table is older (nobody collects), derived
    from the settlements for this answer.

    `known` are those that were derived before, of the same settlements and `end`; the new ones are added.
    """
    derived = {} if known is None else known
    old = {market.market_id for market in markets if market.window_end != end}
    for row in _derive(db, end, old - derived.keys()):
        derived[row[0]] = dict(zip(_COLUMNS, row, strict=True))
    return [
        market._replace(**derived[market.market_id]) if market.market_id in old else market
        for market in markets
    ]


def _derive(writer: Database, end: int, market_ids: Collection[int]) -> list[tuple[Any, ...]]:
    """Each row is read once, in bands between one window's start and the next one's."""
    if not market_ids:
        return []
    wanted = json.dumps(sorted(market_ids))
    bounds = [0, *WINDOWS.values()]
    sums = {market_id: [(0.0, 0.0)] * len(WINDOWS) for market_id in sorted(market_ids)}
    for index, (newer, older) in enumerate(pairwise(bounds)):
        for market_id, rate, hours in writer.rows(_BAND, wanted, end - older * HOUR, end - newer * HOUR):
            sums[market_id][index] = rate, hours
    recorded = _recorded(writer, wanted, end - bounds[-1] * HOUR, end)

    rows = []
    for market_id, bands in sums.items():
        row: list[Any] = [market_id, end]
        rate = hours = 0.0
        for (band_rate, band_hours), window_hours in zip(bands, WINDOWS.values(), strict=True):
            rate += band_rate
            hours += band_hours
            row.append(apr_percent(rate / hours) if hours > 0 else None)
            row.append(min(1.0, hours / window_hours))
        rows.append((*row, market_id in recorded))
    return rows


def _recorded(db: Database, wanted: str, start: int, end: int) -> set[int]:
    """Those of the `wanted` markets with a recorded settlement in (start, end]."""
    return {
        market_id
        for (market_id,) in db.rows(
            """
            SELECT m.id FROM json_each(?) w CROSS JOIN market m ON m.id = w.value
            WHERE m.exchange_id IN (SELECT e.value FROM json_each(?) e)
              AND EXISTS (SELECT 1 FROM settlement s JOIN run r ON r.id = s.run_id
                WHERE s.market_id = m.id AND s.funding_time > ? AND s.funding_time <= ?
                  AND s.interval_hours IS NOT NULL AND r.source = ?)
            """,
            wanted,
            json.dumps(sorted(_recorders(db))),
            start,
            end,
            Source.RECORDED,
        )
    }


def _recorders(db: Database) -> frozenset[int]:
    """The exchanges with a recorded run: of two weeks of quotes only the runs not looked at before are read.

    A run that was rolled back may have left its id to another one, so the newest is looked at again.
    """
    newest: int = db.value("SELECT MAX(id) FROM run") or 0
    last, known = db.recorders
    if newest < last:
        last, known = 0, frozenset()
    found = db.rows(_NEW_RECORDERS, last, Source.RECORDED)
    known |= {exchange_id for (exchange_id,) in found}
    db.recorders = newest, known
    return known
