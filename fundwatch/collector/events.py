"""What the collector tells while it works, to whoever listens: a log, a progress bar, a screen."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CollectorStarted:
    pid: int
    exchanges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CollectorStopped:
    reason: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """`kind` is sweep, quotes, backfill or import."""

    exchange: str
    kind: str
    run_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the settlements part: market-hours wanted and answered so far, rows newly stored."""

    exchange: str
    kind: str
    run_id: int
    hours_wanted: float
    hours_done: float
    inserted: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`outcome` is ok, partial, error, cancelled or interrupted; `error` says why in words."""

    exchange: str
    kind: str
    run_id: int
    outcome: str
    error: str | None
    inserted: int
    markets: int
    markets_failed: int
    seconds: float
    requests: int


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A backfill that a person asked for, over all its exchanges."""

    job_id: int
    inserted: int
    failed: tuple[str, ...]
    cancelled: bool


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far the import of a file is: `stage` is reading or storing, `share` (0 to 1) what of it is done.

    `rows` are the good ones read so far, `inserted` those newly stored.
    """

    job_id: int
    exchange: str
    file_name: str
    stage: str
    share: float
    rows: int
    inserted: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that no exchange is to blame for: a fault of the disk, a bug caught at the last door.

    `again_seconds`: how long until what stopped is started again; None where nobody does that.
    """

    where: str
    message: str
    again_seconds: float | None = None


Event = (
    CollectorStarted
    | CollectorStopped
    | RunStarted
    | Progress
    | RunEnded
    | JobEnded
    | ImportProgress
    | Trouble
)
Publish = Callable[[Event], None]


def unfailing(publish: Publish) -> Publish:
    """The same, for a listener whose own trouble (a bug, a closed pipe) must not touch the collecting."""

    def tell(event: Event) -> None:
        with suppress(Exception):
            publish(event)

    return tell
