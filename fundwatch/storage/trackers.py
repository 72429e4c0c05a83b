"""Runs and trackers: what was tried for each exchange, and how it stands.

All functions that write do so inside the caller's transaction, so that rows, counters and status
change together. A tracker's status is "running" while a run of its exchange is open, else "error"
while an error stands, else "idle". Times are UTC seconds.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from fundwatch.models import Source
from fundwatch.storage.database import Database, Writer
from fundwatch.text import clean, utc

RunKind = Literal["sweep", "quotes", "backfill", "import"]
Outcome = Literal["ok", "partial", "error", "interrupted", "cancelled"]
ERROR_LENGTH = 300


@dataclass(frozen=True, slots=True)
class TrackerState:
    """A row of the table `tracker`.

    `last_run` is the start of the last pass of any kind, `last_success` that of the last complete
    sweep. `sweep_error` stands until a sweep is complete, `quotes_error` until quotes arrive;
    `last_error` is the first of the two. `total_runs` counts sweeps, quotes passes and backfills,
    `total_records` settlements ever inserted. `last_sweep_hour` is the hour (counted since 1970)
    whose sweep is done with; nothing is tried before `next_try`. `budget_used` is a share of our pace.
    """

    exchange: str
    status: str
    last_run: int | None
    last_success: int | None
    last_error: str | None
    sweep_error: str | None
    quotes_error: str | None
    last_outcome: str | None
    total_runs: int
    total_records: int
    consecutive_failures: int
    markets_expected: int | None
    markets_failed: int | None
    last_sweep_hour: int | None
    last_quotes: int | None
    next_try: int | None
    requests: int
    budget_used: float | None
    paused: bool
    enabled: bool


_NAMES = [field.name for field in fields(TrackerState)]
_STATE = f"SELECT name AS {', '.join(_NAMES)} FROM tracker JOIN exchange ON exchange.id = exchange_id"  # noqa: S608


def exchange_id(writer: Writer, exchange: str) -> int:
    """The number of an exchange; it and its tracker get their rows at the first mention."""
    found = writer.value("SELECT id FROM exchange WHERE name = ?", exchange)
    if found is None:
        found = writer.insert("INSERT INTO exchange (name) VALUES (?)", exchange)
        writer.change("INSERT INTO tracker (exchange_id) VALUES (?)", found)
    number: int = found
    return number


def describe(
    writer: Writer,
    exchange: str,
    *,
    source: Source,
    continuous: bool,
    minute: int,
    taker_fee_percent: float | None = None,
    hourly_rate_step: float | None = None,
) -> None:
    """Notes what readers must know of an exchange, so that they need not load its module.

    `source` is RECORDED for one that publishes no settlements, `continuous` says that funding accrues
    all the time, `minute` is when its sweep starts in each hour, `taker_fee_percent` (of notional, of
    one trade) what the venue asks of everybody, None where that is not known; `hourly_rate_step` (fraction
    per hour) what the venue rounds its rates to.
    """
    writer.change(
        "UPDATE exchange SET source = ?, continuous = ?, minute = ?, taker_fee_percent = ?,"
        " hourly_rate_step = ? WHERE id = ?",
        *(int(source), int(continuous), minute, taker_fee_percent, hourly_rate_step),
        exchange_id(writer, exchange),
    )


def set_enabled(writer: Writer, exchanges: Collection[str]) -> None:
    """Exactly these exchanges are collected by this configuration."""
    numbers = [exchange_id(writer, exchange) for exchange in exchanges]
    writer.change("UPDATE tracker SET enabled = 0")
    writer.executemany("UPDATE tracker SET enabled = 1 WHERE exchange_id = ?", [(n,) for n in numbers])


def begin_run(
    writer: Writer,
    exchange: str,
    kind: RunKind,
    source: Source,
    converter_version: int,
    now: float,
    *,
    file_name: str | None = None,
    file_sha256: str | None = None,
) -> int:
    """Opens a run and returns its id; the file is an import's."""
    number = exchange_id(writer, exchange)
    run_id = writer.insert(
        "INSERT INTO run (exchange_id, kind, source, converter_version, started, file_name, file_sha256)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(number, kind, int(source), converter_version, int(now), file_name, file_sha256),
    )
    if kind != "import":
        writer.change(
            "UPDATE tracker SET last_run = ?, total_runs = total_runs + 1 WHERE exchange_id = ?",
            int(now),
            number,
        )
    _settle_status(writer, number)
    return run_id


def count_rows(
    writer: Writer, run_id: int, *, inserted: int = 0, replaced: int = 0, conflicts: int = 0, refused: int = 0
) -> None:
    """Counts settlements for their run and its tracker, in the transaction that stores them."""
    writer.change(
        "UPDATE run SET inserted = inserted + ?, replaced = replaced + ?, conflicts = conflicts + ?,"
        " refused = refused + ? WHERE id = ?",
        *(inserted, replaced, conflicts, refused, run_id),
    )
    writer.change(
        "UPDATE tracker SET total_records = total_records + ?"
        " WHERE exchange_id = (SELECT exchange_id FROM run WHERE id = ?)",
        inserted,
        run_id,
    )


