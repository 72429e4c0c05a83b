"""One set of words for numbers and times."""

import time

import pytest
from textual.content import Content

from fundwatch.tui import words
from fundwatch.tui.tables.columns import Cell
from fundwatch.tui.words import MISSING, Words, countdown, interval, plain, short_age

NOON = 1_764_590_400


@pytest.mark.parametrize(
    ("unit", "shown"), [("apr", "+10.95"), ("payment", "+0.01000"), ("8h", "+0.0100"), ("dollars", "+3.00")]
)
def test_one_rate_in_every_unit(unit: words.Unit, shown: str) -> None:
    assert Words(unit).rate(10.95, 8.0).text == shown


def test_a_payment_needs_its_interval() -> None:
    assert Words("payment").rate(10.95, None) == MISSING
    assert Words("payment").rate(10.95, 1.0).text == "+0.00125"


def test_missing_is_a_dash_and_zero_is_zero() -> None:
    assert Words().rate(None) == MISSING
    assert Words().rate(0.0) == Cell("0.00", "")


def test_the_sign_is_always_there_and_the_colour_only_follows_it() -> None:
    assert Words().rate(-1234.5) == Cell("-1,234.50", "bad")
    assert Words().rate(12.0, trusted=False) == Cell("+12.00", "stale")


def test_times_are_utc_unless_asked_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert Words().clock(NOON) == "12:00"
        assert Words(local_time=True).clock(NOON) == "17:30"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, "-"), (-5, "0 s"), (59, "59 s"), (61, "1 min"), (7300, "2 h"), (9e5, "10 d")]
)
def test_a_short_age_has_one_unit(seconds: float | None, told: str) -> None:
    assert short_age(seconds) == told


@pytest.mark.parametrize(
    ("left", "told"), [(-1, "due"), (0, "due"), (30, "<1 min"), (2880, "48 min"), (11_220, "3h07")]
)
def test_a_countdown_fits_six_cells(left: int, told: str) -> None:
    assert countdown(NOON + left, NOON) == told
    assert countdown(None, NOON) == "-"


def test_intervals() -> None:
    assert [interval(8.0), interval(None), interval(8.0, continuous=True)] == ["8 h", "-", "cont"]


def test_a_share_of_one_hundred_means_all() -> None:
    assert words.share(0.9999).text == "99"
    assert words.share(1.0).text == "100"


def test_open_interest_that_rounds_to_nothing_is_not_shown_as_nothing() -> None:
    assert [words.dollars(v).text for v in (None, 0.0, 10_000.0, 1.94e6)] == ["-", "0.0", "<0.1", "1.9"]


def test_plain_text_is_no_markup() -> None:
    content = plain("X[/] [bold]\x1b]0;t\x07")
    assert isinstance(content, Content)
    assert "[/] [bold]" in content.plain
    assert "\x1b" not in content.plain
    assert content.spans == []
