"""`fundwatch doctor`: what is wrong with this machine, the database and the ways to the exchanges."""

import asyncio
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import groupby

import click
import msgspec

from fundwatch.clock import SystemClock
from fundwatch.commands.printing import print_json, print_world
from fundwatch.commands.session import Session, exchanges_served, open_session
from fundwatch.config import Config, ConfigError, config_path, database_path
from fundwatch.doctor.examination import Patient, examine
from fundwatch.doctor.finding import Finding, Level, worst
from fundwatch.storage.database import open_reader
from fundwatch.storage.errors import StorageError
from fundwatch.text import printable

WIDEST = 110
_INDENT = " " * 6


class Report(msgspec.Struct, frozen=True):
    """`worst` is ok, note, warn or fail; `asked_exchanges` says whether requests were sent, `at` when the
    examination ended (UTC seconds)."""

    at: int
    worst: str
    asked_exchanges: bool
    findings: list[Finding]


def run_doctor(
    config_file: str | None, database: str | None, *, demo: bool, online: bool, full: bool, as_json: bool
) -> int:
    """Prints the findings; 1 where one of them is a warning or a failure, else 0.

    `config_file` and `database` as given on the command line. Asks a person at a terminal before it sends
    requests, unless told to send them.
    """
    session, patient = _admitted(config_file, database, demo=demo)
    findings = examine(patient, SystemClock().now(), full=full)
    if not as_json:
        print_world(demo=session.demo)
        _print(findings)
    if not online and not as_json and patient.config_error is None:
        online = _may_ask(session)
    if online:
        asked = _ask(session, patient)
        findings += asked
        if not as_json:
            _print(asked)
    if as_json:
        found = Report(int(SystemClock().now()), str(worst(findings)), online, findings)
        print_json(found)
    else:
        _print_sum(findings)
    return int(worst(findings) in (Level.WARN, Level.FAIL))


def _admitted(config_file: str | None, database: str | None, *, demo: bool) -> tuple[Session, Patient]:
    """What is examined; with the defaults where the configuration cannot be read."""
    error = None
    try:
        session = open_session(config_file, database, demo=demo)
    except ConfigError as broken:
        error, config = str(broken), Config()
        session = Session(config, database_path(database, os.environ, config, demo=demo), demo)
    found = config_path(config_file, os.environ)
    return session, Patient(session.config, found, error, session.database, session.world)


def _may_ask(session: Session) -> bool:
    count = len(session.config.enabled())
    if not count:
        return False
    if not sys.stdin.isatty():
        print("\nThe exchanges were not asked: --online sends one light request to each.")
        return False
    sys.stdout.flush()
    whom = "the exchange" if count == 1 else f"each of the {count} exchanges"
    question = f"\nAsk {whom} one light request, to see what it answers?"
    try:
        return click.confirm(question, default=False, err=True)
    except click.Abort:
        return False


def _ask(session: Session, patient: Patient) -> list[Finding]:
    from fundwatch.doctor import online  # brings the HTTP client

    if patient.config_error is not None:
        return [
            Finding(
                online.AREA,
                Level.FAIL,
                "exchanges",
                "not asked: the configuration may say by which way",
                "Mend the configuration first",
            )
        ]
    try:
        db = open_reader(patient.database)
    except StorageError:  # nothing is remembered, or cannot be known; the findings before say so
        known = online.Memory()
    else:
        try:
            known = online.memory(db, session.config.enabled())
        finally:
            db.close()
    with exchanges_served(session) as served:
        return asyncio.run(online.ask_all(served.config, known, SystemClock()))


def _print(findings: Sequence[Finding]) -> None:
    width = min(WIDEST, shutil.get_terminal_size().columns)
    for area, group in groupby(findings, key=lambda finding: finding.area):
        print(f"\n{area}")
        for finding in group:
            level = finding.level.upper() if finding.level in (Level.WARN, Level.FAIL) else finding.level
            words = printable(f"{finding.subject}: {finding.message}")
            print(_wrapped(words, f"{level:<6}", width))
            if finding.advice:
                print(_wrapped(printable(finding.advice), f"{_INDENT}-> ", width))


def _wrapped(words: str, before: str, width: int) -> str:
    indent = _INDENT if before.strip() != "->" else _INDENT + "   "
    return textwrap.fill(
        words,
        max(width, 40),
        initial_indent=before,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _print_sum(findings: Sequence[Finding]) -> None:
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    told = [
        f"{counts[level]} {name}{'' if counts[level] == 1 else 's'}"
        for level, name in ((Level.FAIL, "failure"), (Level.WARN, "warning"), (Level.NOTE, "note"))
        if counts[level]
    ]
    print(f"\n{', '.join(told) or 'all is well'}")
