"""`fundwatch top`: the highest rates first."""

import click

from fundwatch.answers.top import Rate, top
from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_csv, print_json, print_table, print_world
from fundwatch.commands.session import Session
from fundwatch.storage.database import reader
from fundwatch.storage.errors import NoDatabase
from fundwatch.tables import Column
from fundwatch.text import age, printable, signed, usd_millions, utc

NOTHING_TO_SHOW = 3


def show_top(
    session: Session,
    *,
    window: str,
    exchange: str | None,
    asset_class: str | None,
    limit: int,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Prints the rates; returns 3 when there is none to show."""
    now = SystemClock().now()
    rates: list[Rate] = []
    nothing = "Nothing collected matches."
    try:
        with reader(session.database, world=session.world) as db:
            rates = top(
                db,
                now,
                window=window,
                exchange=exchange,
                asset_class=asset_class,
                limit=limit,
                stale_after_seconds=session.config.collector.stale_after_seconds,
            )
    except NoDatabase as error:
        nothing = f"Error: {printable(str(error))}"
    if not rates:
        click.echo(nothing, err=True)
    if as_json:
        print_json(rates)
    elif as_csv:
        print_csv(rates, Rate)
    elif rates:
        print_world(demo=session.demo)
        _print(rates, window, now)
    return 0 if rates else NOTHING_TO_SHOW


def _print(rates: list[Rate], window: str, now: float) -> None:
    paid = "now" if window == "now" else f"paid {window}"
    columns = (
        Column("asset"),
        Column("class"),
        Column("exchange"),
        Column("symbol", widest=24),
        Column(f"APR % {paid}", right=True),
        Column("% per hour", right=True),
        Column("pays h", right=True),
        Column("next UTC"),
        Column("covered", right=True),
        Column("OI $m", right=True),
        Column("volume $m", right=True),
        Column("age", right=True),
        Column("trust"),
    )
    print_table(columns, [_row(rate, now) for rate in rates])


def _row(rate: Rate, now: float) -> tuple[str, ...]:
    return (
        rate.asset,
        rate.asset_class,
        rate.exchange,
        rate.symbol,
        signed(rate.apr_percent),
        signed(rate.hourly_rate * 100, 5),
        "-" if rate.interval_hours is None else f"{rate.interval_hours:g}",
        utc(rate.next_funding_time, "%H:%M"),
        "-" if rate.coverage is None else f"{rate.coverage:.0%}",
        usd_millions(rate.open_interest_usd),
        usd_millions(rate.volume_24h_usd),
        age(None if rate.observed_at is None else now - rate.observed_at),
        (rate.reason or "ok") if rate.trusted else f"NO: {rate.reason}",
    )
