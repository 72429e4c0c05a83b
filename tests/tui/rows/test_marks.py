"""What marks say of a market."""

import pytest

from fundwatch.answers.trust import Trust
from fundwatch.models import hourly_rate
from fundwatch.tui.rows.marks import LEGEND, glyphs, marks, sentence, step_apr_percent
from fundwatch.tui.words import Words
from tests.tui.markets import EXCHANGES, NOW, SOUND, market


def test_a_sound_market_has_no_mark() -> None:
    assert marks(market(), SOUND, EXCHANGES["lighter"], Words()) == ()


@pytest.mark.parametrize(
    ("columns", "glyph", "words"),
    [
        ({"hourly_rate": -0.005, "hourly_rate_cap": 0.005}, "^", "at its cap of +4,380.00 % APR"),
        ({"delisting_time": NOW + 3600}, "D", "delists 12-03 01:20 UTC"),
        ({"session_open": 0}, "c", "session closed"),
        ({"recorded": 1}, "r", "recorded by us, not published"),
        ({"hourly_rate": 0.0}, "~", "below the rounding step of 0.88 % APR"),
        ({"identity_reason": "its price is another"}, "≠", "its price is another"),
    ],
)
def test_each_trait_has_a_letter_and_words(columns: dict[str, object], glyph: str, words: str) -> None:
    found = marks(market(**columns), SOUND, EXCHANGES["lighter"], Words())  # type: ignore[arg-type]
    assert (glyphs(found), sentence(found)) == (glyph, words)
    assert f"{glyph} " in LEGEND


def test_the_reason_of_distrust_comes_first() -> None:
    found = marks(market(session_open=0), Trust(False, "stale"), EXCHANGES["lighter"], Words())
    assert (glyphs(found), sentence(found)) == ("!c", "stale, session closed")


def test_a_rate_just_below_its_cap_is_not_at_its_cap() -> None:
    row = market(hourly_rate=0.00499, hourly_rate_cap=0.005)
    assert marks(row, SOUND, EXCHANGES["lighter"], Words()) == ()


def test_one_rounding_step_is_a_rate() -> None:
    assert glyphs(marks(market(hourly_rate=1e-6), SOUND, EXCHANGES["lighter"], Words())) == ""


def test_a_zero_of_an_exchange_without_visible_rounding_is_zero() -> None:
    for name in ("binance", "variational"):
        assert step_apr_percent(EXCHANGES[name]) is None
        assert marks(market(hourly_rate=hourly_rate(0.0)), SOUND, EXCHANGES[name], Words()) == ()


def test_an_open_or_unknown_session_is_no_mark() -> None:
    for session in (1, None):
        assert marks(market(session_open=session), SOUND, EXCHANGES["lighter"], Words()) == ()
