"""What the table says of one recorded file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fundwatch.exchanges.errors import Drift, ExchangeError
from tests.exchanges.recordings.raw import Raw, Values
from tests.exchanges.recordings.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncalled:
    """Why no request of ours brings such a file, and how the function nearest to it refuses it whole."""

    why: str
    ask: Callable[[bytes], object]
    error: type[ExchangeError] = Drift
    words: str


@dataclass(frozen=True, slots=True)
class File:
    """A file is read by one of our functions, refused whole, or an opinion of the file beside it.

    `raw` gives the expected numbers without our modules, `literal` some of them as they are printed.
    `rates` counts those of known interval, `unknown` payments whose interval nothing tells; `hours` are
    the intervals that occur. All refusals hold the words of `reason`. `opinion` makes numbers of what
    another project made of the file `of`.
    """

    path: str
    endpoint: str
    read: Reader | None = None
    raw: Raw | None = None
    markets: int = 0
    closed: int = 0
    rates: int = 0
    unknown: int = 0
    refused: int = 0
    reason: str = ""
    modal_apr_percent: float | None = None
    hours: frozenset[float] = frozenset()
    literal: Mapping[str, float | None] = field(default_factory=dict)
    uncalled: Uncalled | None = None
    opinion: Callable[[Any], Values] | None = None
    of: str = ""


def uncalled(path: str, endpoint: str, why: str, ask: Callable[[bytes], object], words: str) -> File:
    return File(path, endpoint, uncalled=Uncalled(why=why, ask=ask, words=words))


def derivative_tickers(body: Any) -> list[dict[str, Any]]:
    """The derivative tickers among normalised messages."""
    return [message for frame in body for message in frame if message["type"] == "derivative_ticker"]
