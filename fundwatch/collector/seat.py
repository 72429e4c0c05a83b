"""Who collects for a screen: this process when nobody else does, otherwise whoever does."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Literal, Protocol

from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.breath import BROKEN_OFF_SECONDS, SILENCE_SECONDS, Breath
from fundwatch.collector.build import collector_thread
from fundwatch.collector.doors.client import RemoteDoor, open_door
from fundwatch.collector.doors.door import Door, DoorClosed, Estimate, Listener
from fundwatch.collector.doors.local import Fanout, LocalDoor
from fundwatch.collector.events import Trouble
from fundwatch.collector.thread import CollectorThread, Stuck
from fundwatch.config import Config
from fundwatch.storage import lock
from fundwatch.storage.errors import StorageError
from fundwatch.storage.lock import Locked
from fundwatch.text import age, clean

BACKOFF_SECONDS = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Before a collector that died is started again; from the beginning once one has lived for long."""
LONG_LIFE_SECONDS = 300.0
CLOSING_SECONDS = 3.0
HANGING_SECONDS = 1.0
"""So long a collector that has not answered for longer is waited for in the end."""

SeatRole = Literal["collector", "viewer"]


class Served(Protocol):
    """A configuration whose exchanges can be asked now."""

    @property
    def config(self) -> Config: ...


