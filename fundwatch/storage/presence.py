"""The sign of life of the process that collects, and what it must remember over a restart."""

from collections.abc import Mapping
from typing import NamedTuple

from fundwatch.storage.database import Database, Writer
from fundwatch.storage.trackers import exchange_id


class Presence(NamedTuple):
    """The process that collected last. `stopped` is None while it runs, or if it died.

    `heartbeat` (UTC seconds) is its last sign of life; `boot_id` tells the pids of two boots apart.
    """

    pid: int
    role: str
    boot_id: str
    started: int
    heartbeat: int
    stopped: int | None


class Spending(NamedTuple):
    """Weight by limit name inside the running window of each, as it was at `at` (UTC seconds)."""

    used: dict[str, float]
    at: float


def beat(writer: Writer, pid: int, role: str, boot_id: str, now: float) -> None:
    """A sign of life; the first one of a process notes its start."""
    found = presence(writer)
    same = found is not None and (found.pid, found.boot_id, found.stopped) == (pid, boot_id, None)
    started = found.started if same and found is not None else int(now)
    writer.change(
        "INSERT OR REPLACE INTO collector (id, pid, role, boot_id, started, heartbeat, stopped)"
        " VALUES (1, ?, ?, ?, ?, ?, NULL)",
        *(pid, role, boot_id, started, int(now)),
    )


def stopped(writer: Writer, now: float) -> None:
    """The last word of a clean stop."""
    writer.change("UPDATE collector SET heartbeat = ?, stopped = ?", int(now), int(now))


def presence(database: Database) -> Presence | None:
    rows = database.rows("SELECT pid, role, boot_id, started, heartbeat, stopped FROM collector")
    return Presence(*rows[0]) if rows else None


def save_spending(writer: Writer, exchange: str, used: Mapping[str, float], now: float) -> None:
    """Keeps what was spent of each limit, so that a restart does not spend it again."""
    number = exchange_id(writer, exchange)
    writer.change("DELETE FROM spending WHERE exchange_id = ?", number)
    writer.executemany(
        "INSERT INTO spending (exchange_id, limit_name, weight, at) VALUES (?, ?, ?, ?)",
        [(number, name, float(weight), now) for name, weight in used.items()],
    )


def load_spending(database: Database, exchange: str) -> Spending | None:
    rows = database.rows(
        "SELECT limit_name, weight, at FROM spending"
        " JOIN exchange ON exchange.id = exchange_id WHERE name = ?",
        exchange,
    )
    return Spending({name: weight for name, weight, _ in rows}, rows[0][2]) if rows else None
