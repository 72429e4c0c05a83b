"""The first pass over a file: its rows into a spool, in order, and what can be said of each by itself."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fundwatch.collector.importing.report import MarketSpan, Order, Report
from fundwatch.exchanges.symbols import example, market_named
from fundwatch.exports.columns import DEMO_SOURCE
from fundwatch.imports.reading import open_import
from fundwatch.imports.rows import BadRow, FileRefused, ImportedRow
from fundwatch.models import HOUR, MAX_HOURLY_RATE, Kind, Market, Settlement
from fundwatch.storage.imports import KnownMarket
from fundwatch.storage.settlements import FIRST_FUNDING_TIME, LONGEST_HOURS, refusal
from fundwatch.storage.spool import MOST_ROWS, Spool, SpooledRow
from fundwatch.storage.truth import REGULAR, SPECIAL
from fundwatch.text import clean

SLICE_ROWS = 5_000
"""So often it looks whether to stop, and tells how far it is."""
REAL = "real"
"""The world of a database that holds what exchanges really paid."""
ROWS_IN_MEMORY = 50_000
BAD_SHARE = 0.01
MOST_MARKETS = 5_000

Tell = Callable[[float, int], None]
"""Hears how far the reading has come: a share of the file, and the rows so far."""


@dataclass(slots=True)
class Survey:
    """What a file holds for its exchange: its `symbols` in the order of the spool, the `new` ones that the
    database does not know, and those `lacking` the interval in some of their rows.
    It is `simulated` when a row says that it is of a demo.
    """

    symbols: list[str] = field(default_factory=list)
    new: dict[str, Market] = field(default_factory=dict)
    lacking: set[str] = field(default_factory=set)
    simulated: bool = False


class Abandoned(Exception):
    """The reading was told to stop."""


def read_file(
    order: Order,
    report: Report,
    spool: Spool,
    known: Mapping[str, KnownMarket],
    now: float,
    tell: Tell,
    stop: threading.Event,
    *,
    world: str,
) -> Survey:
    """Reads the whole file into `spool` and tells `report` of it. Raises `FileRefused` and `Abandoned`."""
    survey = Survey()
    path = Path(order.path)
    report.file_name = clean(path.name)
    with open_import(
        path,
        exchange=order.exchange,
        file_format=order.file_format,
        symbol=order.symbol,
        time_unit=order.time_unit,
    ) as file:
        report.file_name, report.format, report.unit_note = file.name, file.format, file.unit_note
        reader = _Reader(order.exchange, report, survey, spool, known, now)
        take = reader.take
        for number, line in enumerate(file.rows(), 1):
            take(line)
            if not number % ROWS_IN_MEMORY:
                spool.write()
            if not number % SLICE_ROWS:
                if stop.is_set():
                    raise Abandoned
                tell(file.bytes_read / max(1, file.size_bytes), reader.count)
        spool.write()
        report.sha256 = file.sha256
    report.rows = reader.count
    for symbol, span in zip(survey.symbols, spool.spans, strict=True):
        if span.rows > MOST_ROWS:
            raise FileRefused(
                f"{span.rows:,} rows of {symbol}: more than it can have had payments since 2016"
            )
        if span.rows:
            report.markets.append(MarketSpan(symbol, *span, symbol in survey.new))
    _judge_as_a_whole(order, report)
    if survey.simulated and world == REAL:
        raise FileRefused(
            "its rows are simulated (source `demo`): they belong into a demo's database only, with --demo"
        )
    return survey


def _judge_as_a_whole(order: Order, report: Report) -> None:
    """Raises `FileRefused` for a file with nothing for this exchange, or with too many bad rows."""
    others = ", ".join(sorted(report.aside))
    if not report.rows and report.aside:
        raise FileRefused(
            f"every row says that it is of {others}, not of {order.exchange}: name that with --exchange"
        )
    total = report.rows + report.bad
    if not total:
        raise FileRefused("there is no settlement in it")
    if not report.rows:
        reason = max(report.bad_reasons, key=lambda reason: report.bad_reasons[reason])
        raise FileRefused(f"none of its {total:,} rows can be taken; mostly: {reason}")
    if report.bad > BAD_SHARE * total and not order.accept_bad:
        raise FileRefused(
            f"{report.bad:,} of {total:,} rows are bad ({report.bad / total:.1%}, more than {BAD_SHARE:.0%}):"
            " nothing is stored; mend the file, or take the good rows with --accept-bad"
        )
    if report.aside:
        count = sum(report.aside.values())
        report.notes.append(
            f"{count:,} rows of {others} are left aside: import them with their own --exchange"
        )


class _Reader:
    """Turns lines into spooled rows; `count` are those that were good."""

    def __init__(
        self,
        exchange: str,
        report: Report,
        survey: Survey,
        spool: Spool,
        known: Mapping[str, KnownMarket],
        now: float,
    ) -> None:
        self._exchange = exchange
        self._report = report
        self._survey = survey
        self._spool = spool
        self._known = known
        self._folded = {symbol.casefold() for symbol in known}
        self._now = now
        self._rows: dict[str, list[SpooledRow] | None] = {}
        self.count = 0

    def take(self, line: ImportedRow | BadRow) -> None:
        if isinstance(line, BadRow):
            place = f"{line.member}, line {line.line}" if line.member else f"line {line.line}"
            self._report.note_bad(place, line.reason)
            return
        number_of_line, exchange, symbol, time, rate, hours, kind, payment, origin = line
        if exchange is not None and exchange != self._exchange:
            aside = clean(exchange, 40)
            if aside in self._report.aside or len(self._report.aside) < 20:
                self._report.aside[aside] = self._report.aside.get(aside, 0) + 1
            return
        if origin == DEMO_SOURCE:
            self._survey.simulated = True
        try:
            rows = self._rows[symbol]
        except KeyError:
            rows = self._rows_of(symbol)
        if rows is None:
            words = f"its symbol is not written like one of {self._exchange} ({example(self._exchange)})"
            self._report.note_bad(f"line {number_of_line}, {symbol}", words)
            return
        # Most rows need no closer look; the last net before the table knows all the rules.
        usual = (
            FIRST_FUNDING_TIME < time <= self._now
            and time % HOUR == 0
            and -MAX_HOURLY_RATE <= rate <= MAX_HOURLY_RATE
            and (hours is None or 1 <= hours <= LONGEST_HOURS)
        )
        if not usual:
            row = Settlement(symbol, time, rate, hours, kind, payment)
            if reason := refusal(row, self._now):
                self._report.note_bad(f"line {number_of_line}, {symbol}", reason)
                return
        if hours is None and kind is Kind.REGULAR:
            self._survey.lacking.add(symbol)
        self.count += 1
        rows.append((time, SPECIAL if kind is Kind.SPECIAL else REGULAR, rate, hours, payment))

    def _rows_of(self, symbol: str) -> list[SpooledRow] | None:
        """Where the rows of a new symbol go; None for what can be no market of the exchange."""
        rows: list[SpooledRow] | None = None
        is_known = symbol in self._known
        is_misspelt = not is_known and symbol.casefold() in self._folded
        market = None if is_known or is_misspelt else market_named(self._exchange, symbol)
        if market is not None:
            self._survey.new[symbol] = market
        if market is not None or is_known:
            rows = self._spool.new_market()
            self._survey.symbols.append(symbol)
            if len(self._survey.symbols) > MOST_MARKETS:
                raise FileRefused(f"more than {MOST_MARKETS:,} markets: no exchange has as many")
        self._rows[symbol] = rows
        return rows
