"""The commands that let the data out and keep it safe."""

from pathlib import Path

import click

from fundwatch.cli.options import EXCHANGE, answer
from fundwatch.commands.session import Session

FORMATS = ("csv", "jsonl", "parquet")
"""As in `exports.formats`, which `--help` need not load; a test holds the two together."""

_TIME = "2026-11-20, '2026-11-20 14:00' (UTC) or UTC seconds"
_COPY = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--out", required=True, metavar="FILE", help="The file to write; - is stdout.")
@click.option("--format", "file_format", type=click.Choice(FORMATS), help="By the ending of FILE, else csv.")
@click.option("--since", metavar="TIME", help=f"Paid at this time or later: {_TIME}.")
@click.option("--until", metavar="TIME", help="Paid before this time.")
@click.option("--exchange", "exchanges", multiple=True, type=EXCHANGE, help="Only these (repeatable).")
@click.option("--asset", "assets", multiple=True, metavar="ASSET", help="Only these assets (repeatable).")
@click.option("--force", is_flag=True, help="Write over FILE.")
@click.option("--units", "with_units", is_flag=True, help="A first line that says what the numbers mean.")
@answer
def export(
    session: Session,
    out: str,
    file_format: str | None,
    since: str | None,
    until: str | None,
    exchanges: tuple[str, ...],
    assets: tuple[str, ...],
    force: bool,
    with_units: bool,
) -> int:
    """Write settlements to a file: by exchange, symbol and time.

    rate is the signed fraction of a whole interval, positive when longs pay; hourly_rate is the same per
    hour, apr_percent per year. Empty is not known. Each market is as it stands at one moment; a collector
    is not held up. The file is there when it is complete, and `fundwatch import` reads it back.
    Exit code 0: written. 1: failed, nothing is left. 3: nothing to export. 130: cancelled.
    """
    from fundwatch.commands.export import run_export

    return run_export(
        session,
        out=out,
        file_format=file_format,
        since=since,
        until=until,
        exchanges=exchanges,
        assets=assets,
        force=force,
        with_units=with_units,
    )


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@answer
def backup(session: Session, target: Path) -> int:
    """Copy the database to a new FILE, also while a collector runs.

    The copy is of one moment, and every page of it is checked. `fundwatch restore` puts it back.
    Exit code 0: FILE is there and whole. 1: there is no FILE. 130: cancelled.
    """
    from fundwatch.commands.backup import run_backup

    return run_backup(session, target=target)


@click.command()
@click.argument("source", metavar="FILE", type=_COPY)
@answer
def restore(session: Session, source: Path) -> int:
    """Put a copy of the database back.

    FILE is checked first and stays where it is; the present database is kept beside the new one, under
    a name that says when. Not while a collector runs.
    Exit code 0: done. 1: nothing is changed. 130: cancelled, nothing is changed.
    """
    from fundwatch.commands.restore import run_restore

    return run_restore(session, source=source)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be put right, and change nothing.")
@answer
def rebuild(session: Session, dry_run: bool) -> int:
    """Derive anew what is derived from settlements, quotes and runs, and say what differed.

    In a sound database nothing does. Not while a collector runs.
    """
    from fundwatch.commands.rebuild import run_rebuild

    return run_rebuild(session, dry_run=dry_run)