def end_run(
    writer: Writer,
    run_id: int,
    *,
    outcome: Outcome,
    now: float,
    error: str | None = None,
    requests: int = 0,
    markets_expected: int | None = None,
    markets_failed: int | None = None,
    budget_used: float | None = None,
) -> None:
    """Closes a run; does nothing when it is closed already, so it can be said again.

    A complete sweep is the only success, and has brought quotes too. A partial, failed or cut short
    sweep leaves `last_success` alone and its error standing; cut short ("interrupted", "cancelled") is
    nobody's failure and not counted as one. A quotes pass touches `quotes_error` only, a backfill or
    an import no error at all.
    """
    row = writer.rows("SELECT exchange_id, kind, started FROM run WHERE id = ? AND ended IS NULL", run_id)
    if not row:
        return
    number, kind, started = row[0]
    said = None if outcome == "ok" else clean(error or "", ERROR_LENGTH) or outcome
    writer.change(
        "UPDATE run SET ended = ?, outcome = CASE outcome WHEN 'undone' THEN outcome ELSE ? END, error = ?,"
        " requests = ?, markets_expected = ?, markets_failed = ? WHERE id = ?",
        *(int(now), outcome, said, requests, markets_expected, markets_failed, run_id),
    )
    writer.change(
        "UPDATE tracker SET requests = requests + ?, budget_used = COALESCE(?, budget_used)"
        " WHERE exchange_id = ?",
        *(requests, budget_used, number),
    )
    if kind == "sweep":
        _end_sweep(writer, number, outcome, said, started)
        writer.change(
            "UPDATE tracker SET markets_expected = COALESCE(?, markets_expected),"
            " markets_failed = COALESCE(?, markets_failed) WHERE exchange_id = ?",
            *(markets_expected, markets_failed, number),
        )
    elif kind == "quotes" and outcome in ("ok", "partial", "error"):
        writer.change("UPDATE tracker SET quotes_error = ? WHERE exchange_id = ?", said, number)
    _settle_status(writer, number)


def _end_sweep(writer: Writer, number: int, outcome: Outcome, error: str | None, started: int) -> None:
    if outcome == "ok":
        writer.change(
            "UPDATE tracker SET last_success = ?, sweep_error = NULL, quotes_error = NULL,"
            " consecutive_failures = 0, last_outcome = 'ok' WHERE exchange_id = ?",
            started,
            number,
        )
    elif outcome in ("partial", "error"):
        writer.change(
            "UPDATE tracker SET sweep_error = ?, consecutive_failures = consecutive_failures + 1,"
            " last_outcome = ? WHERE exchange_id = ?",
            *(error, outcome, number),
        )
    else:
        writer.change("UPDATE tracker SET sweep_error = ? WHERE exchange_id = ?", error, number)


def recover(writer: Writer, now: float) -> list[str]:
    """Ends what a dead process left running; for a start that holds the lock.

    Returns the exchanges concerned; their trackers are in error "interrupted" until the next sweep
    (or, where only quotes or a backfill ran, the next quotes) goes well. An import cut short leaves
    no error there: its run says so, and doing it again completes it.
    """
    open_runs = writer.rows(
        "SELECT run.id, exchange_id, name, kind, started FROM run JOIN exchange ON exchange.id = exchange_id"
        " WHERE ended IS NULL ORDER BY run.id"
    )
    names = {}
    for run_id, number, name, kind, started in open_runs:
        names[number] = name
        told = f"interrupted: the program ended during the {kind} of {utc(started)} UTC"
        writer.change(
            "UPDATE run SET ended = ?, error = ?,"
            " outcome = CASE outcome WHEN 'undone' THEN outcome ELSE 'interrupted' END WHERE id = ?",
            *(int(now), told, run_id),
        )
        if kind != "import":  # which is nothing that the exchange could do better next time
            field = "sweep_error" if kind == "sweep" else "quotes_error"
            writer.change(f"UPDATE tracker SET {field} = ? WHERE exchange_id = ?", told, number)  # noqa: S608
    for number in names:
        _settle_status(writer, number)
    return list(names.values())


def recount(writer: Writer) -> None:
    """Derives each tracker's `total_records` from its runs, and its status from its errors and open runs."""
    writer.change(
        "UPDATE tracker SET total_records ="
        " (SELECT COALESCE(SUM(inserted), 0) FROM run WHERE run.exchange_id = tracker.exchange_id)"
    )
    for (number,) in writer.rows("SELECT exchange_id FROM tracker"):
        _settle_status(writer, number)


def _settle_status(writer: Writer, number: int) -> None:
    writer.change(
        "UPDATE tracker SET last_error = COALESCE(sweep_error, quotes_error), status = CASE"
        " WHEN EXISTS (SELECT 1 FROM run WHERE run.exchange_id = tracker.exchange_id AND ended IS NULL)"
        "   THEN 'running'"
        " WHEN COALESCE(sweep_error, quotes_error) IS NOT NULL THEN 'error'"
        " ELSE 'idle' END WHERE exchange_id = ?",
        number,
    )


def swept(writer: Writer, exchange: str, hour: int | None, next_try: float | None) -> None:
    """Notes the hour whose sweep is done with (None: not done yet), and when to try again."""
    writer.change(
        "UPDATE tracker SET last_sweep_hour = COALESCE(?, last_sweep_hour), next_try = ?"
        " WHERE exchange_id = ?",
        hour,
        None if next_try is None else int(next_try),
        exchange_id(writer, exchange),
    )


def set_paused(writer: Writer, exchange: str, paused: bool) -> None:
    """A pause survives restarts."""
    writer.change(
        "UPDATE tracker SET paused = ? WHERE exchange_id = ?", int(paused), exchange_id(writer, exchange)
    )


def state(database: Database, exchange: str) -> TrackerState | None:
    rows = database.rows(f"{_STATE} WHERE name = ?", exchange)
    return _state(rows[0]) if rows else None


def states(database: Database) -> dict[str, TrackerState]:
    """The trackers by exchange, also of exchanges that are not enabled."""
    return {row[0]: _state(row) for row in database.rows(f"{_STATE} ORDER BY name")}


def _state(row: Sequence[Any]) -> TrackerState:
    values = dict(zip(_NAMES, row, strict=True))
    return TrackerState(**values | {"paused": bool(values["paused"]), "enabled": bool(values["enabled"])})
