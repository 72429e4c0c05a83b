"""Several series over time as lines of braille dots: text with styles, without a screen."""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from statistics import fmean
from typing import NamedTuple

from rich.cells import cell_len

from fundwatch.models import HOUR, Window
from fundwatch.text import signed, utc
from fundwatch.tui.charts.axes import Scale, fitting_scale, time_axis
from fundwatch.tui.charts.bars import Span, fitted
from fundwatch.tui.tables.caption import GAP, laid_out

HEADING = "APR %"
EMPTY = "No payments in this range yet."
LAST = "paid last:"
HUES = 8
"""Styles `series-1` and so on that tell lines apart."""

_ROOMY = 16
"""Lines of a chart from which a legend may take more than two of them."""
MIN_WIDTH, MIN_HEIGHT = 32, 8
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_ZERO_LINE = "⣀⠤⠒⠉"
_ABSURD = 1e15
_MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LONGEST_SECONDS = 8 * HOUR
"""No payment covers more."""

Point = tuple[int, float | None]
"""UTC seconds and the value then; None where it is missing, which cuts the line."""

Cell = tuple[int, int]
"""Row from the top and column of the plot."""


class Series(NamedTuple):
    """One line. Two neighbours further apart than `joined_seconds` are not joined, as nothing is known
    of the time between them; 8 h is the longest that one payment covers. `hue` counts through the
    colours, so that a line drawn with others or alone has the same; None is its place among the lines.
    `last` is what the legend says where the points are means of something else."""

    name: str
    points: Sequence[Point]
    joined_seconds: int = LONGEST_SECONDS
    hue: int | None = None
    last: float | None = None


