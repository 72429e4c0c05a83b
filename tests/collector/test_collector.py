"""What starts when."""

import asyncio
from pathlib import Path

import pytest

from fundwatch.collector import collector as collector_module
from fundwatch.exchanges.bans import Ban
from fundwatch.exchanges.errors import Banned, ServerFault
from fundwatch.models import HOUR
from fundwatch.storage import presence
from fundwatch.storage.errors import StorageError
from tests.collector.bench import DAY, Bench, on_bench
from tests.collector.scripted import NOON, break_disk, mend_disk


async def hang() -> None:
    await asyncio.Event().wait()


def test_the_first_tick_sweeps_everything_whatever_the_minute(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        assert bench.ended("sweep") == bench.ended("sweep", "lighter") == ["ok"]
        assert bench.started("quotes") == [], "the sweep has brought them"
        assert bench.state().last_sweep_hour == NOON // HOUR

    on_bench(tmp_path, script)


def test_quotes_of_all_exchanges_come_in_the_same_slot_and_sweeps_at_their_own_minute(
    tmp_path: Path,
) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.forget()
        await bench.pass_time(2 * HOUR - 60)
        assert bench.minutes_of("list") == [5.0, 5.0]
        assert bench.minutes_of("list", "lighter") == [17.0, 17.0]
        # Every five minutes from one before the full hour, and with each sweep.
        slots = [float(minute) for minute in (34, 39, 44, 49, 54, 59, 4, 9, 14, 19, 24, 29)]
        for name, minute in (("aster", 5.0), ("lighter", 17.0)):
            quotes = bench.minutes_of("quotes", name)
            assert [m for m in quotes if m != minute] == (slots * 2)[:24]
            assert quotes.count(minute) == 2
        assert bench.hours()[-2:] == [NOON + HOUR, NOON + 2 * HOUR]
        assert bench.troubles() == []

    on_bench(tmp_path, script)


def test_a_sweep_that_is_due_in_a_new_slot_brings_the_quotes_itself(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.collector._minutes["aster"] = 59
        await bench.pass_time(60)
        bench.forget()
        await bench.pass_time(30 * 60 - 60)
        assert bench.minutes_of("list") == [59.0]
        assert bench.minutes_of("quotes").count(59.0) == 1

    on_bench(tmp_path, script)


def test_many_ticks_start_nothing_twice(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        for _ in range(50):
            bench.collector.tick()
        await bench.pass_time(20, step=0.5)
        assert len(bench.started("sweep")) == 1
        assert bench.exchanges["aster"].log[0][0] == "list"
        assert len(bench.exchanges["aster"].log) == 3

    on_bench(tmp_path, script)


def test_after_eight_hours_of_sleep_one_sweep_catches_up(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(10 * 60)
        bench.forget()
        bench.clock.jump(8 * HOUR)
        await bench.pass_time(120)
        for name in bench.exchanges:
            assert bench.ended("sweep", name) == ["ok"]
            assert bench.hours(name)[-9:] == [NOON + hour * HOUR for hour in range(9)]
            assert bench.exchanges[name].asked[0]["M001"] == [(NOON, NOON + 8 * HOUR)]

    on_bench(tmp_path, script)


def test_the_clock_goes_back_twelve_hours_and_nothing_stands_still(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(10 * 60)
        before = bench.hours()
        bench.forget()
        bench.clock.jump(-12 * HOUR)
        await bench.pass_time(60)
        assert bench.ended("sweep") == ["ok"]
        await bench.pass_time(13 * HOUR, step=60)
        assert bench.minutes_of("list")[1:] == [5.0] * 13
        assert len(bench.started("quotes")) >= 13 * 11
        hours = bench.hours()
        assert set(before) < set(hours)
        assert hours == list(range(hours[0], NOON + HOUR + 1, HOUR)), "each hour once"

    on_bench(tmp_path, script)


def test_a_retry_that_was_planned_before_the_clock_went_back_does_not_wait_for_hours(
    tmp_path: Path,
) -> None:
    async def script(bench: Bench) -> None:
        bench.exchanges["aster"].trouble = {"settlements": ServerFault("HTTP 503")}
        await bench.pass_time(60)
        assert bench.state().next_try is not None
        bench.exchanges["aster"].trouble = {}
        bench.clock.jump(-12 * HOUR)
        await bench.pass_time(60)
        assert bench.ended("sweep") == ["error", "ok"]

    on_bench(tmp_path, script)


def test_the_clock_runs_thirty_days_ahead_and_is_put_right(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(10 * 60)
        real = bench.hours()
        bench.exchanges["aster"].published_after = 30 * DAY  # the venue knows what time it is
        bench.clock.jump(30 * DAY)
        await bench.pass_time(30 * 60)
        assert bench.hours() == real
        bench.exchanges["aster"].published_after = 0
        bench.clock.jump(-30 * DAY)
        bench.forget()
        await bench.pass_time(HOUR)
        assert bench.ended("sweep")[0] == "ok"
        assert bench.hours() == [*real, NOON + HOUR, NOON + 2 * HOUR]
        newest = bench.ledger.writer.value("SELECT MAX(observed_at) FROM quote")
        assert newest <= bench.clock.now()
        assert bench.state().status == "idle"

    on_bench(tmp_path, script)


def test_what_stayed_open_is_tried_again_within_the_hour(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.forget()
        bench.exchanges["aster"].published_after = 11 * 60
        await bench.pass_time(59 * 60)
        assert bench.minutes_of("list") == [5.0, 10.0, 20.0]
        assert bench.ended("sweep") == ["ok", "ok", "ok"]
        assert bench.hours()[-1] == NOON + HOUR
        assert (bench.state().next_try, bench.state().last_sweep_hour) == (None, NOON // HOUR + 1)

    on_bench(tmp_path, script)


def test_a_failing_exchange_is_tried_less_and_less_and_anew_in_the_next_hour(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.forget()
        bench.exchanges["aster"].trouble = {"list": ServerFault("HTTP 503")}
        await bench.pass_time(2 * HOUR - 60)
        assert bench.minutes_of("list") == [5.0, 10.0, 20.0, 40.0, 5.0, 10.0, 20.0]
        assert bench.ended("sweep", "lighter") == ["ok", "ok"]
        assert bench.ended("quotes").count("ok") >= 22, "its quotes go on"
        bench.exchanges["aster"].trouble = {}
        await bench.pass_time(HOUR)
        assert bench.hours()[-3:] == [NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]

    on_bench(tmp_path, script)


def test_a_ban_is_waited_for_also_when_it_is_longer_than_an_hour(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        exchange = bench.exchanges["aster"]
        http = exchange.http
        until = bench.clock.now() + 3 * HOUR
        http.standing._bans.put(http.standing.scope, Ban("banned", until, "banned"))
        exchange.trouble = {"list": Banned("banned", retry_at=until)}
        await bench.pass_time(3 * HOUR - 10, step=30)
        assert len(bench.started("sweep")) == 1, "not again until it is over"
        assert bench.state().next_try == until
        exchange.trouble = {}
        await bench.pass_time(60)
        assert bench.ended("sweep") == ["error", "ok"]

    on_bench(tmp_path, script)


def test_a_slow_sweep_never_overlaps_itself_and_its_quotes_stay_fresh(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        exchange = bench.exchanges["aster"]

        async def slowly() -> None:
            await bench.clock.sleep(350)

        exchange.trouble = {"settlements": slowly}
        await bench.pass_time(340)
        assert len(bench.started("sweep")) == 1
        assert bench.ended("quotes") == ["ok"]
        await bench.pass_time(60)
        assert bench.ended("sweep") == ["ok"]
        assert bench.minutes_of("quotes") == [30.0, 34.0]

    on_bench(tmp_path, script)


def test_a_sweep_longer_than_an_hour_is_followed_by_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.collector.settle.NO_PROGRESS_SECONDS", 3 * HOUR)

    async def script(bench: Bench) -> None:
        async def crawl() -> None:
            await bench.clock.sleep(2.5 * HOUR)

        bench.exchanges["aster"].trouble = {"settlements": crawl}
        await bench.pass_time(2 * HOUR, step=30)
        assert len(bench.started("sweep")) == 1
        bench.exchanges["aster"].trouble = {}
        await bench.pass_time(HOUR, step=30)
        assert bench.ended("sweep")[:2] == ["ok", "ok"]
        assert bench.hours()[-1] == NOON + 3 * HOUR

    on_bench(tmp_path, script)


@pytest.mark.parametrize("error", [ValueError("a bug"), MemoryError(), RecursionError(), SystemExit(1)])
def test_one_exchange_that_raises_anything_stops_no_other(error: BaseException, tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.exchanges["aster"].trouble = {"quotes": error}
        await bench.pass_time(HOUR, step=30)
        assert set(bench.ended("sweep")) == set(bench.ended("quotes")) == {"error"}
        assert set(bench.ended("sweep", "lighter")) == set(bench.ended("quotes", "lighter")) == {"ok"}
        assert (bench.state().status, bench.state("lighter").status) == ("error", "idle")

    on_bench(tmp_path, script)


def test_one_exchange_that_hangs_delays_no_other(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.exchanges["aster"].trouble = {"list": hang, "quotes": hang}
        await bench.pass_time(50)
        assert bench.ended("sweep", "lighter") == ["ok"]
        assert bench.state().status == "running"
        await bench.pass_time(30)
        assert bench.ended("sweep") == ["error"]
        assert bench.state().last_error == "quotes were not complete within 60 s"

    on_bench(tmp_path, script)


def test_old_holes_are_filled_behind_a_sweep_and_only_once(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        assert bench.ended("backfill") == ["ok"]
        assert len(bench.hours()) == 3 * 24
        bench.forget()
        await bench.pass_time(2 * HOUR, step=30)
        assert bench.started("backfill") == []

    on_bench(tmp_path, script, history_days=3)


def test_a_paused_exchange_is_asked_nothing_also_after_a_restart(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.collector.pause("aster", True)
        bench.forget()
        await bench.pass_time(2 * HOUR, step=30)
        await bench.restart()
        await bench.pass_time(2 * HOUR, step=30)
        assert (await bench.collector.refresh(["aster"]))["aster"].word == "cancelled"
        assert bench.exchanges["aster"].log == []
        assert len(bench.started("sweep", "lighter")) >= 4

        bench.collector.pause("aster", False)
        await bench.pass_time(60)
        assert bench.ended("sweep") == ["ok"]
        assert bench.hours()[-4:] == [NOON + hour * HOUR for hour in (1, 2, 3, 4)]

    on_bench(tmp_path, script)


def test_a_pause_stops_what_is_under_way_and_a_resumed_sweep_goes_on(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.exchanges["aster"].trouble = {"settlements": hang}
        await bench.pass_time(30)
        assert bench.state().status == "running"
        bench.collector.pause("aster", True)
        await bench.pass_time(30)
        assert bench.ended("sweep") == ["interrupted"]
        assert (bench.state().status, bench.state().paused) == ("error", True)
        bench.exchanges["aster"].trouble = {}
        bench.collector.pause("aster", False)
        await bench.pass_time(30)
        assert bench.ended("sweep") == ["interrupted", "ok"]

    on_bench(tmp_path, script)


def test_a_restart_in_the_same_hour_takes_quotes_and_no_second_sweep(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        await bench.restart()
        bench.forget()
        await bench.pass_time(60)
        assert (len(bench.started("sweep")), bench.ended("quotes")) == (0, ["ok"])

    on_bench(tmp_path, script)


def test_a_refresh_sweeps_at_once_and_joins_a_sweep_under_way(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.forget()
        outcomes = await bench.collector.refresh(["aster", "lighter"])
        assert {name: outcome.word for name, outcome in outcomes.items()} == {"aster": "ok", "lighter": "ok"}

        async def slowly() -> None:
            await bench.clock.sleep(20)

        bench.exchanges["aster"].trouble = {"list": slowly}
        both = await asyncio.gather(bench.collector.refresh(["aster"]), bench.collector.refresh(["aster"]))
        assert [found["aster"].word for found in both] == ["ok", "ok"]
        assert len(bench.started("sweep")) == 2
        bench.collector.tick()
        assert len(bench.started("sweep")) == 2

    on_bench(tmp_path, script)


def test_a_refresh_that_is_paused_meanwhile_says_so(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.exchanges["aster"].trouble = {"list": hang}
        refresh = asyncio.create_task(bench.collector.refresh(["aster"]))
        await bench.clock.sleep(1)
        bench.collector.pause("aster", True)
        assert (await refresh)["aster"].word == "interrupted"

    on_bench(tmp_path, script)


def test_one_sweep_of_everything_can_be_asked_for(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        outcomes = await bench.collector.once(hours=3, limit=None)
        assert {outcome.word for outcome in outcomes.values()} == {"ok"}
        assert len(bench.hours()) == 3
        assert bench.ledger.writer.value("SELECT COUNT(*) FROM summary") == 42
        assert bench.ledger.writer.value("SELECT COUNT(*) FROM identity") == 42

    on_bench(tmp_path, script)


def test_identity_and_windows_follow_the_quotes(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        writer = bench.ledger.writer
        assert writer.value("SELECT COUNT(*) FROM identity WHERE same_as_group = 0") == 42
        end = writer.value("SELECT MIN(window_end) FROM summary")
        await bench.pass_time(HOUR, step=30)
        assert writer.value("SELECT MIN(window_end) FROM summary") == end + HOUR

    on_bench(tmp_path, script)


def test_a_disk_that_takes_nothing_makes_no_storm_and_heals(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(60)
        bench.forget()
        await bench.pass_time(33 * 60)
        break_disk(bench.ledger)
        bench.forget()
        await bench.pass_time(30 * 60)
        assert all(exchange.log == [] for exchange in bench.exchanges.values()), "nothing is asked in vain"
        assert 0 < len(bench.troubles()) < 80
        mend_disk(bench.ledger)
        await bench.pass_time(30 * 60)
        assert bench.hours()[-1] == NOON + HOUR
        assert bench.state().status == "idle"

    on_bench(tmp_path, script)


def test_an_end_that_cannot_be_noted_makes_no_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(bench: Bench) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise StorageError("no room left")

        monkeypatch.setattr(bench.ledger, "swept", refuse)
        await bench.pass_time(20 * 60)
        assert len(bench.started("sweep")) == 4
        assert {trouble.message for trouble in bench.troubles()} == {"no room left"}

    on_bench(tmp_path, script)


def test_draining_ends_every_run(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        bench.collector.tick()
        for exchange in bench.exchanges.values():
            exchange.trouble = {"settlements": hang}
        await bench.clock.sleep(5)
        await bench.collector.drain()
        assert bench.ended("sweep") == bench.ended("sweep", "lighter") == ["interrupted"]
        assert bench.ledger.writer.value("SELECT COUNT(*) FROM run WHERE ended IS NULL") == 0
        last = presence.presence(bench.ledger.writer)
        assert last is None, "it never gave a sign of life"

    on_bench(tmp_path, script)


def test_draining_does_not_wait_for_ever(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        stubborn = True

        async def deaf() -> None:
            while stubborn:
                try:
                    await asyncio.sleep(1)
                except asyncio.CancelledError:
                    continue

        bench.exchanges["aster"].trouble = {"settlements": deaf}
        bench.collector.tick()
        await bench.clock.sleep(5)
        begin = bench.clock.monotonic()
        await bench.collector.drain()
        assert bench.clock.monotonic() - begin == pytest.approx(collector_module.STOP_SECONDS)
        assert [trouble.where for trouble in bench.troubles()] == ["aster sweep"]
        await bench.collector.drain()
        stubborn = False
        await asyncio.sleep(2)

    on_bench(tmp_path, script)
