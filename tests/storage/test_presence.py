from fundwatch.storage import presence
from fundwatch.storage.database import Writer, stopped_cleanly
from fundwatch.storage.presence import Presence


def beat(writer: Writer, pid: int, now: float, boot: str = "boot 1") -> Presence | None:
    with writer.transaction():
        presence.beat(writer, pid, "collector", boot, now)
    return presence.presence(writer)


def test_a_heartbeat_keeps_the_start_of_its_process(writer: Writer) -> None:
    assert presence.presence(writer) is None
    beat(writer, 4711, 100.9)
    assert beat(writer, 4711, 160) == (4711, "collector", "boot 1", 100, 160, None)


def test_the_same_pid_after_a_reboot_is_another_process(writer: Writer) -> None:
    beat(writer, 4711, 100)
    assert beat(writer, 4711, 500, "boot 2") == (4711, "collector", "boot 2", 500, 500, None)


def test_a_clean_stop_is_told_from_a_death(writer: Writer) -> None:
    assert stopped_cleanly(writer)
    beat(writer, 4711, 100)
    assert not stopped_cleanly(writer)

    with writer.transaction():
        presence.stopped(writer, 200)
    assert stopped_cleanly(writer)
    assert presence.presence(writer) == (4711, "collector", "boot 1", 100, 200, 200)
    assert beat(writer, 4711, 300) == (4711, "collector", "boot 1", 300, 300, None)


def test_what_was_spent_is_known_after_a_restart(writer: Writer) -> None:
    assert presence.load_spending(writer, "binance") is None
    with writer.transaction():
        presence.save_spending(writer, "binance", {"weight": 900.0, "raw": 3}, 100.5)
        presence.save_spending(writer, "binance", {"weight": 950.5}, 200.5)
        presence.save_spending(writer, "aster", {"weight": 1.0}, 1.0)

    assert presence.load_spending(writer, "binance") == ({"weight": 950.5}, 200.5)
