"""A snapshot is true at its moment, also where most of it was read before."""

from dataclasses import replace
from pathlib import Path

import pytest

from fundwatch.models import HOUR, Source
from fundwatch.storage import summary, trackers, undo
from fundwatch.storage.settlements import save_settlements
from fundwatch.tui import reading
from fundwatch.tui.reading import take_snapshot
from fundwatch.tui.snapshot import Question, Snapshot
from tests.answers.stage import END, NOW
from tests.storage.ledger import hour, paid
from tests.tui.house import House


def take(house: House, at: float = NOW, before: Snapshot | None = None, window: str = "now") -> Snapshot:
    return take_snapshot(house.stage.path, "real", house.config, Question(window), at, before)


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_again(*_: object) -> Snapshot:
        raise AssertionError("everything was read again")

    monkeypatch.setattr(reading, "_read", read_again)


def test_without_news_only_what_time_changes_is_taken_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(house)
    forbid_reading(monkeypatch)
    second = take(house, NOW + 100, first)
    assert second.markets is first.markets
    assert second.taken_at == NOW + 100
    ages = [one.oldest_quote_seconds for one in second.status.counted]
    assert ages == [112, 112, 112, 112]
    assert {s.oldest_leg_seconds for s in second.spreads} == {112}


def test_a_light_one_equals_one_that_was_read_in_full(house: House) -> None:
    light = take(house, NOW + 100, take(house))
    full = take(house, NOW + 100)
    assert light.status == full.status
    assert light.trust == full.trust
    assert light.spreads == full.spreads


def test_health_goes_late_by_time_alone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(house)
    monkeypatch.setattr(reading, "HOLDS_SECONDS", 1e6)
    monkeypatch.setattr(reading, "window_end", lambda now: 0)
    forbid_reading(monkeypatch)
    assert {one.health for one in take(house, NOW + 1000, first).status.counted} == {"late"}
    assert {t.reason for t in take(house, NOW + 9000, first).trust.values()} == {"stale"}


def test_trust_goes_by_time_alone_and_is_the_same_object_until_then(house: House) -> None:
    first = take(house)
    oldest = min(market.observed_at for market in first.markets if market.observed_at is not None)
    stale_at = oldest + house.config.collector.stale_after_seconds
    before = take(house, stale_at - 1, first)
    again = take(house, stale_at, before)
    assert again.trust is before.trust
    after = take(house, stale_at + 0.001, again)
    assert after.trust == take(house, stale_at + 0.001).trust != before.trust


