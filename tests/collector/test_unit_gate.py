"""A wrong unit stores nothing, says so, and heals."""

import asyncio

import pytest

from fundwatch.collector.ledger import Ledger
from fundwatch.collector.tracker import Tracker
from fundwatch.collector.unit_gate import UnitError, UnitGate
from fundwatch.exchanges.base import Answer
from fundwatch.exchanges.errors import Unreachable
from fundwatch.models import HOUR, Kind, Settlement
from fundwatch.storage.verdicts import load_unit_checks
from tests.collector.scripted import NOON, RESTING, HandClock, Scripted, Watch, market, scripted, symbols

EIGHT_TIMES = "8 times the resting 10.95 %: a unit error"


def paid(symbol: str, rate: float = RESTING, hour: int = NOON, kind: Kind = Kind.REGULAR) -> Settlement:
    return Settlement(symbol, hour, rate, 0.0 if kind is Kind.SPECIAL else 1.0, kind)


def gate_of(size: int, **failed: str) -> UnitGate:
    markets = {symbol: market(symbol) for symbol in symbols(size)}
    return UnitGate(
        markets,
        dict.fromkeys(markets, RESTING),
        {"": 10.95},
        None,
        NOON + 360.0,
        {("", what): sentence for what, sentence in failed.items()},
    )


def verdicts(watch: Watch) -> dict[str, str]:
    return {
        check.what: check.verdict for check in load_unit_checks(watch.ledger.writer, "aster") if check.n > 0
    }


def test_the_gate_opens_after_twenty_markets() -> None:
    gate = gate_of(40)
    gate.add([paid(symbol) for symbol in symbols(19)])
    assert not gate.is_due
    gate.add([paid("M019")])
    assert gate.is_due
    gate.judge()
    assert gate.may_store
    assert not gate.is_due


def test_the_gate_looks_again_after_more_markets() -> None:
    gate = gate_of(60)
    gate.add([paid(symbol) for symbol in symbols(20)])
    gate.judge()
    gate.add([paid(symbol) for symbol in symbols(24, 20)])
    assert not gate.is_due
    gate.add([paid("M044")])
    assert gate.is_due


def test_one_market_counts_once_by_its_newest_regular_row() -> None:
    gate = gate_of(30)
    for symbol in symbols(30):
        gate.add([paid(symbol, 8 * RESTING, NOON - HOUR), paid(symbol), paid(symbol, 8 * RESTING, 0)])
        gate.add([paid(symbol, 0.5, kind=Kind.SPECIAL), Settlement(symbol, NOON + HOUR, 0.5, None)])
    gate.add([paid("STRANGER", 8 * RESTING)])
    gate.judge()
    assert {(check.what, check.verdict, check.n) for check in gate.checks} == {
        ("settlements", "ok", 30),
        ("agreement", "ok", 30),
    }


def test_old_settlements_are_not_held_against_the_estimate_of_now() -> None:
    gate = gate_of(30)
    gate.add([paid(symbol, hour=NOON - 48 * HOUR) for symbol in symbols(30)])
    gate.judge()
    assert [check.what for check in gate.checks] == ["settlements"]


def test_an_earlier_error_stands_until_there_is_enough_to_judge_anew() -> None:
    gate = gate_of(30, settlements="it was off")
    gate.add([paid(symbol) for symbol in symbols(5)])
    gate.judge()
    assert not gate.may_store, "more may come"
    with pytest.raises(UnitError, match="it was off"):
        gate.judge(at_the_end=True)
    assert [check.what for check in gate.checks] == ["agreement"], "the stored error is not overwritten"
    gate.add([paid(symbol) for symbol in symbols(30)])
    gate.judge()
    assert gate.may_store
    assert {check.verdict for check in gate.checks} == {"ok"}


def test_an_earlier_error_waits_for_markets_that_are_still_to_come() -> None:
    gate = gate_of(60, settlements="it was off")
    gate.add([paid(symbol, 0.0) for symbol in symbols(10)])
    gate.add([paid(symbol) for symbol in symbols(15, 10)])
    gate.judge()
    assert not gate.may_store, "twenty-five markets, ten of them at zero"
    gate.add([paid(symbol) for symbol in symbols(25, 25)])
    assert gate.is_due
    gate.judge()
    assert gate.may_store


