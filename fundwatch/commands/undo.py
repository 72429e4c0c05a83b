"""`fundwatch undo`: takes back what a bad run stored, so that the next sweep fetches it again."""

from datetime import UTC, datetime

import click

from fundwatch.clock import SystemClock
from fundwatch.commands.session import Session
from fundwatch.storage import lock
from fundwatch.storage.database import open_writer
from fundwatch.storage.undo import undo_run, undo_since

NOTHING_UNDONE = 3


def run_undo(session: Session, *, run_id: int | None, exchange: str | None, since: str | None) -> int:
    """Takes back one run, or all runs of an exchange since a time; 3 when there was nothing to take back.

    Raises `Locked` while a collector writes the database, and `click.UsageError` for a wrong question.
    """
    if (run_id is None) == (exchange is None or since is None):
        raise click.UsageError("say --run N, or --exchange E with --since TIME")
    now = SystemClock().now()
    held = lock.acquire(session.database, "import", now)
    try:
        writer = open_writer(session.database, world=session.world, create=False)
        try:
            with writer.transaction():
                if run_id is not None:
                    undone = undo_run(writer, run_id, now)
                else:
                    assert exchange is not None
                    assert since is not None
                    undone = undo_since(writer, exchange, utc_seconds(since), now)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        finally:
            writer.close()
    finally:
        held.release()
    taken = f"{undone.settlements:,} settlements of {undone.markets} markets taken back"
    click.echo(f"{undone.runs} runs undone: {taken}; the next sweep or backfill fetches them again")
    return 0 if undone.runs else NOTHING_UNDONE


def utc_seconds(text: str) -> int:
    """A time as a person writes it, `2026-11-20`, `2026-11-20 14:00` (UTC) or UTC seconds."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"--since: {text!r} is no time; write 2026-11-20, '2026-11-20 14:00' (UTC) or UTC seconds"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
