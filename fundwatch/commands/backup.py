"""`fundwatch backup`: a checked copy of the database, taken while it is in use."""

import os
from pathlib import Path

import click

from fundwatch.commands.collect import stop_signals
from fundwatch.commands.progress import ProgressLine
from fundwatch.commands.session import Session
from fundwatch.storage.keeping.contents import Contents
from fundwatch.storage.keeping.snapshot import take_snapshot
from fundwatch.text import clean, utc

CANCELLED = 130


class Cancelled(Exception):
    """A signal came first."""


def run_backup(session: Session, *, target: Path) -> int:
    """Copies the database to the new file `target`; 0, or 130 after Ctrl-C. Raises `StorageError`."""
    with stop_signals() as stop, ProgressLine() as line:

        def progress(share: float) -> None:
            if stop.is_set():
                raise Cancelled
            line.show(share, "copied" if share < 1 else "copied; checking it")

        try:
            found = take_snapshot(session.database, target, world=session.world, progress=progress)
        except Cancelled:
            line.clear()
            click.echo("Cancelled; no copy is left.", err=True)
            return CANCELLED
    size = os.stat(target).st_size
    click.echo(f"{clean(str(target), 300)}: {size / 1e6:,.1f} MB, every page checked; {told(found)}")
    return 0


def told(found: Contents) -> str:
    """What a database holds, in a sentence without its full stop."""
    if found.first is None:
        return f"no settlement of {found.markets:,} markets yet"
    return (
        f"{found.settlements:,} settlements of {found.markets:,} markets, "
        f"paid from {utc(found.first)} to {utc(found.last)} UTC"
    )
