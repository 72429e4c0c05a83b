"""A program on a real pseudo terminal: what it writes is drained and read, keys are typed."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

COLUMNS, LINES = 160, 50
QUIET_SECONDS = 0.012
"""A paint is over when nothing more came for so long; at most 60 paints a second are made."""

_CONTROLS = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
_CHUNK = 1 << 16
_SCHEDULED = 2
"""With a process id, what clock_getcpuclockid(3) of Linux makes of it."""


def environment(home: Path) -> dict[str, str]:
    """For a process as a person starts it: nothing configured, and bytecode kept from start to start."""
    ours = ("XDG_", "FUNDWATCH", "PYTHONDONTWRITEBYTECODE")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
        "TERM": "xterm-256color",
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home / "bytecode"),
    }


class Terminal:
    """Runs `command` from entering to leaving; `seconds` is the time since its start.

    `text` is all that was written since `forget`, without control sequences: each cell of each paint.
    """

    def __init__(self, command: Sequence[str], home: Path) -> None:
        self._command = command
        self._environment = environment(home)
        self._written = bytearray()

    def __enter__(self) -> "Terminal":
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            self._command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=self._environment,
            start_new_session=True,
        )
        os.close(theirs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.type("q")
        ends = time.perf_counter() + 10
        while self._process.poll() is None and time.perf_counter() < ends:
            self._read(0.05)
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    @property
    def text(self) -> str:
        return _CONTROLS.sub(b" ", self._written).decode(errors="replace")

    def forget(self) -> None:
        self._written.clear()

    def drain(self, seconds: float) -> None:
        """Reads for so long."""
        ends = time.perf_counter() + seconds
        while (left := ends - time.perf_counter()) > 0:
            self._read(left)

    def wait(self, is_there: Callable[[str], object], seconds: float = 30.0) -> float:
        """Seconds since the start when `is_there` of the text; raises `TimeoutError`."""
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            if self._read(0.05):
                came = self.seconds
                if is_there(self.text):
                    return came
        raise TimeoutError(f"not on the screen within {seconds:.0f} s; the last of it: {self.text[-2000:]}")

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def press(self, keys: str, patience: float = 2.0) -> tuple[float, float]:
        """Seconds from the key to the first byte of its answer, and to the last; `patience` without one."""
        self.settle()
        pressed = time.perf_counter()
        self.type(keys)
        if not self._read(patience):
            return patience, patience
        first = last = time.perf_counter()
        while self._read(QUIET_SECONDS) and last - pressed < patience:
            last = time.perf_counter()
        return first - pressed, last - pressed

    def settle(self) -> None:
        """Reads what still comes of an earlier paint."""
        ends = time.perf_counter() + 0.5
        while self._read(QUIET_SECONDS) and time.perf_counter() < ends:
            pass

    def cpu_seconds(self) -> float:
        """Of all threads since the start, ended ones too; exact, where /proc counts in hundredths."""
        return time.clock_gettime(~self._process.pid << 3 | _SCHEDULED)

    def memory_mb(self) -> float:
        """Resident."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def _read(self, seconds: float) -> bool:
        """Whether anything came within `seconds`."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            self._written += os.read(self._ours, _CHUNK)
        except OSError:  # the other side has ended
            time.sleep(0.01)
            return False
        return True
