"""The terminal as a screen needs it: one that may go away at any moment."""

import select
import signal
from contextlib import suppress
from typing import IO, Any, cast

from textual.drivers.linux_driver import LinuxDriver

GONE = 128 + signal.SIGHUP
"""What the app ends with when its terminal is gone, as if the signal of that had ended it."""

_LOOK_EVERY_SECONDS = 0.5


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
    """Textual's own driver, which ends the app when the terminal is gone.

    Under `nohup` no signal tells of that, and Textual would ask a terminal that is no more for keys,
    again and again without a pause.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = cast("Any", _Unbroken(cast("IO[str]", self._file)))
        self._poll = select.poll()
        self._poll.register(self.fileno, 0)  # a hang-up is told unasked

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._look()

    def run_input_thread(self) -> None:
        with suppress(OSError):  # gone while it was read
            super().run_input_thread()

    def _look(self) -> None:
        # Not any other event: systems that cannot poll a terminal answer with POLLNVAL.
        if any(event & select.POLLHUP for _, event in self._poll.poll(0)):
            self._app.exit(GONE)
        else:
            self._loop.call_later(_LOOK_EVERY_SECONDS, self._look)
