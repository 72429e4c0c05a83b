"""The line that shows how far something is."""

import pytest

from fundwatch.commands.progress import ProgressLine


class Ticks:
    """A clock that is set by hand."""

    time = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


# Where stderr is no terminal click leaves the code out that clears the rest of the line.


def test_it_shows_the_share_and_the_words_and_is_gone_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine(is_terminal=True, clock=Ticks()) as line:
        line.show(0.5, "BTC")
        told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"\r[{'#' * 15}{'-' * 15}]  50% BTC"
    assert capsys.readouterr().err == "\r"


def test_it_is_drawn_a_few_times_a_second_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Ticks()
    line = ProgressLine(is_terminal=True, clock=clock)
    for number in range(100):
        clock.time = number / 100
        line.show(number / 100, "BTC")
    assert 4 <= capsys.readouterr().err.count("BTC") <= 6


def test_a_share_beyond_its_bounds_keeps_the_bar_whole(capsys: pytest.CaptureFixture[str]) -> None:
    ProgressLine(is_terminal=True, clock=Ticks()).show(1.7, "BTC")
    assert f"[{'#' * 30}]" in capsys.readouterr().err


def test_without_a_terminal_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine(is_terminal=False, clock=Ticks()) as line:
        line.show(0.5, "BTC")
    assert capsys.readouterr().err == ""