def means(series: Series, seconds: int) -> Series:
    """The same with one point for each stretch of so many seconds, at its last value: the mean of them.

    What would not have been joined is not joined.
    """
    buckets: dict[int, list[tuple[int, float]]] = {}
    for time, value in sorted(series.points, key=itemgetter(0)):
        if value is not None:
            buckets.setdefault(-(-time // seconds), []).append((time, value))
    points: list[Point] = []
    for found in buckets.values():
        first, newest = found[0][0], found[-1][0]
        if points and first - points[-1][0] > series.joined_seconds:
            points.append((first, None))
        points.append((newest, fmean(value for _, value in found)))
    last = found[-1][1] if points else None
    return series._replace(points=points, joined_seconds=2 * seconds, last=last)


class _Line(NamedTuple):
    """A series in its window: `stretches` of values without a hole; `current` is whether the last of
    them still holds at the window's end."""

    name: str
    mark: str
    style: str
    stretches: list[list[tuple[int, float]]]
    current: bool
    last: float | None


def plot(
    series: Sequence[Series],
    window: Window,
    width: int,
    height: int,
    heading: str = HEADING,
    empty: str = EMPTY,
    decimals: int = 2,
) -> list[list[Span]]:
    """The chart as `height` lines of `width` cells; `heading` says what the values are, with the unit.

    Zero is always in the picture, as a line. Each series has a letter: on its line, at the right edge in
    the row of its last value, and in the legend, which gives that value with `decimals`, in parentheses
    where it no longer holds at the window's end; where lines are few the legend is letters and names.
    The heading line gives the highest and the lowest value and when. All times are UTC. Names must have
    been cleaned.
    """
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return _notice(f"A chart needs {MIN_WIDTH}x{MIN_HEIGHT}.", width, height)
    lines = _lines(series, window)
    legend = _legend(lines, width, decimals)
    if len(legend) > 2 and height < _ROOMY:
        legend = _legend(lines, width, None)
    legend = legend[: max(1, height - 7)]
    values = [value for line in lines for stretch in line.stretches for _, value in stretch]
    if not values:
        body = _notice(empty, width, height - len(legend) - 1)
        return [fitted([(heading, "")], width), *body, *legend]
    rows = height - 3 - len(legend)
    scale = fitting_scale(min(values), max(values), rows)
    labels = scale.labels()
    gutter = max(3, *map(len, labels.values()))
    ends = _ends(lines, scale)
    margin = 1 + max((len(spans) for spans in ends.values()), default=0)
    columns = max(10, width - gutter - 2 - margin)
    field = _field(lines, window, scale, columns)
    body = [
        fitted(
            [
                (f"{labels.get(row, ''):>{gutter}} {'┤' if row in labels else '│'}", "muted"),
                *field[row],
                (" ", ""),
                *ends.get(row, ()),
            ],
            width,
        )
        for row in range(rows)
    ]
    axis = [fitted(spans, width) for spans in time_axis(window, gutter + 1, columns)]
    return [_extremes(lines, heading, decimals, width), *body, *axis, *legend]


def _lines(series: Sequence[Series], window: Window) -> list[_Line]:
    lines: list[_Line] = []
    taken: set[str] = set()
    for at, one in enumerate(series):
        wanted = [c for c in one.name.upper() if c in _MARKS] + list(_MARKS)
        mark = next((c for c in wanted if c not in taken), "*")
        taken.add(mark)
        stretches: list[list[tuple[int, float]]] = []
        before: int | None = None
        for time, value in sorted(one.points, key=itemgetter(0)):
            if not window.start <= time <= window.end:
                continue
            if value is None or not abs(value) < _ABSURD:
                before = None
                continue
            if before is None or time - before > one.joined_seconds:
                stretches.append([])
            stretches[-1].append((time, value))
            before = time
        current = before is not None and window.end - before <= min(one.joined_seconds, LONGEST_SECONDS)
        hue = at if one.hue is None else one.hue
        last = stretches[-1][-1][1] if stretches and one.last is None else one.last
        lines.append(_Line(one.name, mark, f"series-{hue % HUES + 1}", stretches, current, last))
    return lines


def _ends(lines: Sequence[_Line], scale: Scale) -> dict[int, list[Span]]:
    """The letters at the right edge, by row."""
    ends: dict[int, list[Span]] = {}
    for line in lines:
        if line.stretches and line.current:
            _, value = line.stretches[-1][-1]
            ends.setdefault(scale.row(value), []).append((line.mark, line.style))
    return ends


def _field(lines: Sequence[_Line], window: Window, scale: Scale, columns: int) -> list[list[Span]]:
    """The plot itself, row by row: the lines, their letters and the zero line."""
    dots: dict[Cell, int] = {}
    owner: dict[Cell, tuple[int, str]] = {}
    letters: dict[Cell, Span] = {}
    stride = max(24, 8 * len(lines))
    for at, line in enumerate(lines):
        own: dict[Cell, int] = {}
        path: dict[int, Cell] = {}
        for x, y in _walk(line, window, scale, columns):
            cell = (scale.rows - 1 - y // 4, x // 2)
            own[cell] = own.get(cell, 0) | _DOTS[3 - y % 4][x % 2]
            path[x // 2] = cell
        for cell, bits in own.items():
            dots[cell] = dots.get(cell, 0) | bits
            weight = bits.bit_count()
            if cell not in owner or weight >= owner[cell][0]:
                owner[cell] = weight, line.style
        shift = stride * at // len(lines) + stride // (2 * len(lines))
        spots = [path[column] for column in range(shift, columns, stride) if column in path]
        if path and not line.current:
            spots.append(path[max(path)])
        free = [cell for cell in spots if cell not in letters]
        free = free or [cell for cell in reversed(path.values()) if cell not in letters][:1]
        letters.update(dict.fromkeys(free, (line.mark, line.style)))
    zero = (_ZERO_LINE[scale.zero % 4], "muted")
    zero_row = scale.row(0)
    field: list[list[Span]] = []
    for row in range(scale.rows):
        field.append([])
        for cell in ((row, column) for column in range(columns)):
            if cell in letters:
                field[row].append(letters[cell])
            elif cell in dots:
                field[row].append((chr(0x2800 + dots[cell]), owner[cell][1]))
            else:
                field[row].append(zero if row == zero_row else (" ", ""))
    return field


def _walk(line: _Line, window: Window, scale: Scale, columns: int) -> Iterator[tuple[int, int]]:
    """Every dot of a line from left to right: (dots from the left, dots from the bottom)."""
    width, seconds = 2 * columns - 1, max(1, window.end - window.start)
    for stretch in line.stretches:
        here: tuple[int, int] | None = None
        for time, value in stretch:
            there = ((time - window.start) * width // seconds, scale.dot(value))
            x, y = here or there
            steps = max(abs(there[0] - x), abs(there[1] - y))
            for n in range(1, steps + 1):
                yield x + round((there[0] - x) * n / steps), y + round((there[1] - y) * n / steps)
            if here is None:
                yield there
            here = there


def _extremes(lines: Sequence[_Line], heading: str, decimals: int, width: int) -> list[Span]:
    """The heading with the highest and the lowest value, and when they were where that fits."""
    found = [(v, t, line) for line in lines for stretch in line.stretches for t, v in stretch]
    short: list[list[Span]] = [[(heading, "")]]
    full = short[:]
    for word, (value, time, line) in (
        ("high", max(found, key=itemgetter(0))),
        ("low", min(found, key=itemgetter(0))),
    ):
        item = [(f" {word} ", "muted"), (line.mark, line.style), (f" {signed(value, decimals)}", "")]
        short.append(item)
        full.append([*item, (f" {utc(time, '%d %b %H:%M')}", "muted")])
    fits = sum(cell_len(text) for item in full for text, _ in item) + 2 * len(GAP) <= width
    return laid_out(full if fits else short, width, 1)[0]


def _legend(lines: Sequence[_Line], width: int, decimals: int | None) -> list[list[Span]]:
    """The letters and names in as few lines as hold them, with what was paid last where `decimals` are
    given."""
    items: list[list[Span]] = [[(LAST, "muted")]] if decimals is not None and lines else []
    for line in lines:
        item: list[Span] = [(f"{line.mark} {line.name}", line.style)]
        if decimals is not None:
            value = signed(line.last, decimals)
            shown = value if line.current or line.last is None else f"({value})"
            item.append((f" {shown}", ""))
        items.append(item)
    return laid_out(items, width, max(1, len(items)))


def _notice(words: str, width: int, height: int) -> list[list[Span]]:
    """`words` in the middle of nothing."""
    lines = [fitted([], width) for _ in range(height)]
    if lines:
        left = max(0, (width - cell_len(words)) // 2)
        lines[(height - 1) // 2] = fitted([(" " * left, ""), (words, "muted")], width)
    return lines
