"""The commands that bring the past in and take it back."""

from pathlib import Path

import click

from fundwatch.cli.options import EXCHANGE, answer
from fundwatch.commands.session import Session

FORMATS = ("auto", "vision", "fundwatch", "predecessor", "csv", "jsonl")
"""As in `imports.reading`, which `--help` need not load; a test holds the two together."""
TIME_UNITS = ("s", "ms", "utc")
"""As in `commands.imports`."""


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


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--exchange", required=True, type=EXCHANGE, help="The exchange that paid what is in the files.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="By the columns, or say what the files are.",
)
@click.option("--symbol", metavar="SYMBOL", help="The market, for files whose rows name none.")
@click.option(
    "--time-unit",
    type=click.Choice(TIME_UNITS),
    help="Of a column of times whose name does not tell it: seconds, milliseconds, or text in UTC.",
)
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and write nothing.")
@click.option("--accept-bad", is_flag=True, help="Take the good rows also where more than 1 % are bad.")
@answer
def import_files(
    session: Session,
    files: tuple[Path, ...],
    exchange: str,
    file_format: str,
    symbol: str | None,
    time_unit: str | None,
    dry_run: bool,
    accept_bad: bool,
) -> int:
    """Bring in past settlements from files.

    Monthly files of data.binance.vision as downloaded (zip or CSV), exports of fundwatch, tables of
    its predecessor, and CSV or JSON lines with named columns. What the exchange itself told stays;
    the same file again changes nothing; `undo --import N` takes one back.
    Beside a running collector that one does the work.
    Exit code 0: all stored, or stored already. 1: refused or partial. 130: cancelled.
    """
    from fundwatch.commands.imports import run_import

    return run_import(
        session,
        files=files,
        exchange=exchange,
        file_format=file_format,
        dry_run=dry_run,
        accept_bad=accept_bad,
        symbol=symbol,
        time_unit=time_unit,
    )


@click.command()
@click.option("--run", "run_id", type=click.IntRange(1), metavar="N", help="What run N stored.")
@click.option("--import", "import_id", type=click.IntRange(1), metavar="N", help="What import N stored.")
@click.option("--exchange", type=EXCHANGE, help="With --since: all that was stored of this exchange.")
@click.option("--since", metavar="TIME", help="2026-11-20, '2026-11-20 14:00' (UTC) or UTC seconds.")
@answer
def undo(
    session: Session, run_id: int | None, import_id: int | None, exchange: str | None, since: str | None
) -> int:
    """Take back what a bad run or import stored; the next sweep fetches again what is still served.

    What an exchange settled never gives way to an import. Rows of earlier imports and recorded ones may:
    those are not put back, and the answer says how many there were; import their files again.
    Not while a collector runs.
    """
    from fundwatch.commands.undo import run_undo

    return run_undo(session, run_id=run_id, exchange=exchange, since=since, import_id=import_id)
