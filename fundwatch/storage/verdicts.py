"""What the unit check said of an exchange's rates, and which markets are the same asset."""

from collections.abc import Iterable
from typing import NamedTuple

from fundwatch.storage.database import Database, Writer
from fundwatch.storage.trackers import exchange_id


class UnitCheckRow(NamedTuple):
    """`what` is "estimates" or "settlements", `verdict` "ok", "unknown" or "error".

    `factor` is how many times off an error is, `n` the markets looked at, `share` (0 to 1) of them
    at the mode, `checked_at` in UTC seconds.
    """

    group_name: str
    what: str
    verdict: str
    modal_apr_percent: float | None
    factor: float | None
    n: int
    share: float | None
    sentence: str
    checked_at: int


class IdentityRow(NamedTuple):
    """Within its name a market belongs to the group `same_as_group`; `reason` says why it is set aside.

    `candidate` is the group that the last `samples` prices in a row spoke for instead.
    """

    market_id: int
    same_as_group: int | None
    candidate: int | None
    samples: int
    reason: str | None


def save_unit_checks(writer: Writer, exchange: str, checks: Iterable[UnitCheckRow]) -> None:
    """Each check takes the place of the last one of its group and `what`."""
    number = exchange_id(writer, exchange)
    writer.executemany(
        "INSERT OR REPLACE INTO unit_check (exchange_id, group_name, what, verdict, modal_apr_percent,"
        " factor, n, share, sentence, checked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, *check) for check in checks],
    )


def load_unit_checks(database: Database, exchange: str) -> list[UnitCheckRow]:
    rows = database.rows(
        "SELECT group_name, what, verdict, modal_apr_percent, factor, n, share, sentence, checked_at"
        " FROM unit_check JOIN exchange ON exchange.id = exchange_id"
        " WHERE name = ? ORDER BY group_name, what",
        exchange,
    )
    return [UnitCheckRow(*row) for row in rows]


def save_identities(writer: Writer, identities: Iterable[IdentityRow]) -> None:
    writer.executemany(
        "INSERT OR REPLACE INTO identity (market_id, same_as_group, candidate, samples, reason)"
        " VALUES (?, ?, ?, ?, ?)",
        identities,
    )


def load_identities(database: Database) -> dict[int, IdentityRow]:
    """By market number."""
    rows = database.rows("SELECT market_id, same_as_group, candidate, samples, reason FROM identity")
    return {row[0]: IdentityRow(*row) for row in rows}
