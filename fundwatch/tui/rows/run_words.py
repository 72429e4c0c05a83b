"""How a run went, as a sentence."""

from typing import TYPE_CHECKING

from fundwatch.collector.events import RunEnded
from fundwatch.text import age, clean

if TYPE_CHECKING:
    from fundwatch.storage.journal import Run

_STYLES = {"ok": "", "partial": "warn", "cancelled": "muted", "interrupted": "muted", "undone": "muted"}

_ENDS = {
    "ok": "complete",
    "error": "failed",
    "interrupted": "cut short",
    "undone": "was undone",
}


def style(outcome: str) -> str:
    """Of the word that a run ended with; one that is not known never looks good."""
    return _STYLES.get(outcome, "bad")


def counted(number: int, noun: str) -> str:
    """`1 request`, `1,204 requests`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def ended(event: RunEnded) -> str:
    """What the collector told of a run that is over."""
    got = event.markets - event.markets_failed
    return _sentence(
        event.kind,
        event.outcome,
        event.error,
        got,
        event.markets,
        event.inserted,
        event.requests,
        f"{event.seconds:.1f} s" if event.seconds < 60 else age(event.seconds),
    )


def stored(run: "Run") -> str:
    """The same from the database, for a run that has ended."""
    markets = run.markets_expected or 0
    return _sentence(
        run.kind,
        run.outcome,
        run.error,
        markets - (run.markets_failed or 0),
        markets,
        run.inserted,
        run.requests,
        age((run.ended or run.started) - run.started),
    )


def _sentence(
    kind: str,
    outcome: str,
    error: str | None,
    got: int,
    markets: int,
    inserted: int,
    requests: int,
    took: str,
) -> str:
    """The error first where there is one: it is what the line is read for. A run that failed as a whole
    was not judged by its markets."""
    told = f"{kind} {_ENDS.get(outcome, outcome)}"
    facts = []
    if error:
        told += f": {clean(error, 300)}"
    if markets and outcome in ("ok", "partial"):
        facts.append(f"{got:,}/{markets:,} markets")
    if kind != "quotes":
        facts.append(f"{inserted:,} stored")
    facts += [counted(requests, "request"), took]
    return f"{told} ({', '.join(facts)})" if error else f"{told}: {', '.join(facts)}"
