"""`fundwatch rebuild`: derives what is derived anew, and says what was not as it should be."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.rebuild import rebuild
from fundwatch.commands.session import Session
from fundwatch.exchanges import REGISTRY
from fundwatch.storage import lock
from fundwatch.storage.database import Writer, open_writer, reader
from fundwatch.storage.errors import StorageError


def run_rebuild(session: Session, *, dry_run: bool = False) -> int:
    """Raises `StorageError`, also while any process writes the database."""
    with reader(session.database, world=session.world):  # a new database is not for this command to make
        pass
    clock = SystemClock()
    opened = _looked_at if dry_run else _opened
    try:
        with opened(session, clock) as writer:
            found = rebuild(writer, clock.now(), keep=not dry_run)
    except lock.Locked as error:
        raise StorageError(f"{error}: end that first") from error
    right = "would be put right" if dry_run else "put right"
    for what, (rows, differed) in found.items():
        click.echo(f"{rows:>9,} {what}: {'as they were' if not differed else f'{differed:,} {right}'}")
    if dry_run:
        click.echo("Nothing is changed.")
    elif any(differed for _, differed in found.values()):
        click.echo("What differed is right now; nothing that was collected was touched.")
    return 0


@contextmanager
def _opened(session: Session, clock: Clock) -> Iterator[Writer]:
    """With the views made anew, and an end to what a dead process left running."""
    ledger = Ledger.open(
        session.database, world=session.world, role="rebuild", clock=clock, exchanges=REGISTRY
    )
    try:
        yield ledger.writer
    finally:
        ledger.close()


@contextmanager
def _looked_at(session: Session, clock: Clock) -> Iterator[Writer]:
    """As it lies there."""
    held = lock.acquire(session.database, "rebuild", clock.now())
    try:
        writer = open_writer(session.database, world=session.world, create=False)
        try:
            yield writer
        finally:
            writer.close()
    finally:
        held.release()
