"""How far a backfill is, exchange by exchange."""

from fundwatch.clock import Clock
from fundwatch.text import age, clean
from fundwatch.tui.charts.bars import Drawing, Span, estimated_seconds_left, fitted, progress_bar
from fundwatch.tui.frame.activity import Activity, Backfill
from fundwatch.tui.rows.run_words import counted

KIND = "backfill"
LOST = "The collector ended, and the backfill with it. What came is stored; the next one goes on from there."
_NAME = 12


class BackfillProgress(Drawing):
    """A bar for each exchange of the last backfill that this screen started."""

    DEFAULT_CSS = "BackfillProgress { height: auto; }"

    def __init__(self, activity: Activity, clock: Clock) -> None:
        super().__init__()
        self._activity, self._clock = activity, clock

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        job = self._activity.backfill
        return 1 if job is None else len(job.exchanges)

    def draw(self, width: int, height: int) -> list[list[Span]]:
        job = self._activity.backfill
        if job is None:
            return []
        return [
            fitted([(f"{name:<{_NAME}}", ""), *self._how_far(job, name, width - _NAME)], width)
            for name in job.exchanges[:height]
        ]

    def _how_far(self, job: Backfill, name: str, width: int) -> list[Span]:
        activity = self._activity
        over = activity.ended_jobs.get(job.job_id)
        if over is None and (name, KIND) in activity.running:
            told = activity.progress.get((name, KIND))
            if told is None:
                return [("counting holes", "muted")]
            left = estimated_seconds_left(
                told.hours_done, told.hours_wanted, self._clock.monotonic() - job.started
            )
            stored = f"{told.inserted:,} stored"
            return progress_bar(told.hours_done, told.hours_wanted, width, left, stored)
        if (ended := activity.filled.get(name)) is not None:
            stored = f"{ended.inserted:,} stored"
            match ended.outcome:
                case "ok":
                    return [(f"complete, {stored}", "good")]
                case "cancelled" | "interrupted":
                    return [(f"cancelled, {stored}", "warn")]
            why = f": {clean(ended.error, 300)}" if ended.error else ""
            return [(f"not complete, {stored}{why}", "bad")]
        if over is not None and name in over.failed:
            return [("failed: see the log of trackers", "bad")]
        if name in job.complete or (over is not None and not over.cancelled):
            return [("nothing was missing", "muted")]
        return [("not begun" if over is not None else "waiting", "muted")]


def summary(activity: Activity, now: float) -> tuple[str, bool]:
    """The backfill as a whole in one sentence, and whether it is over; `now` in monotonic seconds."""
    job = activity.backfill
    if job is None:
        return LOST, True
    ended = activity.ended_jobs.get(job.job_id)
    if ended is None:
        return _so_far(activity, job, now), False
    # A job that is cancelled does not count what its exchanges had stored by then.
    inserted = max(ended.inserted, _stored_by_ended(activity, job))
    stored = counted(inserted, "settlement")
    are = "is" if inserted == 1 else "are"
    if ended.cancelled:
        return f"Cancelled; {stored} {are} stored. The next one goes on from there.", True
    if ended.failed:
        return f"Over, not complete: {', '.join(ended.failed)} (see 4). {stored} stored.", True
    return f"Complete: {stored} stored.", True


def _so_far(activity: Activity, job: Backfill, now: float) -> str:
    found = [p for (name, kind), p in activity.progress.items() if kind == KIND and name in job.exchanges]
    stored = sum(p.inserted for p in found) + _stored_by_ended(activity, job)
    told = f"{counted(stored, 'settlement')} stored so far"
    if wanted := sum(one.hours_wanted for one in found):
        done = sum(min(one.hours_done, one.hours_wanted) for one in found)
        told += f", {int(done / wanted * 100)} % of what runs is done"
    lefts = [estimated_seconds_left(one.hours_done, one.hours_wanted, now - job.started) for one in found]
    known = [left for left in lefts if left is not None]
    # The slowest decides: while its pace is not known, nothing is said of the whole.
    return told + (f", about {age(max(known))} left" if known and len(known) == len(lefts) else "") + "."


def _stored_by_ended(activity: Activity, job: Backfill) -> int:
    return sum(run.inserted for name, run in activity.filled.items() if name in job.exchanges)
