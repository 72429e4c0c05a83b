"""What is due when: a question to the UTC clock and to what is stored, never to a timer.

So sleep, clock corrections, time zones and restarts are all the same case.
"""

from fundwatch.models import HOUR

QUOTES_LEAD_SECONDS = 60
"""Quotes are taken a minute before the round times, so that the last estimate before every
settlement is fresh (Variational's is recorded as its settlement)."""

FIRST_RETRY_SECONDS = 300
LONGEST_RETRY_SECONDS = 2400


def quotes_slot(now: float, every_seconds: int) -> int:
    """The number of the quotes pass that is due at `now`; all exchanges share it."""
    return int((now + QUOTES_LEAD_SECONDS) // every_seconds)


def next_quotes(now: float, every_seconds: int) -> float:
    """When the next slot begins."""
    return (quotes_slot(now, every_seconds) + 1) * every_seconds - QUOTES_LEAD_SECONDS


def sweep_hour(now: float, minute: int) -> int:
    """The UTC hour (as a count of hours) whose sweep is due at `now`, at `minute` past each hour."""
    return int((now - minute * 60) // HOUR)


def next_sweep(now: float, minute: int) -> float:
    return (sweep_hour(now, minute) + 1) * HOUR + minute * 60


def retry_delay(attempts: int) -> int:
    """Seconds until a sweep that left something open is tried again within its hour."""
    return int(min(FIRST_RETRY_SECONDS * 2 ** max(0, attempts - 1), LONGEST_RETRY_SECONDS))
