"""A collector of the own process that dies or hangs: told of, and started again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fundwatch.collector.collector import Collector
from fundwatch.collector.door import DoorClosed
from fundwatch.storage import queries
from fundwatch.storage.database import reader
from tests.collector.office import wait_until
from tests.collector.screen import Screen


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    screen = Screen(tmp_path / "fundwatch.db")
    yield screen
    screen.seat.close()


class Bug(Exception):
    pass


def kill_thread(screen: Screen) -> None:
    """Ends the collector's thread the way a bug at its heart would."""
    thread = screen.seat._thread
    assert thread is not None
    loop = thread._loop
    assert loop is not None

    def die() -> None:
        assert thread._main is not None
        thread._main.cancel()

    loop.call_soon_threadsafe(die)
    wait_until(thread.done.done)


def test_a_thread_that_died_is_told_of_and_started_again_after_a_while(
    screen: Screen, tmp_path: Path
) -> None:
    kill_thread(screen)
    screen.seat.poll()
    assert screen.troubles() == ["it ended by itself; it is started again in 5 s"]
    with pytest.raises(DoorClosed):
        screen.seat.refresh([]).result(5)
    screen.seat.poll()
    assert screen.role() == "viewer", "not at once"
    screen.clock.advance(5)
    screen.seat.poll()
    assert screen.role() == "collector"
    assert screen.said == ["the collector has started again"]
    assert screen.served == 1, "the demo world goes on"
    screen.seat.acknowledge([]).result(10)
    with reader(tmp_path / "fundwatch.db") as db:
        (event,) = queries.events(db, kind="collector")
    assert event.message == "died and was started again: it ended by itself"


def test_a_thread_that_dies_with_an_error_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(collector: Collector) -> None:
        raise Bug("in the \x1b[31mloop")

    monkeypatch.setattr(Collector, "run", die)
    screen = Screen(tmp_path / "fundwatch.db")
    assert screen.seat._thread is not None
    wait_until(screen.seat._thread.done.done)
    screen.seat.poll()
    (told,) = screen.troubles()
    assert "Bug" in told
    assert "\x1b" not in told
    screen.seat.close()


def test_deaths_in_a_row_are_waited_for_ever_longer_up_to_a_minute(screen: Screen) -> None:
    for seconds in (5, 10, 20, 40, 60, 60):
        kill_thread(screen)
        screen.seat.poll()
        screen.clock.advance(seconds - 0.1)
        screen.seat.poll()
        assert screen.role() == "viewer", seconds
        screen.clock.advance(0.1)
        screen.seat.poll()
        assert screen.role() == "collector", seconds
    screen.clock.advance(300)
    kill_thread(screen)
    screen.seat.poll()
    assert screen.troubles()[-1].endswith("again in 5 s"), "one long life, and it is the first again"


def test_a_thread_that_hangs_is_told_of_every_half_minute(screen: Screen) -> None:
    import threading

    free = threading.Event()

    async def block() -> None:
        free.wait(20)

    assert screen.seat._thread is not None
    screen.seat._thread.submit(block())
    screen.seat.poll()
    for _ in range(2):
        screen.clock.advance(29)
        screen.seat.poll()
        before = len(screen.troubles())
        screen.clock.advance(2)
        screen.seat.poll()
        assert len(screen.troubles()) == before + 1
    free.set()
    wait_until(lambda: bool(screen.seat._probe and screen.seat._probe[0].done()))
    screen.clock.advance(60)
    screen.seat.poll()
    assert len(screen.troubles()) == 2
