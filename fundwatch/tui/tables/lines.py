"""Drawing of a table: only the lines in view, and of those only the ones that changed."""

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import Any, ClassVar, NamedTuple

from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from fundwatch.tui.tables.anchoring import Cursor
from fundwatch.tui.tables.columns import Column, Layout, lay_out
from fundwatch.tui.tables.model import TableModel
from fundwatch.tui.tables.painting import Heading, Look, Painter
from fundwatch.tui.tables.table_styles import CSS, PREFIX, STYLES


class _Line(NamedTuple):
    """What to call to draw a line; equal lines look equal."""

    draw: Callable[..., Strip]
    args: tuple[Any, ...] = ()


class LineView(ScrollView, inherit_bindings=False):
    """Shows a model's rows under a fixed heading; the heading is the line above the scrolled rows."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {PREFIX + name for name in STYLES}
    DEFAULT_CSS = CSS

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        fixed: int = 1,
        empty: str = "Nothing to show.",
        no_match: str = "Nothing matches.",
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """The first `fixed` columns never scroll; `empty` and `no_match` say why there are no rows."""
        super().__init__(name=name, id=id, classes=classes)
        self._model = TableModel(columns)
        self._cursor = Cursor()
        self._fixed = fixed
        self._empty = empty
        self._no_match = no_match
        self._hide_columns = True
        self._first_column = 0
        self._hover_y: int | None = None
        self._painter: Painter | None = None
        self._drawn: dict[int, _Line] = {}
        self._named_styles: dict[str, Style] = {}

    @property
    def columns(self) -> Sequence[Column]:
        """All columns, those too that this width leaves out."""
        return self._model.columns

    @property
    def _top(self) -> int:
        """The number of the first row in view."""
        return self.scroll_offset.y

    @property
    def _page(self) -> int:
        """How many rows are in view."""
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _layout(self) -> Layout:
        return self._current_painter.layout

    @property
    def _current_painter(self) -> Painter:
        width = self.scrollable_content_region.width
        if self._painter is None or self._painter.layout.width != width:
            columns = self._model.columns
            layout = lay_out(
                columns,
                width,
                fixed=self._fixed,
                first=self._first_column,
                keep=self._model.sorted_by,
                hide=self._hide_columns,
            )
            self._painter = Painter(columns, self._fixed, layout, self._style)
        return self._painter

    def _forget_layout(self) -> None:
        self._painter = None
        self.refresh()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Focus changes the cursor's line alone, and no rule asks for it: styles need not be made anew."""

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._named_styles.clear()
        self._painter = None

    def _style(self, name: str) -> Style:
        """The named style with only what its rules set; "" is the table's own. Unknown names add nothing."""
        style = self._named_styles.get(name)
        if style is None:
            style = self._named_styles[name] = self._resolve(name) if name else self.rich_style
        return style

    def _resolve(self, name: str) -> Style:
        try:
            rules = self.get_component_styles(PREFIX + name)
        except KeyError:
            return Style.null()
        # From the full style: it has laid transparent and automatic colours over the background.
        full = rules.rich_style
        coloured = rules.has_rule("color") or rules.has_rule("auto_color")
        shaded = rules.has_rule("background") and rules.background.a > 0
        return (
            Style(color=full.color if coloured else None, bgcolor=full.bgcolor if shaded else None)
            + rules.text_style
        )

    def render_line(self, y: int) -> Strip:
        line = self._drawn[y] = self._line(self._current_painter, y)
        return line.draw(*line.args)

    def _line(self, painter: Painter, y: int) -> _Line:
        model = self._model
        if y == 0:
            index = None if model.sorted_by is None else model.index(model.sorted_by)
            return _Line(painter.heading, (Heading(index, model.descending),))
        line = self._top + y - 1
        if line < len(model.visible):
            row = model.visible[line]
            return _Line(painter.row, (row.cells, row.style, self._look(line, y)))
        if not model.visible:
            words = wrap(self._no_match if model.rows else self._empty, max(1, painter.layout.width - 2))
            if y <= len(words):
                return _Line(painter.message, (words[y - 1],))
        return _Line(painter.blank)

    def _look(self, line: int, y: int) -> Look:
        if line == self._cursor.line:
            return Look.FOCUSED_CURSOR if self.has_focus else Look.CURSOR
        return Look.HOVER if y == self._hover_y else Look.PLAIN

    def _refresh_changed(self) -> None:
        """Repaint the lines that differ from what was drawn last: mostly few of them do."""
        if not self.is_mounted:
            return
        width, height = self.scrollable_content_region.size
        if not height:  # hidden: whatever it showed must not come up again
            self.refresh()
            return
        painter = self._current_painter
        changed = [y for y in range(height) if self._drawn.get(y) != self._line(painter, y)]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _hover(self, y: int | None) -> None:
        if y != self._hover_y:
            self._hover_y = y
            self._refresh_changed()
