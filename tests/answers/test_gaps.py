"""The ledger of all exchanges: totals that agree with everybody who counts, reasons, and when."""

import msgspec
import pytest

from fundwatch.answers.gaps import ExchangeGaps, Gaps, gaps
from fundwatch.answers.status import status
from fundwatch.config import Collector, Config, ExchangeSection
from fundwatch.models import HOUR, Source, Window
from fundwatch.storage import lock
from fundwatch.storage.holes.absences import record_absence
from fundwatch.storage.holes.hole_map import hole_map
from tests.answers.stage import END, NOW, Stage
from tests.storage.ledger import hour, paid

DAY = Config(collector=Collector(history_days=1))
MINUTE = 2


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """Lighter lacks two hours, Binance one of a payment of eight, Variational was never recorded."""
    for exchange, source in (
        ("lighter", Source.EXCHANGE),
        ("binance", Source.EXCHANGE),
        ("variational", Source.RECORDED),
    ):
        stage.exchange = exchange
        stage.market("BTC", exchange=exchange)
        stage.describe(exchange, source)
    stage.exchange = "lighter"
    stage.fill("BTC", [n for n in range(END - 40, END + 1) if n not in (790, 791)])
    stage.exchange = "binance"
    stage.fill("BTC", [784, 800], hours=8.0)
    return stage


def ask(stage: Stage, config: Config = DAY, *, exchange: str | None = None, days: int | None = None) -> Gaps:
    with stage.read() as db:
        return gaps(db, config, NOW, exchange=exchange, days=days)


def of(answer: Gaps, exchange: str) -> ExchangeGaps:
    return next(one for one in answer.exchanges if one.exchange == exchange)


def test_the_totals_of_each_exchange(stage: Stage) -> None:
    answer = ask(stage)
    found = {
        one.exchange: (one.expected_hours, one.stored_hours, one.missing_hours, one.gone_hours)
        for one in answer.exchanges
        if one.markets
    }
    assert found == {"lighter": (24, 22, 2, 0), "binance": (24, 16, 8, 0), "variational": (24, 0, 0, 24)}
    assert (answer.since, answer.until) == (hour(END - 24), hour(END))
    assert answer.exit_code == 1


def test_they_agree_with_the_status_and_with_the_hole_map(stage: Stage) -> None:
    answer = ask(stage)
    with stage.read() as db:
        counted = {one.exchange: one.gaps_open for one in status(db, DAY, NOW).exchanges}
        assert {one.exchange: one.missing_hours for one in answer.exchanges} == counted
        for one in answer.exchanges:
            source = Source.RECORDED if one.exchange == "variational" else Source.EXCHANGE
            holes = hole_map(db, one.exchange, answer.since, answer.until, source=source)
            assert sum(h.expected for h in holes) == one.expected_hours
            assert sum(h.stored for h in holes) == one.stored_hours
            assert sum(h.gone for h in holes) == one.gone_hours


def test_the_largest_gap_comes_first(stage: Stage) -> None:
    answer = ask(stage)
    assert [(gap.exchange, gap.start, gap.hours, gap.state) for gap in answer.gaps] == [
        ("variational", hour(END - 24), 24, "gone"),
        ("binance", hour(784), 8, "missing"),
        ("lighter", hour(789), 2, "missing"),
    ]
    assert sum(gap.hours for gap in answer.gaps) == sum(
        one.missing_hours + one.gone_hours for one in answer.exchanges
    )


def test_one_exchange_can_be_asked_about_alone(stage: Stage) -> None:
    answer = ask(stage, exchange="lighter")
    assert [one.exchange for one in answer.exchanges] == ["lighter"]
    assert {gap.exchange for gap in answer.gaps} == {"lighter"}


