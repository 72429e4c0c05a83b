import io
import json

import pytest

from fundwatch.collector.events import (
    CollectorStarted,
    CollectorStopped,
    Event,
    JobEnded,
    Progress,
    RunEnded,
    RunStarted,
    Trouble,
)
from fundwatch.commands.log import in_words, log_writer
from tests.virtual_time import VirtualClock

NOON = 1_795_176_000
"""2026-11-20 12:00 UTC."""


def ended(kind: str = "sweep", outcome: str = "ok", error: str | None = None) -> RunEnded:
    return RunEnded("lighter", kind, 7, outcome, error, 5112, 213, 0, 3.94, 215)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (CollectorStarted(4242, ("lighter", "aster")), "collector started, process 4242: lighter, aster"),
        (CollectorStopped("stopped"), "collector stopped"),
        (ended(), "lighter sweep ok: 213 markets, 5,112 settlements stored, 215 requests, 3.9 s"),
        (ended("quotes"), "lighter quotes ok: 213 markets, 215 requests, 3.9 s"),
        (
            ended(outcome="error", error="HTTP 503"),
            "lighter sweep error: 213 markets, 5,112 settlements stored, 215 requests, 3.9 s; HTTP 503",
        ),
        (JobEnded(1, 62, (), False), "backfill complete: 62 settlements stored"),
        (JobEnded(1, 62, ("aster",), False), "backfill failed on aster: 62 settlements stored"),
        (JobEnded(1, 62, ("aster",), True), "backfill cancelled: 62 settlements stored"),
        (Trouble("database", "no room left"), "database: TROUBLE no room left"),
        (RunStarted("lighter", "sweep", 7), None),
        (Progress("lighter", "sweep", 7, 10.0, 5.0, 3), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_in_words(event: Event, words: str | None) -> None:
    assert in_words(event) == words


def test_a_line_of_text_begins_with_its_time() -> None:
    out = io.StringIO()
    write = log_writer("text", out, VirtualClock(NOON))
    write(CollectorStopped("stopped"))
    write(RunStarted("lighter", "sweep", 7))
    assert out.getvalue() == "2026-11-20T12:00:00Z collector stopped\n"


def test_a_line_of_json_is_one_document_with_time_and_kind() -> None:
    out = io.StringIO()
    write = log_writer("json", out, VirtualClock(NOON + 0.1234))
    write(ended(error="line\nbreak \x1b[2J"))
    write(RunStarted("lighter", "sweep", 8))
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["time"], first["event"], first["exchange"]) == (NOON + 0.123, "RunEnded", "lighter")
    assert (first["outcome"], first["inserted"], first["error"]) == ("ok", 5112, "line\nbreak \x1b[2J")
    assert "\x1b" not in out.getvalue()
    assert (second["event"], second["run_id"]) == ("RunStarted", 8)


def test_what_comes_from_outside_cannot_drive_the_terminal() -> None:
    out = io.StringIO()
    write = log_writer("text", out, VirtualClock(NOON))
    write(ended(error="a\x1b[2J\nb"))
    write(Trouble("database", "c\x07\nd"))
    assert len(out.getvalue().splitlines()) == 2
    assert "\x1b" not in out.getvalue()
    assert "\x07" not in out.getvalue()


def test_a_closed_stream_never_stops_the_collector() -> None:
    out = io.StringIO()
    out.close()
    log_writer("text", out, VirtualClock(NOON))(CollectorStopped("stopped"))


def test_without_a_stream_it_is_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log_writer("text", clock=VirtualClock(NOON))(CollectorStopped("stopped"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "2026-11-20T12:00:00Z collector stopped\n")
