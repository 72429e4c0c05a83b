"""What the banner shows first, and what a person has seen of it."""

from fundwatch.answers.status import AlertState, CollectorState, ExchangeStatus, Status
from fundwatch.storage.alerts import AlertRow
from fundwatch.tui.frame.activity import Activity, Fault
from fundwatch.tui.frame.concerns import Concern, Concerns, ids_of, own_concerns
from fundwatch.tui.frame.pulse import Pulse
from fundwatch.tui.snapshot import Question, Snapshot
from fundwatch.tui.words import Words
from tests.tui.frame.test_status_line import NOON, one

WORDS = Words()


def snapshot(
    *alerts: tuple[str | None, str],
    exchanges: tuple[ExchangeStatus, ...] = (),
    running: bool = True,
    noted: tuple[AlertRow, ...] = (),
) -> Snapshot:
    states = [AlertState(name, kind, f"{kind} of {name}", None) for name, kind in alerts]
    status = Status(CollectorState(running, 1, int(NOON) - 300), list(exchanges), states)
    return Snapshot(NOON, Question(), status, alerts=noted)


def kinds(found: list[Concern]) -> list[str]:
    return [concern.kind for concern in found]


def row(id: int, name: str, kind: str, since: int, acknowledged: int | None = None) -> AlertRow:
    return AlertRow(id, name, kind, kind, since, None, acknowledged)


def test_wrong_numbers_come_before_none_and_none_before_old_ones() -> None:
    now = snapshot(
        ("a", "partial"), ("b", "stale"), ("c", "error"), (None, "collector"), ("d", "unit check")
    )  # fmt: skip
    found = Concerns().update(now, [], NOON, WORDS)
    assert kinds(found) == ["unit check", "collector", "error", "stale", "partial"]


def test_of_those_alike_the_newest_comes_first() -> None:
    noted = (row(1, "a", "error", int(NOON) - 900), row(2, "b", "error", int(NOON) - 60))
    now = snapshot(("a", "error"), ("b", "error"), noted=noted)
    assert [c.exchange for c in Concerns().update(now, [], NOON, WORDS)] == ["b", "a"]


def test_when_it_began_is_what_a_collector_noted_and_else_not_known() -> None:
    now = snapshot(("a", "error"), ("b", "error"), noted=(row(1, "a", "error", int(NOON) - 900),))
    found = Concerns().update(now, [], NOON, WORDS)
    assert {c.exchange: c.since for c in found} == {"a": NOON - 900, "b": None}


def test_what_is_acknowledged_makes_room_for_the_next_and_speaks_up_when_it_comes_back() -> None:
    concerns = Concerns()
    both = snapshot(("a", "unit check"), ("b", "error"))
    first = concerns.update(both, [], NOON, WORDS)[:1]
    concerns.acknowledge(first)
    assert kinds(concerns.update(both, [], NOON, WORDS)) == ["error"]
    assert concerns.count == 2
    assert concerns.is_seen(("a", "unit check"))
    concerns.update(snapshot(("b", "error")), [], NOON, WORDS)
    assert kinds(concerns.update(both, [], NOON, WORDS)) == ["unit check", "error"]


def test_the_stored_alerts_behind_a_concern_are_those_that_are_open_and_new() -> None:
    noted = (row(1, "a", "error", 5), row(2, "b", "error", 5), row(3, "a", "error", 5, acknowledged=6))
    now = snapshot(("a", "error"), noted=noted)
    assert ids_of(Concerns().update(now, [], NOON, WORDS)[:1], now) == []
    assert ids_of([Concern("a", "error", "", None, "")], now) == [1]


def silent(word: str = "error", *, running: bool = True) -> Snapshot:
    return snapshot(
        *(("a", word), ("b", word)),
        exchanges=tuple(one(name, word, int(NOON) - 3480) for name in ("a", "b")),
        running=running,
    )  # fmt: skip


def test_when_no_exchange_answers_one_concern_says_it_for_all() -> None:
    (told,) = Concerns().update(silent(), [], NOON, WORDS)
    assert told.message == "No exchange reachable since 11:02 UTC; showing data 58 min old"
    assert told.advice == "online?"


def test_the_day_is_told_where_the_last_data_is_not_of_today() -> None:
    old = snapshot(
        ("a", "error"), exchanges=tuple(one(n, "error", int(NOON) - 30 * 3600) for n in ("a", "b"))
    )
    (told,) = Concerns().update(old, [], NOON, WORDS)
    assert "since 11-30 06:00 UTC" in told.message


def test_where_nobody_collects_the_exchanges_are_not_blamed() -> None:
    found = Concerns().update(silent("stale", running=False), [], NOON, WORDS)
    assert [c.message for c in found] == ["Nobody collects; showing data 58 min old"]


def test_a_failed_unit_check_is_never_hidden_behind_a_failing_network() -> None:
    now = snapshot(
        *(("a", "unit check"), ("b", "error")),
        exchanges=(one("a", "error"), one("b", "error")),
    )  # fmt: skip
    assert kinds(Concerns().update(now, [], NOON, WORDS)) == ["unit check", "error"]


def test_the_count_is_that_of_all_conditions_also_where_one_line_says_it_for_all() -> None:
    concerns = Concerns()
    assert len(concerns.update(silent(), [], NOON, WORDS)) == 1
    assert concerns.count == 2


# What the database cannot tell


def told(activity: Activity | None = None, unreadable: tuple[str, float] | None = None) -> list[Concern]:
    return own_concerns(activity or Activity(), unreadable, Pulse(), NOON)


def test_a_dead_collector_counts_down_to_its_next_start() -> None:
    (found,) = told(Activity(trouble=Fault(NOON - 40, "disk full", NOON + 20)))
    assert found.message == "Collector stopped 40 s ago, starts in 20 s: disk full"
    (found,) = told(Activity(trouble=Fault(NOON - 60, "disk full", NOON)))
    assert found.message == "Collector stopped 1 min ago, starts now: disk full"


def test_a_collector_that_cannot_start_says_why() -> None:
    (found,) = told(Activity(trouble=Fault(NOON, "the lock cannot be used")))
    assert found.message == "The collector: the lock cannot be used"


def test_a_silent_collector_of_another_process_is_a_concern_with_a_way_out() -> None:
    pulse = Pulse()
    hung = Status(CollectorState(True, 4711, int(NOON) - 50, "collector"), [], [])
    pulse.feel(Snapshot(NOON, Question(), hung), 1000.0)
    pulse.feel(Snapshot(NOON, Question(), hung), 1050.0)
    (found,) = own_concerns(Activity(), None, pulse, NOON)
    assert found.message == (
        "Collector silent: end process 4711, then this one collects (no sign of life for 50 s)"
    )


def test_a_disk_that_takes_nothing_is_told_as_nothing_stored() -> None:
    (found,) = told(Activity(disk=Fault(NOON - 5, "no room left for x: free some space")))
    assert found.kind == "database"
    assert found.message.startswith("Nothing is stored: no room left")


def test_an_unreadable_database_means_that_numbers_stand_still() -> None:
    (found,) = told(unreadable=("it is damaged", NOON - 90))
    assert found.message == "The numbers have stood still for 1 min: it is damaged"


def test_own_words_about_the_collector_replace_those_of_the_database() -> None:
    own = told(Activity(trouble=Fault(NOON, "it ended by itself", NOON + 5)))
    found = Concerns().update(snapshot((None, "collector")), own, NOON, WORDS)
    assert len(found) == 1
    assert "it ended by itself" in found[0].message
