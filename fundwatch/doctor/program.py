"""The program itself: versions of what it is made of."""

import platform
from importlib.metadata import PackageNotFoundError, version

from fundwatch import __version__
from fundwatch.doctor.finding import Finding, Level
from fundwatch.storage.keeping import inspection

AREA = "program"
LIBRARIES = ("httpx", "msgspec", "peewee", "platformdirs", "schedule", "textual")


def look_at_program() -> list[Finding]:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    made_of = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return [
        Finding(AREA, Level.OK, "fundwatch", f"{__version__}, Python {platform.python_version()}, {system}"),
        sqlite_finding(inspection.SQLITE_VERSION),
        Finding(AREA, Level.OK, "libraries", made_of),
    ]


def sqlite_finding(number: str) -> Finding:
    if not inspection.can_corrupt_a_wal(number):
        return Finding(AREA, Level.OK, "SQLite", f"{number}, without the WAL-reset bug")
    return Finding(
        AREA,
        Level.NOTE,
        "SQLite",
        f"{number} has the WAL-reset bug: it can damage a database that one connection checkpoints while "
        "another commits. fundwatch is not exposed: one connection makes all commits and all checkpoints, "
        "under a lock, and everybody else opens the file read-only",
        "Open it read-only with other programs too (mode=ro); 3.51.3, 3.50.7 and 3.44.6 have it mended",
    )


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "(not installed)"
