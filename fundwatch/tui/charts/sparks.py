"""Small pictures of a series in one line of text."""

from collections.abc import Sequence

MISSING = "·"
_BLOCKS = "▁▂▃▄▅▆▇█"
_ABSURD = 1e15

LEGEND = f"What was paid, from lowest to highest; flat where it changed little; {MISSING} not known"

LEAST_SHARE = 0.5
"""A series that moves by less than this share of its value furthest from zero is drawn as good as flat."""


def spark(values: Sequence[float | None], width: int) -> str:
    """The shape of `values`, oldest first and evenly spaced in time, as exactly `width` block characters.

    The blocks reach from the smallest to the largest value, and over `LEAST_SHARE` of the value furthest
    from zero at least, so that noise stays small; equal values lie in the middle. Sign and size are for
    the numbers beside it to say.

    The newest value is at the right. Where several values share a character the most extreme one is
    drawn; fewer values than characters leave the left missing. Missing, NaN and infinite are `·`.
    """
    if width <= 0:
        return ""
    known = [value if value is not None and abs(value) < _ABSURD else None for value in values]
    finite = [value for value in known if value is not None]
    if not finite:
        return MISSING * width
    low, high = min(finite), max(finite)
    wanting = max(0.0, LEAST_SHARE * max(abs(low), abs(high)) - (high - low))
    low, high = low - wanting / 2, high + wanting / 2
    cells = _squeezed(known, width, _middle(finite))
    return "".join(_block(value, low, high) for value in cells).rjust(width, MISSING)


def _middle(values: Sequence[float]) -> float:
    """The median; loading `statistics` for it would put off the first paint."""
    ordered, count = sorted(values), len(values)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _squeezed(values: Sequence[float | None], width: int, base: float) -> list[float | None]:
    """At most `width` values: of those that share a place, the one furthest from `base`."""
    if len(values) <= width:
        return list(values)
    cells: list[float | None] = []
    for at in range(width):
        share = values[at * len(values) // width : (at + 1) * len(values) // width]
        cells.append(max((v for v in share if v is not None), key=lambda v: abs(v - base), default=None))
    return cells


def _block(value: float | None, low: float, high: float) -> str:
    if value is None:
        return MISSING
    if high == low:
        return _BLOCKS[4]
    return _BLOCKS[min(7, int((value - low) / (high - low) * 8))]
