"""Health is true at every moment: each state as rows that a real run leaves behind."""

from typing import Any

import msgspec
import pytest

from fundwatch.answers.status import ExchangeStatus, Status, nothing_yet, status
from fundwatch.config import Collector, Config, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.models import Source
from fundwatch.storage import alerts
from fundwatch.storage.lock import Lock
from tests.answers.stage import END, NOW, Stage
from tests.storage.ledger import hour

ONLY_ASTER = Config(
    exchanges={name: ExchangeSection(enabled=name == "aster") for name in REGISTRY},
    collector=Collector(history_days=2),
)


def seen(stage: Stage, config: Config = ONLY_ASTER, now: float = NOW) -> Status:
    with stage.read() as db:
        return status(db, config, now)


def aster(stage: Stage, config: Config = ONLY_ASTER, now: float = NOW) -> ExchangeStatus:
    return next(one for one in seen(stage, config, now).exchanges if one.exchange == "aster")


def told(stage: Stage) -> tuple[str, str, int]:
    """Health, reason and exit code where only Aster is enabled."""
    found = seen(stage)
    one = next(one for one in found.exchanges if one.exchange == "aster")
    return one.health, one.reason, found.exit_code


def told_at(stage: Stage, now: float) -> str:
    return aster(stage, now=now).health


# Each word


def test_nothing_collected_is_never(stage: Stage) -> None:
    assert told(stage) == ("never", "not collected yet", 3)
    assert [one.exchange for one in seen(stage).exchanges] == list(REGISTRY)


def test_no_database_is_the_same_as_an_empty_one(stage: Stage) -> None:
    assert nothing_yet(ONLY_ASTER) == seen(stage)


def test_fresh_quotes_after_a_complete_sweep_are_ok(stage: Stage) -> None:
    stage.healthy("aster")
    assert told(stage) == ("ok", "", 0)
    one = aster(stage)
    assert (one.markets, one.markets_fresh, one.oldest_quote_seconds) == (3, 3, 60)
    assert (one.status, one.last_run, one.last_success) == ("idle", NOW - 600, NOW - 600)


@pytest.mark.parametrize(
    ("age", "word", "exit_code"),
    [(900, "ok", 0), (901, "late", 0), (7200, "late", 0), (7201, "stale", 1), (400_000, "stale", 1)],
)
def test_quotes_grow_late_after_15_minutes_and_stale_after_2_hours(
    stage: Stage, age: int, word: str, exit_code: int
) -> None:
    stage.healthy("aster", age=age)
    health, reason, code = told(stage)
    assert (health, code) == (word, exit_code)
    assert reason.startswith("quotes are") == (word != "ok")


def test_when_quotes_are_late_and_stale_is_configured(stage: Stage) -> None:
    stage.healthy("aster", age=1600)
    slow = msgspec.structs.replace(ONLY_ASTER, collector=Collector(quotes_every="10m"))
    quick = msgspec.structs.replace(ONLY_ASTER, collector=Collector(stale_after="20m"))
    assert (aster(stage, slow).health, aster(stage, quick).health) == ("ok", "stale")


def test_one_fresh_market_never_hides_stale_ones(stage: Stage) -> None:
    stage.markets("aster", [60, 9000, 9000])
    stage.sweep("aster", expected=3, failed=0)
    assert told(stage)[0] == "stale"
    assert (aster(stage).markets, aster(stage).markets_fresh) == (3, 1)


def test_a_hundredth_of_the_markets_may_be_old(stage: Stage) -> None:
    stage.markets("aster", [60] * 99 + [90_000])
    stage.sweep("aster", expected=100, failed=0)
    assert told(stage) == ("ok", "", 0)
    stage.markets("aster", [90_000])
    assert told(stage)[0] == "stale"


def test_a_market_without_any_quote_is_as_old_as_can_be(stage: Stage) -> None:
    stage.markets("aster", [60, None])
    stage.sweep("aster", expected=2, failed=0)
    assert told(stage) == ("stale", "1 of 2 markets have no quote", 1)


@pytest.mark.parametrize(("failed", "word"), [(1, "ok"), (2, "partial")])
def test_more_than_a_hundredth_of_failed_markets_is_partial(stage: Stage, failed: int, word: str) -> None:
    stage.markets("aster", [60] * 100)
    outcome: Any = "ok" if word == "ok" else "partial"
    stage.sweep("aster", outcome, "partial 98/100", expected=100, failed=failed)
    assert told(stage)[0] == word
    assert (aster(stage).last_success is None) == (word == "partial")


