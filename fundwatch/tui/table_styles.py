"""How tables look: the styles that cells and rows name, from the theme's own variables."""

PREFIX = "line-table--"

STYLES = frozenset(
    {
        *("header", "header-sorted", "cursor", "hover", "fixed"),
        *("good", "bad", "warn", "muted", "stale", "bold"),
        *(f"{side}-{step}" for side in ("above", "below") for step in (1, 2, 3, 4)),
    }
)
"""`above-1` to `above-4` and `below-1` to `below-4` shade a cell by its distance from a middle."""

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
    &:focus > .line-table--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }

    & > .line-table--good { color: $text-success; }
    & > .line-table--bad { color: $text-error; }
    & > .line-table--warn { color: $text-warning; }
    & > .line-table--muted { color: $text-muted; }
    & > .line-table--stale { color: $text-muted; text-style: italic; }
    & > .line-table--bold { text-style: bold; }
    & > .line-table--above-1 { background: $success 10%; color: $text; }
    & > .line-table--above-2 { background: $success 20%; color: $text; }
    & > .line-table--above-3 { background: $success 32%; color: $text; }
    & > .line-table--above-4 { background: $success 46%; color: $text; }
    & > .line-table--below-1 { background: $error 10%; color: $text; }
    & > .line-table--below-2 { background: $error 20%; color: $text; }
    & > .line-table--below-3 { background: $error 32%; color: $text; }
    & > .line-table--below-4 { background: $error 46%; color: $text; }
}
"""
