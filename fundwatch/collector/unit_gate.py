"""Nothing is stored before the unit check has looked: rows wait here until it has enough to go by."""

from collections.abc import Mapping, Sequence

from fundwatch.analytics.unit_check import (
    ENOUGH_MARKETS,
    Check,
    Sample,
    check_agreement,
    check_settlements,
)
from fundwatch.models import HOUR, Kind, Market, Settlement

RECENT_SECONDS = 26 * HOUR
"""Settlements this young are held against the last estimate; older ones tell nothing about it."""

LOOK_AGAIN_EVERY = 25
MAIN_GROUP = ""
"""All markets of most exchanges, and those of Hyperliquid's own dex."""

Failed = Mapping[tuple[str, str], str]
"""The sentences of failed checks by group and what was checked."""


class UnitError(Exception):
    """The rates of a group are in another unit than documented; the message is the sentence."""


class UnitGate:
    """Collects one settled rate per market and judges them together, group by group.

    `estimates` are the last hourly estimates by symbol; `resting` the APR at which groups rest.
    `failed` are the errors of the last look: they stand until there is enough to judge anew.
    """

    def __init__(
        self,
        markets: Mapping[str, Market],
        estimates: Mapping[str, float],
        resting: Mapping[str, float],
        step: float | None,
        now: float,
        failed: Failed,
    ) -> None:
        self._markets = markets
        self._estimates = estimates
        self._resting = resting
        self._step = step
        self._now = now
        self._failed = failed
        self._latest: dict[str, Settlement] = {}
        self._judged = 0
        self._standing: list[tuple[str, str]] = []
        self.wrong: dict[str, str] = {}
        """The sentences of the groups that are off now."""
        self.checks: list[Check] = []

    @property
    def may_store(self) -> bool:
        """Whether enough was seen, also of the groups that failed the last look."""
        return self._judged >= ENOUGH_MARKETS and not self._standing

    def add(self, rows: Sequence[Settlement]) -> None:
        """Takes rows of any symbols; the newest regular row of each counts."""
        for row in rows:
            if row.kind is not Kind.REGULAR or not row.interval_hours or row.symbol not in self._markets:
                continue
            known = self._latest.get(row.symbol)
            if known is None or known.funding_time < row.funding_time:
                self._latest[row.symbol] = row

    @property
    def is_due(self) -> bool:
        """Whether enough has come since the last look."""
        n = len(self._latest)
        return n >= ENOUGH_MARKETS and (not self._judged or n >= self._judged + LOOK_AGAIN_EVERY)

    def judge(self, *, at_the_end: bool = False) -> None:
        """Looks at everything so far; groups that are off are in `wrong` from then on.

        Raises `UnitError` when the exchange's main group is. An error of the last look that still
        stands counts `at_the_end`, when no more will come.
        """
        self._judged = len(self._latest)
        samples: list[Sample] = []
        pairs: dict[str, list[tuple[float, float]]] = {}
        for symbol, row in self._latest.items():
            assert row.interval_hours
            market, hourly = self._markets[symbol], row.rate / row.interval_hours
            samples.append(Sample(symbol, market.group, market.asset.asset_class, hourly))
            estimate = self._estimates.get(symbol)
            if estimate is not None and row.funding_time > self._now - RECENT_SECONDS:
                pairs.setdefault(market.group, []).append((hourly, estimate))
        checks = list(check_settlements(samples, self._resting, self._step))
        checks += [
            check_agreement(found, self._step, group, rests=group in self._resting or len(self._resting) > 1)
            for group, found in pairs.items()
        ]
        told: dict[tuple[str, str], Check] = {(check.group, check.what): check for check in checks}
        self._standing = standing = [
            key
            for key in self._failed
            if any(sample.group == key[0] for sample in samples)
            and ((check := told.get(key)) is None or check.n < ENOUGH_MARKETS)
        ]
        self.checks = [c for c in checks if (c.group, c.what) not in standing or c.verdict == "error"]
        failed = [check for check in self.checks if check.verdict == "error"]
        self.wrong = {check.group: check.sentence for check in reversed(failed)}
        if at_the_end:
            self.wrong |= {group: self._failed[group, what] for group, what in reversed(standing)}
        if MAIN_GROUP in self.wrong:
            raise UnitError(self.wrong[MAIN_GROUP])

    def wrong_about(self, symbol: str) -> str | None:
        """Why nothing of this market may be stored; None when it may."""
        market = self._markets.get(symbol)
        return self.wrong.get(market.group) if market else None
