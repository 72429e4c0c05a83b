"""What happened, each thing once, the newest first."""

from fundwatch.answers.status import AlertState, CollectorState, Status
from fundwatch.storage.alerts import AlertRow
from fundwatch.storage.queries import Event, Run
from fundwatch.tui.rows.event_list import Happening, _lines, events_of, happenings
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.words import Words

NOON = 1_764_590_400
"""2025-12-01 12:00 UTC."""


def event(kind: str, message: str, ago: int = 60, exchange: str | None = "aster") -> Event:
    return Event(ago, NOON - ago, exchange, None, kind, message, None)


def run(conflicts: int) -> Run:
    blank = dict.fromkeys(Run._fields)
    return Run(**blank)._replace(  # type: ignore[arg-type]
        id=7,
        exchange="lighter",
        kind="sweep",
        started=NOON - 90,
        ended=NOON - 80,
        outcome="ok",
        conflicts=conflicts,
    )


def snapshot(
    *events: Event,
    alerts: tuple[AlertRow, ...] = (),
    now: tuple[AlertState, ...] = (),
    runs: tuple[Run, ...] = (),
) -> Snapshot:
    status = Status(CollectorState(True, 1, NOON), [], list(now))
    return Snapshot(float(NOON), Question(), status, events=events, alerts=alerts, runs={"lighter": runs})


def texts(found: list[Happening]) -> list[str]:
    return [one.text for one in found]


def test_a_first_sighting_of_an_interval_is_no_event() -> None:
    found = events_of(
        snapshot(
            event("interval", "BTC pays every 8 h"), event("interval", "ETH pays every 4 h now, was 8 h")
        )
    )
    assert texts(found) == ["ETH pays every 4 h now, was 8 h"]


def test_what_the_conditions_tell_is_not_told_again_as_an_event() -> None:
    told = event("alert", "error: HTTP 403")
    assert events_of(snapshot(told, event("alert", "error: over"))) == []


def test_a_condition_is_told_once_at_its_beginning_or_at_its_end() -> None:
    goes_on = AlertRow(1, "aster", "error", "HTTP 403", NOON - 120, None, None)
    over = AlertRow(2, "paradex", "error", "HTTP 429", NOON - 7200, NOON - 3600, None)
    state = AlertState("aster", "error", "HTTP 403", NOON - 120)
    found = happenings(snapshot(event("alert", "error: HTTP 403", 120), alerts=(goes_on, over), now=(state,)))
    assert texts(found) == ["error: HTTP 403", "error over after 1 h: HTTP 429"]
    assert [one.time for one in found] == [NOON - 120, NOON - 3600]
    assert [one.goes_on for one in found] == [True, False]


def test_the_end_of_an_outage_says_for_how_long_nobody_collected() -> None:
    over = AlertRow(2, None, "collector", "it died without a word", NOON - 7200, NOON - 60, None)
    (found,) = happenings(snapshot(alerts=(over,)))
    assert found.text == "collecting again after 1 h 59 min: it died without a word"


def test_payments_that_came_with_another_rate_are_an_event() -> None:
    (found,) = events_of(snapshot(runs=(run(2), run(0))))
    assert (found.kind, found.exchange, found.time) == ("conflict", "lighter", NOON - 80)
    assert found.text.startswith("2 payments came with another rate than stored")


def test_events_and_conflicts_are_sorted_together() -> None:
    found = events_of(
        snapshot(event("delisted", "X is delisted", 100), event("listed", "Y", 10), runs=(run(1),))
    )
    assert [one.kind for one in found] == ["listed", "conflict", "delisted"]


def drawn(one: Happening, width: int) -> list[str]:
    return ["".join(text for text, _ in line) for line in _lines(one, Words(), NOON, width)]


def happening(ago: int, text: str = "GIMIR is delisted") -> Happening:
    return Happening(("event", 1), NOON - ago, "hyperliquid", "delisted", text)


def test_what_is_not_of_today_has_its_day() -> None:
    assert drawn(happening(60), 70)[0].startswith("       11:59 hyperliquid GIMIR")
    assert drawn(happening(13 * 3600), 70)[0].startswith(" 11-30 23:00 hyperliquid GIMIR")
    assert drawn(happening(13 * 3600), 44)[0].startswith(" 11-30 hyperliquid GIMIR")
    assert drawn(happening(400 * 86400), 70)[0].startswith("  2024-10-27 hyperliquid")


def test_a_long_text_goes_on_under_itself() -> None:
    first, second = drawn(happening(60, "one two three four five six seven eight nine ten eleven"), 62)
    assert second.startswith(" " * 25)
    assert len(first) == len(second) == 62
