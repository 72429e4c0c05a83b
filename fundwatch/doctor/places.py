"""Where things lie: the configuration, the database and the files beside it, and what they lie on."""

import os
import pwd
import re
import shutil
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fundwatch.collector.doors import sockets
from fundwatch.doctor.finding import Finding, Level
from fundwatch.storage.database import WAL_LIMIT_BYTES
from fundwatch.storage.files import real_path

AREA = "files"
LITTLE_ROOM_BYTES = 1 << 30
NO_ROOM_BYTES = 100 << 20
MOUNTS = Path("/proc/self/mountinfo")

_BESIDE = ("-wal", "-shm", ".lock")
_NETWORKED = re.compile(r"(nfs\d?|cifs|smb\w*|9p|afs|ceph|glusterfs|lustre|gfs2|ocfs2|virtiofs|fuse(\..*)?)")
_SECRET_NAME = re.compile(r"token|secret|password|passwd|webhook|api_?key|chat_id", re.IGNORECASE)
_CREDENTIALS = re.compile(r"://[^/@\s]+@")
_OCTAL = re.compile(r"\\([0-7]{3})")


def look_at_configuration(path: Path | None, error: str | None) -> list[Finding]:
    """`error` is what reading it came to; None where it is sound."""
    if path is None:
        return [Finding(AREA, Level.OK, "configuration", "no file: every key has its default")]
    if error is not None:
        return [
            Finding(
                AREA,
                Level.FAIL,
                "configuration",
                error,
                "Mend it: no command works until then. What follows is seen with the defaults",
            )
        ]
    findings = [Finding(AREA, Level.OK, "configuration", f"{path}: sound")]
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o022:
        findings.append(
            Finding(
                AREA,
                Level.WARN,
                "configuration",
                f"others may change it (mode {mode:04o}), and so what is asked and where the data goes",
                f"chmod 600 {path}",
            )
        )
    secrets = list(_secrets(tomllib.loads(path.read_text(encoding="utf-8-sig")), ""))
    if secrets and mode & 0o044:
        findings.append(
            Finding(
                AREA,
                Level.WARN,
                "configuration",
                f"others can read it (mode {mode:04o}), and it holds secrets: {', '.join(secrets)}",
                f'chmod 600 {path}, or take them from the environment: "${{NAME}}"',
            )
        )
    return findings


def look_at_files(database: Path) -> list[Finding]:
    """The database, what lies beside it, their folder, and the disk."""
    real = real_path(database)
    findings = list(_of_database(database, real))
    beside = [real.with_name(real.name + ending) for ending in _BESIDE]
    beside += [path for path in sockets.candidates(real) if os.path.lexists(path)]
    beside += sorted(real.parent.glob(f"{real.name}.*.bak"))
    found = [path for path in beside if os.path.lexists(path)]
    odd = [finding for path in found for finding in _permissions(path)]
    if found and not odd:
        names = ", ".join(path.name.removeprefix(real.name) for path in found)
        findings.append(Finding(AREA, Level.OK, "beside it", f"{names}: yours alone"))
    findings += odd
    findings += _of_wal(real)
    folder = _nearest_folder(real.parent)
    findings += _of_folder(folder)
    findings += _of_disk(folder, real)
    return findings


def file_system(path: Path, mounts: str) -> str | None:
    """The type of the file system that the real `path` lies on, by a text like /proc/self/mountinfo."""
    best, kind = -1, None
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5 or not after:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields[4])
        inside = path == Path(point) or Path(point) in path.parents
        if inside and len(Path(point).parts) >= best:  # a later mount covers an earlier one
            best, kind = len(Path(point).parts), after.split(" ")[0]
    return kind


