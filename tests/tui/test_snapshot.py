"""A snapshot is true at its moment, also where most of it was read before."""

from pathlib import Path

import pytest

from fundwatch.tui import snapshot
from fundwatch.tui.snapshot import Question, Snapshot, take_snapshot
from tests.answers.stage import NOW
from tests.tui.house import House


def take(house: House, at: float = NOW, before: Snapshot | None = None, window: str = "now") -> Snapshot:
    return take_snapshot(house.stage.path, "real", house.config, Question(window), at, before)


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_again(*_: object) -> Snapshot:
        raise AssertionError("everything was read again")

    monkeypatch.setattr(snapshot, "_read", read_again)


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
    monkeypatch.setattr(snapshot, "HOLDS_SECONDS", 1e6)
    monkeypatch.setattr(snapshot, "window_end", lambda now: 0)
    forbid_reading(monkeypatch)
    assert {one.health for one in take(house, NOW + 1000, first).status.counted} == {"late"}
    assert {t.reason for t in take(house, NOW + 9000, first).trust.values()} == {"stale"}


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
    assert take(house, NOW + snapshot.HOLDS_SECONDS, first).markets is not first.markets


def test_a_clock_that_went_back_is_read_in_full(house: House, tmp_path: Path) -> None:
    first = take(house)
    assert take(house, NOW - 60, first).markets is not first.markets
