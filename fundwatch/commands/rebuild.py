"""`fundwatch rebuild`: derives what is derived anew, and says what was not as it should be."""

import click

from fundwatch.clock import SystemClock
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.rebuild import rebuild
from fundwatch.commands.session import Session
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.database import reader


def run_rebuild(session: Session) -> int:
    """Raises `Locked` while any process writes the database, and other `StorageError`s."""
    with reader(session.database, world=session.world):  # a new database is not for this command to make
        pass
    clock = SystemClock()
    ledger = Ledger.open(
        session.database, world=session.world, role="rebuild", clock=clock, exchanges=REGISTRY
    )
    try:
        found = rebuild(ledger.writer, clock.now())
    finally:
        ledger.close()
    for what, (rows, differed) in found.items():
        click.echo(f"{rows:>9,} {what}: {'as they were' if not differed else f'{differed:,} put right'}")
    if any(differed for _, differed in found.values()):
        click.echo("What differed is right now; nothing that was collected was touched.")
    return 0
