"""The terminal as a screen needs it: one that may go away at any moment."""

import os
import select
import signal
from codecs import getincrementaldecoder
from contextlib import suppress
from typing import IO, Any, cast

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

GONE = 128 + signal.SIGHUP
"""What the app ends with when its terminal is gone, as if the signal of that had ended it."""

_CHUNK_BYTES = 4096
_MARGIN_SECONDS = 0.01
"""So that the parser's own clock agrees that its time is up."""


class _Unbroken:
    """A terminal's file whose writer goes on when it is gone: a writer that died would stop, for ever,
    whoever hands it the 31st text."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Terminal(LinuxDriver):
    """Textual's own driver, which ends the app when the terminal is gone, and sleeps until a key comes.

    Under `nohup` no signal tells of that, and Textual would ask a terminal that is no more for keys,
    again and again without a pause; where nobody types it would ask ten times a second.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = cast("Any", _Unbroken(cast("IO[str]", self._file)))
        self._pipe = list(os.pipe())
        """Wakes the reader of keys, which reads its first end, when it is to stop."""

    def disable_input(self) -> None:
        if not self._pipe:
            return
        reading, writing = self._pipe
        os.write(writing, b".")
        super().disable_input()
        while select.select([reading], [], [], 0)[0]:
            os.read(reading, _CHUNK_BYTES)

    def close(self) -> None:
        super().close()
        while self._pipe:
            os.close(self._pipe.pop())

    def run_input_thread(self) -> None:
        if not self._read_keys(self._pipe[0]):
            with suppress(RuntimeError):  # the app has ended by itself
                self._loop.call_soon_threadsafe(self._app.exit, GONE)

    def _read_keys(self, stopped: int) -> bool:
        """Hands on what is typed until there is something to read from `stopped`; False where the terminal
        is gone before that.

        An Escape is a key, or begins one: only after a key is it asked again soon whether that is clear.
        """
        parser, decode = XTermParser(self._debug), getincrementaldecoder("utf-8")("replace").decode
        patience = None
        while True:
            ready, _, _ = select.select([self.fileno, stopped], [], [], patience)
            if stopped in ready:
                return True
            messages: list[Message] = []
            if ready:
                if not (typed := self._read()):
                    return False
                if text := decode(typed):  # "" would end the parser: half a letter has come
                    messages += parser.feed(text)
            messages += parser.tick()
            for message in messages:
                self.process_message(message)
            patience = ESCAPE_DELAY + _MARGIN_SECONDS if ready or messages else None

    def _read(self) -> bytes:
        """What was typed; nothing where the terminal is gone, of which not every system says so in order."""
        try:
            return os.read(self.fileno, _CHUNK_BYTES)
        except OSError:
            return b""
