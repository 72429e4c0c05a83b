"""Letting go of what nobody will ask for again. Settlements are never let go of here."""

from fundwatch.storage.database import Writer

QUOTES_RUNS_DAYS = 14
FEWEST_RUNS = 500

# By market: the key begins with it, so each deletion seeks where a bare condition on `hour` would scan.
PRUNE_HISTORY = "DELETE FROM market_history WHERE market_id IN (SELECT id FROM market) AND hour < ?"


def prune_runs(writer: Writer, now: float) -> int:
    """Deletes quotes runs older than two weeks that stored no settlement; how many.

    Waits until enough have come together, since it reads all settlements once. It makes its own
    transaction: SQLite would read them once for each deleted run to check the foreign key, which can
    only be switched off between transactions.
    """
    old = writer.rows(
        "SELECT id FROM run WHERE kind = 'quotes' AND started < ? AND ended IS NOT NULL"
        " AND inserted = 0 AND replaced = 0 AND conflicts = 0",
        int(now) - QUOTES_RUNS_DAYS * 86400,
    )
    if len(old) < FEWEST_RUNS:
        return 0
    used = {run_id for (run_id,) in writer.rows("SELECT DISTINCT run_id FROM settlement")}
    used |= {run_id for (run_id,) in writer.rows("SELECT DISTINCT run_id FROM conflict")}
    connection = writer.connection()
    connection.execute("PRAGMA foreign_keys = OFF")
    try:
        with writer.transaction():
            return writer.executemany(
                "DELETE FROM run WHERE id = ?", [(run_id,) for (run_id,) in old if run_id not in used]
            )
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def prune_history(writer: Writer, before: int) -> int:
    """Deletes `market_history` of hours before `before` (UTC seconds); how many rows."""
    return writer.change(PRUNE_HISTORY, before)
