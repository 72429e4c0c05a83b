"""The line that is there only while something is wrong."""

import pytest

from fundwatch.tui.frame import banner
from fundwatch.tui.frame.concerns import Concern
from tests.tui.frame.test_status_line import NOON


def concern(message: str, exchange: str = "aster", kind: str = "error", ago: float = 8040) -> Concern:
    return Concern(exchange, kind, message, NOON - ago, "see 4")


def text(*concerns: Concern, width: int = 100, key: str = "a") -> str:
    return "".join(part for part, _ in banner.drawn(concerns, NOON, width, key))


def test_it_tells_who_what_since_when_and_how_many_more() -> None:
    told = text(concern("HTTP 403"), concern("x"))
    assert told.startswith(" ! aster ERROR 2 h: HTTP 403")
    assert told.endswith("+1 more  see 4  a acknowledge ")
    assert len(told) == 100


def test_old_data_has_no_second_age_beside_its_own() -> None:
    told = text(concern("quotes are 2 h 14 min old", kind="stale", ago=840))
    assert told.startswith(" ! aster STALE: quotes are 2 h 14 min old  ")


def test_a_moment_that_is_not_known_yet_is_left_out() -> None:
    assert text(Concern("aster", "error", "HTTP 403", None, "see 4")).startswith(" ! aster ERROR: HTTP 403")


def test_what_concerns_the_whole_program_is_a_sentence_of_its_own() -> None:
    assert text(Concern("", "collector", "The collector stopped.", NOON, "see 5")).startswith(
        " ! The collector"
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_long_message_is_cut_and_never_what_to_do(width: int) -> None:
    told = text(concern("word " * 60), concern("x"), width=width)
    assert len(told) == width
    assert told.endswith("a acknowledge ")
    assert "+1 more" in told
    assert "…" in told


def test_the_advice_makes_room_for_the_message_on_a_narrow_screen() -> None:
    assert "see 4" in text(concern("word " * 60), width=80)
    assert "see 4" not in text(concern("word " * 60, "hyperliquid", "unit check"), width=60)


def test_a_short_message_is_never_cut_for_the_advice() -> None:
    told = text(concern("its server failed (HTTP 502)", "hyperliquid"), width=60)
    assert "…" in told  # 16 cells are wanting, the advice has 7
    assert "HTTP 502)" in text(concern("its server failed (HTTP 502)", "aster"), width=72)
    assert "see 4" not in text(concern("its server failed (HTTP 502)", "aster"), width=66)
    assert "HTTP 502)" in text(concern("its server failed (HTTP 502)", "aster"), width=66)


def test_it_names_the_key_that_the_person_has_chosen() -> None:
    assert text(concern("x"), key="f8").endswith("f8 acknowledge ")


def test_hostile_text_is_no_markup() -> None:
    assert "X[/] [@click=app.quit]Q" in text(concern("X[/] [@click=app.quit]Q\x1b"), width=200)
    assert "\x1b" not in text(concern("\x1b]0;t\x07"))