async def test_settlements_eight_times_too_high_are_not_stored_and_the_hole_heals_once_mended(
    watch: Watch, clock: HandClock
) -> None:
    watch.exchange.factor = 8.0
    for _ in range(2):
        outcome = await watch.tracker.sweep()
        assert (outcome.word, outcome.inserted, watch.stored()) == ("error", 0, 0)
        assert EIGHT_TIMES in (outcome.error or "")
        assert watch.state.last_error == outcome.error
        assert (watch.state.status, watch.state.last_success) == ("error", None)
        assert verdicts(watch)["settlements"] == "error"
        assert len(watch.exchange.asked[-1]) == 30, "the hole stays open"
        clock.advance(600)
    assert watch.ledger.writer.value("SELECT COUNT(*) FROM quote") == 30, "its estimates are fine"

    watch.exchange.factor = 1.0
    outcome = await watch.tracker.sweep()
    assert (outcome.word, watch.stored()) == ("ok", 30 * 24)
    assert watch.state.status == "idle"
    assert verdicts(watch) == dict.fromkeys(("estimates", "settlements", "agreement"), "ok")


async def test_a_few_markets_after_a_failed_check_do_not_slip_through(watch: Watch) -> None:
    watch.exchange.factor = 8.0
    await watch.tracker.sweep()
    watch.exchange.trouble = {"settlements": Unreachable("the connection failed")}
    watch.exchange.answers_first = 5
    outcome = await watch.tracker.sweep()
    assert EIGHT_TIMES in (outcome.error or "")
    assert watch.stored() == 0
    assert verdicts(watch)["settlements"] == "error"


async def test_a_restart_forgets_no_failed_check(watch: Watch) -> None:
    watch.exchange.factor = 8.0
    await watch.tracker.sweep()
    watch.restart()
    watch.exchange.silent = set(symbols(20, 5))
    assert EIGHT_TIMES in ((await watch.tracker.sweep()).error or "")
    assert watch.stored() == 0


async def test_a_late_change_of_mind_takes_back_what_the_run_stored(ledger: Ledger, clock: HandClock) -> None:
    """The first twenty markets are in order, the many after them are not."""
    watch = Watch(ledger, scripted(clock, 120), clock)
    stored = []

    class Turning(Scripted):
        def _answer(self, symbol: str, windows: list) -> Answer:  # type: ignore[type-arg]
            stored.append(watch.stored())
            self.factor = 1.0 if symbol < "M020" else 8.0
            return super()._answer(symbol, windows)

    watch.exchange = Turning(clock, 120)
    watch.restart()
    outcome = await watch.tracker.sweep()
    assert outcome.word == "error"
    assert "a unit error" in (outcome.error or "")
    assert max(stored) >= 20 * 24
    assert (watch.stored(), outcome.inserted) == (0, 0)
    assert watch.runs() == [("sweep", "undone")]
    assert watch.state.total_records == max(stored), "rows ever inserted"
    assert watch.exchange.closed_streams == 1, "nothing is asked any more"

    watch.exchange = scripted(clock, 120)
    watch.restart()
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.stored() == 120 * 24


async def test_fewer_than_twenty_markets_are_stored_with_the_verdict_unknown(
    ledger: Ledger, clock: HandClock
) -> None:
    watch = Watch(ledger, scripted(clock, 12), clock)
    assert (await watch.tracker.sweep()).word == "ok"
    assert watch.stored() == 12 * 24
    assert set(verdicts(watch).values()) == {"unknown"}


async def test_wrong_estimates_ask_for_no_settlements_and_are_shown_as_untrusted(watch: Watch) -> None:
    watch.exchange.rates = {s: r * 8 for s, r in watch.exchange.rates.items() if r}
    watch.exchange.factor = 1 / 8
    outcome = await watch.tracker.sweep()
    assert outcome.word == "error"
    assert EIGHT_TIMES in (outcome.error or "")
    assert (watch.exchange.asked, watch.stored()) == ([], 0)
    assert watch.ledger.writer.value("SELECT COUNT(*) FROM quote WHERE hourly_rate IS NOT NULL") == 30
    assert verdicts(watch) == {"estimates": "error"}

    outcome = await watch.tracker.quotes_pass()
    assert outcome.word == "error"
    assert EIGHT_TIMES in (watch.state.quotes_error or "")
    assert EIGHT_TIMES in ((await watch.tracker.fill({"M001": []})).error or "")
    assert watch.exchange.asked == []


