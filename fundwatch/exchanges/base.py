"""What an exchange must answer, and the facts that the rest of the house may know about it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from fundwatch.clock import Clock
from fundwatch.exchanges.budget import Limit
from fundwatch.exchanges.http import Http
from fundwatch.models import Market, Quote, Refusal, Settlement, Source, Window

Wanted = Mapping[str, Sequence[Window]]
"""For each symbol the windows whose settlements are missing."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is documented about an exchange (shared facts with their sources: the module's docstring).

    `limits` are the documented ones by budget name, kept to 0.8 of their size;
    `history_days` is how far back settlements are served (None: the market's whole life);
    `resting_apr_percent` is where most markets of a group rest, {"": 10.95} for most exchanges, an
    empty mapping for one without a resting level; groups listed by name may rest at other levels;
    `hourly_rate_step` is the rounding of the venue's own rates, a fraction per hour;
    `continuous` says that funding accrues all the time, so any window can be settled;
    `converter_version` goes up whenever a unit conversion of the module changes.
    """

    name: str
    base_url: str
    limits: Mapping[str, Limit]
    minute: int
    taker_fee_percent: float | None
    resting_apr_percent: Mapping[str, float]
    source: Source = Source.EXCHANGE
    history_days: int | None = None
    hourly_rate_step: float | None = None
    continuous: bool = False
    converter_version: int = 1
    blocked_hint: str = ""
    """What a person can do when the exchange answers 451 or 403."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The perpetuals that trade now, and the symbols that the venue itself calls closed."""

    markets: tuple[Market, ...]
    closed: frozenset[str] = frozenset()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Quotes:
    """`relayed` are estimates of other exchanges that this one passes on: exchange -> ticker -> hourly
    rate (signed fraction). Never stored; a second opinion on our own reading of those exchanges."""

    quotes: tuple[Quote, ...]
    refused: tuple[Refusal, ...] = ()
    relayed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A part of what was asked for.

    `rows` are true settlements in ascending time for each symbol; some may lie outside the windows.
    `answered` says from where to where the venue answered a symbol without a gap of our making: an
    hour inside it that no row covers was not published. `refused` names rows that were not taken,
    `failed` symbols that could not be asked (tried again in the next sweep).
    """

    rows: tuple[Settlement, ...] = ()
    answered: tuple[tuple[str, Window], ...] = ()
    refused: tuple[Refusal, ...] = ()
    failed: tuple[Refusal, ...] = ()


class Cost(NamedTuple):
    """What fetching settlements would take: requests, and seconds at this exchange's budget."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may configure of one exchange beyond its address and budget."""

    dexes: tuple[str, ...] = field(default=("*",))
    """Hyperliquid's builder dexes by name; "*" is all of them. "" (the main dex) is always in."""


class Exchange(ABC):
    """One exchange. Knows its own formats and units; knows no database and no screen.

    Methods raise `ExchangeError` when the whole answer failed, and list single rows that did in
    `refused`. One instance serves one asyncio loop for its whole life.
    """

    facts: ClassVar[Facts]

    def __init__(self, http: Http, clock: Clock, options: Options | None = None) -> None:
        self.http = http
        self.clock = clock
        self.options = options or Options()

    @abstractmethod
    async def fetch_markets(self) -> Listing:
        """The market list; remembered, so that quotes and settlements can be told apart by it."""

    @abstractmethod
    async def fetch_quotes(self) -> Quotes:
        """Quotes of all listed markets in the fewest requests; fetches the list when there is none yet."""

    async def fetch_markets_and_quotes(self) -> tuple[Listing, Quotes]:
        """Both; in fewer requests where one answer brings both."""
        listing = await self.fetch_markets()
        return listing, await self.fetch_quotes()

    async def use_spare_budget(self) -> None:  # noqa: B027 - most exchanges have nothing left to ask
        """Asks for a little of what has no bulk answer, to be in later quotes. Once a quotes pass."""

    @abstractmethod
    def fetch_settlements(self, wanted: Wanted) -> AsyncIterator[Answer]:
        """Settlements of `wanted`, newest first, as they come; needs no earlier call.

        Raises `ExchangeError` where going on makes no sense (a ban, a block); a symbol of its own
        trouble is in `failed`. An exchange that publishes none yields nothing.
        """

    @abstractmethod
    def cost(self, wanted: Wanted) -> Cost: ...
