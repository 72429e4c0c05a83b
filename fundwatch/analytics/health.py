"""How an exchange is doing, in one word that is true at the moment of asking."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fundwatch.text import age

HEARTBEAT_SECONDS = 120.0
"""A sweep that says it is running and has been silent for longer is dead."""

LATE_SECONDS = 15 * 60.0


class HealthWord(StrEnum):
    """The first that applies, in this order."""

    PAUSED = "paused"
    NEVER = "never"
    ERROR = "error"
    STALE = "stale"
    PARTIAL = "partial"
    LATE = "late"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of an exchange's tracker now.

    `last_sweep_failed` says whether the last sweep that ended failed as a whole; None: none has
    ended yet. `error` is its sentence. `unit_error` is the sentence of a failed unit check.
    `heartbeat_age_seconds` belongs to a sweep that calls itself running, infinite if it never gave
    a sign; None when there is no such sweep.
    `markets_expected` counts the markets of the last sweep without those on the failing list,
    `markets_failed` those of them that it could not get, `markets_gone` those that left the list
    without a word from the venue. `quote_ages_seconds` has one entry for each expected market, None
    for one that was never quoted.
    """

    quotes_every_seconds: float
    stale_after_seconds: float
    paused: bool = False
    last_sweep_failed: bool | None = None
    error: str = ""
    unit_error: str = ""
    heartbeat_age_seconds: float | None = None
    markets_expected: int = 0
    markets_failed: int = 0
    markets_gone: int = 0
    quote_ages_seconds: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """`age_seconds` is the quote age of the oldest market after leaving out the worst 1 %.

    It is None when that market was never quoted. `reason` is for a person, "" when all is well.
    """

    word: HealthWord
    reason: str
    age_seconds: float | None
    markets: int
    markets_fresh: int


def oldest_but_worst(ages: Sequence[float | None]) -> float | None:
    """The highest age (seconds) after leaving out the worst 1 %, rounded down to whole markets.

    A market without a quote counts as the oldest of all; None when such a one is left, or none at all.
    """
    ranked = sorted(ages, key=lambda value: float("inf") if value is None else value)
    kept = ranked[: len(ranked) - len(ranked) // 100]
    return kept[-1] if kept else None


def is_alive(heartbeat_age_seconds: float | None) -> bool:
    """Whether a sweep that calls itself running really is."""
    return heartbeat_age_seconds is not None and heartbeat_age_seconds <= HEARTBEAT_SECONDS


def health_of(signs: Signs) -> Health:
    late_after = max(3 * signs.quotes_every_seconds, LATE_SECONDS)
    ages = signs.quote_ages_seconds
    oldest = oldest_but_worst(ages)
    fresh = sum(1 for value in ages if value is not None and value <= late_after)
    word, reason = _verdict(signs, oldest, late_after)
    return Health(word, reason, oldest, len(ages), fresh)


def _verdict(signs: Signs, oldest: float | None, late_after: float) -> tuple[HealthWord, str]:
    interrupted = signs.heartbeat_age_seconds is not None and not is_alive(signs.heartbeat_age_seconds)
    if signs.paused:
        return HealthWord.PAUSED, "paused by you"
    if signs.last_sweep_failed is None and not interrupted and not signs.unit_error:
        running = signs.heartbeat_age_seconds is not None
        return HealthWord.NEVER, "its first sweep is under way" if running else "not collected yet"
    if signs.unit_error:
        return HealthWord.ERROR, signs.unit_error
    if interrupted:
        return HealthWord.ERROR, f"interrupted: no sign of life{_since(signs.heartbeat_age_seconds)}"
    if signs.last_sweep_failed:
        return HealthWord.ERROR, signs.error or "the last sweep failed"
    if oldest is None:
        never = sum(1 for value in signs.quote_ages_seconds if value is None)
        return HealthWord.STALE, f"{never} of {len(signs.quote_ages_seconds)} markets have no quote"
    if oldest > signs.stale_after_seconds:
        return HealthWord.STALE, f"quotes are {age(oldest)} old"
    if reason := _partial(signs):
        return HealthWord.PARTIAL, reason
    if oldest > late_after:
        return HealthWord.LATE, f"quotes are {age(oldest)} old"
    return HealthWord.OK, ""


def _since(seconds: float | None) -> str:
    return f" for {age(seconds)}" if seconds is not None and math.isfinite(seconds) else ""


def _partial(signs: Signs) -> str:
    """Why the last sweep was not a success though it did not fail as a whole; "" when it was one.

    More than 1 % failed, or more than 5 % and more than 3 markets vanished from the list.
    """
    if signs.markets_failed * 100 > signs.markets_expected:
        return f"{signs.markets_failed} of {signs.markets_expected} markets failed in the last sweep"
    if signs.markets_gone > 3 and signs.markets_gone * 20 > signs.markets_expected:
        return f"{signs.markets_gone} of {signs.markets_expected} markets left the list without a word"
    return ""
