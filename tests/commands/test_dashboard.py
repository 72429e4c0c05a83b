"""`fundwatch` in a real terminal: it starts, it ends cleanly, and the terminal is as it was."""

import os
import pty
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fundwatch.clock import SystemClock

LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
_SECONDS = 30.0


class Terminal:
    """A program on a pseudo terminal of 80x24."""

    def __init__(self, *words: str, folder: Path) -> None:
        self.main, other = pty.openpty()
        termios.tcsetwinsize(other, (24, 80))
        self.before = termios.tcgetattr(other)
        self.other = other
        self.read = b""
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_STATE_HOME": str(folder)}
        program = [sys.executable, "-m", "fundwatch", *words]
        self.process = subprocess.Popen(
            program, stdin=other, stdout=other, stderr=other, cwd=folder, env=environment
        )

    def wait_for(self, text: bytes) -> None:
        clock = SystemClock()
        end = clock.monotonic() + _SECONDS
        while text not in self.read:
            assert clock.monotonic() < end, self.read[-3000:]
            assert self.process.poll() is None, self.read[-3000:]
            self._take(0.1)

    def end(self) -> int:
        """Waits for the program's end while reading what it still says."""
        clock = SystemClock()
        end = clock.monotonic() + _SECONDS
        while self.process.poll() is None:
            assert clock.monotonic() < end, self.read[-3000:]
            self._take(0.1)
        self._take(0.1)
        return self.process.returncode

    def press(self, keys: bytes) -> None:
        os.write(self.main, keys)

    def _take(self, seconds: float) -> None:
        if select.select([self.main], [], [], seconds)[0]:
            self.read += os.read(self.main, 65536)


@contextmanager
def terminal(*words: str, folder: Path) -> Iterator[Terminal]:
    opened = Terminal(*words, folder=folder)
    try:
        yield opened
    finally:
        if opened.process.poll() is None:
            opened.process.kill()
            opened.process.wait()
        os.close(opened.main)
        os.close(opened.other)


@pytest.fixture
def offline(tmp_path: Path) -> list[str]:
    """Options of a fundwatch that asks nobody: every exchange is switched off."""
    from fundwatch.exchanges import REGISTRY

    config = tmp_path / "config.toml"
    config.write_text("".join(f"[exchanges.{name}]\nenabled = false\n" for name in REGISTRY))
    return ["--config", str(config), "--db", str(tmp_path / "f.db")]


def test_without_a_terminal_one_line_names_the_other_commands(offline: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fundwatch", *offline],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    for command in ("--collect-only", "status", "top", "spreads", "history"):
        assert command in done.stderr


def test_q_ends_it_and_the_terminal_is_as_it_was(offline: list[str], tmp_path: Path) -> None:
    with terminal(*offline, folder=tmp_path) as screen:
        screen.wait_for(b"fundwatch")
        screen.wait_for(b"no exchange enabled")
        screen.press(b"q")
        assert screen.end() == 0
        assert LEFT_ALTERNATE_SCREEN in screen.read
        assert termios.tcgetattr(screen.other)[3] == screen.before[3]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(offline: list[str], tmp_path: Path, number: signal.Signals) -> None:
    with terminal(*offline, folder=tmp_path) as screen:
        screen.wait_for(b"no exchange enabled")
        screen.process.send_signal(number)
        assert screen.end() == 128 + number
        assert LEFT_ALTERNATE_SCREEN in screen.read
        assert termios.tcgetattr(screen.other)[3] == screen.before[3]


def test_a_hangup_that_was_ignored_from_outside_stays_ignored(offline: list[str], tmp_path: Path) -> None:
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal(*offline, folder=tmp_path) as screen:
            screen.wait_for(b"no exchange enabled")
            screen.process.send_signal(signal.SIGHUP)
            screen.read = b""
            screen.press(b"5")
            screen.wait_for(b"Conditions")
            screen.press(b"q")
            assert screen.end() == 0
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_a_mistake_in_the_keys_is_told_before_the_screen_opens(offline: list[str], tmp_path: Path) -> None:
    with (tmp_path / "config.toml").open("a") as file:
        file.write('[keys]\n"app.refersh" = "f5"\n')
    with terminal(*offline, folder=tmp_path) as screen:
        assert screen.end() == 2
        assert b"did you mean app.refresh?" in screen.read
        assert b"\x1b[?1049h" not in screen.read


def test_a_database_of_another_world_ends_it_with_2(offline: list[str], tmp_path: Path) -> None:
    from fundwatch.storage.database import open_writer

    open_writer(tmp_path / "f.db", world="demo:7").close()
    with terminal(*offline, folder=tmp_path) as screen:
        assert screen.end() == 2
        assert b"never mixed" in screen.read
