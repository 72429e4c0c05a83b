"""A copy of the database for safe keeping, taken through a reader so that a collector is not held up.

The copy is of one moment. While its pages are read the collector commits as ever; only what it commits
meanwhile stays in the write-ahead log until the reading ends.
"""

from contextlib import closing
from pathlib import Path

from fundwatch.storage.database import Database, reader
from fundwatch.storage.keeping.backup import Progress, copy_pages, require_whole
from fundwatch.storage.keeping.contents import Contents, contents
from fundwatch.storage.keeping.placing import new_file, require_apart, require_free


def take_snapshot(path: Path, target: Path, *, world: str, progress: Progress | None = None) -> Contents:
    """Copies the database `path` to the new file `target`; what the copy holds.

    It is one file, checked page by page, for this user only. Raises `StorageError`; then there is no file.
    """
    require_apart(target, path)
    require_free(target)
    with new_file(target) as partial:
        with reader(path, world=world) as db:
            counts = copy_pages(db.connection(), partial, target, progress)
        require_whole(partial, target, path, counts)
        with closing(Database(partial, "ro")) as copy:
            copy.connect()
            return contents(copy)
