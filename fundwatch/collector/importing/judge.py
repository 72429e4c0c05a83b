"""Judges a file before anything of it is stored: its unit, its sign, its exchange."""

from collections.abc import Mapping
from itertools import islice

from fundwatch.analytics.import_check import check_levels, check_stored
from fundwatch.analytics.unit_check import ENOUGH_MARKETS, Sample
from fundwatch.collector.importing.batches import settlements
from fundwatch.collector.importing.report import Order, Report
from fundwatch.collector.importing.survey import Survey
from fundwatch.collector.spacing import filled
from fundwatch.exchanges import load
from fundwatch.imports.rows import FileRefused
from fundwatch.models import AssetClass, Source
from fundwatch.storage.database import Database
from fundwatch.storage.imports import KnownMarket, StoredPayment, stored_payments
from fundwatch.storage.keeping import retention
from fundwatch.storage.spool import Spool
from fundwatch.storage.truth import REGULAR
from fundwatch.text import utc

ROWS_OF_MANY = 12
ROWS_OF_FEW = 400
"""So many of each market's newest rows are looked at, with enough markets and with fewer."""
PAIRS_OF_MARKET = 100
MARKETS_TO_COMPARE = 500


def judge(
    db: Database | None,
    order: Order,
    report: Report,
    survey: Survey,
    spool: Spool,
    known: Mapping[str, KnownMarket],
    baseline_percent: float | None,
) -> None:
    """Adds what was seen to the notes of `report`. Raises `FileRefused` with the sentence that refuses it."""
    facts = load(order.exchange).facts
    resting = dict(facts.resting_apr_percent)
    if baseline_percent is not None:
        resting[""] = baseline_percent
    level = check_levels(_markets(survey, spool, known), resting, facts.hourly_rate_step)
    if level.is_wrong:
        raise FileRefused(f"{level.sentence}; nothing is stored")
    report.notes.append(level.sentence)
    if db is None:
        return
    pairs = _pairs(db, order.exchange, report, survey, spool)
    stored = check_stored(pairs, facts.hourly_rate_step)
    if stored is None:
        return
    # Windows of a venue that accrues all the time are cut at will, and so are what they pay.
    if stored.is_wrong and not (stored.is_foreign and (facts.continuous or order.accept_bad)):
        hint = "; if you know better, say --accept-bad" if stored.is_foreign else ""
        raise FileRefused(f"{stored.sentence}; nothing is stored{hint}")
    report.notes.append(stored.sentence)


def _markets(
    survey: Survey, spool: Spool, known: Mapping[str, KnownMarket]
) -> list[tuple[Sample, list[float]]]:
    """Of each market the newest hourly rate, and the last ones."""
    described = {symbol: _described(symbol, survey, known) for symbol in survey.symbols}
    few = sum(asset_class is AssetClass.CRYPTO for _, asset_class in described.values()) < ENOUGH_MARKETS
    found = []
    for number, symbol in enumerate(survey.symbols):
        regular = [row for row in spool.rows(number) if row[1] == REGULAR]
        rows = list(settlements(symbol, regular[-ROWS_OF_FEW if few else -ROWS_OF_MANY :]))
        if symbol in survey.lacking:
            rows = filled([], rows, [])
        rates = [row.rate / row.interval_hours for row in rows if row.interval_hours]
        if rates:
            found.append((Sample(symbol, *described[symbol], rates[-1]), rates))
    return found


def _described(symbol: str, survey: Survey, known: Mapping[str, KnownMarket]) -> tuple[str, AssetClass]:
    if symbol in survey.new:
        market = survey.new[symbol]
        return market.group, market.asset.asset_class
    return known[symbol].group, known[symbol].asset_class


def _pairs(
    db: Database, exchange: str, report: Report, survey: Survey, spool: Spool
) -> list[tuple[float, float]]:
    """(rate in the file, rate stored) of payments that both have, per hour where their intervals differ."""
    pairs: list[tuple[float, float]] = []
    numbers = {symbol: number for number, symbol in enumerate(survey.symbols)}
    old = (span for span in report.markets if not span.is_new)
    compared = 0
    for span in old:
        stored = stored_payments(db, exchange, span.symbol, span.first, span.last, newest=3 * PAIRS_OF_MARKET)
        settled = {payment.funding_time: payment for payment in stored if payment.rank > Source.RECORDED}
        if not settled:
            continue
        both = (
            _pair(rate, hours, settled[time])
            for time, kind, rate, hours, _ in spool.rows(numbers[span.symbol])
            if kind == REGULAR and time in settled
        )
        pairs += islice(both, PAIRS_OF_MARKET)
        compared += 1
        if compared >= MARKETS_TO_COMPARE:
            break
    return pairs


def _pair(rate: float, hours: float | None, stored: StoredPayment) -> tuple[float, float]:
    if hours and stored.interval_hours and hours != stored.interval_hours:
        return rate / hours, stored.rate / stored.interval_hours
    return rate, stored.rate


def note_old(
    db: Database | None, report: Report, survey: Survey, spool: Spool, retention_days: int, now: float
) -> None:
    """Warns in `report` of how many rows are too old for `retention_days` (0 keeps everything)."""
    if not retention_days or not report.markets:
        return
    stored = None if db is None else retention.newest_payment(db)
    newest = max([span.last for span in report.markets] + ([stored] if stored is not None else []))
    before = retention.goes_before(newest, retention_days, now)
    spans = {span.symbol: span for span in report.markets}
    old = sum(
        row[0] < before
        for number, symbol in enumerate(survey.symbols)
        if symbol in spans and spans[symbol].first < before
        for row in spool.rows(number)
    )
    if old:
        report.warnings.append(
            f"{old:,} of {report.rows:,} rows were paid before {utc(before, '%Y-%m-%d')}: with "
            f"retention_days = {retention_days} a collector deletes them again; 0 keeps everything"
        )
