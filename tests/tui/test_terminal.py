"""What is typed on a real pseudo terminal reaches the app, and nobody wakes while nothing is typed."""

import os
import pty
import resource
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from textual.events import Key, Paste
from textual.message import Message

from fundwatch.tui.terminal import GONE, Terminal


class Heard(Terminal):
    """Keeps what it would hand to an app; drives no terminal."""

    def __init__(self, fileno: int) -> None:
        self.fileno = fileno
        self.messages: list[Message] = []
        self._debug = False
        self._pipe = list(os.pipe())
        self.exit_event = threading.Event()
        self._key_thread = threading.Thread(target=self.run_input_thread, daemon=True)
        self._writer_thread = None
        self._mouse = False

    def process_message(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.messages if isinstance(message, Key)]

    def start(self) -> None:
        assert self._key_thread is not None
        self._key_thread.start()


@pytest.fixture
def typed() -> Iterator[tuple[Heard, int]]:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    pty.tty.setraw(theirs)  # type: ignore[attr-defined]
    heard = Heard(theirs)
    heard.start()
    yield heard, ours
    heard.disable_input()
    heard.close()
    for end in (ours, theirs):
        os.close(end)


def until(is_so: Callable[[], object], seconds: float = 5.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.005)


def test_a_lone_escape_is_a_key_without_another_one(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    for count in (1, 2, 3):
        os.write(terminal, b"\x1b")
        until(lambda count=count: heard.keys == ["escape"] * count)  # type: ignore[misc]


def test_keys_come_as_they_were_typed_also_in_pieces(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    for piece in (b"q", b"\x1b[", b"A", "é".encode()[:1], "é".encode()[1:], b"\x1b[6~"):
        os.write(terminal, piece)
        time.sleep(0.02)
    until(lambda: len(heard.keys) == 4)
    assert heard.keys == ["q", "up", "é", "pagedown"]


def test_what_is_pasted_comes_in_one_piece(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    os.write(terminal, b"\x1b[200~BTC\x1b[201~")
    until(lambda: any(isinstance(message, Paste) and message.text == "BTC" for message in heard.messages))


def test_bytes_that_are_no_text_do_not_end_it(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    os.write(terminal, b"\xff\xfe")
    os.write(terminal, b"q")
    until(lambda: "q" in heard.keys)


def test_it_sleeps_until_a_key_comes_and_stops_at_once(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    os.write(terminal, b"q")
    until(lambda: heard.keys == ["q"])
    time.sleep(0.2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    time.sleep(1.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before < 8
    stopping = time.monotonic()
    heard.disable_input()
    assert heard._key_thread is not None
    assert not heard._key_thread.is_alive()
    assert time.monotonic() - stopping < 1.0


def test_it_reads_again_after_it_was_stopped(typed: tuple[Heard, int]) -> None:
    heard, terminal = typed
    heard.disable_input()
    heard._key_thread = threading.Thread(target=heard.run_input_thread, daemon=True)
    heard.start()
    os.write(terminal, b"x")
    until(lambda: heard.keys == ["x"])


def test_a_terminal_that_is_gone_ends_the_app_without_a_signal() -> None:
    ours, theirs = pty.openpty()
    heard = Heard(theirs)
    ended: list[object] = []
    heard._app = SimpleNamespace(exit=ended.append)  # type: ignore[assignment]
    heard._loop = SimpleNamespace(call_soon_threadsafe=lambda call, *words: call(*words))  # type: ignore[assignment]
    heard.start()
    os.close(ours)
    until(lambda: ended == [GONE])
    heard.disable_input()
    heard.close()
    os.close(theirs)
