"""Whether an exchange lets us ask now: its bans in force, by its own clock where ours is wrong."""

import random
from dataclasses import replace

from fundwatch.clock import Clock
from fundwatch.exchanges.bans import (
    LONGEST_SECONDS,
    LONGEST_STATED_BAN_SECONDS,
    Ban,
    BanBook,
    BanKind,
    doubled,
)
from fundwatch.exchanges.verdict import FORBIDDEN_SECONDS
from fundwatch.text import clean

CLOCK_WRONG_SECONDS = 90.0
"""More than an answer takes on its way, or lies in a cache."""

_CLOCK_SET_SECONDS = 30.0
"""When wall and monotonic clock drift apart by so much, ours was set, or the machine has slept."""


class Standing:
    """What we are to one exchange; bans are kept in `bans` under `scope` and outlive the process."""

    def __init__(self, scope: str, clock: Clock, bans: BanBook) -> None:
        self.scope = scope
        self._clock = clock
        self._bans = bans
        self._forgiven = 0
        self._ahead = (0.0, 0.0)
        """How far our clock was ahead in the last answer, and wall less monotonic time then."""
        self._own_ban: tuple[Ban, float, float] | None = None
        """The last ban that this process met, when it is over by our clock, also by one set right since, and
        the monotonic time by which it is over in any case."""

    def hear(self, server_time: float | None) -> None:
        """The exchange's clock (UTC seconds) by an answer that just came, where it tells."""
        if server_time is not None:
            now = self._clock.now()
            self._ahead = (now - server_time, now - self._clock.monotonic())

    def ahead_seconds(self) -> float:
        """How far our clock is ahead of the exchange's, by its last answer; 0 where that is not known."""
        ahead, offset = self._ahead
        is_same_clock = abs(self._clock.now() - self._clock.monotonic() - offset) < _CLOCK_SET_SECONDS
        return ahead if is_same_clock else 0.0

    def ban(self) -> Ban | None:
        """The ban in force now, if any."""
        now = self._clock.now()
        ban = self._bans.get(self.scope)
        if ban is None:
            return None
        if self._own_ban is not None:
            ban, until, over = self._own_ban
            return ban if now < until and self._clock.monotonic() < over else None
        if ban.until > now + LONGEST_SECONDS[ban.kind]:
            # Nobody bans for so long: the clock was ahead when this was noted, and has been set back.
            ban = replace(ban, until=now + FORBIDDEN_SECONDS)
            self._bans.put(self.scope, ban)
        return ban if ban.until > now else None

    def strikes(self) -> int:
        """Bans in a row before now. Requests that were in flight together commit one offence."""
        before = self._bans.get(self.scope)
        return before.strikes - (self.ban() is not None) if before else 0

    def drawn(self, kind: BanKind, seconds: float, reason: str) -> Ban:
        """A ban of `seconds`, doubled with each ban in a row, and somewhat longer by chance."""
        strikes = max(self.strikes(), self._forgiven)
        own = max(min(seconds, LONGEST_STATED_BAN_SECONDS), doubled(seconds, strikes))
        until = self._clock.now() + random.uniform(own, own * 1.25)  # noqa: S311 - jitter
        return Ban(kind, until, clean(reason), strikes + 1)

    def impose(self, ban: Ban) -> Ban:
        """Notes `ban` unless one in force lasts longer; the one that holds."""
        current = self.ban()
        if current and current.until >= ban.until:
            return current
        ahead = self.ahead_seconds()
        there = ban.until - ahead  # by a clock that is right
        over = self._clock.monotonic() + ban.until - self._clock.now()
        self._own_ban = ban, max(ban.until, there), over
        is_wrong = abs(ahead) > CLOCK_WRONG_SECONDS  # whoever reads this next may have a clock that is right
        self._bans.put(self.scope, replace(ban, until=there if is_wrong else max(ban.until, there)))
        return ban

    def forgive(self) -> None:
        """A good answer ends the row of bans, unless one is in force."""
        over = self._bans.get(self.scope)
        self._forgiven = over.strikes if over and not self.ban() else 0
        if self._forgiven:
            self._bans.drop(self.scope)
