"""A file gets its name only when it is whole and on the disk; until then it is a `.part` beside it."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fundwatch.storage.errors import DiskTrouble, StorageError

SIDECARS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database, by the ends of their names."""
_OURS = (*SIDECARS, ".lock", ".sock")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def new_file(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """An empty file for this user only, to be filled in the block; afterwards it is `target`.

    Where the block fails nothing is left of it. Raises `StorageError` when `target` exists and is not to
    be overwritten, and `DiskTrouble` for what the file system did to it, in the block too.
    """
    partial: Path | None = None
    try:
        if not overwrite:
            require_free(target)
        handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        partial = Path(name)
        yield partial
        give_name(partial, target, overwrite=overwrite)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise trouble(target, error) from error
    finally:
        if partial is not None:
            for end in ("", *SIDECARS):
                with suppress(OSError):
                    partial.with_name(partial.name + end).unlink(missing_ok=True)


def give_name(partial: Path, target: Path, *, overwrite: bool = False) -> None:
    """Puts the finished file `partial` under its name, on the disk."""
    if not overwrite:
        require_free(target)
    sync(partial)
    partial.replace(target)
    sync(target.parent)


def remove_unfinished(folder: Path, start: str, end: str) -> None:
    """Removes the files that a killed process was still filling: named `start`, something, and `end`.

    With what SQLite keeps beside them. Nobody else may be filling such a file now.
    """
    for file in folder.iterdir():
        if file.name.startswith(start) and file.name.endswith((end, *(end + tail for tail in SIDECARS))):
            with suppress(OSError):
                file.unlink()


def require_free(target: Path) -> None:
    """Raises `StorageError` when there is something at `target`."""
    if target.exists():
        raise StorageError(f"{target} exists already; it is not overwritten")


def require_apart(target: Path, database: Path) -> None:
    """Raises `StorageError` when `target` is the database or a name that belongs to it."""
    real, own = (Path(os.path.realpath(path)) for path in (target, database))
    if real in [own, *(own.with_name(own.name + end) for end in _OURS)]:
        raise StorageError(f"{target} belongs to the database {database.name}: name another file")


def trouble(target: Path, error: OSError) -> DiskTrouble:
    """What the file system did while `target` was written, in words."""
    if error.errno in _NO_ROOM:
        return DiskTrouble(f"no room left for {target}: free some space there, or name another place")
    return DiskTrouble(f"{target} cannot be written: {error.strerror or error}")


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
