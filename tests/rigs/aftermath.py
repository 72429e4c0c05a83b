"""What a database must be like after its process was killed, read with plain SQL."""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.rigs import second_reader
from tests.rigs.second_reader import rows

Rows = dict[tuple[str, str, int, str], float]
"""Rates by exchange, symbol, funding time and kind."""


def stored(path: Path) -> Rows:
    return {
        (exchange, symbol, row.funding_time, row.kind): row.rate
        for exchange, markets in second_reader.settlements(path).items()
        for symbol, found in markets.items()
        for row in found
    }


def faults(path: Path) -> list[str]:
    """What is wrong in itself: the file, its counters against its rows, its states against its runs."""
    found = []
    if (complaint := second_reader.complaint(path)) != "ok":
        return [complaint]
    found += [f"orphans in {table}" for table, *_ in rows(path, "PRAGMA foreign_key_check")]
    if taken := rows(
        path,
        "SELECT market_id, funding_time FROM (SELECT *, lag(funding_time) OVER (PARTITION BY market_id"
        " ORDER BY funding_time) AS before FROM settlement WHERE kind = 0)"
        " WHERE funding_time - interval_hours * 3600 < before",
    ):
        found.append(f"{len(taken)} payments cover hours of others: {taken[:3]}")
    counted = rows(
        path,
        "SELECT name, total_records, total_runs, status, last_error,"
        " (SELECT count(*) FROM market m, settlement s WHERE s.market_id = m.id AND m.exchange_id = e.id),"
        " (SELECT coalesce(sum(value), 0) FROM event v WHERE v.kind = 'undo' AND v.exchange_id = e.id),"
        " (SELECT coalesce(sum(inserted), 0) FROM run r WHERE r.exchange_id = e.id),"
        " (SELECT count(*) FROM run r WHERE r.exchange_id = e.id AND kind <> 'import'),"
        " (SELECT count(*) FROM run r WHERE r.exchange_id = e.id AND ended IS NULL)"
        " FROM exchange e JOIN tracker t ON t.exchange_id = e.id",
    )
    for name, records, runs, status, error, here, undone, inserted, all_runs, open_runs in counted:
        if records != here + undone or records != inserted:
            found.append(f"{name} counts {records}, its runs {inserted}; {here} are stored, {undone} undone")
        if runs != all_runs:
            found.append(f"{name} counts {runs} runs and has {all_runs}")
        if status != ("running" if open_runs else "error" if error else "idle"):
            found.append(f"{name} is {status} with {open_runs} open runs and the error {error!r}")
    found += [
        f"run {run} inserted {inserted} and {here} are stored"
        for run, inserted, here in rows(
            path,
            "SELECT id, inserted, (SELECT count(*) FROM settlement WHERE run_id = run.id) AS here FROM run"
            " WHERE outcome <> 'undone' AND here > inserted + replaced OR outcome = 'undone' AND here > 0",
        )
    ]
    return found


def lost(path: Path, told: Iterable[dict[str, Any]]) -> list[str]:
    """What was told as stored, begun or ended and is not so."""
    here = stored(path)
    runs = {run: (kind, outcome) for run, kind, outcome in rows(path, "SELECT id, kind, outcome FROM run")}
    found = []
    for said in told:
        match said:
            case {"word": "stored", "exchange": exchange, "rows": told_rows, "counts": [*_, 0, 0]}:
                missing = [
                    (s, at) for s, at, kind, rate in told_rows if here.get((exchange, s, at, kind)) != rate
                ]
                found += [f"{exchange} {symbol} {at} was told as stored" for symbol, at in missing[:3]]
            case {"word": "stored", "counts": counts}:
                found.append(f"in good weather {counts} were conflicts or refused")
            case {"word": "begun", "run": run, "kind": kind}:
                if runs.get(run, ("", ""))[0] != kind:
                    found.append(f"run {run}, a {kind}, was told as begun")
            case {"word": "ended", "run": run, "outcome": outcome}:
                if runs.get(run, ("", ""))[1] != outcome:
                    found.append(f"run {run} was told as ended {outcome}: {runs.get(run)}")
    return found


def torn(before: Rows, after: Rows, told: Iterable[dict[str, Any]]) -> list[str]:
    """Answers that were being stored at the end and are there only in part. `before` is as they began."""
    begun: dict[str, list[tuple[str, str, int, str]]] = {}
    known = set(before)
    for said in told:
        if said["word"] in ("will", "stored"):
            keys = [(said["exchange"], symbol, at, kind) for symbol, at, kind, _ in said["rows"]]
            if said["word"] == "stored":
                known.update(keys)
                begun.pop(json.dumps(keys), None)
            else:
                begun[json.dumps(keys)] = keys
    found = []
    for keys in begun.values():
        new = [key for key in keys if key not in known]
        here = sum(key in after for key in new)
        if 0 < here < len(new):
            found.append(f"{here} of {len(new)} rows of an answer are stored: {new[:2]}")
    return found


def is_locked(path: Path) -> bool:
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the order of their keys."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
