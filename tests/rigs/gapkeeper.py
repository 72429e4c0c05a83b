"""Whether `gaps` tells the truth, hour by hour: held against the demo world and the second reader.

Hours are counted by their end. A set of them is a number: bit n is the nth hour of the span asked about.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from fundwatch.answers.gaps import ExchangeGaps, Gap, Gaps, gaps
from fundwatch.demo.markets import DemoMarket
from fundwatch.models import HOUR
from fundwatch.storage.database import reader
from tests.rigs import second_reader
from tests.rigs.life import KEEPS_SECONDS, Life
from tests.rigs.oracle import last_listed

PUBLISHES_NONE = frozenset({"variational"})
HOURS_EVER = 24 * 365
ACCRUES = frozenset({"paradex"})
"""Owes every full hour in which a market was open, whatever windows it is stored in."""


class Payment(NamedTuple):
    funding_time: int
    interval_hours: float


class Owed:
    """What a market owes in a whole life: `hours` counts from `base`, payments come oldest first."""

    def __init__(self, market: DemoMarket, base: int, payments: list[Payment]) -> None:
        self.market = market
        self.payments = payments
        self._times = [one.funding_time for one in payments]
        self._base = base
        self._hours = _covered(base, 1 << 20, payments)

    def between(self, answer: Gaps, start: float, end: float) -> int:
        """The hours of the span in payments of (start, end], UTC seconds."""
        first, last = bisect_right(self._times, start), bisect_right(self._times, end)
        if first >= last:
            return 0
        opened = self.payments[first]
        begin = max(0, (opened.funding_time - self._base) // HOUR - round(opened.interval_hours))
        stop = (self._times[last - 1] - self._base) // HOUR
        hours = (self._hours & ((1 << stop) - 1)) >> begin << begin
        away = (answer.since - self._base) // HOUR
        return (hours >> away if away > 0 else hours << -away) & ((1 << _size(answer)) - 1)


class Gapkeeper:
    """Call it after each step; it asks `gaps` every `every_seconds`. `complaints` holds what was not true."""

    def __init__(self, every_seconds: float = HOUR) -> None:
        self.complaints: list[str] = []
        self.looked = 0
        self._every = every_seconds
        self._next = 0.0
        self._heard: dict[str, float] = {}
        self._owed: dict[str, dict[str, Owed]] = {}

    def __call__(self, life: Life) -> None:
        now = life.clock.true()
        if now < self._next and life.collector is not None:
            return
        self._next = now + self._every
        self.complaints += self.untrue(life, said(life))

    def untrue(self, life: Life, answer: Gaps) -> Iterator[str]:
        """What `answer` says otherwise than it is."""
        self.looked += 1
        at = f"{datetime.fromtimestamp(life.clock.true(), UTC):%m-%d %H:%M} gaps of"
        rows = second_reader.regular(life.database, answer.since)
        known = second_reader.markets(life.database)
        for one in answer.exchanges:
            if one.exchange not in life.exchanges:
                continue
            own = [gap for gap in answer.gaps if gap.exchange == one.exchange]
            heard = self._hear(life, one.exchange)
            accrues = one.exchange in ACCRUES  # by a clock that is behind, the other rows are of the future
            stored = {
                symbol: _hours(answer, (Payment(*row) for row in found if accrues or row[0] <= answer.until))
                for symbol, found in rows.get(one.exchange, {}).items()
            }
            for told in _sums(answer, one, own, stored, known.get(one.exchange, {})):
                yield f"{at} {one.exchange}: {told}"
            for symbol, seen in known.get(one.exchange, {}).items():
                parts = [gap for gap in own if gap.symbol == symbol]
                owed = self._of(life, one.exchange).get(symbol)
                hours = stored.get(symbol, 0)
                for told in _market(life, answer, parts, hours, owed, seen, heard):
                    yield f"{at} {one.exchange} {symbol}: {told}"

    def _hear(self, life: Life, exchange: str) -> float:
        """When (true time) the exchange last told which markets it has, and their intervals."""
        heard = self._heard.get(exchange, 0.0)
        for run in reversed(life.runs):
            if run.started < heard:
                break
            if run.exchange == exchange and run.kind == "sweep" and run.word in ("ok", "partial"):
                self._heard[exchange] = heard = run.started
                break
        return heard

    def _of(self, life: Life, exchange: str) -> dict[str, Owed]:
        """What each market of an exchange owes in this life, once and for all."""
        if exchange not in self._owed:
            start = int(life.weather.start) // HOUR * HOUR - (life.history_days + 40) * 24 * HOUR
            end = int(life.weather.end) + 40 * 24 * HOUR
            self._owed[exchange] = {
                market.symbol: Owed(market, start, list(_payments(life, exchange, market, start, end)))
                for market in life.world.markets(exchange, start, end)
            }
        return self._owed[exchange]


def said(life: Life) -> Gaps:
    with reader(life.database) as db:
        return gaps(db, life.config, life.clock.now())


def _payments(life: Life, exchange: str, market: DemoMarket, start: int, end: int) -> Iterator[Payment]:
    if exchange in ACCRUES:
        first = max(start // HOUR, market.listed_hour)
        last = end // HOUR if market.closed_hour is None else min(end // HOUR, market.closed_hour)
        for hour in range(first + 1, last + 1):
            yield Payment(hour * HOUR, 1)
    elif exchange in PUBLISHES_NONE:
        for hour, interval in market.payments(start // HOUR, end // HOUR):
            yield Payment(hour * HOUR, interval)
    else:
        for paid in life.world.paid(exchange, market, start, end):
            if paid.kind == "regular":
                yield Payment(paid.funding_time, paid.interval_hours)


def _size(answer: Gaps) -> int:
    return (answer.until - answer.since) // HOUR


def _hours(answer: Gaps, payments: Iterable[Payment]) -> int:
    """The hours of the span that `payments` cover."""
    return _covered(answer.since, _size(answer), payments)


def _covered(base: int, size: int, payments: Iterable[Payment]) -> int:
    covered = 0
    for time, hours in payments:
        last = (time - base) // HOUR
        first = last - round(hours)
        if last > 0 and first < size:
            covered |= ((1 << (min(last, size) - max(first, 0))) - 1) << max(first, 0)
    return covered


def _span(answer: Gaps, parts: list[Gap], state: str) -> int:
    return _hours(answer, [Payment(gap.end, gap.hours) for gap in parts if gap.state == state])


def _sums(
    answer: Gaps,
    one: ExchangeGaps,
    own: list[Gap],
    stored: dict[str, int],
    known: dict[str, second_reader.Seen],
) -> Iterator[str]:
    """Whether the sums are those of the parts, and what counts as stored is stored."""
    for state, total in (("missing", one.missing_hours), ("gone", one.gone_hours)):
        parts = sum(gap.hours for gap in own if gap.state == state)
        if parts != total:
            yield f"{total} h {state}, and {parts} h in parts"
    if one.expected_hours != one.stored_hours + one.missing_hours + one.gone_hours:
        yield f"{one.expected_hours} h expected are not the sum of the others"
    truth = sum(hours.bit_count() for hours in stored.values())
    # Nothing is due of a market after the last list that had it, not even what was stored of it since.
    late = sum(
        (stored.get(symbol, 0) >> max(0, (seen.last_seen - answer.since) // HOUR - 8)).bit_count()
        for symbol, seen in known.items()
        if seen.status != "active"
    )
    if not truth - late <= one.stored_hours <= truth:
        yield f"{one.stored_hours} h stored, truth {truth}, of which {late} of markets that are gone"


def _market(
    life: Life,
    answer: Gaps,
    parts: list[Gap],
    stored: int,
    owed: Owed | None,
    seen: second_reader.Seen,
    heard: float,
) -> Iterator[str]:
    if owed is None:
        yield "never traded"
        return
    market = owed.market
    now = min(life.clock.true(), life.clock.now()) - 60
    missing, gone = _span(answer, parts, "missing"), _span(answer, parts, "gone")
    if wrong := (missing | gone) & stored:
        yield f"{_told(answer, wrong)} is stored and told as lacking"
    keeps = KEEPS_SECONDS.get(market.exchange)
    # Not known of: what was paid and not kept before we came, and after the list had it for the last time.
    first = (stored & -stored).bit_length() if keeps else 0
    last = min(now, last_listed(life, market.exchange, market))
    known = owed.between(answer, answer.since + (first - 1) * HOUR, last)
    known &= ~_hours(answer, _unheard_of(owed, seen, heard, now))
    if seen.status == "absent":  # no list has it just now, and nobody said why
        known = 0
    if quiet := known & ~stored & ~missing & ~gone:
        yield f"{_told(answer, quiet)} is kept quiet"
    served = owed.between(answer, 0 if keeps is None else now - keeps, now) & ~stored
    if market.exchange not in PUBLISHES_NONE and (given_up := gone & served):
        yield f"{_told(answer, given_up)} is given up and still served"
    # By a clock that is ahead later hours are lacking, and by one that is behind hours of which nobody ever
    # asked whether a market traded: that is its error.
    never = (missing | gone) & ~owed.between(answer, 0, float("inf"))
    if life.clock.ahead < 0:
        never &= ~_hours(answer, [Payment(market.listed_hour * HOUR, HOURS_EVER)])
    if market.closed_hour is not None and heard < market.closed_hour * HOUR:
        never &= _hours(answer, [Payment(market.closed_hour * HOUR, HOURS_EVER)])
    if market.exchange not in PUBLISHES_NONE and never:  # which does not say since when it lists a market
        yield f"{_told(answer, never)} is lacking and never was"


def _unheard_of(owed: Owed, seen: second_reader.Seen, heard: float, now: float) -> Iterator[Payment]:
    """Payments that cannot be known: a first one of unknown interval, the hour that a newborn accrues before
    its first index is told, and those of an interval that began since the exchange was heard."""
    market = owed.market
    for one in owed.payments if len(market.intervals) > 1 else ():
        is_news = heard < one.funding_time <= now
        if is_news and market.interval(one.funding_time // HOUR - 1) != market.interval(int(heard // HOUR)):
            yield one
    if seen.unknown_first is not None:
        yield from (one for one in owed.payments if one.funding_time == seen.unknown_first)
    if market.exchange in ACCRUES:
        yield Payment((market.listed_hour + 1) * HOUR, 1)


def _told(answer: Gaps, hours: int) -> str:
    first = answer.since + ((hours & -hours).bit_length()) * HOUR
    return f"{hours.bit_count()} h, of {datetime.fromtimestamp(first, UTC):%m-%d %H:%M} and later,"
