"""The command line: reads words, calls one function, sets the exit code."""

import sys
from functools import partial
from typing import Any

import click

from fundwatch import __version__
from fundwatch.cli.answers import doctor, gaps, history, spreads, status, top
from fundwatch.cli.keeping import backup, export, rebuild, restore
from fundwatch.cli.options import Commands
from fundwatch.cli.past import backfill, import_files, undo
from fundwatch.commands.session import open_session


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
    fundwatch                                the dashboard; collects while it is open
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
    from fundwatch.storage.blame import blaming_damage

    session = ctx.obj()
    with blaming_damage(session.database):
        if once:
            sys.exit(collect_once(session, log_format, hours=hours, limit=limit))
        sys.exit(collect(session, log_format))


_TYPED = click.core.ParameterSource.COMMANDLINE
_COLLECTING = ("collect_only", "once", "hours", "limit", "log_format")

_ANSWERS = (status, top, spreads, history, gaps, doctor)
_PAST = (backfill, import_files, undo)
_KEEPING = (export, backup, restore, rebuild)

for _command in (*_ANSWERS, *_PAST, *_KEEPING):
    main.add_command(_command)
