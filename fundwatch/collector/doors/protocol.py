"""What goes over the control socket: one JSON document a line.

The collector greets with `{"hello": {...}}`. A request is `{"id": 1, "command": "pause", ...}`, its
answer `{"id": 1, "ok": ...}` or `{"id": 1, "error": "why"}`; answers come in the order in which the
work ends. After the command `listen` events come in between: `{"event": "Progress", "fields": {...}}`.
"""

from dataclasses import asdict
from typing import Annotated, Any, get_args

import msgspec

from fundwatch.collector.events import Event
from fundwatch.imports.cells import TimeUnit

LONGEST_LINE = 64 * 1024

_EVENTS: dict[str, Any] = {kind.__name__: kind for kind in get_args(Event)}

Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Days = Annotated[float, msgspec.Meta(gt=0, le=3650)]
Hours = Annotated[int, msgspec.Meta(ge=1, le=8760)]
Name = Annotated[str, msgspec.Meta(max_length=100)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=1000)]
FilePath = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Command(msgspec.Struct, frozen=True, tag_field="command", tag=str.lower):
    """A request; `id` is the asker's own number for it."""

    id: Number


class Listen(Command, frozen=True):
    """Every event from now on."""


class Refresh(Command, frozen=True):
    exchanges: Names = ()


class Estimate(Command, frozen=True):
    """Answered with {exchange: [requests, seconds]}."""

    days: Days
    exchanges: Names = ()
    assets: Names = ()


class Backfill(Command, frozen=True):
    """Answered at once with the job's id."""

    days: Days
    exchanges: Names = ()
    assets: Names = ()


class Sweep(Command, frozen=True):
    """Answered at once with the job's id."""

    hours: Hours
    exchanges: Names = ()


class Outcomes(Command, frozen=True):
    """Answered when the job has ended with {exchange: [word, error, inserted]}, null if cancelled."""

    job: Number


class Import(Command, frozen=True):
    """One file, by its absolute path. Answered at once with the job's id."""

    path: FilePath
    exchange: Name
    format: Name = "auto"
    symbol: Name | None = None
    accept_bad: bool = False
    time_unit: TimeUnit | None = None


class Imported(Command, frozen=True):
    """Answered when the job of an import has ended with its report, null if cancelled."""

    job: Number


class Cancel(Command, frozen=True):
    """Answered with whether the job was running."""

    job: Number


class Pause(Command, frozen=True):
    exchange: Name
    paused: bool


class Acknowledge(Command, frozen=True):
    alerts: Annotated[tuple[Number, ...], msgspec.Meta(max_length=1000)]


Request = (
    Listen
    | Refresh
    | Estimate
    | Backfill
    | Sweep
    | Outcomes
    | Import
    | Imported
    | Cancel
    | Pause
    | Acknowledge
)


class Hello(msgspec.Struct, frozen=True):
    """Who collects: its process, the role of its lock, and the world that its database holds."""

    pid: int
    role: str
    world: str


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a collector says: a greeting, an answer, or an event."""

    hello: Hello | None = None
    id: int | None = None
    ok: Any = msgspec.UNSET
    error: str | None = None
    event: str | None = None
    fields: msgspec.Raw = msgspec.Raw(b"{}")


class _Numbered(msgspec.Struct):
    id: Number


Nonsense = (msgspec.MsgspecError, ValueError, RecursionError)
"""What reading a line raises that makes no sense."""

_encode = msgspec.json.Encoder().encode
_requests = msgspec.json.Decoder(Request)
_lines = msgspec.json.Decoder(Line)
_numbers = msgspec.json.Decoder(_Numbered)


def encode(said: Line | Command) -> bytes:
    return _encode(said) + b"\n"


def encode_event(event: Event) -> bytes:
    return encode(Line(event=type(event).__name__, fields=msgspec.Raw(_encode(asdict(event)))))


def request(line: bytes) -> Request:
    """Raises one of `Nonsense` for anything else than a request."""
    found: Request = _requests.decode(line)
    return found


def number_of(line: bytes) -> int | None:
    """The id of a request that makes no sense otherwise, so that its asker learns which it was."""
    try:
        return _numbers.decode(line).id
    except Nonsense:
        return None


def line(text: bytes) -> Line:
    """Raises one of `Nonsense` for what no collector says."""
    return _lines.decode(text)


def event_of(said: Line) -> Event | None:
    """The event of a line; None for a kind that this version does not know."""
    kind = _EVENTS.get(said.event or "")
    if kind is None:
        return None
    try:
        event: Event = msgspec.json.decode(said.fields, type=kind)
    except Nonsense:
        return None
    return event
