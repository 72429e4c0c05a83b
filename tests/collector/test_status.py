"""The tracker's status, event by event: it is true at every moment."""

import asyncio
from pathlib import Path

import pytest

from fundwatch.collector.events import Progress, RunEnded, RunStarted, Trouble
from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.errors import (
    Banned,
    Blocked,
    Drift,
    ExchangeError,
    Refused,
    ServerFault,
    Throttled,
    TooSlow,
    Truncated,
    Unreachable,
)
from fundwatch.models import HOUR, Refusal, Window
from fundwatch.storage.errors import StorageError
from tests.collector.scripted import (
    NOON,
    RESTING,
    HandClock,
    Watch,
    break_disk,
    market,
    mend_disk,
    open_ledger,
    scripted,
    symbols,
)


async def hang() -> None:
    await asyncio.Event().wait()


def counted(watch: Watch) -> None:
    """The counters say what the rows say."""
    inserted = watch.ledger.writer.value("SELECT SUM(inserted) FROM run")
    assert watch.state.total_records == watch.stored() == inserted
    assert watch.state.total_runs == len(watch.runs())


async def test_a_sweep_is_running_from_its_first_moment(watch: Watch, clock: HandClock) -> None:
    seen = []

    async def look() -> None:
        seen.append(watch.state)

    watch.exchange.trouble = {"list": look, "settlements": look}
    await watch.tracker.sweep()

    assert [s.status for s in seen] == ["running", "running"]
    assert {(s.last_run, s.total_runs, s.last_success) for s in seen} == {(int(clock.now()), 1, None)}


async def test_a_complete_sweep_succeeds_at_its_start(watch: Watch, clock: HandClock) -> None:
    begin = int(clock.now())

    async def slowly() -> None:
        clock.advance(40)

    watch.exchange.trouble = {"settlements": slowly}
    outcome = await watch.tracker.sweep()

    assert (outcome.word, outcome.inserted, outcome.open_hours) == ("ok", 30 * 24, False)
    state = watch.state
    assert (state.status, state.last_success, state.last_run) == ("idle", begin, begin)
    assert (state.last_error, state.last_outcome, state.consecutive_failures) == (None, "ok", 0)
    assert (state.markets_expected, state.markets_failed) == (30, 0)
    counted(watch)


async def test_a_second_sweep_asks_only_for_what_is_new(watch: Watch, clock: HandClock) -> None:
    await watch.tracker.sweep()
    clock.advance(HOUR)
    await watch.tracker.sweep()

    assert watch.exchange.asked[-1]["M001"] == [(NOON, NOON + HOUR)]
    assert watch.stored() == 30 * 25
    counted(watch)


async def test_a_partial_sweep_stores_what_came_and_leaves_the_last_success_alone(
    watch: Watch, clock: HandClock
) -> None:
    await watch.tracker.sweep()
    success = watch.state.last_success
    clock.advance(HOUR)
    watch.exchange.quote_refused = {"M004": "rate is missing"}
    watch.exchange.failing = {"M007": "HTTP 400"}
    outcome = await watch.tracker.sweep()

    assert outcome.word == "partial"
    state = watch.state
    assert (state.status, state.last_success, state.last_run) == ("error", success, int(clock.now()))
    assert state.last_error == "partial 28/30: 1 rate is missing, 1 HTTP 400 (M004, M007)"
    assert (state.last_outcome, state.markets_expected, state.markets_failed) == ("partial", 30, 2)
    assert (watch.stored("M001"), watch.stored("M007")) == (25, 24)
    counted(watch)


async def test_one_of_many_markets_that_fails_does_not_make_a_sweep_partial(
    ledger: Ledger, clock: HandClock
) -> None:
    watch = Watch(ledger, scripted(clock, 100), clock)
    watch.exchange.quote_refused = {"M004": "rate is missing"}
    assert (await watch.tracker.sweep()).word == "ok"
    watch.exchange.quote_refused["M005"] = "rate is missing"
    assert (await watch.tracker.sweep()).word == "partial"


