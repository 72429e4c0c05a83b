"""Where the control socket of a database lies: beside it, or in a private folder where that cannot be."""

import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from fundwatch.storage.files import real_path

LONGEST_BYTES = 100
"""An address of AF_UNIX holds 108 bytes on Linux, 104 on macOS, one of them the final zero."""


def candidates(database: Path) -> tuple[Path, ...]:
    """Where a collector of `database` would listen, the first choice first.

    The second is for a folder whose path is too long, or whose file system knows no sockets.
    """
    real = real_path(database)
    beside = real.with_name(real.name + ".sock")
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"fundwatch-{os.geteuid()}" / f"{digest}.sock"
    return tuple(path for path in (beside, short) if len(os.fsencode(path)) <= LONGEST_BYTES)


def listen_beside(database: Path, backlog: int) -> tuple[socket.socket, Path]:
    """A listening socket that only this user may use, and where it lies.

    The caller holds the lock of the database, so what lies there is of a dead process, and is removed.
    Raises OSError where there can be none.
    """
    failure = OSError("there is no path short enough for it")
    for path in candidates(database):
        try:
            if path.parent != real_path(database).parent:
                make_private_folder(path)
            return _bind(path, backlog), path
        except OSError as error:
            failure = error
    raise failure


def _bind(path: Path, backlog: int) -> socket.socket:
    if is_ours(path):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(os.fspath(path))
        path.chmod(0o600)  # before anybody can connect
        listening.listen(backlog)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening


def make_private_folder(path: Path) -> None:
    """Makes the folder of a socket outside the database's own; raises OSError where it is not ours alone."""
    folder = path.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    if stat.S_IMODE(found.st_mode) & 0o077:
        folder.chmod(0o700)


def is_ours(path: Path) -> bool:
    """Whether there is a socket of this user at `path`."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()
