"""How many hours each payment covered, where the venue's rows do not say.

The spacing to the payment before tells it, except that a payment can be missing: then two intervals
look like one that is twice as long, and its rate per hour would be halved. So a spacing that is longer
than its surroundings needs a witness: the next spacing, or the interval that quotes showed. Without
one the row gets the shorter interval and the rest stays a hole, which is visible. What no evidence
decides stays None and outside every sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from fundwatch.models import HOUR, Kind, Settlement

Seen = Sequence[tuple[int, float]]
"""(time, interval hours) as quotes showed it, ascending; each valid from its time to the next."""

LONGEST_HOURS = 24.0
USUAL_HOURS = frozenset({1.0, 2.0, 4.0, 8.0})
"""What venues use; others appear only once, on the way from one interval to another."""


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
        self._refuted: set[int] = set()

    def of(self, payment: _Payment, before: float | None, *, is_last: bool) -> float | None:
        """The interval (hours) that quotes showed for `payment`, None where they tell nothing.

        A payment that is the first after a change still covers the time since the one before, so the
        longer of both intervals counts. For the last payment a quote right after it counts too, when
        it is as long as the spacing: the change came while nobody looked.
        """
        if is_last:
            later = next((event for event in self._seen if event[0] >= payment.time), None)
            if later and later[1] == payment.spacing and later[0] <= payment.time + later[1] * HOUR:
                return later[1]
        event = self._before(payment.time)
        if event is None or event[0] in self._refuted:
            return None
        time, quoted = event
        if not _is_first_after(event, payment.time):
            return quoted
        prior = self._before(time)
        return max(quoted, prior[1] if prior else before or 0.0)

    def of_first(self, time: int, following: Sequence[_Payment]) -> float | None:
        """The same for a payment with none before it: only what nothing speaks against."""
        event = self._before(time)
        if event is None:
            return None
        if _is_first_after(event, time):
            prior = self._before(event[0])
            return event[1] if prior is None or prior[1] == event[1] else None
        return event[1] if not following or following[0].evidence == event[1] else None

    def show(self, time: int, interval: float | None) -> bool:
        event = self._before(time)
        return event is not None and event[1] == interval

    def compare(self, time: int, interval: float | None) -> None:
        """Takes note of a payment that was decided: another interval than shown refutes the quotes."""
        event = self._before(time)
        if event and interval is not None and interval != event[1] and not _is_first_after(event, time):
            self._refuted.add(event[0])

    def _before(self, time: int) -> tuple[int, float] | None:
        """The last event before `time`; one at `time` itself is about the next payment."""
        return next((event for event in reversed(self._seen) if event[0] < time), None)


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
        replace(row, interval_hours=found[row.funding_time])
        if row.interval_hours is None and row.kind is Kind.REGULAR
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
        for payment in run:
            if payment.own is not None:
                interval: float | None = payment.own
            elif payment.spacing is None:
                interval = quotes.of_first(payment.time, following)
            else:
                quoted = quotes.of(payment, before, is_last=payment is payments[-1])
                confirmed = len(following) > 1 or (
                    len(following) == 1 and quotes.show(following[0].time, following[0].evidence)
                )
                after = following[0].evidence if following else None
                interval = _interval(payment.spacing, len(run), before, quoted, after, confirmed)
            quotes.compare(payment.time, interval)
            found[payment.time] = interval
            before = interval if interval is not None else before
    return found


def _interval(
    spacing: float,
    run_length: int,
    before: float | None,
    quoted: float | None,
    after: float | None,
    after_is_confirmed: bool,
) -> float | None:
    """The interval behind a spacing that `run_length` payments in a row have, all in hours.

    `before` is the interval of the payment before, `quoted` what quotes showed for this one, `after`
    the spacing of the payments that follow the run.
    """
    if spacing <= LONGEST_HOURS and spacing == int(spacing):
        if quoted is not None and spacing <= quoted:
            return spacing
        alone = before is not None and before < spacing and after is not None and after < spacing
        if run_length > 2 or (run_length == 2 and (quoted is None or not alone)):
            return spacing
        if quoted is None and before is not None and spacing <= before:
            return spacing
        starts = quoted is None and before is None and (after is None or after > spacing)
        if starts and spacing in USUAL_HOURS:
            return spacing
        if before is not None and after is not None and before < spacing < after and after_is_confirmed:
            return spacing
    return next((shorter for shorter in (quoted, before) if shorter is not None and shorter < spacing), None)
