"""`fundwatch` without a command: the dashboard, with a collector inside or as a viewer of one."""

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

import click

from fundwatch.commands.session import Session, exchanges_served
from fundwatch.config import Config, ConfigError
from fundwatch.tui.garbage import THRESHOLDS, share_one_heap, tidy_newest, tidy_when_quiet

if TYPE_CHECKING:
    from fundwatch.tui.link import Link

_NO_TERMINAL = 2
_SLOW_SECONDS = 0.5
_TURN_SECONDS = 0.001
"""A key passes through three threads until it is answered; while the collector is at work each of them
waits so long for its turn, with Python's own 5 ms a person would notice."""


def run_dashboard(session: Session) -> int:
    """Shows the dashboard until the person quits; 2 without a terminal, 128 + n after signal n."""
    streams = (sys.stdin, sys.stdout, sys.__stderr__)  # Textual draws on the last one
    if not all(stream is not None and stream.isatty() for stream in streams):
        click.echo(
            "Error: the dashboard needs a terminal; without one: fundwatch --collect-only, status, top,"
            " spreads, history, backfill (see --help)",
            err=True,
        )
        return _NO_TERMINAL
    share_one_heap()
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(_TURN_SECONDS)
    return asyncio.run(_show(session))


async def _show(session: Session) -> int:
    loop = asyncio.get_running_loop()
    caught: list[int] = []
    watched = []

    def ask(number: int) -> None:
        if caught:
            app.leave_terminal()
            os._exit(128 + number)
        caught.append(number)
        app.exit(128 + number)

    # Before the screen is loaded: what comes meanwhile is heard once the app runs.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, ask, number)
            watched.append(number)

    from fundwatch.tui.app import FundwatchApp
    from fundwatch.tui.state import StateFile, state_path

    if session.config.keys:
        _check_keys(session.config)
    links: list[Link] = []

    def link(app: FundwatchApp) -> None:
        from fundwatch.tui.link import Link

        serve = partial(exchanges_served, session)
        links.append(Link(session.database, session.world, serve, app.post_message, app.overhear))
        links[0].start()

    app = FundwatchApp(
        session.config,
        session.database,
        session.world,
        demo=session.demo,
        link=link,
        state=StateFile(state_path()),
        tidy=tidy_newest,
    )
    tidying = loop.create_task(tidy_when_quiet())
    try:
        code = await app.run_async(mouse=session.config.display.mouse)
        if code is None:
            code = app.return_code
    finally:
        tidying.cancel()
        stopping = loop.run_in_executor(None, _stop, links)
        done, _ = await asyncio.wait([stopping], timeout=_SLOW_SECONDS)
        if not done:
            with suppress(OSError):  # the terminal may be gone
                click.echo("Stopping the collector ...", err=True)
            await stopping
        for number in watched:
            loop.remove_signal_handler(number)
    return 128 + caught[0] if caught else code or 0


def _stop(links: "list[Link]") -> None:
    for link in links:
        link.stop()


def _check_keys(config: Config) -> None:
    """Raises `ConfigError` for a command in `[keys]` that does not exist."""
    from fundwatch.tui.key_names import key_names

    names = key_names()
    for name in config.keys:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise ConfigError(
                f"keys: no command is named {name!r}"
                + (f"; did you mean {near[0]}?" if near else "; the help (?) shows the names")
            )
