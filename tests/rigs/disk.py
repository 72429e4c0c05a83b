"""Disks that are full, read-only or gone, made without special tools; each can be made well again."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pytest

from fundwatch.storage.database import Writer

MANY_PAGES = 1_073_741_823
"""What SQLite itself allows."""


class Disk(Protocol):
    """Something that is wrong with the disk under a database."""

    said: str
    """What a person is told then, as a regular expression."""

    def breaks(self) -> None: ...

    def heals(self) -> None: ...


class FewPages:
    """The database file may grow by `room` pages only. (Its log grows as it likes.)"""

    said = r"no room left for .*fundwatch\.db: free some space"

    def __init__(self, writer: Writer, room: int) -> None:
        self._writer = writer
        self._room = room

    def breaks(self) -> None:
        used = self._writer.value("PRAGMA page_count")
        self._writer.value(f"PRAGMA max_page_count = {used + self._room}")

    def heals(self) -> None:
        self._writer.value(f"PRAGMA max_page_count = {MANY_PAGES}")


class SmallFiles:
    """No file of this process may become larger than the log is, and `room` bytes."""

    said = r"the disk fails under .*fundwatch\.db"

    def __init__(self, path: Path, room: int) -> None:
        self._path = path
        self._room = room
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def breaks(self) -> None:
        wal = self._path.with_name(self._path.name + "-wal")
        limit = max(self._path.stat().st_size, wal.stat().st_size) + self._room
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, self._before[1]))

    def heals(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


class FullDisk:
    """A small disk that another file fills but for `room` bytes."""

    said = r"no room left for .*fundwatch\.db: free some space"

    def __init__(self, folder: Path, room: int) -> None:
        self._ballast = folder / "ballast"
        self._room = room

    def breaks(self) -> None:
        free = os.statvfs(self._ballast.parent)
        with self._ballast.open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(1, free.f_bavail * free.f_frsize - self._room))

    def heals(self) -> None:
        self._ballast.unlink(missing_ok=True)


class MovedAway:
    """The file has another name now."""

    said = r"fundwatch\.db is gone .*nothing more is written"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aside = path.with_name("aside")

    def breaks(self) -> None:
        self.path.rename(self.aside)

    def heals(self) -> None:
        with suppress(FileNotFoundError):
            self.aside.rename(self.path)


class Replaced(MovedAway):
    """Another file has its name."""

    said = r"fundwatch\.db was replaced by another file; start fundwatch anew"
    content = b"SQLite format 3\0 of another kind" * 200

    def breaks(self) -> None:
        super().breaks()
        self.path.write_bytes(self.content)


class Unlinked(MovedAway):
    """The file has no name any more, as after `rm`; a second name in another folder keeps it for the rig."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.aside = path.parent.parent / f"{path.parent.name}.kept"

    def breaks(self) -> None:
        self.aside.hardlink_to(self.path)
        self.path.unlink()


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of `size` bytes at `folder`; skips the test where this user may not mount one."""
    folder.mkdir(exist_ok=True)
    mounted = mount("-t", "tmpfs", "-o", f"size={size},mode=700", "fundwatch-test", str(folder))
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def mount(*words: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    except OSError as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))
