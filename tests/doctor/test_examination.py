"""The doctor at the bedside of databases in every state."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fundwatch.config import Collector, Config, ExchangeSection
from fundwatch.doctor.examination import Patient, examine
from fundwatch.doctor.finding import Finding, Level
from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from fundwatch.storage import bans, database, lock, migrations, views
from fundwatch.storage.bans import BanRow
from tests.answers.stage import NOW, Stage
from tests.storage.ledger import paid

ONLY_LIGHTER = Config(
    exchanges={name: ExchangeSection(enabled=name == "lighter") for name in REGISTRY},
    collector=Collector(history_days=1),
)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    tmp_path.chmod(0o700)
    stage = Stage(tmp_path)
    with stage.writer.transaction():
        views.create_all(stage.writer, REGISTRY)
    stage.describe("lighter")
    stage.healthy("lighter")
    stage.unit_check("lighter", "ok", modal=10.51)
    yield stage
    stage.writer.close()


def patient(stage: Stage, config: Config = ONLY_LIGHTER, **changes: Any) -> Patient:
    return Patient(config, None, None, stage.path, "real")._replace(**changes)


def seen(who: Patient | Stage, config: Config = ONLY_LIGHTER, *, full: bool = False) -> list[Finding]:
    return examine(patient(who, config) if isinstance(who, Stage) else who, NOW, full=full)


def about(findings: list[Finding], subject: str) -> Finding:
    found = [one for one in findings if one.subject == subject]
    assert len(found) == 1, found
    return found[0]


def bad(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(str(one.level), one.subject) for one in findings if one.level in (Level.WARN, Level.FAIL)}


def test_a_sound_database_has_nothing_bad_to_tell(stage: Stage) -> None:
    findings = seen(stage)
    assert bad(findings) == set()
    assert about(findings, "integrity").level is Level.OK
    assert about(findings, "world").message == "real"
    assert about(findings, "journal").message.startswith("WAL")
    assert about(findings, "lighter").message == "ok, 3 of 3 markets fresh"
    assert about(findings, "switched off").message.startswith("hyperliquid, binance")


def test_the_full_check_looks_at_indexes_too(stage: Stage) -> None:
    assert about(seen(stage, full=True), "integrity").message == "every page and index checked"


def test_nothing_is_written(stage: Stage, tmp_path: Path) -> None:
    stage.writer.checkpoint(truncate=True)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.glob("*.db*")}
    seen(stage, full=True)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.glob("*.db*")} == before


# Databases that are ill


def test_no_database_is_a_note(tmp_path: Path) -> None:
    findings = seen(Patient(ONLY_LIGHTER, None, None, tmp_path / "none.db", "real"))
    assert bad(findings) == set()
    assert about(findings, "database").level is Level.NOTE
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + bytes(4000)]
)
def test_a_file_that_is_no_database_is_one_failure_and_the_rest_goes_on(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "f.db"
    path.write_bytes(content)
    path.chmod(0o600)
    findings = seen(Patient(ONLY_LIGHTER, None, None, path, "real"))
    assert bad(findings) == {("fail", "opening")}
    assert str(path) in about(findings, "opening").message
    assert about(findings, "lock").level is Level.NOTE
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "f.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cats (name TEXT)")
    connection.close()
    path.chmod(0o600)
    findings = seen(Patient(ONLY_LIGHTER, None, None, path, "real"))
    assert bad(findings) == {("fail", "opening")}
    assert "another program" in about(findings, "opening").message


def test_a_database_of_a_newer_fundwatch(stage: Stage) -> None:
    stage.writer.connection().execute("PRAGMA user_version = 99")
    findings = seen(stage)
    assert bad(findings) == {("fail", "opening")}
    assert "newer fundwatch" in about(findings, "opening").message


def test_a_database_of_an_older_fundwatch_says_who_updates_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", [*migrations.MIGRATIONS, migrations.MIGRATIONS[0]])
    findings = seen(stage)
    assert bad(findings) == {("fail", "opening")}
    told = about(findings, "opening").message
    assert told == f"{stage.path} is of an older fundwatch; its collector, once started, updates it"
    assert about(findings, "lock").level is not Level.FAIL


HOLDING = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA locking_mode = EXCLUSIVE")
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_process_keeps_for_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.writer.close()
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(stage.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert held.stdout is not None
        assert held.stdout.readline() == b"held\n"
        findings = seen(stage)
    finally:
        held.communicate(b"")
    assert bad(findings) == {("fail", "opening")}
    opening = about(findings, "opening")
    assert str(stage.path) in opening.message
    assert "another process" in opening.message + opening.advice
    assert bad(seen(stage)) == set(), "it was only held"


def test_pages_that_are_damaged_are_found_and_the_rest_goes_on(stage: Stage) -> None:
    stage.exchange = "lighter"
    stage.market("BTC", exchange="lighter")
    stage.fill("BTC", range(1, 800))
    stage.writer.close()
    size = stage.path.stat().st_size
    with stage.path.open("r+b") as file:
        for offset in range(size // 4096 * 4096 - 3 * 4096, size, 4096):
            file.seek(offset)
            file.write(b"\xa5" * 4096)
    findings = seen(stage)
    assert about(findings, "integrity").level is Level.FAIL
    told = about(findings, "integrity")
    assert "fundwatch restore" in told.message + told.advice
    assert {"schema", "world", "journal", "lock"} <= {one.subject for one in findings}


def test_rows_of_nonsense_hide_nothing_else(stage: Stage) -> None:
    stage.writer.connection().execute("PRAGMA ignore_check_constraints = 1")
    stage.change("UPDATE tracker SET last_quotes = 'soon', markets_expected = 'many'")
    stage.change("UPDATE quote SET observed_at = 'yesterday'")
    findings = seen(stage)
    assert about(findings, "health").level is Level.FAIL
    assert about(findings, "health").message.startswith("could not be looked at")
    assert about(findings, "world").level is Level.OK
    assert about(findings, "lighter units").level is Level.OK


def test_another_world_is_a_failure_and_still_examined(stage: Stage) -> None:
    findings = seen(patient(stage, world="demo:7"))
    assert bad(findings) == {("fail", "world")}
    assert about(findings, "lighter").level is Level.OK


def test_a_broken_configuration_is_a_failure_and_the_rest_goes_on(stage: Stage, tmp_path: Path) -> None:
    broken = patient(stage, config_file=tmp_path / "c.toml", config_error="c.toml: colector: no such key")
    findings = seen(broken)
    assert bad(findings) == {("fail", "configuration")}
    assert about(findings, "lighter").level is Level.OK


# What should not be in it, and what should


def test_foreign_views_and_what_is_missing_are_named(stage: Stage) -> None:
    stage.change("CREATE VIEW mine AS SELECT 1")
    stage.change("DROP VIEW lighter_funding_v2")
    stage.change("DROP INDEX event_time")
    told = {(str(one.level), one.message) for one in seen(stage) if one.subject == "schema"}
    assert told == {
        ("ok", "version 1, as this program knows it"),
        ("note", "view mine is not of fundwatch"),
        ("note", "view lighter_funding_v2 is missing"),
        ("warn", "index event_time is missing"),
    }


def test_a_database_with_a_trigger_is_not_opened_and_the_trigger_is_named(stage: Stage) -> None:
    stage.change("CREATE TRIGGER sneaky AFTER INSERT ON settlement BEGIN SELECT 1; END")
    opening = about(seen(stage), "opening")
    assert opening.level is Level.FAIL
    assert "sneaky" in opening.message


def test_a_database_that_was_analysed_is_still_in_shape(stage: Stage) -> None:
    stage.writer.connection().execute("ANALYZE")
    assert bad(seen(stage)) == set()


def test_stamps_ahead_of_the_clock_are_a_warning(stage: Stage) -> None:
    stage.change("UPDATE quote SET observed_at = ?", int(NOW) + 7200)
    finding = about(seen(stage), "clock")
    assert finding.level is Level.WARN
    assert "2 h ahead" in finding.message


def test_what_retention_would_delete_is_told_beforehand(stage: Stage) -> None:
    stage.exchange = "lighter"
    stage.market("BTC", exchange="lighter")
    stage.fill("BTC", [1, 2, 3, 790])
    keeping = Config(exchanges=ONLY_LIGHTER.exchanges, collector=Collector(retention_days=30))
    finding = about(seen(stage, keeping), "retention")
    assert finding.level is Level.NOTE
    assert "3 settlements paid before 2025-12-02" in finding.message
    assert [one for one in seen(stage) if one.subject == "retention"] == []


# Who collects


def test_a_collector_at_work(stage: Stage) -> None:
    stage.beat(20, pid=os.getpid())
    with stage.locked():
        findings = seen(stage)
    assert about(findings, "lock").message.startswith(f"held by collector, process {os.getpid()}, since ")
    assert about(findings, "heartbeat").message == "20 s ago"
    assert bad(findings) == {("warn", "socket")}, "nobody listens in this test"


def test_a_collector_that_hangs_is_a_failure(stage: Stage) -> None:
    stage.beat(1200, pid=os.getpid())
    with stage.locked():
        finding = about(seen(stage), "heartbeat")
    assert finding.level is Level.FAIL
    assert "no sign of life for 20 min" in finding.message


def test_a_lock_held_in_the_name_of_a_dead_process(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: 2**22 + 5)
    with lock.acquire(stage.path, "backfill", NOW):
        monkeypatch.undo()
        finding = about(seen(stage), "lock")
    assert finding.level is Level.WARN
    assert "which is gone" in finding.message


def test_a_collector_that_died_without_a_word(stage: Stage) -> None:
    stage.beat(7200, pid=4242)
    finding = about(seen(stage), "lock")
    assert finding.level is Level.WARN
    assert "process 4242) died without a word, 2 h ago" in finding.message


def test_a_lock_that_cannot_be_looked_at(stage: Stage) -> None:
    stage.path.with_name(stage.path.name + ".lock").symlink_to("/nowhere")
    assert ("fail", "lock") in bad(seen(stage))


# How the exchanges are doing


def test_an_exchange_in_error_is_a_warning_with_its_words(stage: Stage) -> None:
    stage.sweep("lighter", "error", "HTTP \x1b[2J503")
    finding = about(seen(stage), "lighter")
    assert finding.level is Level.WARN
    assert finding.message == "error, 3 of 3 markets fresh: HTTP [2J503"


def test_a_failed_unit_check_is_a_failure(stage: Stage) -> None:
    stage.unit_check("lighter", "error", group="xyz")
    (failed,) = [one for one in seen(stage) if one.level is Level.FAIL]
    assert failed.subject == "lighter units"
    assert failed.message == "xyz estimates: xyz rates are error"


def test_the_second_source_is_named(stage: Stage) -> None:
    stage.change("UPDATE unit_check SET what = 'second source', sentence = '60 of 60 pairs agree'")
    stage.unit_check("lighter", "ok", modal=10.51)
    told = about(seen(stage), "lighter units").message
    assert told == "all rates are ok; second source ok (60 of 60 pairs agree)"


def test_units_that_were_never_checked_are_a_note(stage: Stage) -> None:
    stage.change("DELETE FROM unit_check")
    assert about(seen(stage), "lighter units").level is Level.NOTE


def test_changed_intervals_lately_are_told_and_first_sights_are_not(stage: Stage) -> None:
    for age, hours in ((8 * 86400, 8.0), (86400, 4.0), (3600, 1.0)):
        stage.event(
            time=int(NOW - age),
            kind="interval",
            value=hours,
            market_id=2,
            exchange_id=2,
            message=f"every {hours:g} h",
        )
    stage.event(time=int(NOW), kind="interval", value=1.0, market_id=3, exchange_id=2, message="first sight")
    finding = about(seen(stage), "intervals")
    assert finding.message == "2 intervals changed in the last 7 days: lighter: every 1 h; lighter: every 4 h"


def test_conflicts_gaps_and_bans_are_told(stage: Stage) -> None:
    stage.exchange = "lighter"
    stage.fill("M000", range(700, 790))
    stage.save(paid(780, 0.0007, symbol="M000"))
    with stage.writer.transaction():
        bans.put(stage.writer, BanRow("lighter at host", "banned", NOW + HOUR, "banned (HTTP 418)", 1))
        bans.put(stage.writer, BanRow("old at host", "banned", NOW - HOUR, "banned (HTTP 418)", 1))
    findings = seen(stage)
    assert about(findings, "conflicts").message.endswith(": lighter 1")
    assert "lighter 59" in about(findings, "gaps").message
    assert bad(findings) == {("warn", "lighter at host")}
    assert "nothing is sent before 2026-01-03 09:16 UTC" in about(findings, "lighter at host").message


def test_budgets_are_told_in_percent(stage: Stage) -> None:
    stage.change("UPDATE tracker SET budget_used = 0.42, requests = 1234 WHERE exchange_id = 2")
    assert about(seen(stage), "budgets").message == (
        "used at the last run: lighter 42 %; 1,234 requests in all"
    )
