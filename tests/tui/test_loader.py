"""Snapshots come when there is something new, and the screen is told when they cannot come."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
        for _ in range(300):
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
