"""One process at a time collects into a database: a lock file beside it, held by the kernel.

The lock is on `<database>.lock`, never on the database itself, whose locks are SQLite's. It ends
with its process, however that ends; what the file says is only for people.
"""

import errno
import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from fundwatch.clock import SystemClock, pause
from fundwatch.storage.errors import DiskTrouble, StorageError
from fundwatch.storage.files import make_folder, real_path
from fundwatch.text import utc

TRIES = 8
PAUSE_SECONDS = 0.02

Role = Literal["collector", "backfill", "import", "restore", "rebuild"]


class Holder(NamedTuple):
    """Who holds a lock: `role` is "unknown" when its file does not say. `since` in UTC seconds."""

    pid: int | None
    role: str
    since: float | None


class Locked(StorageError):
    """Another process collects into this database."""

    def __init__(self, path: Path, holder: Holder) -> None:
        self.holder = holder
        who = "another process" if holder.pid is None else f"{holder.role} (process {holder.pid}"
        since = "" if holder.pid is None else f", since {utc(holder.since)} UTC)"
        super().__init__(f"the database {path} is in use by {who}{since}")


@dataclass(slots=True)
class Lock:
    """A held lock. `release` it, or let the process end."""

    path: Path
    handle: int

    def release(self) -> None:
        if self.handle >= 0:
            os.ftruncate(self.handle, 0)
            os.close(self.handle)
            self.handle = -1

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


def acquire(path: Path, role: Role, now: float | None = None) -> Lock:
    """Takes the lock of the database `path` for this process.

    `now` is UTC seconds. Raises `Locked` when another process (or this one) has it, `DiskTrouble`
    when the lock file cannot be written. The file stays when the lock is released: removing it would
    let two processes in.
    """
    path = real_path(path)
    try:
        make_folder(path)
        handle = _open(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _trouble(path, error) from error
    try:
        _take(handle)
        said = {"pid": os.getpid(), "role": role, "since": SystemClock().now() if now is None else now}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(said).encode(), 0)
    except OSError as error:
        holder = _read(handle)
        os.close(handle)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise Locked(path, holder) from None
        raise _trouble(path, error) from error
    return Lock(path, handle)


def holder(path: Path) -> Holder | None:
    """Who holds the lock of the database `path` now; None when it is free."""
    path = real_path(path)
    try:
        handle = _open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _trouble(path, error) from error
    try:
        # Shared, so that two who ask at once do not take each other for a collector.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _read(handle)
    else:
        return None
    finally:
        os.close(handle)


def _take(handle: int) -> None:
    """Tries a few times: somebody who only asks for the holder has the lock for an instant."""
    for _ in range(TRIES - 1):
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause(PAUSE_SECONDS)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _open(path: Path, flags: int) -> int:
    return os.open(path.with_name(path.name + ".lock"), flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _read(handle: int) -> Holder:
    try:
        said = json.loads(os.pread(handle, 500, 0))
        pid, role, since = int(said["pid"]), said["role"], float(said["since"])
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(None, "unknown", None)
    return Holder(pid, role if role in get_args(Role) else "unknown", since)


def _trouble(path: Path, error: OSError) -> DiskTrouble:
    return DiskTrouble(f"the lock {path.name}.lock in {path.parent} cannot be used: {error.strerror}")