async def test_a_market_whose_settlements_cannot_be_read_fails(watch: Watch) -> None:
    watch.exchange.refused_rows = {"M001": "rate of 20 % per hour is absurd"}
    outcome = await watch.tracker.sweep()
    assert outcome.error == "partial 29/30: 1 rate of 20 % per hour is absurd (M001)"
    assert outcome.refused == 1


async def test_a_market_that_gets_no_answer_at_all_fails(watch: Watch) -> None:
    watch.exchange.silent = {"M001"}
    outcome = await watch.tracker.sweep()
    assert outcome.error == "partial 29/30: 1 its settlements do not come (M001)"


async def test_a_settlement_that_is_published_late_is_no_failure(watch: Watch) -> None:
    watch.exchange.published_after = 20 * 60
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.open_hours) == ("ok", True)


async def test_hours_that_the_venue_never_published_do_not_stay_open(watch: Watch) -> None:
    watch.exchange.lost = {("M001", NOON - 5 * HOUR)}
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.open_hours) == ("ok", False)
    assert watch.stored("M001") == 23


async def test_hours_that_are_due_again_while_a_sweep_goes_on_are_not_held_against_their_market(
    watch: Watch, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.exchange.lost = {("M001", NOON - hour * HOUR) for hour in range(6, 20)}
    assert (await watch.tracker.sweep()).word == "ok"
    clock.advance(HOUR - 0.5)
    real = watch.exchange._answer

    def slowly(symbol: str, windows: list[Window]) -> Answer:
        clock.advance(0.1)
        return real(symbol, windows)

    monkeypatch.setattr(watch.exchange, "_answer", slowly)
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.error, outcome.open_hours) == ("ok", None, True)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("the connection failed"),
        TooSlow("no complete answer within 20 s"),
        ServerFault("HTTP 503"),
        Truncated("the answer broke off"),
        Throttled("too many requests", retry_at=NOON + 900.0),
        Banned("banned", retry_at=NOON + 7200.0),
        Blocked("451: not served here", retry_at=NOON + 3600.0),
        Refused("HTTP 404"),
        Drift("the answer is not in the documented shape"),
        ValueError("a bug"),
        MemoryError(),
        RecursionError("too deep"),
        SystemExit(3),
        KeyError("rate"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["list", "quotes", "settlements"])
async def test_whatever_an_exchange_raises_the_sweep_ends_as_an_error(
    error: BaseException, where: str, watch: Watch, clock: HandClock
) -> None:
    await watch.tracker.sweep()
    before, stored = watch.state, watch.stored()
    clock.advance(HOUR)
    watch.exchange.trouble = {where: error}
    outcome = await watch.tracker.sweep()

    assert outcome.word == "error"
    assert outcome.retry_at == getattr(error, "retry_at", None)
    state = watch.state
    assert (state.status, state.last_success) == ("error", before.last_success)
    assert state.last_error == outcome.error
    assert str(error) in (outcome.error or "")
    assert (state.last_outcome, state.consecutive_failures) == ("error", 1)
    assert (state.markets_expected, state.markets_failed) == (30, 0), "it did not look after them all"
    assert (watch.open_runs(), watch.stored()) == (0, stored)
    assert isinstance(error, ExchangeError) or any(isinstance(e, Trouble) for e in watch.events)
    counted(watch)

    watch.exchange.trouble = {}
    assert (await watch.tracker.sweep()).word == "ok"
    assert (watch.state.status, watch.state.last_error, watch.stored()) == ("idle", None, 30 * 25)


async def test_what_came_before_an_error_is_stored(watch: Watch) -> None:
    watch.exchange.trouble = {"settlements": Unreachable("the connection failed")}
    watch.exchange.answers_first = 25
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.inserted, watch.stored()) == ("error", 25 * 24, 25 * 24)
    counted(watch)


