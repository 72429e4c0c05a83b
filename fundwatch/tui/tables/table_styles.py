"""How tables look: the styles that cells and rows name, from the theme's own variables."""

PREFIX = "line-table--"

_SIDES = (("above", "$warning", "ansi_yellow"), ("below", "$primary", "ansi_blue"))
SHADES = {
    f"{side}-{step}": f"background: {colour} {percent}%; color: $text;"
    for side, colour, _ in _SIDES
    for step, percent in enumerate((12, 24, 38, 54), start=1)
}
"""`above-1` to `above-4` and `below-1` to `below-4` shade a cell by its distance from a middle. Not in red
and green: neither side is the good one, and most who cannot tell two colours apart cannot tell those."""

ANSI_SHADES = {
    f"{side}-{step}": (
        f"background: ansi_default; color: {colour};"
        if step < 3
        else f"background: {colour}; color: ansi_black;"
    )
    for side, _, colour in _SIDES
    for step in (1, 2, 3, 4)
}
"""The same in a terminal's own sixteen colours, which cannot be mixed."""


def shades(widget: str, prefix: str) -> str:
    """The rules for a widget whose component classes are the names of the shades after `prefix`."""
    return "\n".join(
        f"{widget}{kind} > .{prefix}{name} {{ {rules} }}"
        for kind, found in (("", SHADES), (":ansi", ANSI_SHADES))
        for name, rules in found.items()
    )


STYLES = frozenset(
    {
        *("header", "header-sorted", "cursor", "cursor-focused", "hover", "fixed"),
        *("good", "bad", "warn", "muted", "faint", "stale", "bold"),
        *SHADES,
    }
)

CSS = """
LineView {
    background: $surface;
    color: $foreground;
    height: 1fr;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;

    & > .line-table--header { background: $panel; color: $foreground; text-style: bold; }
    & > .line-table--header-sorted { text-style: bold underline; }
    & > .line-table--hover { background: $block-hover-background; }
    & > .line-table--cursor {
        background: $block-cursor-blurred-background;
        color: $block-cursor-blurred-foreground;
        text-style: $block-cursor-blurred-text-style;
    }
    & > .line-table--cursor-focused {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }

    & > .line-table--good { color: $text-success; }
    & > .line-table--bad { color: $text-error; }
    & > .line-table--warn { color: $text-warning; }
    & > .line-table--muted { color: $text-muted; }
    & > .line-table--faint { color: $text-disabled; }
    & > .line-table--stale { color: $text-muted; text-style: italic; }
    & > .line-table--bold { text-style: bold; }
}
""" + shades("LineView", PREFIX)
