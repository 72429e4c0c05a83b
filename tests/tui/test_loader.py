"""Snapshots come when there is something new, and the screen is told when they cannot come."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fundwatch.answers.status import nothing_yet
from fundwatch.clock import SystemClock, pause
from fundwatch.config import Config
from fundwatch.storage.database import open_writer
from fundwatch.tui.loader import Loader
from fundwatch.tui.snapshot import Question, Snapshot
from tests.storage.ledger import Ledger


class Screen:
    def __init__(self, path: Path) -> None:
        self.taken: list[Snapshot] = []
        self.complaints: list[str] = []
        self.loader = Loader(path, "real", Config(), SystemClock(), self.taken.append, self.complaints.append)

    def wait(self, holds: Callable[[], bool]) -> None:
        for _ in range(1000):
            if holds():
                return
            pause(0.01)
        raise AssertionError(f"{len(self.taken)} snapshots, {self.complaints}")


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Screen]:
    found = Screen(tmp_path / "f.db")
    yield found
    found.loader.stop()
    if found.loader.ident is not None:
        found.loader.join(5)
        assert not found.loader.is_alive()


def test_a_database_that_is_not_there_is_an_empty_snapshot(shown: Screen) -> None:
    shown.loader.start()
    shown.wait(lambda: bool(shown.taken))
    assert shown.taken[0].status.exit_code == 3
    assert shown.complaints == []


def test_what_somebody_else_writes_comes_by_itself(shown: Screen, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "f.db")
    try:
        shown.loader.start()
        shown.wait(lambda: bool(shown.taken))
        ledger.market("ETH")
        shown.wait(lambda: {m.symbol for m in shown.taken[-1].markets} == {"BTC", "ETH"})
    finally:
        ledger.writer.close()


def test_memory_is_handed_back_once_all_was_read_anew(
    shown: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_back: list[int] = []
    monkeypatch.setattr("fundwatch.tui.loader.hand_back", lambda: handed_back.append(len(shown.taken)))
    ledger = Ledger(tmp_path / "f.db")
    try:
        for count in (1, 2, 3):
            shown.loader.load() if count > 1 else shown.loader.start()
            shown.wait(lambda count=count: len(shown.taken) == count)  # type: ignore[misc]
        assert handed_back == []
        ledger.market("ETH")
        shown.wait(lambda: bool(handed_back))
        assert {m.symbol for m in shown.taken[-1].markets} == {"BTC", "ETH"}
    finally:
        ledger.writer.close()


def test_another_question_is_answered_at_once(shown: Screen, tmp_path: Path) -> None:
    open_writer(tmp_path / "f.db", world="real").close()
    shown.loader.start()
    shown.wait(lambda: bool(shown.taken))
    shown.loader.ask(Question("7d"))
    shown.wait(lambda: shown.taken[-1].question.window == "7d")


def test_a_database_of_another_world_is_a_complaint(shown: Screen, tmp_path: Path) -> None:
    open_writer(tmp_path / "f.db", world="demo:7").close()
    shown.loader.start()
    shown.wait(lambda: bool(shown.complaints))
    assert "real and demo data are never mixed" in shown.complaints[0]


def test_a_bug_in_reading_is_told_and_does_not_end_the_thread(
    shown: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Snapshot:
        raise ZeroDivisionError("division by zero")

    with monkeypatch.context() as patched:
        patched.setattr("fundwatch.tui.reading.take_snapshot", broken)
        shown.loader.start()
        shown.wait(lambda: bool(shown.complaints))
        assert "ZeroDivisionError: division by zero" in shown.complaints[0]
    shown.loader.load()
    shown.wait(lambda: bool(shown.taken))


class Hurried(SystemClock):
    """A second passes with each look at the database, a tenth with each snapshot."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class Written:
    """A database with news in some seconds."""

    def __init__(self, clock: Hurried, is_written: Callable[[float], bool], ends: float) -> None:
        self._clock, self._is_written, self._ends = clock, is_written, ends
        self.over = threading.Event()

    def __call__(self, path: Path) -> "Written":
        return self

    def has_news(self) -> bool:
        self._clock.seconds += 1.0
        if self._clock.seconds >= self._ends:
            self.over.set()
        return self._is_written(self._clock.seconds)

    def close(self) -> None:
        pass


def seconds_taken(
    monkeypatch: pytest.MonkeyPatch, is_written: Callable[[float], bool], ends: float
) -> list[float]:
    """When snapshots were taken of a database that is written in some of the seconds up to `ends`."""
    clock, taken = Hurried(), []

    def take(*_: object) -> Snapshot:
        taken.append(clock.seconds)
        clock.seconds += 0.1
        return Snapshot(clock.seconds, Question(), nothing_yet(Config()))

    written = Written(clock, is_written, ends)
    monkeypatch.setattr("fundwatch.tui.loader.POLL_SECONDS", 0.0)
    monkeypatch.setattr("fundwatch.storage.watching.Watch", written)
    monkeypatch.setattr("fundwatch.tui.reading.take_snapshot", take)
    loader = Loader(Path("f.db"), "real", Config(), clock, lambda _: None, lambda _: None)
    loader.start()
    assert written.over.wait(10)
    loader.stop()
    loader.join(5)
    return [second for second in taken if second < ends]


def test_a_stream_of_writes_is_shown_in_a_hundredth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = seconds_taken(monkeypatch, lambda second: True, 1000.0)
    assert 80 <= len(taken) <= 100


def test_what_is_written_after_a_quiet_while_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = 21.2
    taken = seconds_taken(monkeypatch, lambda second: quotes <= second < quotes + 1, 40.0)
    assert any(quotes <= second < quotes + 1 for second in taken)