def test_a_heartbeat_is_no_news_and_alerts_come_anyway(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(house)
    forbid_reading(monkeypatch)
    house.stage.beat(0)
    house.stage.change("INSERT INTO alert (kind, message, since) VALUES ('disk', 'full', 5)")
    house.stage.event(time=int(NOW), kind="listed", message="X is listed")
    second = take(house, NOW + 1, first)
    assert [alert.message for alert in second.alerts] == ["full"]
    assert [event.message for event in second.events] == ["X is listed"]


def test_every_kind_of_news_is_read(house: House) -> None:
    def after(change: object) -> bool:
        first = take(house)
        assert callable(change)
        change()
        return take(house, NOW + 1, first).markets is not first.markets

    stage = house.stage
    stage.exchange = "aster"
    assert after(lambda: house.market("aster", "NEWUSDT", "NEW", 5.0))
    assert after(lambda: stage.fill("NEWUSDT", range(700, 801)))
    assert after(lambda: stage.sweep("aster", expected=2, failed=0))
    assert after(lambda: stage.change("UPDATE quote SET open_interest_usd = 7"))
    assert after(lambda: stage.change("INSERT INTO identity (market_id, samples) VALUES (2, 1)"))


def test_another_question_or_hour_is_read_in_full(house: House) -> None:
    first = take(house)
    assert take(house, NOW, first, "7d").question.window == "7d"
    assert take(house, NOW, first, "7d").markets is not first.markets
    assert take(house, NOW + 3600, first).markets is not first.markets
    assert take(house, NOW + reading.HOLDS_SECONDS, first).markets is not first.markets


def test_a_clock_that_went_back_is_read_in_full(house: House, tmp_path: Path) -> None:
    first = take(house)
    assert take(house, NOW - 60, first).markets is not first.markets


def pepe(found: Snapshot) -> float | None:
    """The share of the pair of PEPE."""
    return next(one.share_positive for one in found.spreads if one.asset == "PEPE")


def settle(house: House, exchange: str, symbol: str, *rates: float) -> int:
    """Hourly payments, the last one at END, as the collector stores them; the run's id."""
    writer = house.stage.writer
    rows = [paid(END - back, rate, symbol=symbol) for back, rate in enumerate(rates)]
    with writer.transaction():
        run_id = trackers.begin_run(writer, exchange, "backfill", Source.EXCHANGE, 1, NOW)
        stored = save_settlements(writer, run_id, exchange, rows, NOW)
        trackers.count_rows(writer, run_id, inserted=stored.inserted, replaced=stored.replaced)
        summary.refresh(writer, NOW, stored.market_ids)
    return run_id


def forbid_settlements(patched: pytest.MonkeyPatch) -> None:
    def read(*_: object, **__: object) -> None:
        raise AssertionError("settlements were read again")

    patched.setattr("fundwatch.answers.earned.paid_hourly", read)
    patched.setattr("fundwatch.answers.status.gaps_open", read)
    patched.setattr("fundwatch.storage.summary._recorded", read)


def test_new_quotes_alone_do_not_let_settlements_be_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(house, "lighter", "PEPE", 0.0001, 0.0003)
    settle(house, "binance", "PEPEUSDT", 0.0002, 0.0002)
    first = take(house)
    house.stage.change("UPDATE quote SET observed_at = observed_at + 5, hourly_rate = hourly_rate * 2")
    with monkeypatch.context() as patched:
        forbid_settlements(patched)
        second = take(house, NOW + 5, first)
    assert second.markets is not first.markets
    assert {market.observed_at for market in second.markets} == {NOW - 7, None}
    assert pepe(second) == pepe(first) == 0.5
    assert second == take(house, NOW + 5)


def test_what_is_stored_and_taken_back_is_seen_at_once(house: House) -> None:
    settle(house, "lighter", "PEPE", 0.0001, 0.0003)
    settle(house, "binance", "PEPEUSDT", 0.0002, 0.0002)
    first = take(house)
    run_id = settle(house, "lighter", "PEPE", 0.0001, 0.0003, 0.0001)
    settle(house, "binance", "PEPEUSDT", 0.0002, 0.0002, 0.0002)
    second = take(house, NOW + 1, first)
    with house.stage.writer.transaction():
        undo.undo_run(house.stage.writer, run_id, NOW)
    third = take(house, NOW + 2, second)
    assert (pepe(first), pepe(second), pepe(third)) == (0.5, 2 / 3, 0.5)
    assert third == take(house, NOW + 2)
    gaps = [next(e.gaps_open for e in s.status.exchanges if e.exchange == "lighter") for s in (second, third)]
    assert gaps[1] == gaps[0] + 1


def test_when_nobody_collects_windows_are_derived_once_for_each_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(house, "lighter", "PEPE", *[0.0001] * 24)
    morning = NOW + 9 * HOUR
    first = take(house, morning, take(house), "24h")
    house.stage.change("UPDATE quote SET mark_price = 5")
    with monkeypatch.context() as patched:
        forbid_settlements(patched)
        second = take(house, morning + 1, replace(first, fingerprint=()), "24h")
    (market,) = (m for m in second.markets if m.symbol == "PEPE")
    assert market.coverage_24h == 15 / 24
    third = take(house, morning + HOUR, second, "24h")
    (market,) = (m for m in third.markets if m.symbol == "PEPE")
    assert market.coverage_24h == 14 / 24


def test_gaps_grow_with_the_hour_without_any_news(house: House) -> None:
    house.stage.change("UPDATE market SET listed_time = ?", hour(END - 10))
    first = take(house)
    hour_later = take(house, NOW + HOUR, first)
    assert [one.gaps_open for one in first.status.counted] == [20, 30, 10, 20]
    assert [one.gaps_open for one in hour_later.status.counted] == [22, 33, 11, 22]