class NoDoor:
    """Stands for a collector that cannot be asked: all that is asked of it fails with `DoorClosed`."""

    def __init__(self, why: str, pid: int = 0) -> None:
        self.pid = pid
        self._why = why

    def listen(self, listener: Listener) -> Callable[[], None]:
        return lambda: None

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        return self._fail()

    def estimate(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        return self._fail()

    def backfill(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        return self._fail()

    def cancel(self, job_id: int) -> "Future[bool]":
        return self._fail()

    def pause(self, exchange: str, paused: bool) -> "Future[None]":
        return self._fail()

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]":
        return self._fail()

    def close(self) -> None:
        pass

    def _fail(self) -> "Future[Any]":
        answer: Future[Any] = Future()
        answer.set_exception(DoorClosed(self._why))
        return answer


class Seat:
    """A door for the life of a screen. `role` says whether this process collects or watches.

    `poll`, called every few seconds from a worker thread, takes over when the collector of another
    process is gone, and starts our own again when it died. `say` hears in words when either happens;
    it and the listeners are called from the worker's and the collector's threads and return at once.
    """

    def __init__(
        self,
        database: Path,
        world: str,
        serve: Callable[[], AbstractContextManager[Served]],
        *,
        say: Callable[[str], None] = lambda words: None,
        clock: Clock | None = None,
    ) -> None:
        """`serve` is entered when this process first collects, and left in `close`."""
        self.role: SeatRole = "viewer"
        self._database = database
        self._world = world
        self._serve = serve
        self._say = say
        self._clock = clock or SystemClock()
        self._fanout = Fanout()
        self._open = ExitStack()
        self._served: Served | None = None
        self._door: Door = NoDoor("nobody collects yet")
        self._thread: CollectorThread | None = None
        self._turn = threading.RLock()
        self._is_closed = False
        self._deaths = 0
        self._started = 0.0
        self._not_before = 0.0
        self._last_words = ""
        self._breath: Breath | None = None
        self._told_of_silence = 0.0

    # The door

    @property
    def pid(self) -> int:
        """The process that collects; 0 where nobody does."""
        return self._door.pid

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Every event of whoever collects, over all changes."""
        return self._fanout.listen(listener)

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        return self._door.refresh(exchanges)

    def estimate(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        return self._door.estimate(days=days, exchanges=exchanges, assets=assets)

    def backfill(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        return self._door.backfill(days=days, exchanges=exchanges, assets=assets)

    def cancel(self, job_id: int) -> "Future[bool]":
        return self._door.cancel(job_id)

    def pause(self, exchange: str, paused: bool) -> "Future[None]":
        return self._door.pause(exchange, paused)

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]":
        return self._door.acknowledge(alert_ids)

    def close(self) -> None:
        """Stops collecting, within seconds, or hangs up."""
        self._is_closed = True
        has_turn = self._turn.acquire(timeout=CLOSING_SECONDS)
        try:
            if self._thread is not None:
                if self._breath is not None and self._breath.silence() > HANGING_SECONDS:
                    self._thread.stop(HANGING_SECONDS)
                else:
                    self._thread.stop()
            self._door.close()
            self._open.close()
        finally:
            if has_turn:
                self._turn.release()

    # The seat

    def poll(self) -> None:
        """Looks after whoever collects. Raises nothing; does nothing while another call is at it."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            if not self._is_closed:
                self._look()
        except Exception as error:  # a screen goes on without a collector, and says why
            self._put_off(str(error) if isinstance(error, StorageError) else repr(error))
        finally:
            self._turn.release()

    def sit(self) -> None:
        """Takes the place that is free. Raises `StorageError` for a database that cannot be used.

        Does nothing any more once it is closed; `close` waits for it, and so ends what it begins.
        """
        with self._turn:
            if self._is_closed:
                return
            if lock.holder(self._database) is None:
                try:
                    self._collect()
                except Locked:  # another process was quicker
                    pass
                else:
                    return
            self._watch()

    def _look(self) -> None:
        if self._thread is not None:
            if self._thread.done.done():
                self._bury(self._thread)
            else:
                self._listen_for_breath()
        elif self._clock.monotonic() >= self._not_before and not self._is_watching():
            was_alone = self.role == "viewer" and not self._last_words
            self.sit()
            if self.role == "collector" and was_alone:
                self._say("the collector is gone: this fundwatch collects now")

    def _is_watching(self) -> bool:
        return isinstance(self._door, RemoteDoor) and not self._door.is_closed

    def _collect(self) -> None:
        if self._served is None:
            self._served = self._open.enter_context(self._serve())
        thread = collector_thread(self._served.config, self._database, self._world, self._fanout)
        collector = thread.start()
        door = LocalDoor(thread, collector, self._fanout)
        self._change(door, "collector")
        self._thread, self._started = thread, self._clock.monotonic()
        self._breath, self._told_of_silence = Breath(thread, self._clock), 0.0
        if self._last_words:
            door.note("collector", f"died and was started again: {self._last_words}")
            self._say("the collector has started again")
            self._last_words = ""

    def _watch(self) -> None:
        door = open_door(self._database, world=self._world)
        if door is not None:
            door.listen(self._fanout)
            self._change(door, "viewer")
            return
        holder = lock.holder(self._database)
        pid = holder.pid if holder is not None else None
        who = "nobody collects" if holder is None else f"the {holder.role} (process {pid}) cannot be asked"
        self._change(NoDoor(who, pid or 0), "viewer")

    def _change(self, door: Door, role: SeatRole) -> None:
        before, self._door, self.role = self._door, door, role
        before.close()

    def _bury(self, thread: CollectorThread) -> None:
        error = thread.done.exception(0)
        self._thread = None
        if self._clock.monotonic() - self._started >= LONG_LIFE_SECONDS:
            self._deaths = 0
        self._change(NoDoor("the collector died; it is started again"), "viewer")
        self._put_off(_last_words(error))

    def _put_off(self, why: str) -> None:
        """Tells of a collector that died, or could not start, and when it is tried again."""
        seconds = BACKOFF_SECONDS[min(self._deaths, len(BACKOFF_SECONDS) - 1)]
        self._deaths += 1
        self._not_before = self._clock.monotonic() + seconds
        self._last_words = clean(why, 200)
        self._fanout(Trouble("collector", self._last_words, again_seconds=seconds))

    def _listen_for_breath(self) -> None:
        """A thread that hangs in the system cannot be ended from outside; a person must know that it does."""
        assert self._breath is not None
        silent = self._breath.silence()
        if not silent:
            if self._told_of_silence:
                self._say("the collector answers again")
            self._told_of_silence = 0.0
        elif silent - self._told_of_silence >= SILENCE_SECONDS:
            self._told_of_silence = silent
            self._fanout(
                Trouble(
                    "collector",
                    f"it has not answered for {age(silent)}; if this lasts, start fundwatch anew",
                )
            )


def _last_words(error: BaseException | None) -> str:
    """What a collector died of."""
    if error is None:
        return "it ended by itself"
    return f"it hung for {age(BROKEN_OFF_SECONDS)}" if isinstance(error, Stuck) else repr(error)


def take_seat(
    database: Path,
    world: str,
    serve: Callable[[], AbstractContextManager[Served]],
    *,
    say: Callable[[str], None] = lambda words: None,
    clock: Clock | None = None,
) -> Seat:
    """The seat of a screen: collects where nobody does, else watches.

    `serve` gives the configuration with exchanges to ask (`exchanges_served` of a session). Raises
    `StorageError` for a database that cannot be used.
    """
    seat = Seat(database, world, serve, say=say, clock=clock)
    try:
        seat.sit()
    except BaseException:
        seat.close()
        raise
    return seat
