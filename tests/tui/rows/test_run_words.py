"""A run in a sentence: what went wrong before anything else."""

from fundwatch.collector.events import RunEnded
from fundwatch.storage.queries import Run
from fundwatch.tui.rows import run_words


def ended(kind: str, outcome: str, error: str | None = None, **facts: float) -> RunEnded:
    usual = {"inserted": 0, "markets": 590, "markets_failed": 0, "seconds": 3.21, "requests": 1}
    return RunEnded("aster", kind, 7, outcome, error, **(usual | facts))  # type: ignore[arg-type]


def test_a_complete_sweep_says_what_it_brought() -> None:
    told = run_words.ended(ended("sweep", "ok", inserted=1204, requests=12))
    assert told == "sweep complete: 590/590 markets, 1,204 stored, 12 requests, 3.2 s"


def test_one_request_is_no_plural() -> None:
    assert run_words.ended(ended("quotes", "ok")) == "quotes complete: 590/590 markets, 1 request, 3.2 s"


def test_a_run_that_failed_as_a_whole_says_why_and_counts_no_markets() -> None:
    told = run_words.ended(
        ended("quotes", "error", "8 times the resting 10.95 %: a unit error", markets_failed=590)
    )
    assert told == "quotes failed: 8 times the resting 10.95 %: a unit error (1 request, 3.2 s)"


def test_a_partial_sweep_says_both() -> None:
    told = run_words.ended(ended("sweep", "partial", "2 rate is missing", markets_failed=2, seconds=75))
    assert told == "sweep partial: 2 rate is missing (588/590 markets, 0 stored, 1 request, 1 min)"


def test_what_the_collector_says_is_made_harmless() -> None:
    assert "\x1b" not in run_words.ended(ended("sweep", "error", "\x1b]0;title\x07[/] boom"))


def test_a_stored_run_reads_like_one_that_was_heard() -> None:
    run = Run(7, "aster", "sweep", 1, 1, 100, 175, "ok", None, 9, 0, 0, 0, 12, 590, 0, None, None)
    assert run_words.stored(run) == "sweep complete: 590/590 markets, 9 stored, 12 requests, 1 min"


def test_an_outcome_that_is_not_known_never_looks_good() -> None:
    assert run_words.style("ok") == ""
    assert run_words.style("splendid") == "bad"
