"""One line per event on stderr, for people or for machines."""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Literal, TextIO

from fundwatch.clock import Clock, SystemClock
from fundwatch.collector.events import (
    CollectorStarted,
    CollectorStopped,
    Event,
    ImportProgress,
    JobEnded,
    Progress,
    RunEnded,
    RunStarted,
    Trouble,
)
from fundwatch.text import clean, utc

LogFormat = Literal["text", "json"]


def log_writer(
    form: LogFormat, out: TextIO | None = None, clock: Clock | None = None
) -> Callable[[Event], None]:
    """A listener that writes events as they come; a closed stderr never stops the collector."""
    told = clock or SystemClock()

    def write(event: Event) -> None:
        now = told.now()
        if form == "json":
            line = json.dumps({"time": round(now, 3), "event": type(event).__name__, **asdict(event)})
        else:
            words = in_words(event)
            if words is None:
                return
            line = f"{utc(now, '%Y-%m-%dT%H:%M:%SZ')} {words}"
        with suppress(OSError, ValueError):
            print(line, file=out or sys.stderr, flush=True)

    return write


def in_words(event: Event) -> str | None:
    """The event as a person reads it; None for what would only be noise in a log."""
    match event:
        case CollectorStarted(pid, exchanges):
            return f"collector started, process {pid}: {', '.join(exchanges)}"
        case CollectorStopped(reason):
            return f"collector {reason}"
        case RunEnded():
            return _run_ended(event)
        case JobEnded(_, inserted, failed, cancelled):
            how = "cancelled" if cancelled else f"failed on {', '.join(failed)}" if failed else "complete"
            return f"backfill {how}: {inserted:,} settlements stored"
        case Trouble(where, message):
            return f"{where}: TROUBLE {clean(message, 300)}"
        case RunStarted() | Progress() | ImportProgress():
            return None


def _run_ended(event: RunEnded) -> str:
    parts = [f"{event.markets} markets"] if event.kind != "backfill" else []
    if event.kind != "quotes":
        parts.append(f"{event.inserted:,} settlements stored")
    parts += [f"{event.requests:,} requests", f"{event.seconds:.1f} s"]
    told = f"{event.exchange} {event.kind} {event.outcome}: {', '.join(parts)}"
    return f"{told}; {clean(event.error, 300)}" if event.error else told
