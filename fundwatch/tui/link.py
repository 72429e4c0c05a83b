"""Keeps a collector for the screen: a thread, because taking the seat may wait for a disk or a socket."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from fundwatch.config import ConfigError
from fundwatch.storage import lock
from fundwatch.storage.errors import StorageError, WrongWorld
from fundwatch.tui.messages import Linked, LinkFailed, SeatSaid

if TYPE_CHECKING:
    from fundwatch.collector.doors.door import Listener
    from fundwatch.collector.seat import Seat, Served

POLL_SECONDS = 2.0


class Link(threading.Thread):
    """Takes the seat, looks after it every two seconds, and tells the app whenever it changed.

    `listen` hears every event of whoever collects, from the first one on.
    `stop` leaves the seat, which ends a collector of our own within seconds; nothing stored is lost
    even where it does not.
    """

    def __init__(
        self,
        database: Path,
        world: str,
        serve: "Callable[[], AbstractContextManager[Served]]",
        post: Callable[[Message], object],
        listen: "Listener",
    ) -> None:
        super().__init__(name="seat", daemon=True)
        self._database = database
        self._world = world
        self._serve = serve
        self._post = post
        self._listen = listen
        self._seat: Seat | None = None
        self._ending = threading.Event()
        self._told: tuple[str, int] | None = None

    def run(self) -> None:
        # Loading the collector and its HTTP takes a tenth of a second, in which keys are to be heard.
        from fundwatch.collector.seat import Seat

        self._seat = seat = Seat(self._database, self._world, self._serve, say=self._say)
        if not self._ending.is_set():
            self._keep(seat)

    def _keep(self, seat: "Seat") -> None:
        seat.listen(self._listen)
        self._post(Linked(seat, "viewer", None, None))
        try:
            seat.sit()
        except (WrongWorld, ConfigError) as error:
            self._post(LinkFailed(str(error), final=True))
            return
        except StorageError as error:
            self._post(LinkFailed(str(error)))
        while True:
            self._tell(seat)
            if self._ending.wait(POLL_SECONDS):
                return
            seat.poll()

    def _tell(self, seat: "Seat") -> None:
        state = seat.role, seat.pid
        if state == self._told:
            return
        self._told = state
        since = None
        if seat.role == "viewer" and seat.pid:
            try:
                holder = lock.holder(self._database)
            except StorageError:
                holder = None
            since = None if holder is None else holder.since
        self._post(Linked(seat, seat.role, seat.pid or None, since))

    def _say(self, words: str) -> None:
        self._post(SeatSaid(words))

    def stop(self) -> None:
        """Waits for the collector to end, but not for ever."""
        self._ending.set()
        if self._seat is not None:
            self._seat.close()
