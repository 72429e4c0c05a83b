"""Items of words on one line or a few."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from fundwatch.tui.tables.caption import Caption, laid_out


def text(*items: str, width: int, height: int = 1) -> list[str]:
    lines = laid_out([[(item, "")] for item in items], width, height)
    return ["".join(part for part, _ in line).rstrip() for line in lines]


def test_items_that_fit_stand_side_by_side() -> None:
    assert text("BTC crypto", "OI $m 1.9", width=30) == ["BTC crypto  OI $m 1.9"]
    assert text("BTC crypto", "OI $m 1.9", width=21) == ["BTC crypto  OI $m 1.9"]


def test_a_number_without_room_is_left_out_whole() -> None:
    assert text("BTC crypto", "OI $m 1.9", width=20) == ["BTC crypto …"]
    assert text("BTC", "vol $m 2,060.1", "age 3 s", width=14) == ["BTC  age 3 s …"]


def test_a_second_line_takes_what_the_first_does_not_hold() -> None:
    assert text("one", "two", "three", width=9, height=2) == ["one  two", "three"]
    assert text("one", "two", "three", "four", width=9, height=2) == ["one  two", "three …"]


def test_a_sentence_ends_between_words() -> None:
    reason = "its price is 3.25 times what most exchanges say"
    assert text("BB", reason, width=24) == ["BB  its price is 3.25 …"]
    assert text("BB", reason, width=20) == ["BB  its price is …"]


def test_a_name_longer_than_the_line_is_cut_by_the_line() -> None:
    assert text("L" * 40, "age 3 s", width=20) == ["L" * 17 + "… …"]


@given(
    st.lists(st.text("ab1 我[/]", min_size=1, max_size=40), max_size=9), st.integers(1, 60), st.integers(1, 3)
)
def test_it_never_takes_more_than_its_place(items: list[str], width: int, height: int) -> None:
    lines = laid_out([[(item, "")] for item in items], width, height)
    assert 1 <= len(lines) <= height
    assert {cell_len("".join(part for part, _ in line)) for line in lines} == {width}


class Shown(App[None]):
    def compose(self) -> ComposeResult:
        yield Caption()


@pytest.mark.parametrize("items", [[[("a\x1b]0;t\x07b", "")]], [[("[/]", "bad")], [("\u202e", "")]]])
async def test_hostile_text_is_shown_letter_by_letter(items: Sequence[Sequence[tuple[str, str]]]) -> None:
    async with Shown().run_test(size=(40, 4)) as pilot:
        caption = pilot.app.query_one(Caption)
        caption.show_items(items)
        await pilot.pause()
        shown = caption.render_line(0).text
        assert not set(shown) & set("\x1b\x07\u202e")
        assert shown.strip()
