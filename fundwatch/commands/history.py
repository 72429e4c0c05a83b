"""`fundwatch history`: what was paid for one asset on every exchange."""

import click
import msgspec

from fundwatch.answers.history import History, UnknownAsset, history, nothing_yet
from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_csv, print_error, print_json, print_table, print_world
from fundwatch.commands.session import Session
from fundwatch.storage.database import reader
from fundwatch.storage.errors import NoDatabase
from fundwatch.tables import Column
from fundwatch.text import printable, signed, utc

UNKNOWN = 2
NOTHING_TO_SHOW = 3

_COLUMNS = (
    Column("funding time UTC"),
    Column("exchange"),
    Column("symbol", widest=24),
    Column("rate %", right=True),
    Column("interval h", right=True),
    Column("APR %", right=True),
    Column("kind"),
    Column("source"),
)


class _Line(msgspec.Struct, frozen=True):
    """A settlement with its market, as a line of CSV."""

    exchange: str
    symbol: str
    asset_class: str
    funding_time: int
    rate: float
    interval_hours: float | None
    hourly_rate: float | None
    apr_percent: float | None
    kind: str
    source: str


def show_history(session: Session, asset: str, *, days: float, as_json: bool, as_csv: bool) -> int:
    """Prints the settlements; 2 for an asset that nobody lists, 3 when nothing is stored of it."""
    now = SystemClock().now()
    nothing = f"Nothing is stored of it in the last {days:g} days."
    try:
        with reader(session.database, world=session.world) as db:
            answer = history(db, asset, now, days=days)
    except UnknownAsset as error:
        print_error(error)
        return UNKNOWN
    except NoDatabase as error:
        answer, nothing = nothing_yet(asset), f"Error: {printable(str(error))}"
    lines = _lines(answer)
    if not lines:
        click.echo(nothing, err=True)
    if as_json:
        print_json(answer)
    elif as_csv:
        print_csv(lines, _Line)
    elif lines:
        print_world(demo=session.demo)
        _print(answer, lines)
    return 0 if lines else NOTHING_TO_SHOW


def _lines(answer: History) -> list[_Line]:
    return [
        _Line(
            series.exchange,
            series.symbol,
            series.asset_class,
            *(getattr(paid, field) for field in paid.__struct_fields__),
        )
        for series in answer.series
        for paid in series.settlements
    ]


def _print(answer: History, lines: list[_Line]) -> None:
    newest_first = sorted(lines, key=lambda line: (-line.funding_time, line.exchange, line.symbol))
    print_table(
        _COLUMNS,
        [
            (
                utc(line.funding_time),
                line.exchange,
                line.symbol,
                signed(line.rate * 100, 6),
                "-" if line.interval_hours is None else f"{line.interval_hours:g}",
                signed(line.apr_percent),
                line.kind,
                line.source,
            )
            for line in newest_first
        ],
    )
    classes = sorted({series.asset_class for series in answer.series})
    silent = [f"{s.exchange} {s.symbol}" for s in answer.series if not s.settlements]
    about = printable(f"{answer.asset} ({', '.join(classes)})")
    print(f"\n{about}: {len(lines):,} settlements of {len(answer.series)} markets")
    if silent:
        print(printable(f"nothing stored in this time: {', '.join(silent)}"))