def _of_database(named: Path, real: Path) -> Iterator[Finding]:
    if not real.exists():
        wal = real.with_name(real.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            yield Finding(
                AREA,
                Level.FAIL,
                "database",
                f"{real} is missing, but {wal.name} is there and holds its last rows",
                "Put the database back beside it, or move that file away to start anew",
            )
        else:
            yield Finding(
                AREA, Level.NOTE, "database", f"there is none at {real} yet", "Start `fundwatch` to collect"
            )
        return
    found = real.stat()
    yield Finding(AREA, Level.OK, "database", f"{real}, {_size(found.st_size)}")
    if real != Path(os.path.abspath(named)):
        yield Finding(
            AREA,
            Level.NOTE,
            "database",
            f"{named} leads there by a symbolic link; it is kept and locked there",
        )
    if found.st_nlink > 1:
        yield Finding(
            AREA,
            Level.FAIL,
            "database",
            "it has a second name (hard link); used under both it breaks, so fundwatch refuses it",
            "Make a copy and remove the other name",
        )
    yield from _permissions(real)


def _permissions(path: Path) -> Iterator[Finding]:
    """What is wrong with who may use a file of ours; nothing for one that is this user's alone."""
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if path.is_symlink():
        yield Finding(
            AREA, Level.WARN, path.name, "is a symbolic link, where fundwatch makes plain files", f"rm {path}"
        )
        return
    if found.st_uid != os.geteuid():
        yield Finding(
            AREA,
            Level.WARN,
            path.name,
            f"belongs to {_user(found.st_uid)}, and you are {_user(os.geteuid())}",
            f"Run fundwatch as {_user(found.st_uid)}, or chown {path}",
        )
    if mode & 0o077:
        level = Level.WARN if mode & 0o022 else Level.NOTE
        what = "change" if mode & 0o022 else "read"
        yield Finding(
            AREA, level, path.name, f"other users may {what} it (mode {mode:04o})", f"chmod 600 {path}"
        )


def _of_wal(real: Path) -> Iterator[Finding]:
    wal = real.with_name(real.name + "-wal")
    if wal.exists() and wal.stat().st_size > WAL_LIMIT_BYTES:
        yield Finding(
            AREA,
            Level.WARN,
            wal.name,
            f"{_size(wal.stat().st_size)} wait to be moved into the database: somebody has it open for long",
            "Close other programs that read it; it shrinks at the next quiet moment",
        )


def _of_folder(folder: Path) -> Iterator[Finding]:
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    owner = "yours" if found.st_uid == os.geteuid() else f"{_user(found.st_uid)}'s"
    if mode & 0o022 and not mode & stat.S_ISVTX:
        yield Finding(
            AREA,
            Level.WARN,
            "folder",
            f"others may put files of theirs in place of ours in {folder} (mode {mode:04o})",
            f"chmod 700 {folder}",
        )
    elif not os.access(folder, os.W_OK):
        yield Finding(
            AREA,
            Level.FAIL,
            "folder",
            f"you may not write in {folder} ({owner}, mode {mode:04o}): nothing can be collected",
            "Name another place with --db",
        )
    else:
        shared = "" if mode & 0o077 == 0 or found.st_uid != os.geteuid() else "; others see what is in it"
        yield Finding(AREA, Level.OK, "folder", f"{folder}, {owner}, mode {mode:04o}{shared}")


def _of_disk(folder: Path, real: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    size = real.stat().st_size if real.exists() else 0
    kind = file_system(folder, MOUNTS.read_text("utf-8", "replace")) if MOUNTS.exists() else None
    told = f"{_size(free)} free" + (f" on {kind}" if kind else "")
    if free < NO_ROOM_BYTES:
        yield Finding(AREA, Level.FAIL, "disk", told, "Free some space: collecting stops when it is full")
    elif free < max(LITTLE_ROOM_BYTES, size):
        yield Finding(AREA, Level.WARN, "disk", f"{told}: not enough for a copy", "Free some space")
    else:
        yield Finding(AREA, Level.OK, "disk", told)
    if kind is not None and _NETWORKED.fullmatch(kind):
        yield Finding(
            AREA,
            Level.WARN,
            "disk",
            f"{kind} is a network or user-space file system: SQLite's locks and shared memory do not hold on "
            "all of them, and two machines must never use one database",
            "Keep the database on a local disk (--db)",
        )


def _nearest_folder(folder: Path) -> Path:
    """`folder`, or the first one above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.is_dir())


def _secrets(value: Any, key: str) -> Iterator[str]:
    """The keys under which a secret stands in the file itself."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner, key)
    elif isinstance(value, str) and value and not value.startswith("${"):
        name = key.rpartition(".")[2]
        if _CREDENTIALS.search(value) or (_SECRET_NAME.search(name) and not name.endswith("_file")):
            yield key


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _size(count: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
