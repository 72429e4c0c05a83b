"""What a person must know of a market besides its numbers: one letter each, and the words for it."""

from typing import TYPE_CHECKING, NamedTuple

from fundwatch.models import apr_percent
from fundwatch.text import signed
from fundwatch.tui.tables.caption import Item
from fundwatch.tui.words import Words

if TYPE_CHECKING:
    from fundwatch.answers.trust import Trust
    from fundwatch.storage.queries import ExchangeRow, MarketRow

SHOWN_STEP_APR_PERCENT = 0.01
"""A venue's rounding finer than this shows in no number with two decimals."""

GLYPHS = (
    ("!", "not ranked"),
    ("≠", "another asset by price"),
    ("^", "rate at its cap"),
    ("D", "delisting scheduled"),
    ("c", "session closed"),
    ("r", "recorded by us"),
    ("~", "below the rounding step"),
)
"""Each letter with what it says of a market; of a pair it is said of one of its legs."""

IN_PARENTHESES = ("( )", "not ranked, or less than 90 % known")
LEGEND = "   ".join(f"{glyph} {words}" for glyph, words in (*GLYPHS, IN_PARENTHESES))


def legend() -> list[Item]:
    """The letters for a line under a table."""
    return [[(glyph, ""), (f" {words}", "muted")] for glyph, words in (*GLYPHS, IN_PARENTHESES)]


class Mark(NamedTuple):
    glyph: str
    words: str
    style: str


def marks(
    market: "MarketRow", trust: "Trust | None", exchange: "ExchangeRow | None", words: Words
) -> tuple[Mark, ...]:
    """The marks of a market, the weightiest first; the letters are those of `GLYPHS`."""
    found = []
    if trust is not None and not trust.trusted:
        found.append(Mark("!", trust.reason or "not trusted", "bad"))
    if market.identity_reason is not None:
        found.append(Mark("≠", market.identity_reason, "bad"))
    rate, cap = market.hourly_rate, market.hourly_rate_cap
    if cap is not None and at_cap(market):
        found.append(Mark("^", f"at its cap of {signed(apr_percent(cap))} % APR", "warn"))
    if market.delisting_time is not None:
        found.append(Mark("D", f"delists {words.moment(market.delisting_time)} {words.zone}", "warn"))
    if market.session_open == 0:
        found.append(Mark("c", "session closed", "muted"))
    if market.recorded:
        found.append(Mark("r", "recorded by us, not published", "muted"))
    step = step_apr_percent(exchange)
    if rate is not None and step and abs(apr_percent(rate)) < step * (1 - 1e-6):
        found.append(Mark("~", f"below the rounding step of {step:.2f} % APR", "muted"))
    return tuple(found)


def at_cap(market: "MarketRow") -> bool:
    rate, cap = market.hourly_rate, market.hourly_rate_cap
    return rate is not None and cap is not None and 0 < cap * (1 - 1e-9) <= abs(rate)


def step_apr_percent(exchange: "ExchangeRow | None") -> float | None:
    """What a venue rounds its rates to, as APR in percent; None where that shows in no number."""
    if exchange is None or exchange.hourly_rate_step is None:
        return None
    step = apr_percent(exchange.hourly_rate_step)
    return step if step >= SHOWN_STEP_APR_PERCENT else None


def glyphs(found: tuple[Mark, ...]) -> str:
    return "".join(mark.glyph for mark in found)


def sentence(found: tuple[Mark, ...]) -> str:
    return ", ".join(mark.words for mark in found)
