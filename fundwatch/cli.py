"""The command line: reads words, calls one function, sets the exit code."""

import math
import sys
from typing import Any

import click

from fundwatch import __version__
from fundwatch.commands.session import Session, open_session
from fundwatch.config import ConfigError
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.errors import NoDatabase, StorageError, WrongWorld

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING_YET = 1, 2, 3

EXCHANGE = click.Choice(list(REGISTRY), case_sensitive=False)
WINDOW = click.Choice(["now", "24h", "3d", "7d", "30d"])


class Number(click.FloatRange):
    """A number in a range; `nan` and `inf` are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number to work with", param, ctx)
        return number


class Commands(click.Group):
    """Turns our errors into one line on stderr and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ConfigError, WrongWorld) as error:
            code, words = EXIT_USAGE, str(error)
        except NoDatabase as error:
            code, words = EXIT_NOTHING_YET, str(error)
        except StorageError as error:
            code, words = EXIT_FAILED, str(error)
        click.echo(f"Error: {words}", err=True)
        ctx.exit(code)


@click.group(
    cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--config", "config_file", metavar="FILE", help="Configuration file (TOML); all keys are optional."
)
@click.option("--db", "database", metavar="PATH", help="Database file; made when it is not there.")
@click.option(
    "--demo", is_flag=True, help="Simulated exchanges inside this process, in a database of their own."
)
@click.option(
    "--collect-only", is_flag=True, help="Collect without a screen until SIGTERM, SIGINT or SIGHUP."
)
@click.option("--once", is_flag=True, help="With --collect-only: one sweep of each exchange, then exit.")
@click.option(
    "--hours",
    default=24,
    show_default=True,
    type=click.IntRange(1, 8760),
    help="With --once: how far back missing settlements are fetched.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="With --once: only N markets per exchange, for a quick try (exit code 1: partial).",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="With --collect-only: one line per event on stderr.",
)
@click.version_option(__version__)
@click.pass_context
def main(
    ctx: click.Context,
    config_file: str | None,
    database: str | None,
    demo: bool,
    collect_only: bool,
    once: bool,
    hours: int,
    limit: int | None,
    log_format: Any,
) -> None:
    """Watch perpetual funding rates of many exchanges.

    \b
    fundwatch --demo --collect-only --once   a first look, without the internet
    fundwatch --collect-only                 collect for weeks, on a server
    fundwatch status                         is every tracker healthy?
    fundwatch top --window 7d                who pays the highest APR?
    fundwatch spreads --window 7d            which pair of exchanges earns most, after fees?
    fundwatch history BTC --days 2           what was paid, on every exchange?
    """
    session = open_session(config_file, database, demo=demo)
    ctx.obj = session
    if ctx.invoked_subcommand is not None:
        if collect_only or once:
            raise click.UsageError(f"--collect-only and `{ctx.invoked_subcommand}` do not go together")
        return
    if once and not collect_only:
        raise click.UsageError("--once goes with --collect-only")
    if (limit is not None or ctx.get_parameter_source("hours") is _TYPED) and not once:
        raise click.UsageError("--hours and --limit go with --collect-only --once")
    if not collect_only:
        raise click.UsageError(
            "say what to do: --collect-only collects;"
            " status, top, spreads, history and backfill answer (see --help)"
        )
    from fundwatch.commands.collect import collect, collect_once

    if once:
        sys.exit(collect_once(session, log_format, hours=hours, limit=limit))
    sys.exit(collect(session, log_format))


_TYPED = click.core.ParameterSource.COMMANDLINE


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--line", "as_line", is_flag=True, help="One line, for a tmux status bar.")
@click.pass_obj
def status(session: Session, as_json: bool, as_line: bool) -> None:
    """Health of each tracker.

    Exit code 0: all fresh. 1: something is stale, partial or failed. 3: no data yet.
    """
    from fundwatch.commands.status import show_status

    sys.exit(show_status(session, as_json=as_json, as_line=as_line))


@main.command()
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
    type=click.Choice(["crypto", "equity", "index", "commodity", "fx", "prelaunch", "unknown"]),
    help="Only this asset class: crypto, equity, index, commodity, fx, prelaunch.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many markets.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@click.pass_obj
def top(
    session: Session,
    window: str,
    exchange: str | None,
    asset_class: str | None,
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The highest |APR| first; positive means longs pay.

    Rates that cannot be trusted follow the others, with the reason.
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


@main.command()
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
@click.pass_obj
def spreads(
    session: Session,
    window: str,
    limit: int,
    min_oi: float | None,
    hold_hours: float,
    as_json: bool,
    as_csv: bool,
) -> None:
    """The best pair of each asset: long where the rate is lowest, short where it is highest.

    Net APR counts taker fees and quoted spreads. Pairs that cannot be trusted follow the others,
    with the reason.
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


@main.command()
@click.argument("asset")
@click.option("--days", default=7.0, show_default=True, type=click.FloatRange(0, 3650, min_open=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout.")
@click.pass_obj
def history(session: Session, asset: str, days: float, as_json: bool, as_csv: bool) -> None:
    """Settlements of one ASSET on all exchanges.

    ASSET in any case (`btc`), with a class where a ticker is two things (`BB:equity`), or a
    venue's own symbol (`1000PEPEUSDT`).
    """
    from fundwatch.commands.history import show_history

    sys.exit(show_history(session, asset, days=days, as_json=as_json, as_csv=as_csv))


@main.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="How far back.")
@click.option("--exchange", "exchanges", multiple=True, type=EXCHANGE, help="Only these (repeatable).")
@click.option("--asset", "assets", multiple=True, metavar="ASSET", help="Only these assets (repeatable).")
@click.pass_obj
def backfill(session: Session, days: int, exchanges: tuple[str, ...], assets: tuple[str, ...]) -> None:
    """Fetch the settlements that are missing.

    Only holes are asked for; Ctrl-C is safe, and the next call goes on where this one stopped.
    """
    from fundwatch.commands.backfill import run_backfill

    sys.exit(run_backfill(session, days=days, exchanges=exchanges, assets=assets))