@pytest.mark.parametrize("left", [0, 14])
async def test_an_empty_or_half_a_list_is_refused_as_a_whole_and_nothing_is_delisted(
    left: int, watch: Watch, clock: HandClock
) -> None:
    await watch.tracker.sweep()
    whole = watch.exchange.listed
    watch.exchange.listed = dict(list(whole.items())[:left])
    for _ in range(30):
        clock.advance(HOUR)
        outcome = await watch.tracker.sweep()
        assert outcome.word == "error"
        assert f"shrank from 30 markets to {left}" in (outcome.error or "")
    assert watch.ledger.active("aster") == set(whole)
    assert watch.ledger.writer.value("SELECT COUNT(*) FROM event WHERE kind = 'delisted'") == 0

    watch.exchange.listed = whole
    assert (await watch.tracker.sweep()).word == "ok"


@pytest.mark.parametrize(("gone", "word"), [(3, "ok"), (4, "partial")])
async def test_more_than_five_percent_and_three_markets_gone_without_a_word_are_partial(
    gone: int, word: str, watch: Watch
) -> None:
    await watch.tracker.sweep()
    for symbol in symbols(gone):
        del watch.exchange.listed[symbol]
    outcome = await watch.tracker.sweep()
    assert outcome.word == word
    assert {watch.status_of(symbol) for symbol in symbols(gone)} == {"absent"}
    if word == "partial":
        assert (
            outcome.error
            == "partial 26/30: 4 gone from the market list without a word (M000, M001, M002 ...)"
        )
        assert (watch.state.markets_expected, watch.state.markets_failed) == (30, 4)


async def test_markets_that_the_venue_calls_closed_are_delisted_and_not_missed(watch: Watch) -> None:
    watch.exchange.failing = dict.fromkeys(symbols(8), "HTTP 400: no such market")
    assert (await watch.tracker.sweep()).word == "partial"
    for symbol in symbols(8):
        del watch.exchange.listed[symbol]
        watch.exchange.closed.add(symbol)
    outcome = await watch.tracker.sweep()
    assert set(watch.exchange.asked[-1]) == set(symbols(8)), "their last hours are asked for all the same"
    assert (outcome.word, outcome.open_hours) == ("ok", True)
    assert watch.status_of("M000") == "delisted"


async def test_a_list_row_that_cannot_be_read_any_more_is_a_failure_of_its_market(watch: Watch) -> None:
    await watch.tracker.sweep()
    del watch.exchange.listed["M001"]
    watch.exchange.list_refused = (Refusal("M001", "no multiplier"), Refusal("#3", "unreadable row"))
    outcome = await watch.tracker.sweep()
    assert outcome.error == "partial 29/30: 1 no multiplier (M001)"
    assert watch.status_of("M001") == "active"


async def test_a_market_that_fails_three_sweeps_leaves_the_denominator_until_it_recovers(
    watch: Watch,
) -> None:
    watch.exchange.quote_refused = {"M004": "rate is missing"}
    assert [(await watch.tracker.sweep()).word for _ in range(4)] == ["partial"] * 3 + ["ok"]
    assert (watch.state.markets_expected, watch.state.markets_failed) == (29, 0)
    assert watch.ledger.failing("aster") == {"M004"}

    watch.exchange.quote_refused = {}
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.ledger.failing("aster") == set()
    watch.exchange.quote_refused = {"M004": "rate is missing"}
    assert (await watch.tracker.sweep()).word == "partial"
    assert (watch.state.markets_expected, watch.state.markets_failed) == (30, 1)


async def test_a_row_that_stays_unreadable_leaves_the_denominator_too(watch: Watch) -> None:
    await watch.tracker.sweep()
    del watch.exchange.listed["M001"]
    watch.exchange.list_refused = (Refusal("M001", "no multiplier"),)
    assert [(await watch.tracker.sweep()).word for _ in range(4)] == ["partial"] * 3 + ["ok"]


async def test_a_sweep_that_was_cut_short_says_nothing_of_the_markets(watch: Watch, clock: HandClock) -> None:
    watch.exchange.quote_refused = {"M004": "rate is missing"}
    for _ in range(3):
        await watch.tracker.sweep()
    watch.exchange.quote_refused = {}
    watch.exchange.trouble = {"settlements": Unreachable("the connection failed")}
    clock.advance(HOUR)
    assert (await watch.tracker.sweep()).word == "error"
    assert watch.ledger.failing("aster") == {"M004"}


