"""Taking back what runs stored, so that it is fetched again."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from fundwatch.storage import summary
from fundwatch.storage.alerts import add_event
from fundwatch.storage.database import Writer
from fundwatch.storage.imports import remove_empty_markets


class Undone(NamedTuple):
    """How many runs, settlements, conflicts and absences were taken back, and of how many markets.

    `replaced` rows gave way to those settlements, or learnt from them, and are not put back as they were.
    """

    runs: int
    settlements: int
    conflicts: int
    absences: int
    markets: int
    replaced: int = 0


def undo_run(writer: Writer, run_id: int, now: float, *, group: str | None = None) -> Undone:
    """Takes back what one run or import stored, as `undo_since` does.

    With a `group` only the settlements of its markets, and the run is not marked undone. Raises
    `ValueError` for a run that does not exist.
    """
    exchange = writer.value(
        "SELECT e.name FROM run r JOIN exchange e ON e.id = r.exchange_id WHERE r.id = ?", run_id
    )
    if exchange is None:
        raise ValueError(f"there is no run {run_id}")
    return _undo(writer, exchange, [run_id], now, group)


def undo_import(writer: Writer, run_id: int, now: float) -> Undone:
    """Takes back what one import stored, as `undo_run` does, and the markets that only its file knew.

    Raises `ValueError` for a run that does not exist, or is no import.
    """
    found = writer.rows(
        "SELECT kind, name FROM run JOIN exchange ON exchange.id = exchange_id WHERE run.id = ?", run_id
    )
    if found and found[0][0] != "import":
        raise ValueError(f"run {run_id} is no import but a {found[0][0]}: say --run {run_id}")
    undone = undo_run(writer, run_id, now)
    remove_empty_markets(writer, found[0][1])
    return undone


def undo_since(writer: Writer, exchange: str, since: int, now: float) -> Undone:
    """Takes back what the runs of `exchange` that began at `since` (UTC seconds) or later stored.

    Their settlements go, and the conflicts they found; the holes lose their absences, so that the
    next sweep fetches them. A row that one of these runs had replaced is not put back: the hole is
    filled anew. A run that still goes on is taken back so far: stop it first. The tracker's
    `total_records` counts rows ever inserted and stays. Runs in the caller's transaction.
    """
    runs = writer.rows(
        "SELECT r.id FROM run r JOIN exchange e ON e.id = r.exchange_id"
        " WHERE e.name = ? AND r.started >= ? AND r.outcome <> 'undone' ORDER BY r.id",
        exchange,
        since,
    )
    return _undo(writer, exchange, [run_id for (run_id,) in runs], now)


def _undo(
    writer: Writer, exchange: str, run_ids: Sequence[int], now: float, group: str | None = None
) -> Undone:
    if not run_ids:
        return Undone(0, 0, 0, 0, 0)
    runs = json.dumps(run_ids)
    exchange_id, started, replaced = writer.rows(
        "SELECT exchange_id, MIN(started), SUM(replaced) FROM run"
        " WHERE id IN (SELECT value FROM json_each(?))",
        runs,
    )[0]
    spans = writer.rows(
        "SELECT s.market_id, MIN(s.funding_time - COALESCE(s.interval_hours, 1) * 3600), MAX(s.funding_time)"
        " FROM market m CROSS JOIN settlement s ON s.market_id = m.id"
        " WHERE m.exchange_id = ? AND s.run_id IN (SELECT value FROM json_each(?))"
        " AND m.group_name = COALESCE(?, m.group_name) GROUP BY s.market_id",
        *(exchange_id, runs, group),
    )
    settlements = conflicts = absences = 0
    for market_id, start, end in spans:
        settlements += writer.change(
            "DELETE FROM settlement WHERE market_id = ? AND funding_time >= ? AND funding_time <= ?"
            " AND run_id IN (SELECT value FROM json_each(?))",
            *(market_id, start, end, runs),
        )
        absences += writer.change(
            "DELETE FROM absence WHERE market_id = ? AND start_time < ? AND end_time > ?",
            *(market_id, end, start),
        )
    if group is not None:
        summary.refresh(writer, now, [market_id for market_id, _, _ in spans])
        return Undone(0, settlements, 0, absences, len(spans))
    conflicts += writer.change("DELETE FROM conflict WHERE run_id IN (SELECT value FROM json_each(?))", runs)
    absences += writer.change(
        "DELETE FROM absence WHERE last_asked >= ? AND market_id IN"
        " (SELECT id FROM market WHERE exchange_id = ?)",
        started,
        exchange_id,
    )
    writer.change("UPDATE run SET outcome = 'undone' WHERE id IN (SELECT value FROM json_each(?))", runs)
    named = f"run {run_ids[0]}" if len(run_ids) == 1 else f"{len(run_ids)} runs since run {run_ids[0]}"
    add_event(
        writer,
        "undo",
        f"{named} undone: {settlements} settlements taken back",
        now,
        exchange=exchange,
        value=settlements,
    )
    summary.refresh(writer, now, [market_id for market_id, _, _ in spans])
    return Undone(len(run_ids), settlements, conflicts, absences, len(spans), replaced)
