"""A collector of the own process that dies or hangs: told of, and started again."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fundwatch.collector.collector import Collector
from fundwatch.collector.doors.door import DoorClosed
from fundwatch.collector.events import Trouble
from fundwatch.collector.seat import BACKOFF_SECONDS, Seat
from fundwatch.collector.thread import Stuck
from fundwatch.commands.session import Session
from fundwatch.storage import lock, queries
from fundwatch.storage.database import reader, stopped_cleanly
from tests.collector.office import wait_until
from tests.collector.screen import OFF, Screen


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
    assert Trouble("collector", "it ended by itself", again_seconds=5) in screen.heard
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
    told = [event for event in screen.heard if isinstance(event, Trouble)][-1]
    assert told.again_seconds == 5, "one long life, and it is the first again"


def test_a_thread_that_hangs_for_half_a_minute_is_told_of_until_it_answers_again(screen: Screen) -> None:
    begun, free = threading.Event(), threading.Event()

    async def block() -> None:
        begun.set()
        free.wait(20)

    assert screen.seat._thread is not None
    screen.seat._thread.submit(block)
    assert begun.wait(10)
    screen.seat.poll()
    for seconds, told in ((28, 0), (2, 1), (28, 1)):
        screen.clock.advance(seconds)
        screen.seat.poll()
        assert len(screen.troubles()) == told
    free.set()
    screen.poll_until(lambda: screen.said == ["the collector answers again"])
    assert screen.can_ask()
    screen.clock.advance(60)
    screen.seat.poll()
    assert len(screen.troubles()) == 1


def test_closing_waits_for_a_seat_that_is_just_taken_and_ends_it(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    session = Session(OFF, tmp_path / "fundwatch.db", demo=True)

    @contextmanager
    def serve() -> Iterator[Session]:
        begun.set()
        assert go_on.wait(5)
        yield session

    seat = Seat(session.database, session.world, serve)
    sitting = threading.Thread(target=seat.sit)
    sitting.start()
    assert begun.wait(5)
    closing = threading.Thread(target=seat.close)
    closing.start()
    go_on.set()
    closing.join(10)
    sitting.join(10)
    assert lock.holder(session.database) is None
    with reader(session.database) as db:
        assert stopped_cleanly(db)
    seat.sit()
    assert lock.holder(session.database) is None, "nothing is taken after the end"


def test_a_collector_that_hangs_for_a_minute_is_ended_and_started_again(screen: Screen) -> None:
    begun = threading.Event()

    async def spin() -> None:
        begun.set()
        while True:
            time.sleep(0.001)

    assert screen.seat._thread is not None
    hanging = screen.seat._thread.submit(spin)
    assert begun.wait(10)
    screen.seat.poll()
    screen.clock.advance(59)
    screen.seat.poll()
    assert "has not answered for 59 s" in screen.troubles()[-1]
    assert not hanging.done()
    screen.clock.advance(1)
    screen.seat.poll()
    assert isinstance(hanging.exception(10), Stuck)
    screen.poll_until(lambda: screen.troubles()[-1] == "it hung for 1 min")
    screen.clock.advance(BACKOFF_SECONDS[0])
    screen.poll_until(lambda: screen.said == ["the collector has started again"])
    assert screen.can_ask()


def test_closing_does_not_wait_long_for_a_collector_that_hangs(screen: Screen) -> None:
    begun, free = threading.Event(), threading.Event()

    async def block() -> None:
        begun.set()
        free.wait(20)

    assert screen.seat._thread is not None
    screen.seat._thread.submit(block)
    assert begun.wait(10)
    screen.seat.poll()
    screen.clock.advance(5)
    begin = time.monotonic()
    screen.seat.close()
    assert time.monotonic() - begin < 3
    free.set()
