"""A line for each exchange of a backfill, whatever becomes of it."""

import pytest

from fundwatch.collector.events import (
    CollectorStarted,
    CollectorStopped,
    JobEnded,
    Progress,
    RunEnded,
    RunStarted,
)
from fundwatch.tui.backfill.progress import LOST, BackfillProgress, summary
from fundwatch.tui.frame.activity import Activity, Backfill
from tests.virtual_time import VirtualClock

CLOCK = VirtualClock(1_795_176_000.0)


@pytest.fixture
def activity() -> Activity:
    job = Backfill(1, 30, ("lighter", "aster"), CLOCK.monotonic() - 60, frozenset({"aster"}))
    return Activity(backfill=job)


def lines(activity: Activity) -> list[str]:
    drawn = BackfillProgress(activity, CLOCK).draw(100, 9)
    return ["".join(text for text, _ in line).rstrip() for line in drawn]


def run_ended(outcome: str, error: str | None = None, inserted: int = 900) -> RunEnded:
    return RunEnded("lighter", "backfill", 1, outcome, error, inserted, 0, 0, 60, 210)


def test_what_has_not_begun_is_not_called_done(activity: Activity) -> None:
    assert lines(activity) == ["lighter     waiting", "aster       nothing was missing"]


def test_a_run_has_a_bar_and_the_time_that_is_left(activity: Activity) -> None:
    activity.hear(RunStarted("lighter", "backfill", 1), CLOCK.now())
    assert lines(activity)[0] == "lighter     counting holes"
    activity.hear(Progress("lighter", "backfill", 1, 1000, 500, 400), CLOCK.now())
    assert lines(activity)[0].endswith("]  50 %  about 1 min left  400 stored")
    activity.hear(Progress("paradex", "backfill", 2, 1000, 0, 7), CLOCK.now())  # the collector's own
    told, is_over = summary(activity, CLOCK.monotonic())
    assert told == "400 settlements stored so far, 50 % of what runs is done, about 1 min left."
    assert not is_over


@pytest.mark.parametrize(
    ("ended", "shown"),
    [
        (run_ended("ok"), "complete, 900 stored"),
        (run_ended("cancelled"), "cancelled, 900 stored"),
        (run_ended("error", "HTTP 502"), "not complete, 900 stored: HTTP 502"),
        (run_ended("partial", "2 of 9 failed"), "not complete, 900 stored: 2 of 9 failed"),
    ],
)
def test_each_exchange_says_how_it_ended_while_others_run(
    activity: Activity, ended: RunEnded, shown: str
) -> None:
    activity.hear(RunStarted("lighter", "backfill", 1), CLOCK.now())
    activity.hear(ended, CLOCK.now())
    assert lines(activity)[0] == f"lighter     {shown}"
    assert summary(activity, CLOCK.monotonic())[0].startswith("900 settlements stored so far")


def test_an_exchange_that_could_not_begin_is_not_called_complete(activity: Activity) -> None:
    activity.hear(JobEnded(1, 0, ("lighter",), False), CLOCK.now())
    assert lines(activity)[0].startswith("lighter     failed")
    assert summary(activity, 0)[0] == "Over, not complete: lighter (see 4). 0 settlements stored."


def test_a_cancelled_one_that_had_not_begun_says_so(activity: Activity) -> None:
    activity.hear(JobEnded(1, 1, (), True), CLOCK.now())
    assert lines(activity)[0] == "lighter     not begun"
    assert summary(activity, 0) == (
        "Cancelled; 1 settlement is stored. The next one goes on from there.",
        True,
    )


def test_a_cancelled_job_counts_what_its_exchanges_had_stored(activity: Activity) -> None:
    activity.hear(run_ended("cancelled", inserted=1434), CLOCK.now())
    activity.hear(JobEnded(1, 0, (), True), CLOCK.now())
    assert summary(activity, 0)[0].startswith("Cancelled; 1,434 settlements are stored.")


def test_no_time_is_promised_while_the_pace_of_one_exchange_is_not_known(activity: Activity) -> None:
    for name, done in (("lighter", 500), ("aster", 0)):
        activity.hear(RunStarted(name, "backfill", 1), CLOCK.now())
        activity.hear(Progress(name, "backfill", 1, 1000, done, 400), CLOCK.now())
    assert "left" not in summary(activity, CLOCK.monotonic())[0]


@pytest.mark.parametrize("event", [CollectorStopped("it was told to"), CollectorStarted(5, ("lighter",))])
def test_a_backfill_ends_with_its_collector(
    activity: Activity, event: CollectorStopped | CollectorStarted
) -> None:
    activity.hear(RunStarted("lighter", "backfill", 1), CLOCK.now())
    activity.hear(event, CLOCK.now())
    assert summary(activity, 0) == (LOST, True)
    assert lines(activity) == []