def test_partial_comes_before_late_and_after_stale(stage: Stage) -> None:
    stage.markets("aster", [1000] * 10)
    stage.sweep("aster", "partial", "partial 8/10", expected=10, failed=2)
    assert told(stage) == ("partial", "2 of 10 markets failed in the last sweep", 1)
    stage.markets("aster", [8000])
    assert told(stage)[0] == "stale"


@pytest.mark.parametrize(
    ("gone", "left", "word"), [(3, 30, "ok"), (4, 30, "partial"), (5, 96, "ok"), (6, 94, "partial")]
)
def test_more_than_a_twentieth_and_three_markets_gone_without_a_word_are_partial(
    stage: Stage, gone: int, left: int, word: str
) -> None:
    stage.markets("aster", [60] * left)
    stage.sweep("aster", expected=left + gone, failed=0)
    stage.markets("aster", [4000] * gone, status="absent")
    health, reason, exit_code = told(stage)
    assert (health, exit_code) == (word, int(word != "ok"))
    assert ("left the list without a word" in reason) == (word != "ok")


def test_markets_that_the_venue_closed_are_not_missed(stage: Stage) -> None:
    stage.healthy("aster", markets=10)
    stage.markets("aster", [90_000] * 8, status="delisted")
    assert told(stage) == ("ok", "", 0)


def test_markets_that_fail_sweep_after_sweep_are_counted_apart(stage: Stage) -> None:
    stage.healthy("aster", markets=10)
    stage.markets("aster", [90_000] * 2, failures=3, failure="HTTP 400")
    assert told(stage) == ("ok", "", 0)
    assert (aster(stage).markets, aster(stage).markets_failing) == (10, 2)


def test_a_sweep_that_failed_as_a_whole_is_an_error_whatever_the_quotes_say(stage: Stage) -> None:
    stage.healthy("aster")
    stage.sweep("aster", "error", "HTTP 503", started=NOW - 100)
    assert told(stage) == ("error", "HTTP 503", 1)
    one = aster(stage)
    assert (one.status, one.last_error, one.consecutive_failures) == ("error", "HTTP 503", 1)
    assert (one.last_success, one.last_run, one.total_runs) == (NOW - 600, NOW - 100, 2)


def test_failed_quotes_are_told_and_make_it_late_not_an_error(stage: Stage) -> None:
    stage.healthy("aster", age=1000)
    stage.sweep("aster", "error", "HTTP 503", kind="quotes", started=NOW - 100)
    assert told(stage)[0] == "late"
    assert (aster(stage).status, aster(stage).last_error) == ("error", "HTTP 503")


def test_a_quick_try_with_few_markets_is_no_complete_sweep(stage: Stage) -> None:
    stage.markets("aster", [60, 60])
    stage.sweep("aster", "partial", "only 2 markets were asked for")
    assert told(stage) == ("partial", "only 2 markets were asked for", 1)


@pytest.mark.parametrize("state", ["never", "stale", "error", "interrupted"])
def test_a_pause_goes_before_everything(stage: Stage, state: str) -> None:
    stage.markets("aster", [9000])
    if state != "never":
        stage.sweep("aster", "error" if state == "error" else "ok", "HTTP 503", expected=1, failed=0)
    if state == "interrupted":
        stage.begin("aster")
    stage.change(
        "UPDATE tracker SET paused = 1 WHERE exchange_id = (SELECT id FROM exchange WHERE name='aster')"
    )
    assert told(stage) == ("paused", "paused by you", 0)


# A run that never ended


def begun(stage: Stage, *, beat: float | None, locked: bool) -> Lock | None:
    """Aster was healthy, and a sweep is running; of what process, the heartbeat and the lock tell."""
    stage.healthy("aster")
    held = stage.locked() if locked else None
    if beat is not None:
        stage.beat(beat)
    stage.begin("aster")
    return held


def test_a_sweep_of_a_living_process_is_running(stage: Stage) -> None:
    held = begun(stage, beat=20, locked=True)
    assert held is not None
    with held:
        assert told(stage) == ("ok", "", 0)
        assert (aster(stage).status, aster(stage).last_error) == ("running", None)
        assert seen(stage).collector.running


