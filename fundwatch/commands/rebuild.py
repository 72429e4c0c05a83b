"""`fundwatch rebuild`: derives what is derived anew, and says what was not as it should be."""

import click

from fundwatch.clock import SystemClock
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.rebuild import rebuild
from fundwatch.commands.session import Session
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.database import reader
from fundwatch.storage.errors import StorageError
from fundwatch.storage.lock import Locked


def run_rebuild(session: Session) -> int:
    """Raises `StorageError`, also while any process writes the database."""
    with reader(session.database, world=session.world):  # a new database is not for this command to make
        pass
    clock = SystemClock()
    try:
        ledger = Ledger.open(
            session.database, world=session.world, role="rebuild", clock=clock, exchanges=REGISTRY
        )
    except Locked as error:
        raise StorageError(f"{error}: end that first") from error
    try:
        found = rebuild(ledger.writer, clock.now())
    finally:
        ledger.close()
    for what, (rows, differed) in found.items():
        click.echo(f"{rows:>9,} {what}: {'as they were' if not differed else f'{differed:,} put right'}")
    if any(differed for _, differed in found.values()):
        click.echo("What differed is right now; nothing that was collected was touched.")
    return 0
