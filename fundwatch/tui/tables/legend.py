"""What the signs and shades of a table mean, in a few lines under it."""

from typing import ClassVar

from textual.geometry import Size

from fundwatch.tui.tables.caption import Caption, laid_out
from fundwatch.tui.tables.table_styles import SHADES, shades

MOST_LINES = 3


class Legend(Caption):
    """As high as its items need at this width, but for three lines at most."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"drawing--{name}" for name in SHADES}
    DEFAULT_CSS = f"Legend {{ height: auto; max-height: {MOST_LINES}; background: $background; }}\n" + shades(
        "Legend", "drawing--"
    )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(laid_out(self.items, width, MOST_LINES))
