"""The whole examination of what is on this machine; nothing is asked of the network."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from fundwatch.answers.status import Status, status
from fundwatch.config import Config
from fundwatch.doctor import collecting, database, places, program
from fundwatch.doctor.finding import Finding, Level, guarded
from fundwatch.storage.database import Database, open_reader
from fundwatch.storage.errors import NoDatabase, StorageError, judging


class Patient(NamedTuple):
    """What is examined. `config` has the defaults where reading `config_file` came to `config_error`."""

    config: Config
    config_file: Path | None
    config_error: str | None
    database: Path
    world: str


def examine(patient: Patient, now: float, *, full: bool = False) -> list[Finding]:
    """`now` in UTC seconds; `full` checks the database's indexes too."""
    findings = program.look_at_program()
    findings += guarded(
        places.AREA,
        "configuration",
        lambda: places.look_at_configuration(patient.config_file, patient.config_error),
    )
    findings += guarded(places.AREA, "database", lambda: places.look_at_files(patient.database))
    try:
        db = open_reader(patient.database)
    except NoDatabase:
        return findings + _process(patient, None, now)
    except StorageError as error:
        return [
            *findings,
            Finding(database.AREA, Level.FAIL, "opening", str(error)),
            *_process(patient, None, now),
        ]
    try:
        return findings + _inside(patient, db, now, full)
    finally:
        db.close()


def _inside(patient: Patient, db: Database, now: float, full: bool) -> list[Finding]:
    """What can only be said of a database that opens. Damage below shows at every step."""
    config = patient.config
    findings: list[Finding] = []

    def look(area: str, subject: str, at: Callable[[], list[Finding]]) -> None:
        nonlocal findings
        findings += guarded(area, subject, partial(_judged, patient.database, at))

    look(database.AREA, "integrity", lambda: database.look_at_integrity(db, full=full))
    look(database.AREA, "schema", lambda: database.look_at_shape(db))
    look(database.AREA, "world", lambda: database.look_at_world(db, patient.world))
    look(database.AREA, "journal", lambda: database.look_at_journal(db))
    look(database.AREA, "contents", lambda: database.look_at_contents(db))
    look(database.AREA, "clock", lambda: database.look_at_stamps(db, now))
    look(database.AREA, "retention", lambda: database.look_at_retention(db, config, now))
    findings += _process(patient, db, now)

    told: list[Status] = []

    def health() -> list[Finding]:
        told.append(status(db, config, now))
        return collecting.look_at_health(told[0])

    look(collecting.AREA, "health", health)
    look(collecting.AREA, "units", lambda: collecting.look_at_units(db, config.enabled()))
    if told:
        look(collecting.AREA, "gaps", lambda: collecting.look_at_gaps(told[0]))
        look(collecting.AREA, "budgets", lambda: collecting.look_at_budgets(db, told[0], now))
    look(collecting.AREA, "changes", lambda: collecting.look_at_changes(db, now))
    return findings


def _process(patient: Patient, db: Database | None, now: float) -> list[Finding]:
    def look() -> list[Finding]:
        return collecting.look_at_process(patient.database, db, now)

    return guarded(collecting.PROCESS, "lock", partial(_judged, patient.database, look))


def _judged(path: Path, look: Callable[[], list[Finding]]) -> list[Finding]:
    with judging(path):
        return look()
