import asyncio

import pytest

from fundwatch.collector.backfill import Job, fill_behind, job_cost, run_job
from fundwatch.collector.events import Event, JobEnded, RunEnded
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges.budget import in_background
from fundwatch.exchanges.errors import ServerFault
from fundwatch.models import HOUR, Source
from tests.collector.scripted import NOON, HandClock, Watch, break_disk, mend_disk, scripted, symbols

DAYS = 5


@pytest.fixture
def watch(ledger: Ledger, clock: HandClock) -> Watch:
    return Watch(ledger, scripted(clock, 25), clock, history_days=DAYS)


def other(ledger: Ledger, clock: HandClock, name: str = "lighter") -> Watch:
    return Watch(ledger, scripted(clock, 25, name=name), clock, history_days=DAYS)


async def test_a_sweep_takes_the_last_day_and_the_horizon_is_filled_behind_it(watch: Watch) -> None:
    await watch.tracker.sweep()
    assert watch.stored("M001") == 24
    seen: list[bool] = []

    async def look() -> None:
        seen.append(in_background.get())

    watch.exchange.trouble = {"settlements": look}
    outcome = await fill_behind(watch.tracker)

    assert outcome is not None
    assert (outcome.word, outcome.inserted) == ("ok", 25 * (DAYS - 1) * 24)
    assert watch.stored() == 25 * DAYS * 24
    assert seen == [True]
    assert not in_background.get()
    assert watch.runs() == [("sweep", "ok"), ("backfill", "ok")]
    assert watch.state.total_records == watch.stored()
    assert await fill_behind(watch.tracker) is None


async def test_a_horizon_that_costs_hardly_more_is_filled_by_the_sweep_itself(watch: Watch) -> None:
    watch.exchange.seconds_per_hour = 0.0
    await watch.tracker.sweep()
    assert watch.stored("M001") == DAYS * 24


async def test_what_the_hourly_sweep_looks_after_is_not_asked_behind_it(watch: Watch) -> None:
    await watch.tracker.sweep()
    await fill_behind(watch.tracker)
    watch.exchange.published_after = 20 * 60
    watch.clock.advance(HOUR)  # type: ignore[attr-defined]
    assert (await watch.tracker.sweep()).open_hours
    assert watch.tracker.missing()
    assert await fill_behind(watch.tracker) is None


async def test_a_market_that_the_sweep_missed_altogether_is_filled_behind(watch: Watch) -> None:
    watch.exchange.silent = {"M001"}
    await watch.tracker.sweep()
    watch.exchange.silent = set()
    await fill_behind(watch.tracker)
    assert watch.stored("M001") == DAYS * 24


async def test_a_failed_backfill_is_no_error_of_the_tracker(watch: Watch) -> None:
    await watch.tracker.sweep()
    watch.exchange.trouble = {"settlements": ServerFault("HTTP 503")}
    outcome = await fill_behind(watch.tracker)
    assert outcome is not None
    assert (outcome.word, outcome.error) == ("error", "HTTP 503")
    assert (watch.state.status, watch.state.last_error) == ("idle", None)
    assert watch.open_runs() == 0


async def test_a_cancelled_backfill_keeps_what_came_and_goes_on_from_there(watch: Watch) -> None:
    await watch.tracker.sweep()

    async def hang() -> None:
        await asyncio.Event().wait()

    watch.exchange.trouble = {"settlements": hang}
    watch.exchange.answers_first = 22
    task = asyncio.create_task(fill_behind(watch.tracker))
    while watch.stored() < 25 * 24 + 22 * (DAYS - 1) * 24:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watch.runs()[-1] == ("backfill", "cancelled")
    assert watch.state.last_error is None
    assert watch.open_runs() == 0

    watch.exchange.trouble = {}
    await fill_behind(watch.tracker)
    assert set(watch.exchange.asked[-1]) == set(symbols(3, 22))
    assert watch.stored() == 25 * DAYS * 24


async def test_a_job_goes_as_far_back_as_it_says_whatever_the_horizon(
    watch: Watch, ledger: Ledger, clock: HandClock
) -> None:
    events: list[Event] = []
    two = other(ledger, clock)
    outcomes = await run_job(Job(7, 10, ("aster", "lighter")), [watch.tracker, two.tracker], events.append)
    assert {name: outcome.word for name, outcome in outcomes.items()} == {"aster": "ok", "lighter": "ok"}
    assert watch.stored("M001") == two.stored("M001") == 240
    assert events == [JobEnded(7, 2 * 25 * 240, (), False)]


