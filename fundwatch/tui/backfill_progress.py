"""How far a backfill is, exchange by exchange."""

from fundwatch.clock import Clock
from fundwatch.tui.activity import Activity
from fundwatch.tui.bars import Drawing, Span, estimated_seconds_left, fitted, progress_bar

KIND = "backfill"


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
        is_over = job.job_id in self._activity.ended_jobs
        elapsed = self._clock.monotonic() - job.started
        lines = []
        for name in job.exchanges[:height]:
            head: Span = (f"{name:<12}", "")
            told = self._activity.progress.get((name, KIND))
            room = width - len(head[0])
            if told is not None and not is_over:
                left = estimated_seconds_left(told.hours_done, told.hours_wanted, elapsed)
                stored = f"{told.inserted:,} stored"
                bar = progress_bar(told.hours_done, told.hours_wanted, room, left, stored)
            elif (name, KIND) in self._activity.running and not is_over:
                bar = [("counting holes", "muted")]
            else:
                bar = [("done", "good")]
            lines.append(fitted([head, *bar], width))
        return lines


def summary(activity: Activity) -> tuple[str, bool]:
    """The backfill as a whole in one sentence, and whether it is over."""
    job = activity.backfill
    if job is None:
        return "", True
    ended = activity.ended_jobs.get(job.job_id)
    if ended is None:
        stored = sum(p.inserted for (_, kind), p in activity.progress.items() if kind == KIND)
        share = activity.share(KIND)
        return (
            f"{stored:,} settlements stored so far" + ("" if share is None else f", {share:.0%} done")
        ), False
    if ended.cancelled:
        return f"Cancelled; {ended.inserted:,} settlements are stored. The next one goes on from there.", True
    told = f"Complete: {ended.inserted:,} settlements stored."
    return (told if not ended.failed else f"{told} Failed: {', '.join(ended.failed)} (see 4)."), True
