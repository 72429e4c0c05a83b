"""`fundwatch undo`: takes back what a bad run stored, so that the next sweep fetches it again."""

from datetime import UTC, datetime

import click

from fundwatch.clock import SystemClock
from fundwatch.commands.session import Session
from fundwatch.storage import lock
from fundwatch.storage.database import open_writer
from fundwatch.storage.undo import undo_import, undo_run, undo_since

NOTHING_UNDONE = 3
_AGAIN = "the next sweep or backfill fetches them again"


def run_undo(
    session: Session,
    *,
    run_id: int | None,
    exchange: str | None,
    since: str | None,
    import_id: int | None = None,
) -> int:
    """Takes back one run or import, or all runs of an exchange since a time; 3 when there was nothing.

    Raises `Locked` while a collector writes the database, and `click.UsageError` for a wrong question.
    """
    asked = [run_id is not None, import_id is not None, exchange is not None and since is not None]
    if sum(asked) != 1:
        raise click.UsageError("say --run N, --import N, or --exchange E with --since TIME")
    now = SystemClock().now()
    held = lock.acquire(session.database, "import", now)
    try:
        writer = open_writer(session.database, world=session.world, create=False)
        try:
            with writer.transaction():
                if run_id is not None:
                    undone = undo_run(writer, run_id, now)
                elif import_id is not None:
                    undone = undo_import(writer, import_id, now)
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
    taken = f"{_counted(undone.settlements, 'settlement')} of {_counted(undone.markets, 'market')} taken back"
    again = "what its exchange still serves is fetched again" if import_id is not None else _AGAIN
    click.echo(f"{_counted(undone.runs, 'run')} undone: {taken}; {again}")
    if import_id is not None and undone.settlements and undone.replaced:
        click.echo(
            f"Up to {undone.replaced:,} rows of earlier imports, or recorded ones, had given way to it"
            " and are not put back: import their files again"
        )
    return 0 if undone.runs else NOTHING_UNDONE


def utc_seconds(text: str, option: str = "--since") -> int:
    """A time as a person writes it, `2026-11-20`, `2026-11-20 14:00` (UTC) or UTC seconds.

    Raises `click.UsageError` that names the `option`; a bare year is no time.
    """
    if text.isascii() and text.isdigit() and len(text) not in (4, 8):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(
            f"{option}: {text!r} is no time; write 2026-11-20, '2026-11-20 14:00' (UTC) or UTC seconds"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
