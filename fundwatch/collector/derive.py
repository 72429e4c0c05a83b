"""What follows from the stored rows and is kept up to date beside them, and what is let go of."""

from fundwatch.collector.identity import same_assets
from fundwatch.collector.ledger import Ledger
from fundwatch.storage import queries, summary, verdicts
from fundwatch.storage.keeping import compact, pruning, retention

RETENTION_STEPS = 10
"""Of thousands of rows each, once a quotes slot: so many keep the loop from other work for a moment only."""


def refresh_identity(ledger: Ledger, now: float) -> None:
    """Takes one more sample of which markets are the same asset."""
    writer = ledger.writer
    rows = same_assets(queries.market_rows(writer), verdicts.load_identities(writer), now)
    with writer.transaction():
        verdicts.save_identities(writer, rows)


def refresh_summaries(ledger: Ledger, now: float) -> None:
    """Moves the windows of all markets on when a new hour has come."""
    with ledger.writer.transaction():
        summary.refresh(ledger.writer, now)


def tidy(ledger: Ledger, now: float) -> None:
    """Prunes what nobody will ask for, fills ragged pages, and moves the WAL into the file."""
    pruning.prune_runs(ledger.writer, now)
    with ledger.writer.transaction():
        pruning.prune_history(ledger.writer, int(now) - ledger.market_history_seconds)
    retention.let_go(ledger.writer, ledger.retention_days, now, RETENTION_STEPS)
    compact.compact(ledger.writer, now)
    ledger.writer.checkpoint()
