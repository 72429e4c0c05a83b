"""The one door for commands to a collector: the same for its own process and for others."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from fundwatch.collector.events import Event

Listener = Callable[[Event], None]


class Estimate(NamedTuple):
    """What a backfill would take on one exchange: requests, and seconds at its budget."""

    requests: int
    seconds: float


class Door(Protocol):
    """Asks a collector to work. Methods return at once; what comes of it arrives as events.

    Futures fail with `DoorClosed` when the collector is gone.
    """

    @property
    def pid(self) -> int:
        """The process that collects."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Every event from now on goes to `listener`, from a thread of the door's; returns how to stop."""
        ...

    def refresh(self, exchanges: Sequence[str]) -> "Future[None]":
        """Sweeps these exchanges now (none named: all); done when they have ended."""
        ...

    def estimate(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[Mapping[str, Estimate]]":
        """What a backfill would take, by exchange, before it starts."""
        ...

    def backfill(
        self, *, days: int, exchanges: Sequence[str] = (), assets: Sequence[str] = ()
    ) -> "Future[int]":
        """Starts a backfill; its job id, which `JobEnded` carries and `cancel` takes."""
        ...

    def cancel(self, job_id: int) -> "Future[bool]":
        """Ends a backfill; whether there was one. What it stored stays."""
        ...

    def pause(self, exchange: str, paused: bool) -> "Future[None]": ...

    def acknowledge(self, alert_ids: Sequence[int]) -> "Future[None]": ...

    def close(self) -> None: ...


class DoorClosed(Exception):
    """The collector is gone, or does not answer."""


class Refused(Exception):
    """The collector says no, and why, in words for a person."""
