"""`fundwatch spreads`: the pairs that earn most, costs counted."""

import click

from fundwatch.answers.spreads import Spread, spreads
from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_csv, print_json, print_table, print_world
from fundwatch.commands.session import Session
from fundwatch.storage.database import reader
from fundwatch.storage.errors import NoDatabase
from fundwatch.tables import Column
from fundwatch.text import age, printable, signed, usd_millions

NOTHING_TO_SHOW = 3


def show_spreads(
    session: Session,
    *,
    window: str,
    limit: int,
    min_oi: float | None,
    hold_hours: float,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Prints the pairs; returns 3 when there is none to show."""
    now = SystemClock().now()
    pairs: list[Spread] = []
    nothing = "No asset is on two exchanges with a rate yet."
    try:
        with reader(session.database, world=session.world) as db:
            pairs = spreads(
                db, session.config, now, window=window, limit=limit, hold_hours=hold_hours, min_oi=min_oi
            )
    except NoDatabase as error:
        nothing = f"Error: {printable(str(error))}"
    if not pairs:
        click.echo(nothing, err=True)
    if as_json:
        print_json(pairs)
    elif as_csv:
        print_csv(pairs, Spread)
    elif pairs:
        print_world(demo=session.demo)
        _print(pairs, window, hold_hours)
    return 0 if pairs else NOTHING_TO_SHOW


def _print(pairs: list[Spread], window: str, hold_hours: float) -> None:
    paid = "now" if window == "now" else f"paid {window}"
    positive = "7d" if window == "now" else window
    columns = (
        Column("asset"),
        Column("class"),
        Column("long"),
        Column("short"),
        Column(f"APR % {paid}", right=True),
        Column(f"net, held {hold_hours:g} h", right=True),
        Column("break-even", right=True),
        Column(f"positive {positive}", right=True),
        Column("covered", right=True),
        Column("price gap %", right=True),
        Column("least OI $m", right=True),
        Column("age", right=True),
        Column("trust"),
    )
    print_table(columns, [_row(pair) for pair in pairs])


def _row(pair: Spread) -> tuple[str, ...]:
    return (
        pair.asset,
        pair.asset_class,
        f"{pair.long_exchange} {pair.long_symbol}",
        f"{pair.short_exchange} {pair.short_symbol}",
        signed(pair.spread_apr_percent),
        signed(pair.net_apr_percent),
        age(None if pair.break_even_hours is None else pair.break_even_hours * 3600),
        "-" if pair.share_positive is None else f"{pair.share_positive:.0%}",
        "-" if pair.coverage is None else f"{pair.coverage:.0%}",
        signed(pair.price_gap_percent),
        usd_millions(pair.min_open_interest_usd),
        age(pair.oldest_leg_seconds),
        (pair.reason or "ok") if pair.trusted else f"NO: {pair.reason}",
    )
