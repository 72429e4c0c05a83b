"""Putting a copy in the place of the database: the old one whole, or the new one whole, at any moment.

All that can fail happens to files of other names. The database itself is first brought to rest, which
moves its write-ahead log into it, and then one rename puts the new one in its place. The caller holds
the lock, so nobody writes meanwhile.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from fundwatch.storage import presence, trackers
from fundwatch.storage.alerts import add_event
from fundwatch.storage.database import BUSY_TIMEOUT_MS, Database, open_writer
from fundwatch.storage.errors import (
    DamagedDatabase,
    DatabaseBusy,
    DiskTrouble,
    ForeignDatabase,
    StorageError,
    WrongWorld,
    explain,
    judging,
)
from fundwatch.storage.files import real_path
from fundwatch.storage.keeping.backup import Progress, copy_pages, require_whole
from fundwatch.storage.keeping.contents import Contents, contents
from fundwatch.storage.keeping.placing import SIDECARS, sync, trouble
from fundwatch.storage.migrations import APPLICATION_ID, require_known
from fundwatch.storage.soundness import complaints
from fundwatch.text import clean, utc


class Restored(NamedTuple):
    """`kept` is where the former database lies (None: there was none), `damage` what was wrong with it."""

    contents: Contents
    kept: Path | None
    damage: str | None


def restore(
    path: Path, source: Path, *, world: str, now: float, progress: Progress | None = None
) -> Restored:
    """Puts a copy of `source` in the place of the database `path`; `now` is UTC seconds.

    The former database is kept beside it, with its log. Raises `StorageError`; then it is untouched.
    """
    path, source = real_path(path), real_path(source)
    if source == path:
        raise StorageError(f"{source} is the database itself: name a copy of it")
    with _workshop(path) as folder:
        incoming = folder / path.name
        found = _prepare(source, incoming, path, world=world, now=now, progress=progress)
        damage = _damage(path, world)
        kept = _keep(path, folder, now)
        if path.exists() and damage is None:
            _bring_to_rest(path)
        _put(incoming, path)
    return Restored(found, kept, damage)


@contextmanager
def _workshop(path: Path) -> Iterator[Path]:
    """A folder on the database's disk that is gone afterwards, with those of restores that were killed."""
    prefix = f".{path.name}.restore-"
    try:
        for left in path.parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise trouble(path, error) from error


def _prepare(
    source: Path, incoming: Path, path: Path, *, world: str, now: float, progress: Progress | None
) -> Contents:
    """Makes `incoming` a database at rest out of `source`: checked, of our time, and with nobody at work."""
    if source.stat().st_size == 0:
        raise DamagedDatabase(f"{source} is empty, 0 bytes: name another copy")
    try:
        with judging(source), closing(Database(source, "ro")) as copy:
            copy.connect()
            _require_fitting(copy, world)
            incoming.touch(mode=0o600)
            counts = copy_pages(copy.connection(), incoming, path, progress)
        require_whole(incoming, path, source, counts)
    except DamagedDatabase as error:
        why = clean(error.detail)
        raise DamagedDatabase(f"{source} is no whole copy of a database ({why}): name another one") from error
    try:
        writer = open_writer(incoming, world=world, create=False)
    except DamagedDatabase as error:
        raise DamagedDatabase(f"{source} lacks what a database of fundwatch has: name another one") from error
    with closing(writer):
        with writer.transaction():
            trackers.recover(writer, now)
            presence.stopped(writer, now)
            add_event(writer, "restore", f"restored from {clean(source.name)}", now)
        return contents(writer)


def _require_fitting(copy: Database, world: str) -> None:
    """Raises `StorageError` when the file is not a database of ours, of this world, as we make them."""
    try:
        require_known(copy.connection(), copy.path)
    except ForeignDatabase as error:
        if copy.value("PRAGMA application_id") == APPLICATION_ID:
            raise
        raise ForeignDatabase(f"{copy.path} is no copy of a fundwatch database") from error
    found = copy.value("SELECT value FROM meta WHERE key = 'world'")
    if found != world:
        raise WrongWorld(
            f"{copy.path} is a copy of the world {found!r}, not {world!r}: real and demo data are never mixed"
        )
    trigger = copy.value("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    if trigger is not None:
        raise ForeignDatabase(
            f"{copy.path} holds a trigger, {clean(str(trigger), 40)!r}, which fundwatch never makes: "
            "it was changed from outside and is not taken"
        )


def _damage(path: Path, world: str) -> str | None:
    """What is wrong with the present database, looked at without changing it; None when nothing is.

    Raises `StorageError` for a file that is another program's, or of another world.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise StorageError(f"{path} is no plain file")
    if path.stat().st_size == 0:
        return "it is empty, 0 bytes"
    try:
        with judging(path), closing(Database(path, "ro")) as db:
            db.connect()
            if db.value("PRAGMA application_id") != APPLICATION_ID:
                raise ForeignDatabase(f"{path} belongs to another program; name another file with --db")
            found = db.value("SELECT value FROM meta WHERE key = 'world'")
            if found != world:
                raise WrongWorld(
                    f"{path} holds the world {found!r}, not {world!r}: real and demo data are never mixed; "
                    "name another file with --db"
                )
            return next(iter(complaints(db.connection())), None)
    except DamagedDatabase as error:
        return clean(error.detail)
    except DiskTrouble as error:
        if "SQLITE_IOERR" not in str(error):
            raise
        return clean(str(error))


def _keep(path: Path, folder: Path, now: float) -> Path | None:
    """A copy of the database beside it, file by file as it lies there; None where there is no file.

    Without logs that are empty.
    """
    logs = {end: path.with_name(path.name + end) for end in SIDECARS}
    sizes = {end: log.stat().st_size for end, log in logs.items() if log.exists()}
    present = [""] if path.exists() else []
    if sizes.get("-wal") or sizes.get("-journal"):
        present += sizes
    if not present:
        return None
    stamp = utc(now, "%Y%m%dT%H%M%SZ")
    kept = path.with_name(f"{path.name}.before-restore-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.before-restore-{stamp}-{number}")
    for end in present:
        copied = folder / f"kept{end}"
        copied.touch(mode=0o600)
        shutil.copyfile(path.with_name(path.name + end), copied)
        sync(copied)
    for end in reversed(present):
        (folder / f"kept{end}").rename(kept.with_name(kept.name + end))
    sync(path.parent)
    return kept


def _bring_to_rest(path: Path) -> None:
    """Moves the write-ahead log into the database, so that this file alone is all of it."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)) as db:
            db.execute("PRAGMA trusted_schema = 0")
            db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            busy, pages, moved = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise explain(path, error) or StorageError(f"{path} cannot be brought to rest: {error}") from error
    if busy and pages != moved:
        raise DatabaseBusy(f"{path} is being read for a long time by another program: close that first")


def _put(incoming: Path, path: Path) -> None:
    """The only moment that counts. A log must never lie beside a database that it does not belong to."""
    beside = [path.with_name(path.name + end) for end in SIDECARS]
    sync(incoming)
    for file in beside:
        file.unlink(missing_ok=True)
    incoming.replace(path)
    for file in beside:  # a reader that came just then may have made them anew, for the old database
        file.unlink(missing_ok=True)
    sync(path.parent)