async def test_a_job_can_be_about_a_few_assets(watch: Watch) -> None:
    job = Job(1, 2, ("aster",), frozenset({"M003", "M004", "NOSUCH"}))
    await run_job(job, [watch.tracker], watch.events.append)
    assert watch.stored() == 2 * 48
    assert set(watch.exchange.asked[-1]) == {"M003", "M004"}


async def test_a_job_asks_again_for_hours_that_were_answered_empty(watch: Watch) -> None:
    watch.exchange.lost = {("M003", NOON - 5 * HOUR)}
    await watch.tracker.sweep()
    watch.exchange.lost = set()
    assert "M003" not in watch.tracker.missing(seconds_back=24 * HOUR)
    await run_job(Job(1, 1, ("aster",)), [watch.tracker], watch.events.append)
    assert watch.stored("M003") == 24


async def test_a_job_reaches_no_further_than_the_exchange_serves(ledger: Ledger, clock: HandClock) -> None:
    watch = Watch(ledger, scripted(clock, 25, history_days=3), clock)
    await run_job(Job(1, 10, ("aster",)), [watch.tracker], watch.events.append)
    assert watch.stored("M001") == 72


async def test_nothing_is_asked_for_that_would_not_be_kept(ledger: Ledger, clock: HandClock) -> None:
    watch = Watch(ledger, scripted(clock, 25), clock)
    watch.tracker = Tracker(
        watch.exchange, ledger, clock, watch.events.append, history_days=1, retention_days=2
    )
    await run_job(Job(1, 10, ("aster",)), [watch.tracker], watch.events.append)
    assert watch.stored("M001") == 48


async def test_an_exchange_without_settlements_is_done_at_once(ledger: Ledger, clock: HandClock) -> None:
    watch = Watch(ledger, scripted(clock, 25, source=Source.RECORDED), clock)
    outcomes = await run_job(Job(1, 10, ("aster",)), [watch.tracker], watch.events.append)
    assert outcomes["aster"].word == "ok"
    assert watch.exchange.asked == []


async def test_a_failing_exchange_does_not_keep_a_job_from_the_others(
    watch: Watch, ledger: Ledger, clock: HandClock
) -> None:
    two = other(ledger, clock)
    watch.exchange.trouble = {"list": ValueError("a bug")}
    events: list[Event] = []
    outcomes = await run_job(Job(1, 1, ("aster", "lighter")), [watch.tracker, two.tracker], events.append)
    assert (outcomes["aster"].word, outcomes["lighter"].word) == ("error", "ok")
    assert events == [JobEnded(1, 25 * 24, ("aster",), False)]


async def test_a_cancelled_job_says_so(watch: Watch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    watch.exchange.trouble = {"settlements": hang}
    events: list[Event] = []
    task = asyncio.create_task(run_job(Job(3, 1, ("aster",)), [watch.tracker], events.append))
    while not watch.exchange.asked:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events == [JobEnded(3, 0, (), True)]
    assert watch.runs()[-1] == ("backfill", "cancelled")


async def test_the_cost_of_a_job_is_known_before_it_starts(watch: Watch) -> None:
    costs = await job_cost(Job(1, 2, ("aster",)), [watch.tracker])
    assert (costs["aster"].requests, costs["aster"].seconds) == (25, 25 * 48)
    assert watch.exchange.asked == []


async def test_a_disk_that_fails_is_an_error_of_the_job(watch: Watch) -> None:
    await watch.tracker.know_markets()
    break_disk(watch.ledger)
    outcomes = await run_job(Job(1, 1, ("aster",)), [watch.tracker], watch.events.append)
    mend_disk(watch.ledger)
    assert outcomes["aster"].word == "error"
    assert not any(isinstance(e, RunEnded) and e.kind == "backfill" for e in watch.events)


async def test_the_largest_markets_come_first_and_the_newest_hours(watch: Watch) -> None:
    await watch.tracker.sweep()
    ledger = watch.ledger
    watch.exchange.open_interest_usd = {"M002": 3e6, "M006": 7e6, "M008": 9e6}
    with ledger.writer.transaction():
        ledger.writer.change("DELETE FROM settlement WHERE funding_time IN (?, ?)", NOON, NOON - 3 * HOUR)
    await watch.tracker.sweep()
    asked = watch.exchange.asked[-1]
    assert list(asked)[:3] == ["M008", "M006", "M002"]
    assert asked["M008"] == [(NOON - HOUR, NOON), (NOON - 4 * HOUR, NOON - 3 * HOUR)]
