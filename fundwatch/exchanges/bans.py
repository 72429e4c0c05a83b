"""How long an exchange wants us to stay away, kept where it outlives the process."""

from dataclasses import dataclass
from typing import Literal, Protocol

from fundwatch.exchanges.errors import Banned, Blocked, ExchangeError, Throttled
from fundwatch.text import utc

BanKind = Literal["throttled", "banned", "blocked"]
_ERRORS: dict[BanKind, type[ExchangeError]] = {"throttled": Throttled, "banned": Banned, "blocked": Blocked}

LONGEST_BAN_SECONDS = 86400.0
LONGEST_STATED_BAN_SECONDS = 4 * 86400.0
"""Binance documents bans of up to three days; a longer statement is not believed."""

LONGEST_SECONDS: dict[BanKind, float] = {
    "throttled": 1.3 * LONGEST_BAN_SECONDS,
    "banned": 1.1 * LONGEST_STATED_BAN_SECONDS,
    "blocked": 1.3 * LONGEST_BAN_SECONDS,
}
"""No ban is noted for longer, our jitter included."""


@dataclass(frozen=True, slots=True)
class Ban:
    """No request before `until` (UTC seconds). `strikes` counts bans in a row: waits double with it."""

    kind: BanKind
    until: float
    reason: str
    strikes: int = 1

    def error(self) -> ExchangeError:
        """What a request meets that would have been sent too early."""
        text = f"{self.reason}; nothing is sent before {utc(self.until, '%Y-%m-%d %H:%M:%S')} UTC"
        return _ERRORS[self.kind](text, retry_at=self.until)


def doubled(seconds: float, strikes: int) -> float:
    """`seconds` after so many bans in a row, at most a day."""
    return min(seconds * 2.0 ** min(strikes, 16), LONGEST_BAN_SECONDS)


class BanBook(Protocol):
    """Bans by scope (exchange, host and way there)."""

    def get(self, scope: str, /) -> Ban | None: ...

    def put(self, scope: str, ban: Ban) -> None: ...

    def drop(self, scope: str) -> None: ...


class MemoryBans(dict[str, Ban]):
    """A ban book that forgets with the process: for tests and single questions."""

    def put(self, scope: str, ban: Ban) -> None:
        self[scope] = ban

    def drop(self, scope: str) -> None:
        self.pop(scope, None)
