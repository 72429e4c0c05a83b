"""Does somebody collect, and does the screen keep up: as one screen feels it."""

from fundwatch.answers.status import CollectorState, Status
from fundwatch.tui.frame.pulse import Pulse
from fundwatch.tui.snapshot import Question, Snapshot

NOON = 1_764_590_400


def snapshot(state: CollectorState) -> Snapshot:
    return Snapshot(float(NOON), Question(), Status(state, [], []))


def said(pulse: Pulse, now: float) -> str:
    return "".join(text for text, _ in pulse.words(now))


def felt(state: CollectorState, seconds: int, *, every: int = 10) -> Pulse:
    """A pulse that saw the same state in a new snapshot every ten seconds."""
    pulse = Pulse()
    shown = snapshot(state)
    for second in range(seconds + 1):
        if second % every == 0:
            shown = snapshot(state)
        pulse.feel(shown, 1000.0 + second)
    return pulse


def test_before_the_first_snapshot_nothing_is_said() -> None:
    pulse = Pulse()
    pulse.feel(None, 1000.0)
    assert pulse.words(NOON) == ()
    assert pulse.silent is None
    assert pulse.behind_seconds is None


def test_a_collector_that_beats_is_not_worth_a_word() -> None:
    pulse = Pulse()
    for second in range(0, 200, 5):
        beat = NOON + second // 20 * 20
        pulse.feel(snapshot(CollectorState(True, 7, beat, "collector")), 1000.0 + second)
        assert said(pulse, NOON + second) == ""


def test_a_heartbeat_that_stands_still_is_told_within_a_minute_and_its_age_goes_on() -> None:
    hung = CollectorState(True, 7, NOON, "collector")
    assert said(felt(hung, 40), NOON + 40) == ""
    pulse = felt(hung, 50)
    assert said(pulse, NOON + 55) == "collector silent 55 s"
    assert said(pulse, NOON + 65) == "collector silent 1 min 5 s"
    assert pulse.silent == hung


def test_after_a_sleep_of_the_machine_an_old_heartbeat_is_no_alarm_at_once() -> None:
    pulse = felt(CollectorState(True, 7, NOON, "collector"), 20)
    pulse.feel(snapshot(CollectorState(True, 7, NOON, "collector")), 1022.0)
    assert said(pulse, NOON + 9 * 3600) == ""


def test_a_dead_collector_is_told_at_once_with_a_live_age() -> None:
    dead = felt(CollectorState(False, 7, NOON - 72, "collector"), 0)
    assert said(dead, NOON) == "collector DEAD 1 min 12 s"
    assert said(dead, NOON + 50) == "collector DEAD 2 min 2 s"


def test_after_a_clean_stop_nobody_collects_but_not_while_a_screen_opens() -> None:
    nobody = CollectorState(False, 7, None)
    assert said(felt(nobody, 4), NOON) == ""
    assert said(felt(nobody, 6), NOON) == "nobody collects"


def test_a_backfill_alone_sweeps_nothing_and_says_so() -> None:
    assert said(felt(CollectorState(True, 7, NOON, "backfill"), 0), NOON) == "only a backfill runs"


def test_a_screen_without_news_blames_itself_and_not_the_collector() -> None:
    pulse = felt(CollectorState(True, 7, NOON, "collector"), 60, every=1000)
    assert said(pulse, NOON + 60) == "screen 1 min 0 s behind"
    assert pulse.silent is None
    assert pulse.behind_seconds == 60
