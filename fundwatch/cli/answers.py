"""The commands that answer from what is stored."""

import sys

import click

from fundwatch.cli.options import EXCHANGE, WINDOW, Number, answer, end_with
from fundwatch.commands.session import Session
from fundwatch.models import AssetClass


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--line", "as_line", is_flag=True, help="One line, for a tmux status bar.")
@answer
def status(session: Session, as_json: bool, as_line: bool) -> int:
    """Health of each tracker.

    Exit code 0: all fresh. 1: something is stale, partial or failed. 3: no data yet.
    """
    from fundwatch.commands.status import show_status

    return show_status(session, as_json=as_json, as_line=as_line)


@click.command()
@click.option(
    "--window",
    type=WINDOW,
    default="now",
    show_default=True,
    help="`now` is the running estimate; the others are what was really paid.",
)
@click.option("--exchange", type=EXCHANGE, help="Only this exchange.")
@click.option(
    "--class",
    "asset_class",
    metavar="CLASS",
    type=click.Choice(list(AssetClass), case_sensitive=False),
    help=f"Only this asset class: {', '.join(AssetClass)}.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many markets.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@answer
def top(
    session: Session,
    window: str,
    exchange: str | None,
    asset_class: str | None,
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> int:
    """The highest |APR| first; positive means longs pay.

    Rates that cannot be trusted follow the others, with the reason. Exit code 3: nothing to show.
    """
    from fundwatch.commands.top import show_top

    sys.exit(
        show_top(
            session,
            window=window,
            exchange=exchange,
            asset_class=asset_class,
            limit=limit,
            as_json=as_json,
            as_csv=as_csv,
        )
    )


@click.command()
@click.option(
    "--window",
    type=WINDOW,
    default="now",
    show_default=True,
    help="`now` compares the running estimates; the others what was really paid.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many pairs.")
@click.option(
    "--min-oi",
    type=Number(0),
    metavar="USD",
    help="Leave out markets with less open interest; one that is not known stays.",
)
@click.option(
    "--hold-hours",
    default=168,
    show_default=True,
    type=Number(1, 876_000),
    metavar="HOURS",
    help="The time over which fees are spread for the net APR.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@answer
def spreads(
    session: Session,
    window: str,
    limit: int,
    min_oi: float | None,
    hold_hours: float,
    as_json: bool,
    as_csv: bool,
) -> int:
    """The best pair of each asset: long where the rate is lowest, short where it is highest.

    Net APR counts taker fees and quoted spreads. Pairs that cannot be trusted follow the others,
    with the reason. Exit code 3: nothing to show.
    """
    from fundwatch.commands.spreads import show_spreads

    sys.exit(
        show_spreads(
            session,
            window=window,
            limit=limit,
            min_oi=min_oi,
            hold_hours=hold_hours,
            as_json=as_json,
            as_csv=as_csv,
        )
    )


@click.command()
@click.argument("asset")
@click.option("--days", default=7.0, show_default=True, type=Number(0, 3650, min_open=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@answer
def history(session: Session, asset: str, days: float, as_json: bool, as_csv: bool) -> int:
    """Settlements of one ASSET on all exchanges.

    ASSET in any case (`btc`), with a class where a ticker is two things (`BB:equity`), or a
    venue's own symbol (`1000PEPEUSDT`). Exit code 2: nobody lists it. 3: nothing is stored of it.
    """
    from fundwatch.commands.history import show_history

    return show_history(session, asset, days=days, as_json=as_json, as_csv=as_csv)


@click.command()
@click.option("--exchange", type=EXCHANGE, help="Only this exchange.")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    metavar="N",
    help="How far back; as far as `history_days` unless told.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, with every gap.")
@answer
def gaps(session: Session, exchange: str | None, days: int | None, as_json: bool) -> int:
    """Which hours are stored, missing or gone, and why.

    A market-hour is one hour of one market. Expected = stored + missing + gone: missing ones can still
    come, gone ones cannot. Not expected are hours before a listing or a first settlement.
    Exit code 0: nothing that can still come is missing. 1: something is. 3: no data yet.
    """
    from fundwatch.commands.gaps import show_gaps

    return show_gaps(session, exchange=exchange, days=days, as_json=as_json)


@click.command()
@click.option("--online", is_flag=True, help="Send one light request to each enabled exchange, too.")
@click.option("--full", is_flag=True, help="Check the indexes of the database, too: slower.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.pass_context
def doctor(ctx: click.Context, online: bool, full: bool, as_json: bool) -> None:
    """What is wrong, and what to do about it.

    Looks at versions, files and their modes, the database, who collects, and how each exchange is doing;
    changes nothing. Without --online it asks before it calls out, and calls nobody where it cannot ask.
    Exit code 0: well, or only notes. 1: a warning or a failure.
    """
    from fundwatch.commands.doctor import run_doctor

    said = ctx.find_root().params
    config_file, database, demo = said["config_file"], said["database"], said["demo"]
    end_with(
        lambda: run_doctor(config_file, database, demo=demo, online=online, full=full, as_json=as_json),
        {"as_json": as_json},
    )