@pytest.mark.parametrize(
    ("beat", "locked", "reason"),
    [
        (20, False, "interrupted: no sign of life"),
        (121, True, "interrupted: no sign of life for 2 min"),
        (7300, False, "interrupted: no sign of life for 2 h 1 min"),
        (None, False, "interrupted: no sign of life"),
        (None, True, "interrupted: no sign of life"),
    ],
    ids=["killed just now", "hangs", "died long ago", "killed before its first beat", "never beat"],
)
def test_running_never_outlives_its_process(
    stage: Stage, beat: float | None, locked: bool, reason: str
) -> None:
    held = begun(stage, beat=beat, locked=locked)
    assert told(stage) == ("error", reason, 1)
    assert (aster(stage).status, aster(stage).last_error) == ("error", "interrupted")
    assert not seen(stage).collector.running
    if held:
        held.release()


def test_where_the_lock_cannot_be_looked_at_the_heartbeat_alone_decides(stage: Stage) -> None:
    begun(stage, beat=20, locked=False)
    stage.path.with_name(stage.path.name + ".lock").symlink_to(stage.path)
    assert told(stage) == ("ok", "", 0)
    assert told_at(stage, NOW + 101) == "error"


def test_an_interrupted_sweep_stays_an_error_until_the_next_one_goes_well(stage: Stage) -> None:
    begun(stage, beat=20, locked=False)
    stage.recover()
    with stage.locked():
        stage.beat(0)
        health, reason, exit_code = told(stage)
        assert (health, exit_code) == ("error", 1)
        assert reason.startswith("interrupted: the program ended during the sweep of")
        stage.begin("aster", started=NOW - 10)
        assert told(stage)[0] == "error"
        stage.sweep("aster", expected=3, failed=0, started=NOW - 9)
        assert told(stage) == ("ok", "", 0)


def test_a_first_sweep_that_was_cut_short_is_an_error_not_never(stage: Stage) -> None:
    stage.markets("aster", [60])
    stage.sweep("aster", "interrupted", "stopped before it was complete")
    assert told(stage) == ("error", "stopped before it was complete", 1)


def test_the_first_sweep_under_way_is_never_with_the_reason(stage: Stage) -> None:
    with stage.locked():
        stage.beat(1)
        stage.begin("aster")
        assert told(stage) == ("never", "its first sweep is under way", 3)


def test_a_backfill_that_was_killed_is_told_until_quotes_come(stage: Stage) -> None:
    stage.healthy("aster")
    stage.begin("aster", "backfill")
    assert told(stage)[0] == "error"
    stage.recover()
    assert told(stage) == ("ok", "", 0)
    assert aster(stage).status == "error"
    stage.sweep("aster", kind="quotes", started=NOW - 5)
    assert (aster(stage).status, aster(stage).last_error) == ("idle", None)


# The process that collects


def test_nobody_ever_collected(stage: Stage) -> None:
    assert msgspec.to_builtins(seen(stage).collector) == {
        "running": False,
        "pid": None,
        "heartbeat": None,
        "role": None,
    }
    assert seen(stage).alerts == []


def test_a_collector_that_died_without_a_word_is_an_alert(stage: Stage) -> None:
    stage.healthy("aster")
    stage.beat(300)
    found = seen(stage)
    assert (found.collector.running, found.collector.pid, found.collector.heartbeat) == (
        False,
        4242,
        NOW - 300,
    )
    (alert,) = found.alerts
    assert (alert.exchange, alert.kind, alert.since) == (None, "collector", NOW - 300)
    assert alert.message == "the collector died without a word"


def test_a_collector_that_said_goodbye_is_none(stage: Stage) -> None:
    stage.healthy("aster")
    stage.beat(30)
    stage.stop()
    found = seen(stage)
    assert (found.collector.running, found.collector.heartbeat, found.alerts) == (False, None, [])


def test_a_backfill_keeps_its_runs_alive_and_is_told_apart(stage: Stage) -> None:
    stage.healthy("aster")
    with stage.locked():
        stage.beat(10, role="backfill")
        stage.begin("aster", "backfill")
        assert told(stage) == ("ok", "", 0)
        found = seen(stage)
        assert (found.collector.running, found.collector.role, found.alerts) == (True, "backfill", [])


# The unit check


def test_a_failed_unit_check_is_an_error_with_its_sentence(stage: Stage) -> None:
    stage.healthy("aster")
    stage.unit_check("aster", "error", modal=1095.0)
    assert told(stage) == ("error", "all rates are error", 1)
    found = seen(stage)
    assert [(alert.exchange, alert.kind, alert.message) for alert in found.alerts] == [
        ("aster", "unit check", "all rates are error")
    ]
    check = aster(stage).unit_check
    assert (check.verdict, check.modal_apr_percent) == ("error", 1095.0)


