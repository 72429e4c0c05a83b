"""The command line: reads words, calls one function, sets the exit code."""

import math
import sys
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import click

from fundwatch import __version__
from fundwatch.commands.session import Session, open_session
from fundwatch.config import ConfigError
from fundwatch.exchanges import REGISTRY
from fundwatch.models import AssetClass
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


def answer(command: Callable[..., int]) -> Callable[..., None]:
    """A subcommand: gets the session, which is opened only now so that `--help` always works, and
    ends with the exit code that it returns."""

    @click.pass_obj
    @wraps(command)
    def run(opened: Callable[[], Session], /, **words: Any) -> None:
        asked = [form for form in ("json", "csv", "line") if words.get(f"as_{form}")]
        if len(asked) > 1:
            raise click.UsageError(f"--{asked[0]} and --{asked[1]} do not go together")
        if sys.stdout is None:  # a script may have closed it
            raise click.ClickException("stdout is closed: there is nowhere to answer")
        try:
            code = command(opened(), **words)
            sys.stdout.flush()
        except BrokenPipeError:  # `| head` has seen enough; click ends quietly
            raise
        except OSError as error:
            raise click.ClickException(str(error)) from error
        sys.exit(code)

    return run


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
@click.version_option(__version__, prog_name="fundwatch")
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
    ctx.obj = partial(open_session, config_file, database, demo=demo)
    typed = [name for name in _COLLECTING if ctx.get_parameter_source(name) is _TYPED]
    if ctx.invoked_subcommand is not None:
        if typed:
            word = typed[0].replace("_", "-")
            raise click.UsageError(
                f"--{word} before `{ctx.invoked_subcommand}` means collecting: the two do not go together"
            )
        return
    if once and not collect_only:
        raise click.UsageError("--once goes with --collect-only")
    if ("limit" in typed or "hours" in typed) and not once:
        raise click.UsageError("--hours and --limit go with --collect-only --once")
    if "log_format" in typed and not collect_only:
        raise click.UsageError("--log-format goes with --collect-only")
    if not collect_only:
        from fundwatch.commands.dashboard import run_dashboard

        sys.exit(run_dashboard(ctx.obj()))
    from fundwatch.commands.collect import collect, collect_once

    session = ctx.obj()
    if once:
        sys.exit(collect_once(session, log_format, hours=hours, limit=limit))
    sys.exit(collect(session, log_format))


_TYPED = click.core.ParameterSource.COMMANDLINE
_COLLECTING = ("collect_only", "once", "hours", "limit", "log_format")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--line", "as_line", is_flag=True, help="One line, for a tmux status bar.")
@answer
def status(session: Session, as_json: bool, as_line: bool) -> int:
    """Health of each tracker.

    Exit code 0: all fresh. 1: something is stale, partial or failed. 3: no data yet.
    """
    from fundwatch.commands.status import show_status

    return show_status(session, as_json=as_json, as_line=as_line)


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


@main.command()
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


@main.command()
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


@main.command()
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
