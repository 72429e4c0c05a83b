"""An exchange that publishes no settlements: our last estimate before each payment is the record."""

from pathlib import Path

import pytest

from fundwatch.collector.ledger import Ledger
from fundwatch.exchanges.errors import ServerFault
from fundwatch.models import HOUR, Source
from tests.collector.scripted import NOON, RESTING, HandClock, Watch, open_ledger, scripted


@pytest.fixture
def watch(ledger: Ledger, clock: HandClock) -> Watch:
    return Watch(
        ledger, scripted(clock, 30, source=Source.RECORDED, history_days=0, name="variational"), clock
    )


async def quotes_at(watch: Watch, clock: HandClock, *times: float) -> int:
    """How many settlements of M001 the last of these passes recorded."""
    before = watch.stored("M001")
    for time in times:
        clock.wall = time
        before = watch.stored("M001")
        await watch.tracker.quotes_pass()
    return watch.stored("M001") - before


@pytest.mark.parametrize(
    ("seconds_before", "recorded"), [(1, 1), (60, 1), (299, 1), (300, 1), (301, 0), (3000, 0)]
)
async def test_the_last_estimate_of_the_last_five_minutes_is_recorded(
    seconds_before: int, recorded: int, watch: Watch, clock: HandClock
) -> None:
    assert await quotes_at(watch, clock, NOON - seconds_before, NOON + 240) == recorded


async def test_nothing_is_recorded_before_the_payment_is_due(watch: Watch, clock: HandClock) -> None:
    assert await quotes_at(watch, clock, NOON - 120, NOON - 1) == 0
    assert await quotes_at(watch, clock, NOON) == 1


async def test_what_is_recorded_is_the_estimate_before_the_payment_and_not_the_one_after(
    watch: Watch, clock: HandClock
) -> None:
    await quotes_at(watch, clock, NOON - 360)
    watch.exchange.rates["M001"] = 3 * RESTING
    await quotes_at(watch, clock, NOON - 60)
    watch.exchange.rates["M001"] = 5 * RESTING
    await quotes_at(watch, clock, NOON, NOON + 240)
    assert watch.rows("M001") == [(NOON, 3 * RESTING, 1.0)]


async def test_a_recorded_rate_covers_its_whole_interval(watch: Watch, clock: HandClock) -> None:
    watch.exchange.interval_hours = 4
    await quotes_at(watch, clock, NOON - 60, NOON + 240)
    assert watch.rows("M001") == [(NOON, 4 * RESTING, 4.0)]


async def test_it_is_recorded_once_even_when_no_new_quote_comes(watch: Watch, clock: HandClock) -> None:
    await quotes_at(watch, clock, NOON - 60)
    watch.exchange.quote_refused = {"M001": "rate is missing"}
    assert await quotes_at(watch, clock, NOON + 240) == 1
    assert await quotes_at(watch, clock, NOON + 540) == 0
    watch.exchange.quote_refused = {}
    assert await quotes_at(watch, clock, NOON + 840, NOON + 1140) == 0
    assert watch.rows("M001") == [(NOON, RESTING, 1.0)]
    assert watch.state.total_records == watch.stored() == 30


async def test_nothing_is_recorded_of_a_market_without_an_estimate(watch: Watch, clock: HandClock) -> None:
    watch.exchange.rates["M001"] = None
    assert await quotes_at(watch, clock, NOON - 60, NOON + 240) == 0
    assert watch.stored("M002") == 1


async def test_recorded_settlements_have_the_lowest_rank(watch: Watch, clock: HandClock) -> None:
    await quotes_at(watch, clock, NOON - 60, NOON + 240)
    ranks = watch.ledger.writer.rows(
        "SELECT DISTINCT r.source FROM settlement s JOIN run r ON r.id = s.run_id"
    )
    assert ranks == [(1,)]


async def test_a_sweep_records_too_asks_for_nothing_and_is_complete(watch: Watch, clock: HandClock) -> None:
    await quotes_at(watch, clock, NOON - 60)
    clock.wall = NOON + 60
    outcome = await watch.tracker.sweep()
    assert (outcome.word, outcome.inserted, outcome.open_hours) == ("ok", 30, False)
    assert (watch.exchange.asked, watch.tracker.missing()) == ([], {})


async def test_nothing_is_recorded_while_the_unit_check_fails(watch: Watch, clock: HandClock) -> None:
    good = dict(watch.exchange.rates)
    watch.exchange.rates = {symbol: 8 * (rate or 0) for symbol, rate in good.items()}
    assert await quotes_at(watch, clock, NOON - 60, NOON + 240) == 0
    assert watch.state.status == "error"


async def test_wrong_estimates_are_not_recorded_by_the_first_good_pass(
    watch: Watch, clock: HandClock
) -> None:
    good = dict(watch.exchange.rates)
    watch.exchange.rates = {symbol: 8 * (rate or 0) for symbol, rate in good.items()}
    await quotes_at(watch, clock, NOON - 60)
    watch.exchange.rates = good
    watch.restart()
    assert await quotes_at(watch, clock, NOON + 240) == 0, "those before noon were eight times too high"
    assert await quotes_at(watch, clock, NOON + HOUR - 60, NOON + HOUR + 240) == 1
    assert watch.rows("M001") == [(NOON + HOUR, RESTING, 1.0)]


async def test_good_estimates_are_not_trusted_when_the_next_ones_are_off(
    watch: Watch, clock: HandClock
) -> None:
    await quotes_at(watch, clock, NOON - 60)
    watch.exchange.rates = {symbol: 8 * (rate or 0) for symbol, rate in watch.exchange.rates.items()}
    assert await quotes_at(watch, clock, NOON + 240) == 0


async def test_an_estimate_before_a_restart_is_recorded_after_it(tmp_path: Path, clock: HandClock) -> None:
    exchange = scripted(clock, 30, source=Source.RECORDED, history_days=0, name="variational")
    ledger = open_ledger(tmp_path, clock)
    await quotes_at(Watch(ledger, exchange, clock), clock, NOON - 60)
    ledger.close()

    ledger = open_ledger(tmp_path, clock)
    watch = Watch(ledger, exchange, clock)
    await quotes_at(watch, clock, NOON + 5 * HOUR)
    assert watch.rows("M001") == [(NOON, RESTING, 1.0)]
    ledger.close()


async def test_an_hour_that_nobody_watched_is_a_hole(watch: Watch, clock: HandClock) -> None:
    await quotes_at(watch, clock, NOON - 60, NOON + 240)
    watch.exchange.trouble = {"quotes": ServerFault("HTTP 503")}
    await quotes_at(watch, clock, NOON + HOUR - 60)
    watch.exchange.trouble = {}
    await quotes_at(watch, clock, NOON + HOUR + 240)
    assert [time for time, _, _ in watch.rows("M001")] == [NOON]
