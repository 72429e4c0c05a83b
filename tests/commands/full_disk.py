"""fundwatch on a disk that is full: its files may have so many bytes and no more."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

SHARED_MEMORY_BYTES = 32768
"""What SQLite needs beside a database to read it at all."""


def run_limited(database: Path, size: int, *words: str) -> "subprocess.CompletedProcess[str]":
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    return subprocess.run(
        [sys.executable, "-m", "fundwatch", "--db", str(database), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        preexec_fn=limit,
    )