def test_further_back_than_the_sweeps_go_only_a_backfill_asks(stage: Stage) -> None:
    answer = ask(stage, exchange="lighter", days=2)
    assert of(answer, "lighter").expected_hours == 48
    assert [(one.reason, one.hours) for one in of(answer, "lighter").reasons] == [
        ("older than history_days", 7),
        ("not fetched yet", 2),
    ]


def test_what_is_not_kept_is_gone(stage: Stage) -> None:
    config = Config(collector=Collector(history_days=30, retention_days=30))
    answer = ask(stage, config, exchange="lighter", days=31)
    assert [(one.state, one.reason) for one in of(answer, "lighter").reasons if one.hours == 24] == [
        ("gone", "older than retention_days")
    ]


def test_an_exchange_that_is_switched_off_counts_for_nothing(stage: Stage) -> None:
    off = ExchangeSection(enabled=False)
    config = msgspec.structs.replace(DAY, exchanges={"lighter": off, "binance": off})
    answer = ask(stage, config)
    assert answer.exit_code == 0
    assert not of(answer, "lighter").enabled
    assert [(one.reason, one.hours) for one in of(answer, "lighter").reasons] == [
        ("its exchange is switched off", 2)
    ]


def test_a_paused_exchange_waits(stage: Stage) -> None:
    stage.change("UPDATE tracker SET paused = 1 WHERE exchange_id = 2")
    assert [one.reason for one in of(ask(stage), "lighter").reasons] == ["its exchange is paused"]


def test_nothing_missing_is_exit_0_and_nothing_listed_is_exit_3(stage: Stage) -> None:
    assert ask(stage, exchange="variational").exit_code == 0
    assert ask(stage, exchange="aster").exit_code == 3
    assert of(ask(stage), "aster").markets == 0


def test_without_a_collector_nothing_is_planned(stage: Stage) -> None:
    answer = ask(stage)
    assert not answer.collector_running
    assert {one.next_sweep for one in answer.exchanges} == {None}
    assert {gap.asked_again for gap in answer.gaps} == {None}


def test_a_collector_asks_in_its_next_sweep_and_not_too_early(stage: Stage) -> None:
    stage.exchange = "lighter"
    with stage.writer.transaction():
        answered = [("BTC", Window(hour(789), hour(790)))]
        record_absence(stage.writer, "lighter", answered, hour(END - 4))
        record_absence(stage.writer, "lighter", answered, NOW)
    with stage.locked():
        answer = ask(stage, exchange="lighter")
    sweep = hour(END + 1) + MINUTE * 60
    assert answer.collector_running
    assert of(answer, "lighter").next_sweep == sweep
    assert {(gap.start, gap.reason, gap.asked, gap.asked_again) for gap in answer.gaps} == {
        (hour(789), "asked 2 times in vain", 2, int(NOW) + 4 * HOUR),
        (hour(790), "not fetched yet", 0, sweep),
    }


def test_a_failed_sweep_is_tried_again_before_the_next_one(stage: Stage) -> None:
    stage.change("UPDATE tracker SET next_try = ? WHERE exchange_id = 2", int(NOW) + 300)
    with stage.locked():
        assert of(ask(stage), "lighter").next_sweep == int(NOW) + 300


def test_another_command_at_work_is_no_collector(stage: Stage) -> None:
    with lock.acquire(stage.path, "restore", NOW):
        assert not ask(stage).collector_running


def test_conflicts_are_stored_hours_with_two_values(stage: Stage) -> None:
    stage.exchange = "binance"
    stage.save(paid(800, 0.0007, 8.0))
    answer = ask(stage)
    (conflict,) = answer.conflicts
    assert (conflict.exchange, conflict.funding_time, conflict.stored_rate, conflict.seen_rate) == (
        "binance",
        hour(800),
        0.0001,
        0.0007,
    )
    assert (conflict.kind, conflict.seen_from, conflict.times) == ("regular", "exchange", 1)
    binance = of(answer, "binance")
    assert (binance.conflicting_hours, binance.conflicts, binance.stored_hours) == (8, 1, 16)
