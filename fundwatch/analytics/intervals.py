"""How many hours each payment covered, where the venue's rows do not say.

The spacing to the payment before tells it, except that a payment can be missing: then two intervals
look like one that is longer, and its rate per hour would be too low. So a spacing is believed that
repeats, that the interval before or after it repeats, or that quotes showed. A longer one that stands
alone between equal intervals has lost a payment: its row gets the shorter interval and the rest stays
a hole, which is visible. Any other that stands alone, as at a change of interval, may be either, and
what no evidence decides stays None and outside every sum. Only the first spacing of all is believed
alone, when nothing shorter follows.

What spacing cannot see: a payment lost where the rest looks like one more of the interval before (the
first of two for 4 h after an interval of 8 h).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fundwatch.models import HOUR, Kind, Settlement

Seen = Sequence[tuple[int, float | None]]
"""(time, interval hours) as quotes showed it, ascending; each valid from its time to the next.

None from when on nobody looked.
"""

LONGEST_HOURS = 24.0
USUAL_HOURS = frozenset({1.0, 2.0, 4.0, 8.0})
"""What venues use; others appear only once, on the way from one interval to another."""

_SURELY = 2
"""A spacing that repeats more often than this is an interval, whatever quotes showed."""

_LOOK_AHEAD_RUNS = 12
"""Behind more spacings than these that all differ, no interval is to be found."""


@dataclass(frozen=True, slots=True)
class _Payment:
    """`spacing` is the hours since the payment before, None for the first; `own` what the row says."""

    time: int
    spacing: float | None
    own: float | None

    @property
    def evidence(self) -> float | None:
        return self.spacing if self.own is None else self.own


class _Quotes:
    """What quotes showed, as long as payments do not refute it: nobody may have looked for days."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._times = [time for time, _ in seen]
        self._refuted: set[int] = set()

    def of(self, payment: _Payment, before: float | None, *, is_last: bool) -> tuple[float | None, bool]:
        """The interval (hours) that quotes showed for `payment`, None where they tell nothing.

        A payment that is the first after a change still covers the time since the one before, so the
        longer of both intervals counts and the second value is True: it may cover less. For the last
        payment a quote right after it counts too, when it is as long as the spacing: the change came
        while nobody looked.
        """
        if is_last:
            shown = ((time, hours) for time, hours in self._seen if hours is not None)
            later = next((event for event in shown if event[0] >= payment.time), None)
            if later and later[1] == payment.spacing and later[0] <= payment.time + later[1] * HOUR:
                return later[1], False
        event = self.last_before(payment.time)
        if event is None or event[0] in self._refuted:
            return None, False
        time, quoted = event
        if not _is_first_after(event, payment.time):
            return quoted, False
        prior = self._prior(time)
        return max(quoted, prior or before or 0.0), True

    def of_first(self, time: int, following: Sequence[_Payment]) -> float | None:
        """The same for a payment with none before it: only what nothing speaks against."""
        event = self.last_before(time)
        if event is None:
            return None
        if _is_first_after(event, time):
            is_first = not bisect_left(self._times, event[0])
            return event[1] if is_first or self._prior(event[0]) == event[1] else None
        return event[1] if not following or following[0].evidence == event[1] else None

    def compare(self, time: int, interval: float | None) -> None:
        """Takes note of a payment that was decided: another interval than shown refutes the quotes."""
        event = self.last_before(time)
        if event and interval is not None and interval != event[1] and not _is_first_after(event, time):
            self._refuted.add(event[0])

    def counted(self, run: Sequence[_Payment]) -> Mapping[tuple[int, float] | None, int]:
        """How many payments of `run` were due under each of the quotes."""
        first, last = self.last_before(run[0].time), self.last_before(run[-1].time)
        if first == last:
            return {first: len(run)}
        return Counter(self.last_before(payment.time) for payment in run)

    def last_before(self, time: int) -> tuple[int, float] | None:
        """The last event before `time`, if it still held; one at `time` itself is about the next payment."""
        position = bisect_left(self._times, time)
        event, hours = self._seen[position - 1] if position else (0, None)
        return None if hours is None else (event, hours)

    def _prior(self, time: int) -> float | None:
        """What was shown before the event at `time`, right up to it."""
        event = self.last_before(time)
        return event and event[1]


