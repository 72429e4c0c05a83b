"""A command beside a running collector: the collector does the work, the command shows it."""

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

import click

from fundwatch.collector.doors.client import RemoteDoor, open_door
from fundwatch.collector.doors.desk import Ended
from fundwatch.collector.doors.door import DoorClosed, Refused
from fundwatch.collector.events import Event, Progress, RunEnded, RunStarted, Trouble
from fundwatch.commands.printing import print_error
from fundwatch.commands.session import Session
from fundwatch.storage import lock

T = TypeVar("T")

STARTING_SECONDS = 3.0
_POLL_SECONDS = 0.1
_CANCEL_SECONDS = 5.0


class Stopped(Exception):
    """A signal came before the work was done; its job is cancelled."""


@contextmanager
def running_collector(session: Session) -> Iterator[RemoteDoor | None]:
    """The door to the process that collects into the session's database; None where none does.

    Raises `Locked` where there is one that cannot be asked, `WrongWorld` for one of another world.
    """
    holder = lock.holder(session.database)
    if holder is None:
        yield None
        return
    door = open_door(session.database, world=session.world, wait_seconds=STARTING_SECONDS)
    if door is None:
        if lock.holder(session.database) is not None:
            raise lock.Locked(session.database, holder)
        yield None
        return
    try:
        yield door
    finally:
        door.close()


def hand_over(door: RemoteDoor, job: "Future[int]", stop: threading.Event) -> dict[str, Ended] | None:
    """What a job of the collector came to, by exchange; None when somebody else cancelled it.

    Raises `Stopped` when `stop` was set first, `DoorClosed` and `Refused`.
    """
    return see_through(door, wait_for_answer(job, stop), door.outcomes, stop)


def see_through(
    door: RemoteDoor, number: int, answer: Callable[[int], "Future[T]"], stop: threading.Event
) -> T:
    """The answer to how job `number` ended; cancels it when `stop` is set first, and raises `Stopped`."""
    ended = answer(number)
    try:
        return wait_for_answer(ended, stop)
    except Stopped:
        with suppress(DoorClosed, Refused, TimeoutError):
            door.cancel(number).result(_CANCEL_SECONDS)
            ended.result(_CANCEL_SECONDS)
        raise


def wait_for_answer(answer: "Future[T]", stop: threading.Event) -> T:
    """Raises `Stopped` when `stop` was set first, and what the answer raises."""
    while not answer.done():
        if stop.wait(_POLL_SECONDS):
            raise Stopped
    return answer.result()


@contextmanager
def said_in_words() -> Iterator[None]:
    """Ends the command with exit code 1 where the collector says no or goes away."""
    try:
        yield
    except (DoorClosed, Refused) as error:
        print_error(error)
        raise click.exceptions.Exit(1) from None


def only_runs_of(
    exchanges: Collection[str], kind: str, listener: Callable[[Event], None]
) -> Callable[[Event], None]:
    """Of all that a collector tells only what belongs to a job: its runs, which begin from now on.

    Sweeps may have begun before: a job joins them.
    """
    ours: set[int] = set()

    def tell(event: Event) -> None:
        match event:
            case RunStarted() if event.exchange in exchanges:
                ours.add(event.run_id)
            case Progress() | RunEnded() if event.exchange in exchanges and event.kind == kind:
                if kind == "sweep" or event.run_id in ours:
                    listener(event)
            case Trouble():
                listener(event)
            case _:
                pass

    return tell
