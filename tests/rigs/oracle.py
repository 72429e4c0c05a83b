"""What must be stored at the end of a simulated life, computed apart from the product.

Takes the truth of the demo world, the weather and the log of the wires; the database is read by the
second reader. Every function returns complaints, none when all is well.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from math import isclose
from typing import NamedTuple

from fundwatch.demo.markets import DemoMarket
from fundwatch.models import HOUR
from tests.rigs.life import KEEPS_SECONDS, Life
from tests.rigs.second_reader import Row, settlements
from tests.rigs.small_world import Sent

DAY = 24 * HOUR
SETTLED, RECORDED = 3, 1
HOURS_PER_YEAR = 8760

RECORDED_WITHIN_SECONDS = 300
PUBLISHED_AFTER_SECONDS = 16 * 60
"""An hour without a row is believed to have none from this age on; younger ones may still be on the way."""

MUST_WITHIN_SECONDS = 36 * HOUR
"""A venue that keeps its settlements for a while only must be quick to be found well: so long it takes to
ask again for hours that it left out before."""


class Promise(NamedTuple):
    """A row that must be there."""

    funding_time: int
    kind: str
    rate: float
    interval_hours: float


def missing_or_wrong(life: Life, since: float | None = None, tally: Counter[str] | None = None) -> list[str]:
    """Every row of the database against the truth, and the truth against the database.

    `since` (true time) is where completeness begins; by default three days into the first horizon. A `tally`
    counts the payments that were "due", and why some of them "could not" be had.
    """
    counts = Counter[str]() if tally is None else tally
    stored = settlements(life.database)
    end = life.clock.true()
    begin = life.weather.start - life.history_days * DAY
    complete_from = begin + 3 * DAY if since is None else since
    complaints: list[str] = []
    for exchange in life.exchanges:
        markets = life.world.markets(exchange, begin, end)
        by_symbol = stored.get(exchange, {})
        for symbol in by_symbol.keys() - {market.symbol for market in markets}:
            complaints.append(f"{exchange} {symbol}: never traded, and has rows")
        for market in markets:
            rows = by_symbol.get(market.symbol, [])
            if len({row[:2] for row in rows}) != len(rows):
                complaints.append(f"{exchange} {market.symbol}: stored twice")
            complaints += [
                f"{exchange} {market.symbol} {told}"
                for told in _judge_market(life, exchange, market, rows, begin, complete_from, end, counts)
            ]
    return complaints


def _judge_market(
    life: Life,
    exchange: str,
    market: DemoMarket,
    rows: list[Row],
    begin: float,
    complete_from: float,
    end: float,
    counts: Counter[str],
) -> Iterable[str]:
    if exchange == "variational":
        return _judge_recorded(life, market, rows)
    if exchange == "paradex":
        return _judge_accrued(life, market, rows, complete_from, end)
    return _judge_settled(life, exchange, market, rows, begin, complete_from, end, counts)


def promises(life: Life, exchange: str, market: DemoMarket, start: float, end: float) -> list[Promise]:
    """What was paid in (start, end] and must be stored."""
    paid = life.world.paid(exchange, market, int(start) // HOUR * HOUR, int(end))
    return [Promise(one.funding_time, one.kind, one.rate, one.interval_hours) for one in paid]


def _judge_settled(
    life: Life,
    exchange: str,
    market: DemoMarket,
    rows: list[Row],
    begin: float,
    complete_from: float,
    end: float,
    counts: Counter[str],
) -> Iterable[str]:
    oldest = min(
        [begin - DAY, *(row.funding_time - HOUR for row in rows)]
    )  # a clock set back looks further back
    truth = {p[:2]: p for p in promises(life, exchange, market, oldest, end + HOUR)}
    found = {row[:2]: row for row in rows}
    first = min((time for time, kind in truth if kind == "regular"), default=0)
    is_newborn = market.listed_hour * HOUR > begin - DAY
    for key, row in found.items():
        true = truth.get(key)
        if true is None:
            yield f"{_utc(key[0])}: invented {row}"
        elif not isclose(row.rate, true.rate, rel_tol=1e-9, abs_tol=1e-15):
            yield f"{_utc(key[0])}: rate {row.rate}, truth {true.rate}"
        elif row.interval_hours != true.interval_hours:
            unknown_first = row.interval_hours is None and is_newborn and key[0] == first
            # At the very edge of the first horizon nothing may lie before it to tell the interval.
            at_the_edge = row.interval_hours is None and key[0] < complete_from
            if not unknown_first and not at_the_edge:
                yield f"{_utc(key[0])}: interval {row.interval_hours}, truth {true.interval_hours}"
        elif row.source != SETTLED:
            yield f"{_utc(key[0])}: source {row.source}"
    last_seen = last_listed(life, exchange, market)
    opportunities = _Opportunities(life, exchange)
    for key, true in truth.items():
        time = key[0]
        if not complete_from < time <= end - PUBLISHED_AFTER_SECONDS:
            continue
        counts["due"] += 1
        if key in found:
            continue
        keeps = KEEPS_SECONDS.get(exchange)
        if time > last_seen:
            counts["could not: after the last list that had it"] += 1
        elif keeps is None or opportunities.within(time, time + keeps):
            yield f"{_utc(time)}: missing {true}"
        else:
            counts["could not: no longer served when it could be asked for"] += 1


def _judge_accrued(
    life: Life, market: DemoMarket, rows: list[Row], complete_from: float, end: float
) -> Iterable[str]:
    """Paradex: each window of 1 to 8 h is its index difference, and together they leave no hole."""
    at: int | None = None
    for row in rows:
        if row.kind != "regular" or row.source != SETTLED or not row.interval_hours:
            yield f"{_utc(row.funding_time)}: not a window {row}"
            continue
        start = row.funding_time - round(row.interval_hours * HOUR)
        if not 1 <= row.interval_hours <= 8:
            yield f"{_utc(row.funding_time)}: a window of {row.interval_hours} h"
        if at is not None and start < at:
            yield f"{_utc(row.funding_time)}: overlaps the window before it"
        if at is not None and start > at and start > complete_from:
            yield f"{_utc(at)} to {_utc(start)}: missing"
        at = row.funding_time
        truth = life.world.paid("paradex", market, start, row.funding_time)
        if not truth or not isclose(row.rate, truth[0].rate, rel_tol=5e-4, abs_tol=2e-8):
            yield f"{_utc(row.funding_time)}: rate {row.rate}, truth {truth}"
    last = min(end - PUBLISHED_AFTER_SECONDS, last_listed(life, "paradex", market)) // HOUR * HOUR
    if last > complete_from and last > market.listed_hour * HOUR and (at is None or at < last):
        yield f"{_utc(at or 0)} to {_utc(last)}: missing"


def _judge_recorded(life: Life, market: DemoMarket, rows: list[Row]) -> Iterable[str]:
    """Variational: the last estimate that came in the last 5 minutes before a payment, and no other."""
    path = "/metadata/stats"
    answers = [sent for sent in life.wires["variational"].log if sent.status == 200 and path in sent.path]
    times = [sent.answered or 0.0 for sent in answers]
    found = {row.funding_time: row for row in rows}
    for time, row in found.items():
        near = answers[bisect_left(times, time - RECORDED_WITHIN_SECONDS - 1) : bisect_right(times, time + 1)]
        if row.kind != "regular" or row.source != RECORDED:
            yield f"{_utc(time)}: not recorded {row}"
        if market.pays(time // HOUR) != row.interval_hours:
            yield f"{_utc(time)}: invented {row}, paid every {market.pays(time // HOUR)} h"
        elif not any(
            isclose(row.rate, _said(life, market, sent), rel_tol=1e-6, abs_tol=1e-12) for sent in near
        ):
            yield f"{_utc(time)}: rate {row.rate}, said {[_said(life, market, s) for s in near]}"
    runs = [run for run in life.runs if run.exchange == "variational"]
    for one, run in enumerate(runs):
        if not (run.calm and run.word == "ok" and all(s.whole for s in run.sent) and run.sent):
            continue
        at = run.sent[-1].answered or 0.0
        boundary = int(at // HOUR + 1) * HOUR
        if not market.pays(boundary // HOUR) or at < boundary - RECORDED_WITHIN_SECONDS + 1:
            continue
        if not market.is_open(at / HOUR) or not market.is_open(boundary / HOUR):
            continue
        after = [
            r
            for r in runs[one + 1 :]
            if r.sent and r.sent[-1].whole and (r.sent[-1].answered or 0) > boundary
        ]
        if after and after[0].calm and after[0].word == "ok" and boundary not in found:
            yield f"{_utc(boundary)}: said at {_utc(at)} and not recorded"


def _said(life: Life, market: DemoMarket, sent: Sent) -> float:
    """What the venue told of a market in one answer, as a fraction for the interval."""
    at = sent.answered or 0.0
    hours = market.interval(int(at // 60 * 60 // HOUR))
    rate = life.world.venues["variational"].truth.estimate(market, at, 300)
    return round(rate / hours * HOURS_PER_YEAR, 6) * hours / HOURS_PER_YEAR  # it tells 6 decimals per year


def last_listed(life: Life, exchange: str, market: DemoMarket) -> float:
    """When the collector last saw a market that has closed since in a true list; else for ever."""
    if market.closed_hour is None or market.closed_hour * HOUR > life.clock.true():
        return float("inf")
    closed = market.closed_hour * HOUR
    lists = {
        "lighter": "orderBookDetails", "hyperliquid": "/info", "binance": "exchangeInfo",
        "aster": "exchangeInfo", "extended": "info/markets", "paradex": "/v1/markets",
        "variational": "/metadata/stats",
    }  # fmt: skip
    seen = [
        run.ended or 0.0
        for run in life.runs
        if run.exchange == exchange and run.kind == "sweep" and run.word in ("ok", "partial") and run.calm
        and run.started < closed
        and any(lists[exchange] in sent.path and sent.whole for sent in run.sent)
    ]  # fmt: skip
    return (max(seen, default=0.0)) // HOUR * HOUR


class _Opportunities:
    """Stretches of true time in which an exchange could be asked as often as one liked."""

    def __init__(self, life: Life, exchange: str) -> None:
        runs = [r for r in life.runs if r.exchange == exchange and r.kind == "sweep" and r.ended]
        self._stretches: list[tuple[float, float]] = []
        begin: float | None = None
        for run in runs:
            good = run.calm and run.word == "ok" and all(sent.whole for sent in run.sent)
            is_next = begin is not None and run.started < self._stretches[-1][1] + 2 * HOUR
            if not good:
                begin = None
            elif begin is None or not is_next:  # after a sleep another one begins
                begin = run.started
                self._stretches.append((begin, run.ended or begin))
            else:
                self._stretches[-1] = (begin, run.ended or begin)

    def within(self, start: float, end: float) -> bool:
        return any(
            min(end, last) - max(start, first) > MUST_WITHIN_SECONDS for first, last in self._stretches
        )


def _utc(seconds: float) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(seconds, UTC):%m-%d %H:%M}"


def told(complaints: Iterable[str], life: Life) -> str:
    """Complaints for an assertion's message, with what it takes to see them again."""
    some = list(complaints)
    head = f"seed {life.seed}, share {life.weather.share:g}, {len(some)} complaints:"
    return "\n".join([head, *some[:25]])


Truths = Mapping[str, list[Promise]]
