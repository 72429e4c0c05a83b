"""Makes an SVG of a terminal independent of fonts: what must meet its neighbours is drawn as shapes.

Blocks, shades, lines and braille fit together only in the font and at the pitch they were made for.
"""

import re
from html import unescape

CELL_WIDTH, CELL_HEIGHT = 12.2, 24.4
BASELINE = 18.5
"""From the top of a cell to its line of text, in the same pixels."""

_TEXT = re.compile(
    r'<text class="([^"]+)" x="([0-9.e+]+)" y="([0-9.e+]+)" textLength="[0-9.e+]+"[^>]*>([^<]*)</text>'
)
_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONTS = "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace"

Box = tuple[float, float, float, float]
"""Left, top, width, height, as shares of a cell."""

_THIN_X, _THIN_Y = 0.12, 0.06
_ARMS: dict[str, Box] = {
    "left": (0, 0.5 - _THIN_Y / 2, 0.5 + _THIN_X / 2, _THIN_Y),
    "right": (0.5 - _THIN_X / 2, 0.5 - _THIN_Y / 2, 0.5 + _THIN_X / 2, _THIN_Y),
    "up": (0.5 - _THIN_X / 2, 0, _THIN_X, 0.5 + _THIN_Y / 2),
    "down": (0.5 - _THIN_X / 2, 0.5 - _THIN_Y / 2, _THIN_X, 0.5 + _THIN_Y / 2),
}
_LINES = {
    "─": "left right", "│": "up down", "┌": "right down", "┐": "left down", "└": "up right",
    "┘": "up left", "├": "up down right", "┤": "up down left", "┬": "left right down",
    "┴": "left right up", "┼": "left right up down",
}  # fmt: skip
_QUARTERS: tuple[Box, ...] = ((0, 0, 0.5, 0.5), (0.5, 0, 0.5, 0.5), (0, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5))
_QUADRANTS = {
    "▖": (2,), "▗": (3,), "▘": (0,), "▙": (0, 2, 3), "▚": (0, 3), "▛": (0, 1, 2), "▜": (0, 1, 3),
    "▝": (1,), "▞": (1, 2), "▟": (1, 2, 3),
}  # fmt: skip
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}

_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit of a braille character."""

_DOT_RADIUS = 1.75


def drawn(svg: str, name: str) -> str:
    """The same picture with `name` in its ids, fonts that need no network, and shapes."""
    if found := re.search(r'class="(terminal-\d+)-matrix"', svg):
        svg = svg.replace(found[1], name)
    svg = _FACES.sub("", svg).replace("Fira Code, monospace", _FONTS).replace("arial", _FONTS)
    return re.sub(r"[ \t]+\n", "\n", _TEXT.sub(_with_shapes, svg))


def _with_shapes(found: re.Match[str]) -> str:
    style, left, base, escaped = found.groups()
    text = unescape(escaped)
    if not any(map(_is_shape, text)):
        return found[0]
    x, top = float(left), float(base) - BASELINE
    boxes: dict[float, list[str]] = {}
    dots: list[str] = []
    for at, letter in enumerate(text):
        if "\u2800" <= letter <= "\u28ff":
            dots += [
                _dot(x + at * CELL_WIDTH, top, *_DOTS[bit]) for bit in range(8) if ord(letter) >> bit & 1
            ]
        elif _is_shape(letter):
            path = [_rectangle(x + at * CELL_WIDTH, top, box) for box in _boxes(letter)]
            boxes.setdefault(_SHADES.get(letter, 1.0), []).extend(path)
    rest = "".join("\u00a0" if _is_shape(letter) else letter for letter in text)
    words = "" if rest.isspace() else found[0].replace(escaped, _escaped(rest))
    shapes = [
        f'<path class="{style}" d="{"".join(path)}" fill-opacity="{opacity:g}" shape-rendering="crispEdges"/>'
        for opacity, path in boxes.items()
    ]
    if dots:
        shapes.append(f'<path class="{style}" d="{"".join(dots)}"/>')
    return words + "".join(shapes)


def _is_shape(letter: str) -> bool:
    return "▀" <= letter <= "▟" or "\u2800" <= letter <= "\u28ff" or letter in _LINES


def _escaped(text: str) -> str:
    for letter, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\u00a0", "&#160;")):
        text = text.replace(letter, reference)
    return text


def _boxes(letter: str) -> list[Box]:
    """The parts of a cell that a block or a line fills."""
    if letter in _LINES:
        return [_ARMS[arm] for arm in _LINES[letter].split()]
    if letter in _QUADRANTS:
        return [_QUARTERS[quarter] for quarter in _QUADRANTS[letter]]
    number = ord(letter) - 0x2580
    if 1 <= number <= 8:
        return [(0, 1 - number / 8, 1, number / 8)]
    if 9 <= number <= 15:
        return [(0, 0, (16 - number) / 8, 1)]
    return [
        {"▀": (0, 0, 1, 0.5), "▐": (0.5, 0, 0.5, 1), "▔": (0, 0, 1, 0.125), "▕": (0.875, 0, 0.125, 1)}.get(
            letter, (0, 0, 1, 1)
        )
    ]


def _rectangle(x: float, y: float, box: Box) -> str:
    left, top, width, height = box
    right, bottom = x + (left + width) * CELL_WIDTH, y + (top + height) * CELL_HEIGHT
    return (
        f"M{x + left * CELL_WIDTH:.2f} {y + top * CELL_HEIGHT:.2f}"
        f"H{right:.2f}V{bottom:.2f}H{x + left * CELL_WIDTH:.2f}z"
    )


def _dot(x: float, y: float, column: int, row: int) -> str:
    middle_x, middle_y = x + (column + 0.5) * CELL_WIDTH / 2, y + (row + 0.5) * CELL_HEIGHT / 4
    radius = _DOT_RADIUS
    arc = f"a{radius:g} {radius:g} 0 1 0 "
    return f"M{middle_x - radius:.2f} {middle_y:.2f}{arc}{2 * radius:g} 0{arc}{-2 * radius:g} 0z"
