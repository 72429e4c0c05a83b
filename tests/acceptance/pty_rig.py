"""fundwatch on a real pseudo terminal: keys go in, every byte that comes out is kept and can be judged."""

import fcntl
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE_SECONDS = 30.0
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR_SHOWN = b"\x1b[?25h"
MOUSE_OFF = (b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1015l", b"\x1b[?1006l")
PASTE_OFF = b"\x1b[?2004l"

_CHUNK = 1 << 16
_TICKS = os.sysconf("SC_CLK_TCK")
_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC
    r"|[ -/]*[0-~])"
)
_OURS = re.compile(
    r"\x1b\[(?:"
    r"(?:[0-9]{1,3}(?:;[0-9]{1,3})*)?m"  # colours
    r"|[0-9]{1,3};[0-9]{1,3}H"  # where the next text goes
    r"|\?(?:25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]|\?7[hl]"  # modes
    r"|\?2026\$p|\?2048\$p|>25u|<u"  # what the terminal can do
    r")|\x1b\]22;(?:default|pointer|text)\x07"  # the mouse pointer's shape
)
"""What Textual's driver writes. Parameters that it never uses, such as those of `hostile`, do not match."""

_COPIED = re.compile(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")


class Screen:
    """A process on a terminal of its own, which it controls; `stream` is all that it ever wrote."""

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        *,
        lines: int = 50,
        columns: int = 160,
        environment: Mapping[str, str] | None = None,
        ignore: Sequence[int] = (),
        program: Sequence[str] = ("-m", "fundwatch"),
    ) -> None:
        """`ignore` are signals that are ignored from outside, as `nohup` does."""
        self.stream = bytearray()
        self._main, other = os.openpty()
        termios.tcsetwinsize(other, (lines, columns))
        self.before = termios.tcgetattr(other)
        self._other: int | None = other

        def own_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignore:
                signal.signal(number, signal.SIG_IGN)

        ours = ("XDG_", "FUNDWATCH", "TEXTUAL", "COLUMNS", "LINES")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *program, *words],
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=folder,
            env={
                **kept,
                "TERM": "xterm-256color",
                "HOME": str(folder),
                "XDG_STATE_HOME": str(folder / "state"),
                **(environment or {}),
            },
            start_new_session=True,
            preexec_fn=own_terminal,
        )

    # What comes

    def read(self, seconds: float) -> bool:
        """Whether anything came within `seconds`."""
        if self._main < 0 or not select.select([self._main], [], [], seconds)[0]:
            return False
        try:
            chunk = os.read(self._main, _CHUNK)
        except OSError:
            return False
        self.stream += chunk
        return bool(chunk)

    def drain(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            self.read(left)

    def settle(self, quiet: float = 0.15, most: float = 5.0) -> None:
        """Reads until nothing more comes for `quiet` seconds."""
        ends = time.monotonic() + most
        while self.read(quiet) and time.monotonic() < ends:
            pass

    def text(self, since: int = 0) -> str:
        """What was written, without control sequences; a repaint stands where it came."""
        return _SEQUENCE.sub(" ", bytes(self.stream[since:]).decode(errors="replace"))

    def wait_for(self, wanted: str, since: int = 0, seconds: float = PATIENCE_SECONDS) -> None:
        self.wait_until(lambda: wanted in self.text(since), f"{wanted!r} on the screen", seconds)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        ends = time.monotonic() + seconds
        while not holds():
            gone = self.process.poll()
            assert gone is None, f"ended with {gone} before {what}: {self.text()[-3000:]}"
            assert time.monotonic() < ends, f"waited in vain for {what}: {self.text()[-3000:]}"
            self.read(0.1)

    # What is done

    def press(self, keys: str) -> int:
        """Types; gives the place in the stream from which on the answer stands."""
        place = len(self.stream)
        os.write(self._main, keys.encode())
        return place

    def resize(self, lines: int, columns: int) -> None:
        termios.tcsetwinsize(self._main, (lines, columns))

    def hang_up(self) -> None:
        """The terminal is gone: its window closed, the connection lost."""
        self._close_other()
        os.close(self._main)
        self._main = -1

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def end(self, seconds: float = PATIENCE_SECONDS) -> tuple[int, float]:
        """Waits for the process's end, reading on; its exit code and how many seconds that took."""
        began = time.monotonic()
        while self.process.poll() is None:
            took = time.monotonic() - began
            assert took < seconds, f"still there after {took:.0f} s: {self.text()[-3000:]}"
            if not self.read(0.02):
                time.sleep(0.005)
        took = time.monotonic() - began
        while self.read(0.05):
            pass
        return self.process.returncode, took

    def cpu_seconds(self) -> float:
        """Of all its threads since the start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def is_restored(self) -> bool:
        """Whether the terminal is as the process found it, as far as it took it over."""
        assert self._other is not None
        same = termios.tcgetattr(self._other)[:4] == self.before[:4]
        at = self.stream.rfind(ENTERED)
        if at < 0:
            return same
        after = self.stream[at:]
        left = after.find(LEFT)
        mouse_is_off = all(off in after for off in MOUSE_OFF) or b"\x1b[?1000h" not in after
        return same and left > 0 and CURSOR_SHOWN in after and mouse_is_off and PASTE_OFF in after

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close_other()
        if self._main >= 0:
            os.close(self._main)
            self._main = -1

    def _close_other(self) -> None:
        if self._other is not None:
            os.close(self._other)
            self._other = None


@contextmanager
def screen(words: Sequence[str], folder: Path, **options: object) -> Iterator[Screen]:
    opened = Screen(words, folder, **options)  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        opened.close()


def strangers(stream: bytes, *, copies: bool = False) -> list[str]:
    """Everything in a terminal's stream that did not come from Textual's driver and is no visible text.

    With `copies` a write to the clipboard is expected; `copied` tells what it was.

    Control sequences it never writes, control characters, marks of direction and letters that turn it,
    surrogates, and heaps of combining marks: each with what stands around it.
    """
    text = stream.decode(errors="surrogateescape")
    text = _COPIED.sub("", text) if copies else text
    found: list[str] = []
    plain: list[str] = []
    end = 0
    for match in _SEQUENCE.finditer(text):
        plain.append(text[end : match.start()])
        end = match.end()
        if not _OURS.fullmatch(match[0]):
            found.append(f"sequence {match[0]!r} in {text[max(0, match.start() - 30) : end + 30]!r}")
    plain.append(text[end:])
    for part in plain:
        marks = 0
        for at, char in enumerate(part):
            category = unicodedata.category(char)
            marks = marks + 1 if category in ("Mn", "Me") else 0
            if char in "\r\n":
                continue
            if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or marks > 4 or _turns(char):
                found.append(f"{char!r} in {part[max(0, at - 30) : at + 30]!r}")
    return found


def _turns(char: str) -> bool:
    return unicodedata.bidirectional(char) in (
        "R",
        "AL",
        "AN",
        "RLE",
        "RLO",
        "LRE",
        "LRO",
        "PDF",
        "RLI",
        "LRI",
    )


def copied(stream: bytes) -> list[str]:
    """What the process put on the clipboard, as the base64 of OSC 52."""
    return [match[1] for match in _COPIED.finditer(stream.decode(errors="replace"))]
