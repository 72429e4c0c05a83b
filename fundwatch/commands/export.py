"""`fundwatch export`: settlements as a file, whole or not at all, or streamed to stdout."""

import os
import sys
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import click

from fundwatch.answers.history import UnknownAsset, markets_named
from fundwatch.commands.collect import stop_signals
from fundwatch.commands.printing import print_error
from fundwatch.commands.progress import ProgressLine
from fundwatch.commands.session import Session
from fundwatch.commands.undo import utc_seconds
from fundwatch.exports.formats import Format, MakeWriter, writer_of
from fundwatch.exports.rows import exported
from fundwatch.storage import queries
from fundwatch.storage.database import reader
from fundwatch.storage.errors import StorageError
from fundwatch.storage.keeping.placing import new_file, require_apart
from fundwatch.storage.paging import Page, pages
from fundwatch.storage.queries import MarketRow
from fundwatch.text import clean

_STDOUT = "-"
_UNKNOWN, _NOTHING, _CANCELLED = 2, 3, 130
_ENDINGS = {".csv": Format.CSV, ".jsonl": Format.JSONL, ".ndjson": Format.JSONL, ".parquet": Format.PARQUET}
_FOR_EVER = 1 << 40
"""UTC seconds that no settlement reaches."""


class _Nothing(Exception):
    """There is no settlement to export."""


class _Stopped(Exception):
    """A signal came first."""


def run_export(
    session: Session,
    *,
    out: str,
    file_format: str | None = None,
    since: str | None = None,
    until: str | None = None,
    exchanges: tuple[str, ...] = (),
    assets: tuple[str, ...] = (),
    force: bool = False,
    with_units: bool = False,
) -> int:
    """Writes what was asked for; 0, or 2 for an asset that nobody lists, 3 for nothing to export, 130
    after Ctrl-C. Without `file_format` the ending of `out` tells it.

    Raises `StorageError` and `click.UsageError`.
    """
    start = 0 if since is None else utc_seconds(since, "--since")
    end = _FOR_EVER if until is None else utc_seconds(until, "--until")
    if end <= start:
        raise click.UsageError("--until is not later than --since: there is no time between them")
    make = _writer(out, file_format)
    target = None if out == _STDOUT else _target(Path(out), session.database, force=force)
    try:
        markets = _markets(session, exchanges, assets)
        with stop_signals() as stop:
            found = pages(session.database, markets, start, end, world=session.world)
            filling = _Filling(make, with_units, len(markets), stop, simulated=session.demo)
            if target is None:
                filling.fill(sys.stdout.buffer, found)
                sys.stdout.buffer.flush()
                return 0
            with new_file(target, overwrite=force) as partial:
                with partial.open("wb") as file:
                    filling.fill(file, found)
                size = partial.stat().st_size
    except UnknownAsset as error:
        print_error(error)
        return _UNKNOWN
    except _Nothing:
        click.echo("There is no settlement to export; nothing is written.", err=True)
        return _NOTHING
    except _Stopped:
        click.echo(
            "Cancelled; no file is written." if target else "Cancelled: the answer is cut off.", err=True
        )
        return _CANCELLED
    demo = "DEMO: simulated exchanges. " if session.demo else ""
    told = f"{filling.rows:,} settlements of {filling.markets:,} markets, {size / 1e6:,.1f} MB"
    click.echo(f"{demo}{told}, written to {clean(out, 300)}", err=True)
    return 0


class _Filling:
    """Writes pages to a file; `rows` and `markets` are what it wrote of `of` markets."""

    def __init__(
        self, make: MakeWriter, with_units: bool, of: int, stop: threading.Event, *, simulated: bool
    ) -> None:
        self.rows = self.markets = 0
        self._make = make
        self._with_units = with_units
        self._of = of
        self._stop = stop
        self._simulated = simulated

    def fill(self, file: BinaryIO, found: Iterator[Page]) -> None:
        """Raises `_Nothing` before the first byte, and `_Stopped`."""
        with ProgressLine() as line:
            turns = enumerate(found, 1)
            first = next((turn for turn in turns if turn[1].rows), None)
            if first is None:
                raise _Nothing
            writer = self._make(file, with_units=self._with_units)
            for turn, (market, rows) in chain([first], turns):
                if self._stop.is_set():
                    raise _Stopped
                if rows:
                    writer.write(exported(market, rows, simulated=self._simulated))
                    self.rows += len(rows)
                    self.markets += 1
                name = clean(f"{market.exchange} {market.symbol}", 40)
                line.show(turn / self._of, f"{name}: {self.rows:,} settlements")
            writer.finish()


def _writer(out: str, given: str | None) -> MakeWriter:
    chosen = Format(given) if given else _ENDINGS.get(Path(out).suffix.lower(), Format.CSV)
    if out == _STDOUT and chosen is Format.PARQUET:
        raise click.UsageError("parquet needs a file: name one with --out")
    try:
        return writer_of(chosen)
    except ImportError:
        raise click.UsageError(
            "parquet needs pyarrow, which is not installed: pip install 'fundwatch[parquet]', "
            "or take --format csv or jsonl"
        ) from None


def _target(out: Path, database: Path, *, force: bool) -> Path:
    """The file that `out` stands for, where it may be written."""
    require_apart(out, database)
    if out.exists() and not out.is_file():
        raise StorageError(f"{out} is no plain file; --out - writes to stdout")
    if out.exists() and not force:
        raise StorageError(f"{out} exists already; --force writes over it")
    return Path(os.path.realpath(out))


def _markets(session: Session, exchanges: tuple[str, ...], assets: tuple[str, ...]) -> list[MarketRow]:
    """The markets asked for, also those that are gone, by exchange and symbol. Raises `UnknownAsset`."""
    with reader(session.database, world=session.world) as db:
        everything = queries.market_rows(db, with_delisted=True)
    wanted = {row.market_id for asset in assets for row in markets_named(everything, asset)}
    chosen = [
        row
        for row in everything
        if (not exchanges or row.exchange in exchanges) and (not assets or row.market_id in wanted)
    ]
    return sorted(chosen, key=lambda row: (row.exchange, row.symbol))
