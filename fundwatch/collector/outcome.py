"""How a run went, and when it may call itself complete."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fundwatch.text import clean

PARTIAL_SHARE = 0.01

Kind = Literal["sweep", "quotes", "backfill"]
Word = Literal["ok", "partial", "error", "interrupted", "cancelled"]


@dataclass(slots=True)
class Outcome:
    """`failed` are the markets held to account that the run could not get, with the reason.

    `markets` counts the listed ones, `listed` names them once a sweep has looked after all of them;
    `open_hours` says that settlements due by now are still missing.
    """

    word: Word = "ok"
    error: str | None = None
    retry_at: float | None = None
    inserted: int = 0
    markets: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    listed: set[str] | None = None
    open_hours: bool = False


def expected_of(listed: Collection[str], failed: Collection[str], failing: Collection[str]) -> set[str]:
    """The markets that a run should get: those that `failing` names have failed sweep after sweep."""
    return (set(listed) | set(failed)) - set(failing)


def judge(outcome: Outcome, listed: Collection[str], failing: Collection[str]) -> None:
    """Calls a run partial that lacks more than 1 % of the expected markets."""
    expected = expected_of(listed, outcome.failed, failing)
    failed = {symbol: why for symbol, why in outcome.failed.items() if symbol in expected}
    if outcome.word == "ok" and len(failed) > PARTIAL_SHARE * len(expected):
        outcome.word, outcome.error = "partial", _summary_of(failed, len(expected))


def _summary_of(failed: Mapping[str, str], expected: int) -> str:
    """`partial 187/190: 2 rate is missing, 1 listed, but without a quote (BTC, ETH ...)`."""
    reasons: dict[str, int] = {}
    for why in failed.values():
        reasons[why] = reasons.get(why, 0) + 1
    most = sorted(reasons.items(), key=lambda item: -item[1])[:3]
    told = ", ".join(f"{n} {why}" for why, n in most)
    names = ", ".join(sorted(failed)[:3]) + (" ..." if len(failed) > 3 else "")
    return clean(f"partial {expected - len(failed)}/{expected}: {told} ({names})", 300)
