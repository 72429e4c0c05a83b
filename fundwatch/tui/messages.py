"""What other threads tell the app; each message carries frozen data."""

from typing import TYPE_CHECKING

from textual.message import Message

from fundwatch.collector.events import Event
from fundwatch.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from fundwatch.collector.doors.door import Door


class Loaded(Message):
    """A new snapshot; only the newest matters."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Loaded)


class LoadFailed(Message):
    """The database could not be read, in words for a person."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__()


class Heard(Message):
    """The collector told something."""

    def __init__(self, event: Event) -> None:
        self.event = event
        super().__init__()


class Linked(Message):
    """Who collects: `role` of this process is collector or viewer. `pid` is None where nobody does;
    `since` (UTC seconds) is known of another process's collector."""

    def __init__(self, door: "Door", role: str, pid: int | None, since: float | None) -> None:
        self.door = door
        self.role = role
        self.pid = pid
        self.since = since
        super().__init__()


class LinkFailed(Message):
    """No collector can start, in words; `final` when there is no point in showing anything."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        self.reason = reason
        self.final = final
        super().__init__()


class SeatSaid(Message):
    """One sentence about a change of who collects."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__()
