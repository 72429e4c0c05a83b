"""Processes that die of SIGKILL at a moment of the rig's choosing, and what they had told by then.

A life is a fork of a server process that has loaded everything, so that a hundred of them take seconds.
What it tells goes to a file with one write each: what was told is there, however the teller died.
"""

import json
import multiprocessing
import os
import random
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

TRIALS = float(os.environ.get("FUNDWATCH_TRIALS", "1"))
"""Multiplies the number of trials of every rig."""
SEED = int(os.environ.get("FUNDWATCH_SEED", "1"))

LONGEST_SECONDS = 30.0
"""For a life whose moment never comes: it is killed then, or has ended by itself."""

_CHANGES = (
    "BEGIN",
    "COMMIT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "PRAGMA user_version =",
)
_FILE_WORK = ("fsync", "replace", "rename", "unlink", "open", "ftruncate")

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["tests.rigs.lives", "pytest", "anyio._backends._asyncio", "httpcore._backends.auto"]
    + [f"fundwatch.exchanges.{name}" for name in ("binance", "lighter", "variational")]
)


def trials(ci: int) -> int:
    return max(1, round(ci * TRIALS))


@dataclass(frozen=True)
class Moment:
    """When to die: after so many seconds, before the `number`-th SQL statement or the `number`-th that
    changes something, inside one (counted in thousands of steps of SQLite's machine), before or after the
    `number`-th call that changes files, or right after something was told. A `number` of 0 never comes.
    """

    kind: Literal["seconds", "statement", "change", "inside", "file", "told"]
    number: float

    @classmethod
    def drawn(cls, dice: random.Random, **most: float) -> "Moment":
        """Of one of the kinds, up to `most` of it; early ones are as likely as late ones."""
        kind = dice.choice(list(most))
        number = dice.uniform(0.0, most[kind])
        return cls(kind, number if kind == "seconds" else 1 + int(number))  # type: ignore[arg-type]


NEVER = Moment("told", 0)


class Told:
    """What a life says, each thing as it has happened. `word` is what, the rest is free."""

    def __init__(self, path: Path, moment: Moment) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._left = moment.number if moment.kind == "told" else 0

    def __call__(self, word: str, **more: Any) -> None:
        os.write(self._handle, json.dumps({"word": word, **more}).encode() + b"\n")
        self._left -= 1
        if self._left == 0:
            die()


Work = Callable[..., None]
"""A function of `tests.rigs.lives`: gets its `Told` and what it was called with."""


@dataclass(frozen=True)
class Death:
    """How a life ended: the exit code (-9 when it was killed) and what it had told."""

    code: int
    told: list[dict[str, Any]]

    def of(self, word: str) -> list[dict[str, Any]]:
        return [said for said in self.told if said["word"] == word]

    @property
    def was_killed(self) -> bool:
        return self.code == -signal.SIGKILL


def live(work: Work, folder: Path, moment: Moment, /, **more: Any) -> Death:
    """Lets `work` run in a process of its own until `moment`, or to its end."""
    diary = folder / "told"
    diary.unlink(missing_ok=True)
    process = _server.Process(target=_life, args=(work, diary, moment, more), daemon=True)
    process.start()
    process.join(moment.number if moment.kind == "seconds" else LONGEST_SECONDS)
    process.kill()
    process.join()
    code = process.exitcode
    process.close()
    assert code is not None
    text = diary.read_text() if diary.exists() else ""
    return Death(code, [json.loads(line) for line in text.split("\n")[:-1]])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _life(work: Work, diary: Path, moment: Moment, more: dict[str, Any]) -> None:
    told = Told(diary, moment)
    if moment.kind in ("statement", "change", "inside"):
        _die_in_sqlite(moment)
    elif moment.kind == "file":
        _die_at_files(int(moment.number))
    work(told, **more)


def _die_in_sqlite(moment: Moment) -> None:
    left = int(moment.number)
    connect = sqlite3.connect

    def step(_: object = None) -> int:
        nonlocal left
        left -= 1
        if left == 0:
            die()
        return 0

    def deadly(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        if moment.kind == "statement":
            connection.set_trace_callback(step)
        elif moment.kind == "change":
            connection.set_trace_callback(lambda sql: sql.startswith(_CHANGES) and step())
        else:
            connection.set_progress_handler(step, 1000)
        return connection

    sqlite3.connect = deadly  # type: ignore[assignment]


def _die_at_files(number: int) -> None:
    """Odd numbers die before a call, even ones after it."""
    left = number

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            die()

    def deadly(call: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*args: Any, **kwargs: Any) -> Any:
            step()
            done = call(*args, **kwargs)
            step()
            return done

        return doing

    for name in _FILE_WORK:
        setattr(os, name, deadly(getattr(os, name)))
