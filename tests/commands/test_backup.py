"""Backup, restore and rebuild as a person at a terminal meets them."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from math import sin
from pathlib import Path

import pytest

from fundwatch.models import Settlement
from fundwatch.storage import lock
from tests.commands.desk import Desk, run
from tests.commands.full_disk import SHARED_MEMORY_BYTES, run_limited
from tests.storage.ledger import hour, paid


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.market("BTC", exchange="lighter")
    desk.exchange = "lighter"
    desk.save(*(Settlement("BTC", hour(end), 1e-05 * sin(end), 1.0) for end in range(1, 2001)))
    return desk


def count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found: int = db.execute("SELECT COUNT(*) FROM settlement").fetchone()[0]
    return found


def test_a_backup_says_its_size_its_rows_and_that_it_is_whole(filled: Desk, tmp_path: Path) -> None:
    with lock.acquire(filled.writer.path, "collector"):
        result = filled.ask("backup", str(tmp_path / "b.db"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "MB, every page checked; 2,000 settlements of 2 markets" in result.stdout
    assert "paid from 2025-12-01 01:00 to 2026-02-22 08:00 UTC" in result.stdout
    assert count(tmp_path / "b.db") == 2000
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_writes_over_nothing(filled: Desk, tmp_path: Path) -> None:
    (tmp_path / "b.db").write_text("precious")
    result = filled.ask("backup", str(tmp_path / "b.db"))
    assert (result.exit_code, (tmp_path / "b.db").read_text()) == (1, "precious")
    assert "not overwritten" in result.stderr


def test_a_backup_into_nowhere_or_of_nothing_is_said(filled: Desk, tmp_path: Path) -> None:
    assert filled.ask("backup", str(tmp_path / "no" / "b.db")).exit_code == 1
    result = run("--db", str(tmp_path / "none.db"), "backup", str(tmp_path / "b.db"))
    assert (result.exit_code, "no database" in result.stderr) == (3, True)
    assert not (tmp_path / "b.db").exists()


def test_a_backup_comes_back(filled: Desk, tmp_path: Path) -> None:
    filled.ask("backup", str(tmp_path / "b.db"))
    filled.save(paid(2001))
    filled.writer.close()
    result = filled.ask("restore", str(tmp_path / "b.db"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "is restored: 2,000 settlements" in result.stdout
    (kept,) = (file for file in tmp_path.glob("fundwatch.db.before-restore-*Z"))
    assert str(kept) in result.stdout
    assert (count(filled.writer.path), count(kept)) == (2000, 2001)
    assert filled.ask("status", "--json").exit_code in (0, 1)


def test_a_restore_waits_for_nobody_who_writes(filled: Desk, tmp_path: Path) -> None:
    filled.ask("backup", str(tmp_path / "b.db"))
    filled.save(paid(2001))
    for role in ("collector", "backfill", "import"):
        with lock.acquire(filled.writer.path, role):
            result = filled.ask("restore", str(tmp_path / "b.db"))
        assert result.exit_code == 1
        assert f"in use by {role} (process" in result.stderr
    assert count(filled.writer.path) == 2001


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [(None, 2, "does not exist"), ("a,b\n" * 50, 1, "no whole copy"), ("", 1, "empty")],
)
def test_a_file_that_is_no_copy_is_refused(
    filled: Desk, tmp_path: Path, content: str | None, code: int, said: str
) -> None:
    if content is not None:
        (tmp_path / "b.db").write_text(content)
    result = filled.ask("restore", str(tmp_path / "b.db"))
    assert result.exit_code == code
    assert said in result.stderr
    assert count(filled.writer.path) == 2000


def test_real_and_demo_do_not_mix(filled: Desk, tmp_path: Path) -> None:
    filled.ask("backup", str(tmp_path / "b.db"))
    result = run("--demo", "--db", str(tmp_path / "demo.db"), "restore", str(tmp_path / "b.db"))
    assert (result.exit_code, "never mixed" in result.stderr) == (2, True)
    assert not (tmp_path / "demo.db").exists()


def test_no_room_for_a_backup_leaves_no_file(filled: Desk, tmp_path: Path) -> None:
    filled.writer.close()
    done = run_limited(filled.writer.path, SHARED_MEMORY_BYTES, "backup", str(tmp_path / "b.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "b.db" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("b.db*"))


def test_no_room_for_a_restore_changes_nothing(filled: Desk, tmp_path: Path) -> None:
    filled.ask("backup", str(tmp_path / "b.db"))
    filled.save(paid(2001))
    filled.writer.close()
    before = {file.name for file in tmp_path.iterdir()}
    done = run_limited(filled.writer.path, SHARED_MEMORY_BYTES, "restore", str(tmp_path / "b.db"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert count(filled.writer.path) == 2001
    assert {file.name for file in tmp_path.iterdir()} - before <= {"fundwatch.db.lock"}


def test_a_signal_ends_a_backup_without_a_file(filled: Desk, tmp_path: Path) -> None:
    """Here it comes before the first page; 130 says that it was heard."""
    filled.writer.close()
    script = (
        "import os, signal, sys\n"
        "import fundwatch.storage.keeping.backup as backup\n"
        "from fundwatch.cli import main\n"
        "backup.PAGES_PER_STEP = 1\n"
        "pages = backup.copy_pages\n"
        "def slowly(source, partial, target, progress):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    import time; time.sleep(0.3)\n"
        "    return pages(source, partial, target, progress)\n"
        "import fundwatch.storage.keeping.snapshot as snapshot\n"
        "snapshot.copy_pages = slowly\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--db", str(filled.writer.path), "backup", str(tmp_path / "b.db")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert "no copy is left" in done.stderr
    assert not list(tmp_path.glob("b.db*"))


def test_rebuild_finds_nothing_to_put_right_and_says_what_it_did(filled: Desk) -> None:
    filled.writer.close()
    first = filled.ask("rebuild")
    again = filled.ask("rebuild")
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert again.stdout.count("as they were") == 4
    assert "put right" not in again.stdout


def test_rebuild_puts_right_what_was_wrong(filled: Desk) -> None:
    filled.writer.close()
    filled.ask("rebuild")
    with closing(sqlite3.connect(filled.writer.path)) as db:
        db.execute("UPDATE summary SET coverage_7d = 0.5")
        db.commit()
    result = filled.ask("rebuild")
    assert "2 windows of markets: 2 put right" in result.stdout
    assert "put right" not in filled.ask("rebuild").stdout


def test_a_dry_rebuild_says_what_would_be_put_right_and_changes_nothing(filled: Desk) -> None:
    filled.writer.close()
    filled.ask("rebuild")
    with closing(sqlite3.connect(filled.writer.path)) as db:
        db.execute("UPDATE summary SET coverage_7d = 0.5")
        db.execute("UPDATE tracker SET status = 'running'")  # of a process that died
        db.commit()
        before = list(db.iterdump())
        result = filled.ask("rebuild", "--dry-run")
        assert result.exit_code == 0
        assert "2 windows of markets: 2 would be put right" in result.stdout
        assert result.stdout.endswith("Nothing is changed.\n")
        assert list(db.iterdump()) == before
    assert "2 put right" in filled.ask("rebuild").stdout
    assert "put right" not in filled.ask("rebuild", "--dry-run").stdout


def test_rebuild_is_not_for_a_database_that_is_written_or_not_there(filled: Desk, tmp_path: Path) -> None:
    with lock.acquire(filled.writer.path, "collector", time.time()):
        assert filled.ask("rebuild").exit_code == 1
    assert run("--db", str(tmp_path / "none.db"), "rebuild").exit_code == 3
    assert not (tmp_path / "none.db").exists()
