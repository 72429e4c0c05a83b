import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fundwatch.text import MOST_SHOWN, age, clean, is_symbol, printable, signed, usd_millions, utc


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain words", "plain words"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]52;c;aGk=\x07", "]52;c;aGk="),
        ("a\u202eb\u2066c\u200bd", "abcd"),
        ("a\x9b2Jb\x00c\x7f", "a2Jbc"),
        ("line\nfeed\r\tand  more ", "line feed and more"),
        ("\ud800x", "x"),
        ("e\u0301", "é"),
        ("e\u200d\u0301", "é"),
        ("币安", "币安"),
        ("שלום 1", "���� 1"),
        ("a١b", "a�b"),
        ("x\u3164y\ufe0f", "xy"),
        ("a" + "\u0301\u0302\u0303\u0304" * 9 + "b", "\u00e1\u0302\u0303\u0304b"),
        ("", ""),
    ],
)
def test_outside_text_is_made_harmless(text: str, kept: str) -> None:
    assert clean(text) == kept


def test_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 500, 10) == "x" * 9 + "…"
    assert clean("x" * 10, 10) == "x" * 10


@given(st.text(max_size=300), st.integers(1, 40))
def test_cleaned_text_is_short_printable_and_stays_clean(text: str, limit: int) -> None:
    once = clean(text, limit)
    assert len(once) <= limit
    assert "\x1b" not in once
    assert clean(once, limit) == once


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("plain [/] words", "plain [/] words"),
        ("\x1b[31mred\x9b0m\x00", "�[31mred�0m�"),
        ("a\u202eb\u200d\ud800", "a�b��"),
        ("line\nfeed\ttab\u2028", "line feed tab "),
        ("שלום 1", "���� 1"),
        ("币安", "币安"),
        ("☠\ufe0f", "☠"),
        ("e" + "\u0301" * 1_000, "e\u0301\u0301\u0301"),
        ("", ""),
    ],
)
def test_what_is_drawn_shows_every_letter_and_obeys_none(text: str, drawn: str) -> None:
    assert printable(text) == drawn


def test_a_megabyte_is_drawn_as_its_beginning() -> None:
    assert printable("x" * 1_000_000) == "x" * (MOST_SHOWN - 1) + "…"


@given(st.text(max_size=300))
def test_what_is_drawn_is_never_a_control_and_stays_as_it_is(text: str) -> None:
    drawn = printable(text)
    assert drawn.isprintable()
    assert printable(drawn) == drawn


@pytest.mark.parametrize(
    "symbol", ["BTC", "BTC-USD-PERP", "xyz:GOLD", "kPEPE", "MU_24_5-USD", "币安人生USDT", "S&P500", "4"]
)
def test_real_symbols_are_taken(symbol: str) -> None:
    assert is_symbol(symbol)


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "A B",
        "A\n",
        "A\x1b",
        "A\u202eB",
        "x" * 65,
        "=cmd|'",
        "[/]",
        "%00",
        '"',
        "a\u200d",
        "e\u0301",
        "A;B",
        "אבג",
        "BTC١",
        "BTC\u3164",
    ],
)
def test_anything_else_is_no_symbol(symbol: str) -> None:
    assert not is_symbol(symbol)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (8040, "2 h 14 min"),
        (86399, "23 h 59 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
    ],
)
def test_an_age_in_its_two_largest_units(seconds: float | None, words: str) -> None:
    assert age(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        (math.nan, "-"),
        (math.inf, "-"),
        (10.95, "+10.95"),
        (-1234.5, "-1,234.50"),
        (0.0, "0.00"),
        (-0.001, "0.00"),
        (0.001, "0.00"),
    ],
)
def test_a_number_shows_its_sign_unless_it_is_zero(value: float | None, words: str) -> None:
    assert signed(value) == words


def test_missing_money_and_time_are_a_dash_and_zero_is_zero() -> None:
    assert usd_millions(None) == "-"
    assert usd_millions(0) == "0.0"
    assert usd_millions(1_234_567_890) == "1,234.6"
    assert utc(None) == "-"
    assert utc(0) == "1970-01-01 00:00"
