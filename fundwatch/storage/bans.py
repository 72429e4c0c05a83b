"""Bans that outlive the process, so that a restart never makes one worse."""

from dataclasses import dataclass

from fundwatch.storage.database import Database, Writer


@dataclass(frozen=True, slots=True)
class BanRow:
    """No request in `scope` (exchange, host and way there) before `until` (UTC seconds)."""

    scope: str
    kind: str
    until: float
    reason: str
    strikes: int


def get(database: Database, scope: str) -> BanRow | None:
    rows = database.rows("SELECT scope, kind, until, reason, strikes FROM ban WHERE scope = ?", scope)
    return BanRow(*rows[0]) if rows else None


def all_bans(database: Database) -> list[BanRow]:
    return [
        BanRow(*row)
        for row in database.rows("SELECT scope, kind, until, reason, strikes FROM ban ORDER BY scope")
    ]


def put(writer: Writer, ban: BanRow) -> None:
    writer.change(
        "INSERT OR REPLACE INTO ban (scope, kind, until, reason, strikes) VALUES (?, ?, ?, ?, ?)",
        ban.scope,
        ban.kind,
        ban.until,
        ban.reason,
        ban.strikes,
    )


def drop(writer: Writer, scope: str) -> None:
    writer.change("DELETE FROM ban WHERE scope = ?", scope)