async def test_a_cancelled_sweep_is_interrupted_and_the_next_one_goes_on(watch: Watch) -> None:
    watch.exchange.trouble = {"settlements": hang}
    watch.exchange.answers_first = 25
    sweep = asyncio.create_task(watch.tracker.sweep())
    while watch.stored() < 20 * 24:
        await asyncio.sleep(0)
    sweep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweep

    state = watch.state
    assert (state.status, state.last_error) == ("error", "stopped before it was complete")
    assert (state.last_success, state.consecutive_failures) == (None, 0)
    assert watch.runs() == [("sweep", "interrupted")]
    assert watch.exchange.closed_streams == 1
    stored = watch.stored()
    assert 20 * 24 <= stored < 30 * 24
    counted(watch)

    watch.exchange.trouble = {}
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.inserted) == ("ok", 30 * 24 - stored)
    assert (watch.state.status, watch.state.last_error) == ("idle", None)


async def test_a_coroutine_that_is_thrown_away_is_no_success(watch: Watch) -> None:
    watch.exchange.trouble = {"list": hang}
    sweep = watch.tracker.sweep()
    sweep.send(None)
    assert watch.state.status == "running"
    sweep.close()
    assert watch.runs() == [("sweep", "interrupted")]
    assert (watch.state.status, watch.state.last_success) == ("error", None)


async def test_a_dead_process_leaves_interrupted_behind(tmp_path: Path, clock: HandClock) -> None:
    ledger = open_ledger(tmp_path, clock)
    watch = Watch(ledger, scripted(clock), clock)
    ledger.begin("aster", "sweep", watch.exchange.facts)
    assert watch.state.status == "running"
    ledger.close()

    ledger = open_ledger(tmp_path, clock)
    watch = Watch(ledger, watch.exchange, clock)
    assert watch.state.status == "error"
    assert "interrupted" in (watch.state.last_error or "")
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.state.status == "idle"
    ledger.close()


async def test_a_quotes_pass_is_never_a_success_and_hides_no_failure(watch: Watch, clock: HandClock) -> None:
    assert (await watch.tracker.quotes_pass()).word == "ok"
    assert (watch.state.status, watch.state.last_success) == ("idle", None)
    assert watch.state.last_quotes == int(clock.now())

    await watch.tracker.sweep()
    success = watch.state.last_success
    clock.advance(300)
    watch.exchange.trouble = {"settlements": ServerFault("HTTP 503")}
    watch.exchange.silent = set(watch.exchange.listed)
    clock.advance(HOUR)
    await watch.tracker.sweep()
    clock.advance(300)
    await watch.tracker.quotes_pass()
    assert (watch.state.last_success, watch.state.last_error) == (success, "HTTP 503")
    assert watch.state.total_runs == 4
    counted(watch)


async def test_failed_quotes_show_until_quotes_come(watch: Watch) -> None:
    await watch.tracker.sweep()
    watch.exchange.trouble = {"quotes": ServerFault("HTTP 503")}
    await watch.tracker.quotes_pass()
    assert (watch.state.status, watch.state.last_error) == ("error", "HTTP 503")
    watch.exchange.trouble = {}
    await watch.tracker.quotes_pass()
    assert (watch.state.status, watch.state.last_error) == ("idle", None)


async def test_a_quotes_pass_asks_for_the_list_only_when_none_is_known(watch: Watch) -> None:
    await watch.tracker.quotes_pass()
    await watch.tracker.quotes_pass()
    assert [what for what, _ in watch.exchange.log] == ["list", "quotes", "quotes"]


async def test_a_list_without_quotes_is_not_kept(watch: Watch) -> None:
    watch.exchange.quote_refused = dict.fromkeys(watch.exchange.listed, "rate is missing")
    outcome = await watch.tracker.quotes_pass()
    assert "none of its 30 markets has a readable quote" in (outcome.error or "")
    watch.exchange.quote_refused = {}
    await watch.tracker.quotes_pass()
    assert [what for what, _ in watch.exchange.log] == ["list", "quotes"] * 2
    assert watch.ledger.writer.value("SELECT COUNT(*) FROM quote") == 30


