"""Misbehaviour on request: what can go wrong with an exchange, in words such as `451` or `unit:24`.

A fault reads `KIND[:N][@TEXT][*TIMES]`: `@TEXT` keeps it to paths that hold TEXT, `*TIMES` to so many
answers.

| kind | what happens |
|---|---|
| 400 to 599 | that HTTP status; 429 and 418 with Retry-After (N seconds, else 30 and 300) |
| html | status 200 with a challenge page |
| redirect | a redirect to a link-local address |
| hang, drip | no answer at all; one byte every 50 ms |
| truncate, reset | the body ends early; the connection is reset inside it |
| gzip-bomb | 64 MB of zeros in a small body |
| nan, nan-bare | "NaN" strings, or the bare word, in every fifth row's rate |
| half, empty, duplicates | half of the markets missing everywhere; no rows; some rows twice |
| drift | the rate fields have another name |
| jitter | settlement stamps up to 59 s off |
| revise, missing-rows | some settled values doubled; the settlements of some hours missing |
| one-symbol | history of all symbols holds a single one |
| unit, unit-quotes, unit-settled | rates N times too large (100 unless told) |
| sign, sign-quotes, sign-settled | rates lose their sign |
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_FORM = re.compile(r"([0-9a-z-]+)(?::([0-9.]+))?(?:@([^*+]+))?(?:\*(\d+))?")
TRANSPORT = frozenset({"hang", "drip", "truncate", "reset"})
WHOLE = frozenset({"html", "redirect", "gzip-bomb"})
ROWS = frozenset(
    {
        "nan", "nan-bare", "half", "empty", "duplicates", "drift", "jitter", "revise", "missing-rows",
        "one-symbol",
        "unit", "unit-quotes", "unit-settled", "sign", "sign-quotes", "sign-settled",
    }
)  # fmt: skip


@dataclass(slots=True)
class Fault:
    kind: str
    number: float | None = None
    path: str = ""
    times: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Raises ValueError for a kind that does not exist."""
        form = _FORM.fullmatch(text.strip())
        if not form:
            raise ValueError(f"not a fault: {text!r}")
        kind, number, path, times = form.groups()
        if not re.fullmatch("[45][0-9]{2}", kind) and kind not in TRANSPORT | WHOLE | ROWS:
            raise ValueError(f"unknown fault {kind!r}")
        return cls(kind, float(number) if number else None, path or "", int(times) if times else None)

    @property
    def status(self) -> int | None:
        return int(self.kind) if self.kind.isdigit() else None


class Faults:
    """The faults of one exchange now."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._active.append(fault)

    def clear(self) -> None:
        self._active = []

    def take(self, path: str) -> list[Fault]:
        """The faults that this answer meets; those with a count lose one."""
        met = [fault for fault in self._active if fault.path in path and fault.times != 0]
        for fault in met:
            if fault.times is not None:
                fault.times -= 1
        return met


def parse_all(text: str) -> Iterator[tuple[str, Fault]]:
    """`binance=451,aster=half+unit:8` as (exchange, fault) pairs."""
    for part in filter(None, (p.strip() for p in text.split(","))):
        exchange, separator, fault = part.partition("=")
        if not separator:
            raise ValueError(f"not EXCHANGE=FAULT: {part!r}")
        yield from from_mapping({exchange.strip(): fault})


def from_mapping(faults: Mapping[str, str] | str) -> Iterator[tuple[str, Fault]]:
    """The same pairs from one text or from a text per exchange; raises ValueError."""
    if isinstance(faults, str):
        yield from parse_all(faults)
    else:
        for exchange, text in faults.items():
            yield from ((exchange, Fault.parse(fault)) for fault in text.split("+"))
