"""Conditions and events as rows, and each in full."""

from dataclasses import replace

from fundwatch.answers.status import AlertState, CollectorState, Status
from fundwatch.storage.alerts import AlertRow
from fundwatch.tui.frame.concerns import Concern
from fundwatch.tui.rows.alert_rows import (
    condition_columns,
    condition_row,
    condition_told,
    conditions,
    event_row,
    event_told,
)
from fundwatch.tui.rows.event_list import Happening
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.words import Words
from tests.tui.markets import texts

NOON = 1_764_590_400
"""2025-12-01 12:00 UTC."""
WORDS = Words()


def snapshot(*alerts: AlertRow, now: tuple[AlertState, ...] = ()) -> Snapshot:
    return Snapshot(
        float(NOON), Question(), Status(CollectorState(True, 1, NOON), [], list(now)), alerts=alerts
    )


OPEN = AlertRow(1, "aster", "error", "HTTP 403", NOON - 8040, None, None)
OVER = AlertRow(2, "paradex", "error", "HTTP 429", NOON - 50 * 3600, NOON - 49 * 3600, None)
STATE = AlertState("aster", "error", "HTTP 403 Forbidden", NOON - 8040)


def row(index: int, *alerts: AlertRow, now: tuple[AlertState, ...] = (STATE,)) -> dict[str, str]:
    found = conditions(snapshot(*alerts, now=now))
    keys = [column.key for column in condition_columns(WORDS)]
    return dict(zip(keys, texts(condition_row(found[index], WORDS, NOON)), strict=True))


def test_what_goes_on_says_now_and_for_how_long() -> None:
    told = row(0, OPEN)
    assert (told["since"], told["until"], told["lasted"], told["ended"]) == (
        "09:46",
        "NOW",
        "2 h 14 min",
        "-",
    )
    assert told["message"] == "HTTP 403 Forbidden"


def test_what_is_over_has_both_ends_with_their_days_and_how_long_ago() -> None:
    told = row(1, OPEN, OVER)
    assert (told["since"], told["until"]) == ("11-29 10:00", "11-29 11:00")
    assert (told["lasted"], told["ended"]) == ("1 h", "2 d 1 h")


def test_what_a_person_acknowledged_is_marked_in_words() -> None:
    assert row(0, replace(OPEN, acknowledged=NOON))["until"] == "seen, NOW"


def test_what_this_screen_acknowledged_is_marked_before_the_collector_has_stored_it() -> None:
    (found,) = conditions(snapshot(OPEN, now=(STATE,)), is_seen=lambda key: key == ("aster", "error"))
    assert texts(condition_row(found, WORDS, NOON))[3] == "seen, NOW"


def test_a_beginning_that_nobody_noted_yet_is_not_invented() -> None:
    assert row(0)["since"] == "-"
    assert row(0)["lasted"] == "-"


def test_what_the_database_cannot_tell_stands_first() -> None:
    own = Concern("", "collector", "The collector stopped 5 s ago.", NOON - 5, "see 5")
    found = conditions(snapshot(OPEN, now=(STATE,)), [own])
    assert [one.kind for one in found] == ["collector", "error"]


def test_the_same_condition_from_both_sides_is_one_row() -> None:
    own = Concern("", "collector", "It hangs.", NOON - 5, "see 5")
    found = conditions(snapshot(now=(AlertState(None, "collector", "died", NOON - 5),)), [own])
    assert [one.message for one in found] == ["It hangs."]


def test_a_condition_in_full_has_days_and_ages() -> None:
    goes_on, over = conditions(snapshot(OPEN, OVER, now=(STATE,)))
    assert condition_told(goes_on, WORDS, NOON) == (
        "aster, error: HTTP 403 Forbidden. Since 2025-12-01 09:46 UTC, 2 h 14 min ago."
    )
    assert condition_told(over, WORDS, NOON).endswith(
        "Since 2025-11-29 10:00 UTC, 2 d 2 h ago; over since 2025-11-29 11:00 UTC, after 1 h."
    )


def test_an_event_has_its_day_and_its_age() -> None:
    one = Happening(("event", 1), NOON - 36 * 3600, "hyperliquid", "delisted", "GIMIR is delisted", "warn")
    assert texts(event_row(one, WORDS, NOON)) == [
        "11-30 00:00", "1 d 12 h", "hyperliquid", "delisted", "GIMIR is delisted",
    ]  # fmt: skip
    assert event_told(one, WORDS, NOON) == (
        "hyperliquid, 2025-11-30 00:00 UTC, 1 d 12 h ago: GIMIR is delisted"
    )
