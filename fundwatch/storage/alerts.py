"""Events (what happened once) and alerts (what goes on until it ends)."""

from dataclasses import dataclass

from fundwatch.storage.database import Database, Writer
from fundwatch.storage.trackers import exchange_id
from fundwatch.text import clean

MESSAGE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class AlertRow:
    """`exchange` is None for the program as a whole. `since`, `until`, `acknowledged` in UTC seconds."""

    id: int
    exchange: str | None
    kind: str
    message: str
    since: int
    until: int | None
    acknowledged: int | None


def add_event(
    writer: Writer,
    kind: str,
    message: str,
    now: float,
    *,
    exchange: str | None = None,
    market_id: int | None = None,
    value: float | None = None,
) -> None:
    writer.change(
        "INSERT INTO event (time, exchange_id, market_id, kind, message, value) VALUES (?, ?, ?, ?, ?, ?)",
        *(int(now), _number(writer, exchange), market_id, kind, clean(message, MESSAGE_LENGTH), value),
    )


def open_alert(writer: Writer, exchange: str | None, kind: str, message: str, now: float) -> bool:
    """Opens an alert, or gives the open one of this kind its newest message; whether it is new."""
    number = _number(writer, exchange)
    said = clean(message, MESSAGE_LENGTH)
    if writer.change(
        "UPDATE alert SET message = ? WHERE exchange_id IS ? AND kind = ? AND until IS NULL",
        said,
        number,
        kind,
    ):
        return False
    writer.change(
        "INSERT INTO alert (exchange_id, kind, message, since) VALUES (?, ?, ?, ?)",
        *(number, kind, said, int(now)),
    )
    return True


def close_alert(writer: Writer, exchange: str | None, kind: str, now: float) -> bool:
    """Ends the open alert of this kind; whether there was one."""
    return bool(
        writer.change(
            "UPDATE alert SET until = ? WHERE exchange_id IS ? AND kind = ? AND until IS NULL",
            *(int(now), _number(writer, exchange), kind),
        )
    )


def acknowledge(writer: Writer, alert_id: int, now: float) -> bool:
    """A person has seen it; whether it was open and not yet acknowledged."""
    return bool(
        writer.change(
            "UPDATE alert SET acknowledged = ? WHERE id = ? AND until IS NULL AND acknowledged IS NULL",
            int(now),
            alert_id,
        )
    )


def open_alerts(database: Database) -> list[AlertRow]:
    """What goes on now, oldest first."""
    rows = database.rows(
        "SELECT alert.id, name, kind, message, since, until, acknowledged FROM alert"
        " LEFT JOIN exchange ON exchange.id = exchange_id WHERE until IS NULL ORDER BY since, alert.id"
    )
    return [AlertRow(*row) for row in rows]


def ended_alerts(database: Database, limit: int) -> list[AlertRow]:
    """What went on and is over, the newest end first."""
    rows = database.rows(
        "SELECT alert.id, name, kind, message, since, until, acknowledged FROM alert"
        " LEFT JOIN exchange ON exchange.id = exchange_id WHERE until IS NOT NULL"
        " ORDER BY until DESC, alert.id DESC LIMIT ?",
        limit,
    )
    return [AlertRow(*row) for row in rows]


def _number(writer: Writer, exchange: str | None) -> int | None:
    return None if exchange is None else exchange_id(writer, exchange)
