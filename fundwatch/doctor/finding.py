"""What the doctor says, one line at a time."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from fundwatch.text import clean


class Level(StrEnum):
    """How much a finding matters, the least first: a note is good to know, a warning may hurt later, a
    failure hurts now."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


_ORDER = list(Level)


class Finding(msgspec.Struct, frozen=True):
    """`subject` is what was looked at, in `area`; `advice` what to do, "" where nothing need be done."""

    area: str
    level: Level
    subject: str
    message: str
    advice: str = ""


def worst(findings: Iterable[Finding]) -> Level:
    return max((finding.level for finding in findings), key=_ORDER.index, default=Level.OK)


def guarded(area: str, subject: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """What `look` finds. Where it cannot look, that is a finding, and hides none of the others."""
    try:
        return look()
    except Exception as error:
        what = clean(str(error), 300) or type(error).__name__
        return [Finding(area, Level.FAIL, subject, f"could not be looked at: {what}")]
