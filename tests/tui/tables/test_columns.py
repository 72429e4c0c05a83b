import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fundwatch.tui.tables.columns import GAP, MARGIN, Align, Column, fit, lay_out

WIDE = [
    Column("asset", "asset", 10),
    Column("apr", "APR %", 10, "right"),
    Column("day", "24h %", 10, "right", priority=1),
    Column("week", "7d %", 10, "right", priority=2),
    Column("volume", "volume $m", 10, "right", priority=2),
    Column("pays", "pays", 10),
]


def keys(columns: list[Column], width: int, **options: object) -> list[str]:
    layout = lay_out(columns, width, **options)  # type: ignore[arg-type]
    return [columns[placed.column].key for placed in layout.placed]


@given(st.text(max_size=60), st.integers(0, 40), st.sampled_from(["left", "right"]))
def test_any_text_fills_its_cells_exactly_and_holds_nothing_a_terminal_obeys(
    text: str, width: int, align: Align
) -> None:
    fitted = fit(text, width, align)
    assert cell_len(fitted) == width
    assert fitted.isprintable()


@pytest.mark.parametrize(
    ("text", "align", "shown"),
    [
        ("BTC", "left", "BTC     "),
        ("10.95", "right", "   10.95"),
        ("a long name", "left", "a long …"),
        ("日本語", "left", "日本語  "),
        ("日本語日本", "left", "日本語 …"),
        ("not known", "right", "not kno…"),
        ("e\N{COMBINING ACUTE ACCENT}", "right", "       e\N{COMBINING ACUTE ACCENT}"),
        ("a\x1b[31mb", "left", "a�[31mb "),
        ("a\tb\nc", "left", "a b c   "),
        ("ab\N{RIGHT-TO-LEFT OVERRIDE}c", "left", "ab�c    "),
    ],
)
def test_text_is_aligned_and_cut_by_terminal_cells(text: str, align: Align, shown: str) -> None:
    assert fit(text, 8, align) == shown


def test_a_number_too_long_is_not_shown_in_part() -> None:
    assert fit("-123,456.78", 8, "right") == "########"


def test_a_wide_screen_shows_every_column_in_order() -> None:
    assert keys(WIDE, 80) == ["asset", "apr", "day", "week", "volume", "pays"]


def test_columns_leave_a_narrow_screen_by_priority_and_from_the_right() -> None:
    full = MARGIN + 6 * (10 + GAP)
    assert keys(WIDE, full) == ["asset", "apr", "day", "week", "volume", "pays"]
    assert keys(WIDE, full - 1) == ["asset", "apr", "day", "week", "pays"]
    assert keys(WIDE, full - 12) == ["asset", "apr", "day", "pays"]
    assert keys(WIDE, full - 23) == ["asset", "apr", "pays"]


def test_the_sorted_column_does_not_leave() -> None:
    assert keys(WIDE, MARGIN + 4 * 11, keep="volume") == ["asset", "apr", "volume", "pays"]


def test_without_hiding_all_columns_are_there_to_scroll_to() -> None:
    assert lay_out(WIDE, 50, hide=False).hidden == ()
    assert keys(WIDE, 50, hide=False, first=1) == ["asset", "day", "week", "volume"]


def test_a_column_that_grows_takes_what_is_spare() -> None:
    columns = [Column("asset", "asset", 10), Column("why", "why", 10, grow=True), Column("n", "n", 5)]
    assert [p.width for p in lay_out(columns, 60).placed] == [10, 60 - MARGIN - 3 * GAP - 15, 5]


def test_scrolling_ends_when_the_last_column_is_seen_whole() -> None:
    layout = lay_out(WIDE, 40, hide=False, first=99)
    assert [p.column for p in layout.placed] == [0, 4, 5]
    assert (layout.first, layout.more_left, layout.more_right) == (3, True, False)


def test_numbers_at_the_edge_are_left_out_rather_than_cut() -> None:
    layout = lay_out(WIDE, 32, hide=False)
    assert [(p.column, p.width) for p in layout.placed] == [(0, 10), (1, 10)]
    assert layout.more_right


def test_words_at_the_edge_are_cut() -> None:
    columns = [Column("asset", "asset", 10), Column("why", "why", 30)]
    layout = lay_out(columns, 30)
    assert [p.width for p in layout.placed] == [10, 30 - 1 - GAP - MARGIN - 10 - GAP]
    assert layout.more_right


def test_a_click_between_two_columns_belongs_to_the_left_one() -> None:
    layout = lay_out(WIDE, 80)
    assert [layout.column_at(x) for x in (0, 1, 10, 11, 12)] == [None, 0, 0, 0, 1]


@given(
    st.lists(
        st.builds(
            Column,
            st.uuids().map(str),
            st.just("heading"),
            st.integers(1, 30),
            st.sampled_from(["left", "right"]),
            priority=st.integers(0, 3),
            grow=st.booleans(),
        ),
        max_size=12,
    ),
    st.integers(0, 120),
    st.integers(0, 3),
    st.integers(0, 12),
    st.booleans(),
)
def test_columns_never_overlap_and_never_leave_the_screen(
    columns: list[Column], width: int, fixed: int, first: int, hide: bool
) -> None:
    layout = lay_out(columns, width, fixed=fixed, first=first, hide=hide)
    x = MARGIN
    for placed in layout.placed:
        assert placed.x == x
        assert placed.width > 0
        assert x + placed.width <= width
        x += placed.width + GAP
    assert not {p.column for p in layout.placed} & set(layout.hidden)
    assert 0 <= layout.first <= max(0, layout.last_first)