async def test_a_wrong_group_costs_only_its_own_markets(ledger: Ledger, clock: HandClock) -> None:
    watch = Watch(ledger, scripted(clock, 30, resting_apr_percent={"": 10.95, "xyz": 5.475}), clock)
    for symbol in symbols(30, 100):
        watch.exchange.listed[symbol] = market(symbol, "xyz")
        watch.exchange.rates[symbol] = RESTING / 2 * 8 * (1 if int(symbol[1:]) % 3 else 0.37)
    outcome = await watch.tracker.sweep()
    assert outcome.word == "partial"
    assert "partial 30/60" in (outcome.error or "")
    assert "8 times the resting 5.475 %" in (outcome.error or "")
    assert (watch.stored("M001"), watch.stored("M101")) == (24, 0)
    assert set(watch.exchange.asked[0]) == set(symbols(30))


async def test_a_lost_sign_is_found_by_the_estimates(watch: Watch) -> None:
    for number, symbol in enumerate(symbols(30)):
        watch.exchange.rates[symbol] = (1 if number % 2 else -1) * RESTING * (1 + number / 10)

    class Unsigned(Scripted):
        def _answer(self, symbol: str, windows: list) -> Answer:  # type: ignore[type-arg]
            answer = super()._answer(symbol, windows)
            rows = tuple(Settlement(r.symbol, r.funding_time, abs(r.rate), 1.0) for r in answer.rows)
            return Answer(rows, answer.answered)

    exchange = Unsigned(watch.clock, 30)
    exchange.rates = watch.exchange.rates
    watch.exchange = exchange
    watch.restart()
    outcome = await watch.tracker.sweep()
    assert "a lost sign" in (outcome.error or "")
    assert watch.stored() == 0


async def test_an_accepted_baseline_is_no_error(watch: Watch, ledger: Ledger, clock: HandClock) -> None:
    watch.exchange.rates = {s: r * 2 for s, r in watch.exchange.rates.items() if r}
    assert (await watch.tracker.sweep()).word == "error"
    tracker = Tracker(
        watch.exchange, ledger, clock, watch.events.append, history_days=1, baseline_percent=21.9
    )
    assert (await tracker.sweep()).word == "ok"


async def test_a_cancelled_sweep_stores_nothing_that_was_not_judged(watch: Watch) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    watch.exchange.trouble = {"settlements": hang}
    watch.exchange.answers_first = 10
    sweep = asyncio.create_task(watch.tracker.sweep())
    while not watch.exchange.asked:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    sweep.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sweep
    assert watch.stored() == 0


async def test_a_unit_error_on_one_builders_dex_leaves_the_other_markets_settled(
    ledger: Ledger, clock: HandClock
) -> None:
    exchange = scripted(clock, size=60, resting_apr_percent={"": 10.95, "xyz": 10.95})
    dex = symbols(30, start=30)
    exchange.listed |= {symbol: market(symbol, "xyz") for symbol in dex}
    exchange.factors = dict.fromkeys(dex, 8.0)
    watch = Watch(ledger, exchange, clock)
    outcome = await watch.tracker.sweep()
    assert outcome.word == "partial"
    assert EIGHT_TIMES in (outcome.error or "")
    stored = dict(
        ledger.writer.rows(
            "SELECT symbol, COUNT(*) FROM settlement JOIN market ON market.id = market_id GROUP BY 1"
        )
    )
    assert stored == dict.fromkeys(symbols(30), 24)

    exchange.factors = {}
    clock.advance(HOUR)
    assert (await watch.tracker.sweep()).word == "ok"
    assert ledger.writer.value("SELECT COUNT(DISTINCT market_id) FROM settlement") == 60


async def test_what_a_dex_stored_before_its_error_showed_is_taken_back_alone(
    ledger: Ledger, clock: HandClock
) -> None:
    exchange = scripted(clock, size=60, resting_apr_percent={"": 10.95, "xyz": 10.95})
    dex = symbols(30, start=30)
    exchange.listed |= {symbol: market(symbol, "xyz") for symbol in dex}
    exchange.factors = dict.fromkeys(dex, 8.0)
    order = [symbol for pair in zip(symbols(30), dex, strict=True) for symbol in pair]
    exchange.open_interest_usd = {symbol: float(60 - place) for place, symbol in enumerate(order)}
    watch = Watch(ledger, exchange, clock)
    outcome = await watch.tracker.sweep()
    assert outcome.word == "partial"
    assert outcome.inserted == 30 * 24
    assert ledger.writer.value("SELECT COUNT(*) FROM settlement") == 30 * 24
