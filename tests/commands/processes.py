"""fundwatch as people run it: processes, signals, exit codes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

ENABLED = ("binance", "aster")
"""Two exchanges that answer in bulk: a demo sweep of both takes a second."""

DISABLED = ("lighter", "hyperliquid", "extended", "paradex", "variational")
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Household:
    """A folder with a configuration and, once something was collected, a database."""

    folder: Path

    @classmethod
    def of_two(cls, folder: Path) -> "Household":
        household = cls(folder)
        household.configure()
        return household

    @property
    def database(self) -> Path:
        return self.folder / "demo.db"

    def configure(self, **faults: str) -> None:
        lines = [f"[exchanges.{name}]\nenabled = false\n" for name in DISABLED]
        lines.append("[demo]\nscale = 1000\n[demo.faults]\n")
        lines += [f'{name} = "{fault}"\n' for name, fault in faults.items()]
        (self.folder / "fundwatch.toml").write_text("".join(lines))

    def words(self, *words: str) -> list[str]:
        config = str(self.folder / "fundwatch.toml")
        return ["--config", config, "--demo", "--db", str(self.database), *words]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FUNDWATCH_")}
        return kept | {"XDG_CONFIG_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}

    def run(
        self, *words: str, program: tuple[str, ...] = ("-m", "fundwatch")
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *program, *self.words(*words)],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def json(self, *words: str) -> Any:
        return msgspec.json.decode(self.run(*words, "--json").stdout)

    def exchange(self, name: str) -> dict[str, Any]:
        """What `status` says of an exchange now."""
        found: list[dict[str, Any]] = self.json("status")["exchanges"]
        return next(one for one in found if one["exchange"] == name)

    @contextmanager
    def collecting(self, *, hangup_ignored: bool = False) -> Iterator["subprocess.Popen[str]"]:
        """A collector that has started; killed in the end if it still lives."""
        process = subprocess.Popen(
            [sys.executable, "-m", "fundwatch", *self.words("--collect-only")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            preexec_fn=_ignore_hangup if hangup_ignored else None,
        )
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert f"collector started, process {process.pid}: binance, aster" in first
            yield process
        finally:
            process.kill()
            process.communicate()


def _ignore_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
