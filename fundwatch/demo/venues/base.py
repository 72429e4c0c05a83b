"""What every demo exchange does: weigh a request, answer it in its own format, know what was true."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import msgspec

from fundwatch.demo.listings import listing
from fundwatch.demo.markets import DemoMarket
from fundwatch.demo.truth import Truth

JSON = "application/json"


class Request(NamedTuple):
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """`extra` is weight by limit name that only shows once the answer is known."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    extra: Mapping[str, float] = {}


class Paid(NamedTuple):
    """One payment as it must end up stored: UTC seconds, fraction for the interval, hours, kind."""

    funding_time: int
    rate: float
    interval_hours: float
    kind: str = "regular"


class RateFields(NamedTuple):
    """Where an exchange's rates stand: rows of answers to paths that hold `path`, under these keys."""

    path: str
    keys: tuple[str, ...]


class Window(NamedTuple):
    """A documented limit: so much weight in any so many seconds."""

    weight: float
    seconds: float


class Venue(ABC):
    """One exchange. `quoted` and `settled_rows` tell the faults where to reach into its answers."""

    name: ClassVar[str]
    limits: ClassVar[Mapping[str, Window]]
    quoted: ClassVar[tuple[RateFields, ...]]
    settled_rows: ClassVar[tuple[RateFields, ...]]
    stamp_key: ClassVar[str]
    compresses: ClassVar[bool] = True

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.listing = listing(self.name)

    def weight(self, request: Request) -> Mapping[str, float]:
        """What the request costs by limit name, before it is answered."""
        return {next(iter(self.limits)): 1}

    @abstractmethod
    def answer(self, request: Request, now: float) -> Reply:
        """The documented answer at `now` (UTC seconds), its errors included."""

    @abstractmethod
    def too_many(self, wait_seconds: float, now: float) -> Reply:
        """The answer to a request above a limit."""

    @abstractmethod
    def settled(self, market: DemoMarket, start: int, end: int) -> list[Paid]:
        """What was paid in (start, end] (UTC seconds), as the exchange rounds it."""

    def markets(self, now: float) -> list[DemoMarket]:
        return self.listing.at(int(now // 3600))

    def find(self, symbol: str, now: float) -> DemoMarket | None:
        return self.listing.find(symbol, int(now // 3600))


def reply(payload: object, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode(payload))


def page(status: int, title: str) -> Reply:
    """A small HTML page, as a web server gives for a path that it does not know."""
    text = f"<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, text.encode(), "text/html")


def fixed(value: float, decimals: int) -> str:
    """A decimal string with so many decimals and no negative zero."""
    text = f"{value:.{decimals}f}"
    return text[1:] if text[0] == "-" and not text.strip("-0.") else text


def plain(value: float, decimals: int) -> str:
    """A decimal string without trailing zeros, at least one decimal: 0.0000125, 0.0."""
    text = fixed(value, decimals).rstrip("0")
    return text + "0" if text[-1] == "." else text


def price(value: float) -> str:
    """A price with about ten significant digits."""
    decimals = 8 if value < 100 else 6
    while value < 10.0 ** (3 - decimals) and decimals < 18:
        decimals += 2
    return fixed(value, decimals)


def whole(params: Mapping[str, str], key: str) -> int | None:
    """An integer parameter, None when absent; raises ValueError when it is no integer."""
    text = params.get(key)
    return None if text is None or text == "" else int(text)
