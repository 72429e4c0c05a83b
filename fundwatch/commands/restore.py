"""`fundwatch restore`: a copy takes the place of the database, which is kept beside it."""

from pathlib import Path

import click

from fundwatch.clock import SystemClock
from fundwatch.commands.backup import CANCELLED, Cancelled, told
from fundwatch.commands.collect import stop_signals
from fundwatch.commands.progress import ProgressLine
from fundwatch.commands.session import Session
from fundwatch.storage import lock
from fundwatch.storage.errors import StorageError
from fundwatch.storage.keeping.restore import restore
from fundwatch.text import clean


def run_restore(session: Session, *, source: Path) -> int:
    """Puts a copy of `source` in the place of the database; 0, or 130 after Ctrl-C.

    Raises `StorageError`, also while any process writes the database.
    """
    now = SystemClock().now()
    try:
        held = lock.acquire(session.database, "restore", now)
    except lock.Locked as error:
        raise StorageError(f"{error}: end that first, nothing is changed") from error
    with held, stop_signals() as stop, ProgressLine() as line:

        def progress(share: float) -> None:
            if stop.is_set():
                raise Cancelled
            line.show(share, "copied" if share < 1 else "copied; checking it")

        try:
            done = restore(session.database, source, world=session.world, now=now, progress=progress)
        except Cancelled:
            line.clear()
            click.echo("Cancelled; the database is as it was.", err=True)
            return CANCELLED
    click.echo(f"{clean(str(session.database), 300)} is restored: {told(done.contents)}")
    if done.kept is not None:
        state = f" (damaged: {done.damage})" if done.damage else ""
        click.echo(f"The former database{state} is kept as {clean(str(done.kept), 300)}")
    click.echo("What was paid since then is fetched again by the next sweeps, as far as it is still served.")
    return 0
