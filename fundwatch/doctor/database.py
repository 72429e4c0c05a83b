"""The database from inside: whole, ours, of this world, and in the shape that this program knows."""

from collections.abc import Iterator

from fundwatch.config import Config
from fundwatch.doctor.finding import Finding, Level
from fundwatch.exchanges import REGISTRY
from fundwatch.storage.database import CHECKED_BYTES, Database
from fundwatch.storage.keeping import inspection, retention
from fundwatch.storage.keeping.contents import contents
from fundwatch.storage.soundness import complaints
from fundwatch.text import age, clean, utc

AREA = "database"
AHEAD_SECONDS = 60


def look_at_integrity(db: Database, *, full: bool) -> list[Finding]:
    """`full` holds the indexes of a large file against its tables, too; of a small one any start does."""
    full = full or db.path.stat().st_size <= CHECKED_BYTES
    found = complaints(db.connection(), indexes=full, most=5)
    if not found:
        how = "every page and index checked" if full else "every page checked (--full: the indexes too)"
        return [Finding(AREA, Level.OK, "integrity", how)]
    return [
        Finding(
            AREA,
            Level.FAIL,
            "integrity",
            f"it is damaged: {clean('; '.join(found), 300)}",
            "Keep it together with its -wal and -shm files, and bring back a copy with `fundwatch restore`",
        )
    ]


def look_at_shape(db: Database) -> list[Finding]:
    """The schema version, and what is in the schema that should not be, or the other way round."""
    shape = inspection.shape(db, REGISTRY)
    findings = [
        Finding(AREA, Level.OK, "schema", f"version {shape.version}, as this program knows it")
        if shape.version == shape.known_version
        else Finding(
            AREA,
            Level.FAIL,
            "schema",
            f"version {shape.version}; this program knows {shape.known_version}",
        )
    ]
    for name in shape.foreign:
        is_trigger = name.startswith("trigger ")
        findings.append(
            Finding(
                AREA,
                Level.WARN if is_trigger else Level.NOTE,
                "schema",
                f"{clean(name, 100)} is not of fundwatch"
                + (": it may change what is stored" if is_trigger else ""),
                "Remove it, unless you know who made it" if is_trigger else "",
            )
        )
    for name in (*shape.changed, *shape.lacking):
        how = "differs from what fundwatch makes" if name in shape.changed else "is missing"
        is_view = name.startswith("view ")
        findings.append(
            Finding(
                AREA,
                Level.NOTE if is_view else Level.WARN,
                "schema",
                f"{clean(name, 100)} {how}",
                "The next start of a collector makes it anew" if is_view else "Bring back a copy: restore",
            )
        )
    return findings


def look_at_world(db: Database, expected: str) -> list[Finding]:
    found = inspection.world(db)
    if found == expected:
        return [Finding(AREA, Level.OK, "world", found)]
    return [
        Finding(
            AREA,
            Level.FAIL,
            "world",
            f"it holds the world {found!r}, and {expected!r} was asked for: the two are never mixed",
            "Name another file with --db, or say --demo" if expected == "real" else "Name another with --db",
        )
    ]


def look_at_journal(db: Database) -> list[Finding]:
    mode = inspection.journal_mode(db)
    if mode == "wal":
        return [
            Finding(
                AREA,
                Level.OK,
                "journal",
                "WAL; each commit of a collector waits for the disk (synchronous FULL)",
            )
        ]
    return [
        Finding(
            AREA,
            Level.NOTE,
            "journal",
            f"{mode}, not WAL: no collector has opened it since it was made or copied",
            "The next start of a collector sets it",
        )
    ]


def look_at_contents(db: Database) -> list[Finding]:
    """How much is in it, and from when to when."""
    found = contents(db)
    told = f"{found.settlements:,} settlements of {found.markets:,} markets"
    if found.first is not None:
        told += f", {utc(found.first)} to {utc(found.last)} UTC"
    return [Finding(AREA, Level.OK, "contents", told)]


def look_at_stamps(db: Database, now: float) -> list[Finding]:
    """Times of our own clock that lie ahead of it: it has been set back, or was wrong."""
    newest = inspection.newest_stamp(db)
    if newest is None or newest <= now + AHEAD_SECONDS:
        return []
    return [
        Finding(
            AREA,
            Level.WARN,
            "clock",
            f"what was stored last is of {utc(newest)} UTC, {age(newest - now)} ahead of the clock here",
            "Compare the clock with the exchanges': --online",
        )
    ]


def look_at_retention(db: Database, config: Config, now: float) -> list[Finding]:
    """What `retention_days` would delete."""
    days = config.collector.retention_days
    return list(_of_retention(db, days, now)) if days else []


def _of_retention(db: Database, days: int, now: float) -> Iterator[Finding]:
    plan = retention.would_delete(db, days, now)
    if plan is None:
        yield Finding(AREA, Level.OK, "retention", f"retention_days = {days}: nothing is old enough to go")
    else:
        yield Finding(
            AREA,
            Level.NOTE,
            "retention",
            f"retention_days = {days}: {plan.settlements:,} settlements paid before "
            f"{utc(plan.before, '%Y-%m-%d')} go, not before {utc(plan.starts)} UTC",
            "retention_days = 0 keeps everything; `fundwatch export` or `backup` first keeps a copy",
        )
