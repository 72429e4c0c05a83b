"""How much memory this process needs at its worst, as the kernel counts it."""

from pathlib import Path

import pytest

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Memory:
    """The most that was held since `begin`, above what was held then. Skips the test where nobody counts."""

    def begin(self) -> None:
        try:
            _CLEAR.write_text("5")  # begins the count of the most anew
        except OSError:
            pytest.skip("only Linux counts the most memory that a process held")
        self._before = _bytes("VmRSS")

    def grown_bytes(self) -> int:
        return _bytes("VmHWM") - self._before


def _bytes(name: str) -> int:
    [line] = [line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024