def _is_first_after(event: tuple[int, float], time: int) -> bool:
    """Whether a payment at `time` is the first that was due after the quote."""
    return event[0] >= time - event[1] * HOUR


def fill_intervals(
    rows: Sequence[Settlement], *, previous_time: int | None, seen: Seen = ()
) -> list[Settlement]:
    """`rows` of one market, ascending, with `interval_hours` filled in where it is None and can be known.

    `previous_time` is the funding time (UTC seconds) of the regular payment right before the first
    row, when nothing is missing in between. Special rows and intervals that rows carry are left as
    they are. A row never gets more than the hours since the payment before it.
    """
    found = _intervals(_payments(rows, previous_time), _Quotes(seen))
    return [
        Settlement(row.symbol, row.funding_time, row.rate, hours, Kind.REGULAR, row.payment_usd)
        if row.interval_hours is None
        and row.kind is Kind.REGULAR
        and (hours := found[row.funding_time]) is not None
        else row
        for row in rows
    ]


def _payments(rows: Sequence[Settlement], previous_time: int | None) -> list[_Payment]:
    own: dict[int, float | None] = {}
    for row in rows:
        if row.kind is Kind.REGULAR:
            own[row.funding_time] = own.get(row.funding_time) or row.interval_hours
    times = sorted(own)
    before = previous_time if times and previous_time is not None and previous_time < times[0] else None
    payments = []
    for time in times:
        spacing = None if before is None else (time - before) / HOUR
        payments.append(_Payment(time, spacing, own[time]))
        before = time
    return payments


def _intervals(payments: Sequence[_Payment], quotes: _Quotes) -> dict[int, float | None]:
    """The interval of each payment, decided run by run: a run is equal evidence in a row."""
    runs = [list(run) for _, run in groupby(payments, key=lambda payment: payment.evidence)]
    found: dict[int, float | None] = {}
    before: float | None = None
    for position, run in enumerate(runs):
        following = runs[position + 1] if position + 1 < len(runs) else []
        counted = quotes.counted(run)
        for payment in run:
            event = quotes.last_before(payment.time)
            repeats = len(run) if event is None else counted[event]
            if payment.own is not None:
                interval: float | None = payment.own
            elif payment.spacing is None:
                interval = quotes.of_first(payment.time, following)
            elif repeats > _SURELY and _possible(payment.spacing):
                interval = payment.spacing
            else:
                quoted, is_change = quotes.of(payment, before, is_last=payment is payments[-1])
                after = _after(runs, position, before)
                next_one = following[0].evidence if following else None
                starts = before is None and all(
                    hours is None or hours > payment.spacing for hours in (after, next_one)
                )
                interval = _interval(payment.spacing, repeats, before, after, quoted, is_change, starts)
            quotes.compare(payment.time, interval)
            found[payment.time] = interval
            before = interval if interval is not None else before
    return found


def _possible(spacing: float) -> bool:
    return spacing <= LONGEST_HOURS and spacing == int(spacing)


def _after(runs: Sequence[Sequence[_Payment]], position: int, before: float | None) -> float | None:
    """The next interval (hours) that does not stand alone: it repeats, rows carry it, or it is `before`."""
    for run in runs[position + 1 : position + 1 + _LOOK_AHEAD_RUNS]:
        if len(run) > 1 or run[0].own is not None or run[0].evidence == before:
            return run[0].evidence
    return None


def _interval(
    spacing: float,
    repeats: int,
    before: float | None,
    after: float | None,
    quoted: float | None,
    is_change: bool,
    starts: bool,
) -> float | None:
    """The interval behind a spacing that `repeats` payments in a row have, all in hours.

    `before` is the interval of the payment before, `after` the next that does not stand alone,
    `quoted` what quotes showed for this one, the most it can be when they showed a change. `starts`
    is a first spacing that nothing shorter follows.
    """
    if _possible(spacing):
        if quoted is not None and (spacing == quoted or (is_change and spacing < quoted)):
            return spacing
        between_shorter = before is not None and after is not None and max(before, after) < spacing
        if repeats > 1 and (quoted is None or not between_shorter):
            return spacing
        if spacing in (before, after) and (quoted is None or spacing < quoted):
            return spacing
        if starts and quoted is None and spacing in USUAL_HOURS:
            return spacing
    if quoted is not None and quoted < spacing:
        return quoted
    return before if before is not None and before == after and before < spacing else None
