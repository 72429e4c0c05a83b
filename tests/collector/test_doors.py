"""Both doors to a collector, its own process's and that of others: the same commands, the same answers."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from fundwatch.collector.doors.door import Door, DoorClosed, Refused
from fundwatch.collector.doors.local import Fanout
from fundwatch.collector.events import CollectorStopped, Event, JobEnded, Progress, RunEnded, RunStarted
from fundwatch.exchanges.errors import Unreachable
from fundwatch.storage import alerts, queries, trackers
from fundwatch.storage.database import reader
from tests.collector.office import MARKETS, Office, hang, wait_until
from tests.collector.scripted import unheard


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.close()


@pytest.fixture(params=["local", "remote"])
def door(request: pytest.FixtureRequest, office: Office) -> Door:
    return office.local if request.param == "local" else office.door()


def test_the_door_says_who_collects(door: Door) -> None:
    assert door.pid == os.getpid()


def test_a_refresh_sweeps_and_is_done_when_the_sweep_has_ended(door: Door, office: Office) -> None:
    assert door.refresh(["aster"]).result(10) is None
    assert office.value("SELECT COUNT(*) FROM run WHERE kind = 'sweep' AND outcome = 'ok'") == 1


def test_a_refresh_of_nothing_named_sweeps_all(door: Door, office: Office) -> None:
    door.refresh([]).result(10)
    assert office.value("SELECT COUNT(*) FROM run WHERE kind = 'sweep'") == 1


@pytest.mark.parametrize("command", ["refresh", "estimate", "backfill", "pause"])
def test_an_exchange_that_is_not_collected_is_refused_by_name(door: Door, command: str) -> None:
    asked: dict[str, Future[Any]] = {
        "refresh": door.refresh(["aster", "nosuch"]),
        "estimate": door.estimate(days=1, exchanges=["nosuch"]),
        "backfill": door.backfill(days=1, exchanges=["nosuch"]),
        "pause": door.pause("nosuch", True),
    }
    with pytest.raises(Refused, match="does not collect nosuch"):
        asked[command].result(10)


def test_an_estimate_says_requests_and_seconds_before_anything_is_fetched(door: Door, office: Office) -> None:
    found = door.estimate(days=1).result(10)
    assert list(found) == ["aster"]
    assert found["aster"].requests == MARKETS
    assert found["aster"].seconds > 0
    assert office.value("SELECT COUNT(*) FROM settlement") == 0


def test_a_backfill_streams_its_progress_and_ends_with_its_job(door: Door, office: Office) -> None:
    heard: list[Event] = []
    door.listen(heard.append)
    job = door.backfill(days=1).result(10)
    wait_until(lambda: any(isinstance(e, JobEnded) for e in heard))
    kinds = [type(event) for event in heard if getattr(event, "kind", "backfill") == "backfill"]
    assert kinds.index(RunStarted) < kinds.index(Progress) < kinds.index(RunEnded) < kinds.index(JobEnded)
    (ended,) = [event for event in heard if isinstance(event, JobEnded)]
    assert (ended.job_id, ended.failed, ended.cancelled) == (job, (), False)
    assert ended.inserted == office.value("SELECT COUNT(*) FROM settlement")
    assert ended.inserted > 0


def test_only_the_named_assets_are_filled(door: Door, office: Office) -> None:
    heard: list[Event] = []
    door.listen(heard.append)
    door.backfill(days=1, exchanges=["aster"], assets=["M003"]).result(10)
    wait_until(lambda: any(isinstance(e, JobEnded) for e in heard))
    assert [list(asked) for asked in office.exchange.asked] == [["M003"]]


def test_a_cancelled_backfill_keeps_what_came_and_says_that_it_was_cancelled(
    door: Door, office: Office
) -> None:
    office.exchange.trouble = {"settlements": hang}
    office.exchange.answers_first = MARKETS - 5
    heard: list[Event] = []
    door.listen(heard.append)
    job = door.backfill(days=1).result(10)
    wait_until(lambda: any(isinstance(e, Progress) and e.inserted > 0 for e in heard))
    assert door.cancel(job).result(10) is True
    wait_until(lambda: any(isinstance(e, JobEnded) for e in heard))
    assert [e.cancelled for e in heard if isinstance(e, JobEnded)] == [True]
    assert office.value("SELECT outcome FROM run WHERE kind = 'backfill'") == "cancelled"
    assert office.value("SELECT COUNT(*) FROM settlement") > 0  # type: ignore[operator]
    assert door.cancel(job).result(10) is False, "it has ended"
    assert door.cancel(999).result(10) is False


def test_a_pause_is_stored_ends_what_runs_and_is_lifted_again(door: Door, office: Office) -> None:
    office.exchange.trouble = {"settlements": hang}
    heard: list[Event] = []
    door.listen(heard.append)
    door.backfill(days=1).result(10)
    wait_until(lambda: bool(office.exchange.asked))
    door.pause("aster", True).result(10)
    wait_until(lambda: any(isinstance(e, JobEnded) for e in heard))
    assert [e.failed for e in heard if isinstance(e, JobEnded)] == [("aster",)]
    with reader(office.path) as db:
        assert trackers.states(db)["aster"].paused
    asked = len(office.exchange.log)
    with pytest.raises(Refused, match="aster: paused"):
        door.backfill(days=1).result(10)
    with pytest.raises(Refused, match="aster: paused"):
        door.estimate(days=1, exchanges=["aster"]).result(10)
    door.refresh(["aster"]).result(10)
    assert len(office.exchange.log) == asked, "a paused exchange is asked nothing"
    door.pause("aster", False).result(10)
    with reader(office.path) as db:
        assert not trackers.states(db)["aster"].paused


def test_alerts_are_acknowledged(door: Door, office: Office) -> None:
    async def open_one() -> None:
        assert office.ledger is not None
        with office.ledger.writer.transaction():
            alerts.open_alert(office.ledger.writer, "aster", "stale", "old", 100)

    office.thread.submit(open_one).result(5)
    with reader(office.path) as db:
        (found,) = queries.open_alerts(db)
    door.acknowledge([found.id, 999]).result(10)
    with reader(office.path) as db:
        assert queries.open_alerts(db)[0].acknowledged is not None


def test_what_waits_fails_when_the_collector_goes_and_so_does_what_comes_after(
    door: Door, office: Office
) -> None:
    office.exchange.trouble = {"list": hang}
    waiting = door.refresh(["aster"])
    wait_until(lambda: bool(office.exchange.log))
    assert office.thread.stop(9)
    with pytest.raises(DoorClosed):
        waiting.result(5)
    with pytest.raises(DoorClosed):
        door.backfill(days=1).result(5)
    with pytest.raises(DoorClosed):
        door.pause("aster", True).result(5)


def test_a_bug_in_one_command_harms_neither_the_collector_nor_the_next(
    door: Door, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(names: object) -> None:
        raise ZeroDivisionError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(office.collector, "refresh", broken)
        with pytest.raises((ZeroDivisionError, Refused), match="a bug"):
            door.refresh(["aster"]).result(10)
    door.refresh(["aster"]).result(10)


def test_too_many_jobs_at_once_are_refused(door: Door, office: Office) -> None:
    office.exchange.trouble = {"settlements": hang}
    for _ in range(8):
        door.backfill(days=1).result(10)
    with pytest.raises(Refused, match="8 jobs are running"):
        door.backfill(days=1).result(10)


def test_closing_a_door_leaves_the_collector_at_work(door: Door, office: Office) -> None:
    door.close()
    with pytest.raises(DoorClosed):
        door.refresh([]).result(5)
    office.door().refresh([]).result(10)


def test_a_stopped_listener_hears_nothing_more(door: Door, office: Office) -> None:
    first: list[Event] = []
    second: list[Event] = []
    stop = door.listen(first.append)
    door.listen(second.append)
    stop()
    door.refresh([]).result(10)
    wait_until(lambda: any(isinstance(e, RunEnded) for e in second))
    assert first == []


# Only from another process


def test_a_sweep_for_longer_than_a_day_fills_what_the_usual_sweep_leaves(office: Office) -> None:
    door = office.door()
    job = door.sweep(hours=72, exchanges=["aster"]).result(10)
    found = door.outcomes(job).result(20)
    assert found is not None
    assert (found["aster"].word, found["aster"].error) == ("ok", None)
    assert found["aster"].inserted == office.value("SELECT COUNT(*) FROM settlement") == MARKETS * 72


def test_a_sweep_that_fails_says_why(office: Office) -> None:
    office.exchange.trouble = {"list": Unreachable("no route")}
    door = office.door()
    found = door.outcomes(door.sweep(hours=24).result(10)).result(20)
    assert found is not None
    assert found["aster"].word == "error"
    assert "no route" in (found["aster"].error or "")


def test_the_outcome_of_a_cancelled_job_is_none_and_of_no_job_is_refused(office: Office) -> None:
    office.exchange.trouble = {"settlements": hang}
    door = office.door()
    job = door.backfill(days=1).result(10)
    outcome = door.outcomes(job)
    door.cancel(job).result(10)
    assert outcome.result(10) is None
    with pytest.raises(Refused, match="no job 77"):
        door.outcomes(77).result(10)


def test_two_clients_hear_the_same_and_one_may_cancel_what_the_other_began(office: Office) -> None:
    office.exchange.trouble = {"settlements": hang}
    first, second = office.door(), office.door()
    heard: dict[str, list[Event]] = {"first": [], "second": []}
    first.listen(heard["first"].append)
    second.listen(heard["second"].append)
    second.estimate(days=1).result(10)  # so both listen by now
    first.estimate(days=1).result(10)
    for events in heard.values():
        events.clear()
    job = first.backfill(days=1).result(10)
    assert second.cancel(job).result(10)
    for events in heard.values():
        wait_until(lambda events=events: any(isinstance(e, JobEnded) for e in events))  # type: ignore[misc]
    assert heard["first"] == heard["second"]


def test_the_last_that_a_client_hears_is_that_the_collector_stopped(office: Office) -> None:
    heard: list[Event] = []
    office.door().listen(heard.append)
    office.thread.stop(9)
    wait_until(lambda: bool(heard))
    assert isinstance(heard[-1], CollectorStopped)


def test_the_fanout_reaches_all_whatever_one_of_them_does() -> None:
    heard: list[Event] = []

    def broken(event: Event) -> None:
        raise OSError("closed pipe")

    fanout = Fanout(broken)
    fanout.listen(broken)
    fanout.listen(heard.append)
    fanout(CollectorStopped("x"))
    assert heard == [CollectorStopped("x")]
    stop = fanout.listen(unheard)
    stop()
    stop()


async def test_commands_run_inside_the_collectors_loop(office: Office) -> None:
    """The writing connection belongs to that thread: a pause from here would raise there."""
    await asyncio.wrap_future(office.local.pause("aster", True))
    assert office.value("SELECT paused FROM tracker") == 1
