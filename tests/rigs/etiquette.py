"""Whether an exchange was asked as politely as was promised: judged from what came over its wire."""

from collections import deque
from collections.abc import Iterator, Mapping

from fundwatch.exchanges import load
from fundwatch.exchanges.budget import PACE, Limit
from tests.rigs.small_world import Sent

LONGEST_SECONDS = {429: 86400.0, 418: 4 * 86400.0}
"""A statement of more than this is not believed, and the exchange asked once more."""

UNSTATED_SECONDS = {"403": 1800.0, "451": 3000.0, "html": 60.0}
"""How long we stay away by ourselves where the answer names no end."""


def away_until(sent: Sent) -> float | None:
    """Until when (true time) nothing may be sent after this answer; None where it says nothing of it."""
    if sent.answered is None:
        return None
    if sent.away_until is not None:
        longest = LONGEST_SECONDS[sent.status or 429]
        return min(sent.away_until, sent.answered + longest)
    own = UNSTATED_SECONDS.get(sent.fault or "")
    return None if own is None else sent.answered + own


def intruders(log: list[Sent]) -> Iterator[str]:
    """Requests that were sent before a ban was over, the first of each ban.

    While our clock is so far ahead that by it the ban is over, nobody could know: those are passed over.
    """
    ban: Sent | None = None
    end = 0.0
    for sent in sorted(log, key=lambda one: one.at):
        if ban is not None and ban.answered is not None and ban.answered < sent.at < end:
            if sent.wall < end - 1:
                yield (
                    f"{sent.path} at {sent.at:.1f}, {end - sent.at:.1f} s before the end of the ban"
                    f" ({ban.fault}, HTTP {ban.status}) of {ban.answered:.1f}"
                )
            ban, end = None, 0.0
        until = away_until(sent)
        if until is not None and until > end:
            ban, end = sent, until


def overspent(log: list[Sent], limits: Mapping[str, Limit], scale: float = 1.0) -> Iterator[str]:
    """Rolling windows with more weight in them than we promise, the first of each limit."""
    for name, limit in limits.items():
        most = max(1.0, limit.weight * PACE * scale)
        window: deque[tuple[float, float]] = deque()
        used = 0.0
        for sent in log:
            weight = sent.weight.get(name, 0.0)
            while window and window[0][0] <= sent.at - limit.seconds:
                used -= window.popleft()[1]
            window.append((sent.at, weight))
            used += weight
            if used > max(most, weight) + 1e-6:
                when = f"in the {limit.seconds:g} s before {sent.at:.1f}"
                yield f"{name}: {used:g} {when}, promised are {most:g}"
                break


def complaints(exchange: str, log: list[Sent], scale: float = 1.0) -> list[str]:
    told = [*intruders(log), *overspent(log, load(exchange).facts.limits, scale)]
    return [f"{exchange}: {one}" for one in told]