def test_a_failed_unit_check_of_a_builder_dex_is_not_the_whole_exchange(stage: Stage) -> None:
    stage.healthy("aster")
    stage.unit_check("aster", "ok", modal=10.95)
    stage.unit_check("aster", "error", "xyz", modal=547.5)
    assert told(stage) == ("ok", "", 0)
    assert aster(stage).unit_check.verdict == "error"
    assert aster(stage).unit_check.sentence == "xyz rates are error"


def test_a_check_that_can_tell_speaks_for_one_that_cannot(stage: Stage) -> None:
    stage.unit_check("aster", "unknown", "vntl")
    assert aster(stage).unit_check.verdict == "unknown"
    stage.unit_check("aster", "ok", modal=10.95)
    assert (aster(stage).unit_check.verdict, aster(stage).unit_check.modal_apr_percent) == ("ok", 10.95)


# All exchanges together


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [
        (["ok", "ok"], 0),
        (["ok", "late"], 0),
        (["ok", "paused"], 0),
        (["ok", "stale"], 1),
        (["ok", "partial"], 1),
        (["ok", "error"], 1),
        (["ok", "never"], 1),
        (["never", "never"], 3),
        (["paused", "never"], 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst(stage: Stage, words: list[str], exit_code: int) -> None:
    exchanges = [msgspec.structs.replace(aster(stage), health=word, enabled=True) for word in words]
    found = Status(seen(stage).collector, exchanges, [])
    assert found.exit_code == exit_code


def test_an_exchange_that_is_switched_off_is_listed_and_does_not_count(stage: Stage) -> None:
    stage.healthy("aster")
    stage.markets("lighter", [90_000])
    stage.sweep("lighter", "error", "HTTP 451")
    found = seen(stage)
    assert (found.exit_code, found.alerts) == (0, [])
    assert {one.exchange: one.enabled for one in found.exchanges} == {n: n == "aster" for n in REGISTRY}
    assert next(one for one in found.exchanges if one.exchange == "lighter").health == "error"

    both = Config(exchanges=ONLY_ASTER.exchanges | {"lighter": ExchangeSection()})
    assert seen(stage, both).exit_code == 1


def test_an_alert_began_when_the_collector_noted_it_else_after_the_last_success(stage: Stage) -> None:
    stage.healthy("aster", age=9000)
    (alert,) = seen(stage).alerts
    assert (alert.kind, alert.since, alert.message) == ("stale", NOW - 600, "quotes are 2 h 30 min old")
    with stage.writer.transaction():
        alerts.open_alert(stage.writer, "aster", "stale", "", NOW - 1800)
    (alert,) = seen(stage).alerts
    assert alert.since == NOW - 1800


# Numbers


def test_gaps_are_the_market_hours_since_the_horizon_that_can_still_come(stage: Stage) -> None:
    stage.exchange = "aster"
    stage.describe("aster")
    market = stage.market("BTC", listed_time=hour(0))
    stage.quote(market, observed_at=NOW - 60, interval_hours=1.0, next_funding_time=hour(END + 1))
    stage.fill("BTC", range(END - 9, END + 1))
    stage.sweep("aster", expected=1, failed=0)
    one = aster(stage)
    assert (one.gaps_open, one.newest_settlement, one.newest_quote) == (48 - 10, hour(END), NOW - 60)


def test_an_exchange_that_publishes_no_settlements_has_no_gaps(stage: Stage) -> None:
    stage.describe("variational", Source.RECORDED)
    market = stage.market("BTC", exchange="variational", listed_time=hour(0))
    stage.quote(market, observed_at=NOW - 60, interval_hours=8.0, next_funding_time=hour(END + 8))
    found = next(one for one in seen(stage).exchanges if one.exchange == "variational")
    assert found.gaps_open == 0


def test_nothing_known_is_null_not_zero(stage: Stage) -> None:
    one = msgspec.to_builtins(aster(stage))
    unknown = ("last_run", "last_success", "last_error", "newest_quote", "newest_settlement", "next_try")
    assert [one[field] for field in unknown] == [None] * 6
    assert (one["oldest_quote_seconds"], one["budget_used"]) == (None, None)
    assert (one["markets"], one["total_runs"], one["total_records"]) == (0, 0, 0)
