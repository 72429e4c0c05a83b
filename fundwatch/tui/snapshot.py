"""Everything that the panes show, of one moment and frozen; it is read in `reading`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fundwatch.answers.memo import Memo

if TYPE_CHECKING:
    from fundwatch.answers.spreads import Spread
    from fundwatch.answers.status import Status
    from fundwatch.answers.trust import Trust
    from fundwatch.storage.alerts import AlertRow
    from fundwatch.storage.queries import Event, ExchangeRow, MarketRow, Run
    from fundwatch.storage.watching import Fingerprint

FIRST_PAIRS = 50
"""So many of the best pairs an overview can show; whoever looks at the pane of pairs asks for all."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the person looks at: the window of the rankings (now 24h 3d 7d 30d), how long a pair is held, and
    how many of the best pairs are wanted, None for all."""

    window: str = "now"
    hold_hours: float = 168.0
    pairs: int | None = FIRST_PAIRS


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`markets` are not delisted; `trust` is by market id for the window asked about.

    `runs` are the newest by exchange, newest first, without quotes passes; `taken_at` in UTC seconds.
    `alerts` are what a collector noted: those that go on, oldest first, then those that ended, newest
    first. `read_at` is when all of it was read; health, ages and alerts are of `taken_at`.
    """

    taken_at: float
    question: Question
    status: "Status"
    markets: "tuple[MarketRow, ...]" = ()
    trust: "Mapping[int, Trust]" = field(default_factory=dict)
    spreads: "tuple[Spread, ...]" = ()
    events: "tuple[Event, ...]" = ()
    runs: "Mapping[str, tuple[Run, ...]]" = field(default_factory=dict)
    exchanges: "Mapping[str, ExchangeRow]" = field(default_factory=dict)
    alerts: "tuple[AlertRow, ...]" = ()
    read_at: float = 0.0
    fingerprint: "Fingerprint" = ()
    memo: Memo = field(default_factory=Memo, repr=False, compare=False)
