"""Small pictures of a series in one line of text."""

from collections.abc import Sequence

MISSING = "·"
ZERO = "─"
_BLOCKS = "▁▂▃▄▅▆▇█"
_ABSURD = 1e15


def spark(
    values: Sequence[float | None], width: int, *, around_zero: bool = True, least_share: float = 0.0
) -> str:
    """`values`, oldest first and evenly spaced in time, as exactly `width` block characters.

    Around zero, half a cell is zero: `▅▆▇█` are above it, `▁▂▃▄` below, `─` is exactly zero, and the
    value furthest from zero fills its half, so the sign shows without colour. Otherwise the blocks
    reach from the smallest to the largest value, and equal values lie in the middle; so do those that
    differ by little, when the blocks reach over `least_share` of the value furthest from zero at least.

    The newest value is at the right. Where several values share a character the most extreme one is
    drawn; fewer values than characters leave the left missing. Missing, NaN and infinite are `·`.
    """
    if width <= 0:
        return ""
    known = [value if value is not None and abs(value) < _ABSURD else None for value in values]
    finite = [value for value in known if value is not None]
    if not finite:
        return MISSING * width
    base = 0.0 if around_zero else _middle(finite)
    cells = _squeezed(known, width, base)
    if around_zero:
        reach = max(abs(value) for value in finite)
        drawn = [_around_zero(value, reach) for value in cells]
    else:
        low, high = min(finite), max(finite)
        wanting = max(0.0, least_share * max(abs(low), abs(high)) - (high - low))
        low, high = low - wanting / 2, high + wanting / 2
        drawn = [_within(value, low, high) for value in cells]
    return "".join(drawn).rjust(width, MISSING)


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


def _around_zero(value: float | None, reach: float) -> str:
    if value is None:
        return MISSING
    if value == 0:
        return ZERO
    step = min(3, int(abs(value) / reach * 4))
    return _BLOCKS[4 + step] if value > 0 else _BLOCKS[3 - step]


def _within(value: float | None, low: float, high: float) -> str:
    if value is None:
        return MISSING
    if high == low:
        return _BLOCKS[3]
    return _BLOCKS[min(7, int((value - low) / (high - low) * 8))]
