"""The commands that bring the past in and take it back."""

import click

from fundwatch.cli.options import EXCHANGE, answer
from fundwatch.commands.session import Session


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="How far back.")
@click.option("--exchange", "exchanges", multiple=True, type=EXCHANGE, help="Only these (repeatable).")
@click.option("--asset", "assets", multiple=True, metavar="ASSET", help="Only these assets (repeatable).")
@answer
def backfill(session: Session, days: int, exchanges: tuple[str, ...], assets: tuple[str, ...]) -> int:
    """Fetch the settlements that are missing.

    Only holes are asked for; Ctrl-C is safe, and the next call goes on where this one stopped.
    Beside a running collector that one does the work.
    Exit code 0: complete. 1: an exchange failed. 130: cancelled.
    """
    from fundwatch.commands.backfill import run_backfill

    return run_backfill(session, days=days, exchanges=exchanges, assets=assets)


@click.command()
@click.option("--run", "run_id", type=click.IntRange(1), metavar="N", help="What run N stored.")
@click.option("--exchange", type=EXCHANGE, help="With --since: all that was stored of this exchange.")
@click.option("--since", metavar="TIME", help="2026-11-20, '2026-11-20 14:00' (UTC) or UTC seconds.")
@answer
def undo(session: Session, run_id: int | None, exchange: str | None, since: str | None) -> int:
    """Take back what a bad run stored; the next sweep fetches it again.

    Not while a collector runs.
    """
    from fundwatch.commands.undo import run_undo

    return run_undo(session, run_id=run_id, exchange=exchange, since=since)