async def test_quotes_that_hang_end_after_a_minute(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fundwatch.collector.tracker.QUOTES_SECONDS", 0.05)
    watch.exchange.trouble = {"quotes": hang}
    outcome = await watch.tracker.quotes_pass()
    assert (outcome.word, outcome.error) == ("error", "quotes were not complete within 0.05 s")
    assert watch.open_runs() == 0


async def test_settlements_that_stand_still_end(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fundwatch.collector.settle.NO_PROGRESS_SECONDS", 0.05)
    watch.exchange.trouble = {"settlements": hang}
    watch.exchange.answers_first = 5
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.error) == ("error", "no settlements came for 0.05 s")
    assert (watch.stored(), watch.exchange.closed_streams) == (5 * 24, 1)


async def test_a_full_disk_is_told_and_no_run_stays_open_when_there_is_room_again(watch: Watch) -> None:
    await watch.tracker.sweep()

    async def fill_up() -> None:
        break_disk(watch.ledger)

    watch.exchange.trouble = {"quotes": fill_up}
    outcome = await watch.tracker.sweep()
    assert outcome.word == "error"
    assert any(isinstance(event, Trouble) and event.where == "database" for event in watch.events)
    assert watch.open_runs() == 1
    assert (await watch.tracker.quotes_pass()).word == "error"

    mend_disk(watch.ledger)
    watch.exchange.trouble = {}
    assert (await watch.tracker.quotes_pass()).word == "ok"
    assert watch.open_runs() == 0
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.state.status == "idle"
    counted(watch)


async def test_a_ledger_that_fails_stores_nothing_twice(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = watch.ledger.settlements
    calls = iter(range(1000))

    def sometimes(*args: object, **kwargs: object) -> object:
        if next(calls) == 3:
            raise StorageError("no room left")
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(watch.ledger, "settlements", sometimes)
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.error, watch.stored()) == ("error", "no room left", 3 * 24)
    counted(watch)
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.stored() == 30 * 24
    counted(watch)


async def test_a_limited_sweep_is_stored_and_never_a_success(watch: Watch) -> None:
    await watch.tracker.sweep()
    before = watch.state
    outcome = await watch.tracker.sweep(limit=3)
    assert (outcome.word, outcome.error) == ("partial", "only 3 markets were asked for")
    assert watch.status_of("M029") == "active"
    assert watch.state.last_success == before.last_success
    assert watch.state.markets_expected == 30


async def test_the_hours_of_a_sweep_can_be_chosen(watch: Watch) -> None:
    outcome = await watch.tracker.sweep(hours=3)
    assert (outcome.inserted, watch.stored("M001")) == (30 * 3, 3)


async def test_the_events_tell_the_story_of_a_sweep(watch: Watch) -> None:
    await watch.tracker.sweep()
    first, *between, last = watch.events
    assert isinstance(first, RunStarted)
    assert (first.exchange, first.kind) == ("aster", "sweep")
    assert all(isinstance(event, Progress) and event.run_id == first.run_id for event in between)
    assert [e.hours_done for e in between if isinstance(e, Progress)][-1] == 30 * 24
    assert isinstance(last, RunEnded)
    assert (last.outcome, last.inserted, last.markets, last.markets_failed) == ("ok", 30 * 24, 30, 0)


async def test_a_listener_that_fails_stops_nothing(watch: Watch, clock: HandClock) -> None:
    def fail(event: object) -> None:
        raise BrokenPipeError

    tracker = Tracker(watch.exchange, watch.ledger, clock, fail, history_days=1)
    assert (await tracker.sweep()).word == "ok"
    assert watch.open_runs() == 0


async def test_a_new_market_of_a_quotes_pass_waits_for_the_list(watch: Watch) -> None:
    await watch.tracker.sweep()
    watch.exchange.rates["NEW"] = RESTING
    assert (await watch.tracker.quotes_pass()).word == "ok"
    watch.exchange.listed["NEW"] = market("NEW")
    await watch.tracker.sweep()
    assert watch.stored("NEW") == 24
