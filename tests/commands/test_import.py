"""`import` as people run it: alone, beside a collector, killed, and over real history."""

import csv
import os
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import Result

from fundwatch.cli.past import FORMATS, TIME_UNITS
from fundwatch.collector.events import ImportProgress, Trouble
from fundwatch.commands import imports
from fundwatch.commands.imports import ImportBar
from fundwatch.imports import reading
from fundwatch.models import HOUR, settlement_hour
from fundwatch.storage import lock
from fundwatch.storage.database import open_writer, reader
from fundwatch.storage.errors import StorageError
from fundwatch.text import utc
from tests.collector.office import wait_until
from tests.collector.past import Line, eight_hourly, many, write
from tests.commands.desk import run
from tests.commands.processes import Household
from tests.exchanges.test_recorded import RECORDED, needs_recorded
from tests.virtual_time import VirtualClock

KILLS = int(os.environ.get("FUNDWATCH_KILLS", "10"))
BTC = eight_hourly("BTCUSDT", 90, end=int(time.time()) - 86400)


class Folder(NamedTuple):
    path: Path

    @property
    def database(self) -> Path:
        return self.path / "fundwatch.db"

    def ask(self, *words: str | Path) -> Result:
        return run("--db", str(self.database), *map(str, words))

    def bring(self, *words: str | Path) -> Result:
        return self.ask("import", "--exchange", "binance", *words)

    def value(self, sql: str) -> object:
        with reader(self.database) as db:
            return db.value(sql)

    def rows(self) -> list[tuple[str, int, float, float | None]]:
        with reader(self.database) as db:
            return db.rows(
                "SELECT m.symbol, s.funding_time, s.rate, s.interval_hours FROM settlement s"
                " JOIN market m ON m.id = s.market_id ORDER BY 1, 2"
            )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "fundwatch.toml").write_text("")
    return Folder(tmp_path)


# Alone


def test_a_file_goes_into_a_database_that_is_not_there_yet(folder: Folder) -> None:
    done = folder.bring(write(folder.path / "btc.csv", BTC))
    assert (done.exit_code, done.stdout) == (0, "")
    first = "btc.csv: imported, run 1: 90 rows of 1 market, 90 new, 0 stored already"
    assert done.stderr.splitlines()[0] == first
    assert [row[1] for row in folder.rows()] == [line.time for line in BTC]
    assert lock.holder(folder.database) is None
    again = folder.bring(folder.path / "btc.csv")
    assert again.exit_code == 0
    assert "nothing new, run 2" in again.stderr
    assert "imported already as run 1 on " in again.stderr


def test_a_zip_of_binance_as_downloaded(folder: Folder) -> None:
    name = "BTCUSDT-fundingRate-2025-06"
    start = 1_748_736_000
    lines = ["calc_time,funding_interval_hours,last_funding_rate"]
    lines += [f"{(start + n * 8 * HOUR) * 1000 + 3},8,0.0001{n:04}" for n in range(90)]
    path = folder.path / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", "\n".join(lines) + "\n")
    assert folder.bring(path).exit_code == 0
    assert folder.rows()[0] == ("BTCUSDT", start, 0.00010000, 8.0)
    assert len(folder.rows()) == 90


def test_several_files_are_several_runs_and_one_bad_one_is_exit_1(folder: Folder) -> None:
    good = write(folder.path / "good.csv", BTC)
    bad = write(folder.path / "bad.csv", [line._replace(rate=line.rate * 100) for line in BTC])
    done = folder.bring(bad, good, good)
    assert done.exit_code == 1
    assert re.search(r"^bad.csv: refused, run 1: .*100 times the resting 10.95 %", done.stderr)
    assert "good.csv: imported, run 2" in done.stderr
    assert folder.value("SELECT COUNT(*) FROM run") == 2, "the same path twice is one file"


def test_a_file_that_is_not_there_is_named_with_what_lies_near(folder: Folder) -> None:
    write(folder.path / "BTCUSDT-2026-01.csv", BTC)
    done = folder.bring(folder.path / "BTCUSDT-2026-10.csv")
    assert done.exit_code == 2
    assert done.stderr.endswith("near it: BTCUSDT-2026-01.csv\n")
    assert not folder.database.exists()


def test_a_file_whose_name_cannot_be_told_to_a_collector_is_to_be_renamed(folder: Folder) -> None:
    path = write(Path(os.fsdecode(os.fsencode(folder.path) + b"/past\xff.csv")), BTC)
    done = folder.bring(path)
    assert (done.exit_code, "is not UTF-8: rename the file" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "words", [("x.csv",), ("--exchange", "binanse", "x.csv"), ("--exchange", "binance")], ids=" ".join
)
def test_wrong_words_are_exit_2(folder: Folder, words: tuple[str, ...]) -> None:
    assert folder.ask("import", *words).exit_code == 2


def test_the_help_names_the_formats_and_units_that_can_be_read() -> None:
    assert reading.FORMATS == FORMATS
    assert tuple(imports.TIME_UNITS) == TIME_UNITS


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 1000)])
def test_a_time_that_tells_no_unit_is_read_as_a_person_says(
    folder: Folder, unit: str, per_second: int
) -> None:
    path = folder.path / "bare.csv"
    path.write_text(_bare(per_second))
    refused = folder.bring(path)
    assert refused.exit_code == 1
    assert "say --time-unit s or ms" in refused.stderr
    assert folder.bring(path, "--time-unit", unit, "--dry-run").exit_code == 0
    done = folder.bring(path, "--time-unit", unit)
    assert (done.exit_code, "90 new" in done.stderr) == (0, True)
    assert [row[1] for row in folder.rows()] == [line.time for line in BTC]


def test_rows_too_old_to_be_kept_are_told_also_of_files_that_go_in_whole(folder: Folder) -> None:
    (folder.path / "fundwatch.toml").write_text("[collector]\nretention_days = 30\n")
    lines = eight_hourly("BTCUSDT", 400, end=BTC[-1].time)
    path = write(folder.path / "btc.csv", lines)
    young = write(folder.path / "young.csv", [line._replace(symbol="ETHUSDT") for line in lines[-30:]])
    midnight = utc(BTC[-1].time - 31 * 86400, "%Y-%m-%d")
    old = sum(utc(line.time, "%Y-%m-%d") < midnight for line in lines)
    assert old > 290
    told = (
        f"  {old} of 400 rows were paid before {midnight}: with retention_days = 30 a collector deletes them"
    )
    config = ("--config", folder.path / "fundwatch.toml", "import", "--exchange", "binance")
    assert told in folder.ask(*config, path, "--dry-run").stdout
    said = folder.ask(*config, path, young).stderr
    assert told in said
    assert said.count("retention_days") == 1


def test_times_without_a_zone_are_utc_where_a_person_says_so(folder: Folder) -> None:
    text = [f"BTCUSDT,{utc(line.time)}:00,{line.rate!r},8\n" for line in BTC]
    path = folder.path / "bare.csv"
    path.write_text(f"symbol,time,rate,interval_hours\n{''.join(text)}")
    assert "say --time-unit utc" in folder.bring(path).stderr
    assert folder.bring(path, "--time-unit", "utc").exit_code == 0
    assert [row[1] for row in folder.rows()] == [line.time for line in BTC]


def _bare(per_second: int) -> str:
    rows = [f"BTCUSDT,{line.time * per_second},{line.rate!r},8\n" for line in BTC]
    return f"symbol,time,rate,interval_hours\n{''.join(rows)}"


def test_what_had_given_way_to_an_import_is_not_put_back_and_that_is_said(folder: Folder) -> None:
    """Finer rows take the place of the one that they lie in."""
    end = BTC[0].time
    folder.bring(write(folder.path / "one.csv", [Line("BTCUSDT", end, 0.0008, 8)]))
    finer = [Line("BTCUSDT", end - hours * HOUR, 0.0001, 1) for hours in range(8)]
    folder.bring(write(folder.path / "eight.csv", finer))
    assert len(folder.rows()) == 8
    taken = folder.ask("undo", "--import", "2").output
    assert "8 settlements of 1 market taken back" in taken
    assert "Up to 1 rows of earlier imports, or recorded ones, had given way to it" in taken
    assert folder.rows() == []
    assert "given way" not in folder.ask("undo", "--import", "1").output


def test_an_import_is_taken_back_with_the_markets_that_only_it_knew(folder: Folder) -> None:
    folder.bring(write(folder.path / "btc.csv", BTC))
    folder.bring(write(folder.path / "eth.csv", [line._replace(symbol="ETHUSDT") for line in BTC]))
    taken = folder.ask("undo", "--import", "1")
    assert taken.exit_code == 0
    assert "1 run undone: 90 settlements of 1 market taken back" in taken.output
    assert {row[0] for row in folder.rows()} == {"ETHUSDT"}
    assert folder.value("SELECT COUNT(*) FROM market") == 1
    assert "imported already" not in folder.bring(folder.path / "btc.csv").stderr
    assert folder.ask("undo", "--import", "99").exit_code == 2
    assert folder.ask("undo", "--import", "1", "--run", "1").exit_code == 2


def test_only_an_import_is_taken_back_as_one(folder: Folder) -> None:
    folder.bring(write(folder.path / "btc.csv", BTC))
    writer = open_writer(folder.database, world="real")
    with writer.transaction():
        writer.change("UPDATE run SET kind = 'sweep'")
    writer.close()
    refused = folder.ask("undo", "--import", "1")
    assert (refused.exit_code, "run 1 is no import but a sweep: say --run 1" in refused.output) == (2, True)


# Dry runs


def test_a_dry_run_answers_on_stdout_and_writes_nothing(folder: Folder) -> None:
    path = write(folder.path / "btc.csv", BTC)
    done = folder.bring("--dry-run", path)
    assert done.exit_code == 0
    assert done.stdout.startswith("btc.csv: would be imported: 90 rows of 1 market, 90 would be new")
    assert re.search(r"BTCUSDT: 90 rows, 20.* UTC, a market not known here yet", done.stdout)
    assert sorted(found.name for found in folder.path.iterdir()) == ["btc.csv", "fundwatch.toml"]
    assert folder.bring("--dry-run", write(path, [BTC[0], "x"])).exit_code == 1


# The bar


def test_the_bar_is_drawn_five_times_a_second_and_only_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock = VirtualClock(1000.0)
    said = []
    for is_terminal in (True, False):
        bar = ImportBar(is_terminal, clock)
        for n in range(10):
            bar.listen(ImportProgress(1, "binance", "a\x1b[2J.csv", "storing", n / 10, 5000, n * 500))
            clock.advance(0.125)
        bar.listen(Trouble("database", "no room left"))
        said.append(capsys.readouterr().err)
    assert said[1] == "database: no room left\n"
    drawn = said[0].split("\r")
    assert len(drawn) == 1 + 5 + 1
    assert drawn[3] == "[" + "#" * 12 + "-" * 18 + "]  40% storing a[2J.csv: 2,000 stored"


# Killed


def process(folder: Folder, *words: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "fundwatch", "--db", str(folder.database), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_at_any_moment_it_loses_nothing_and_again_completes_it(folder: Folder) -> None:
    lines = [line._replace(hours=None) for line in many(40, 600)]
    path = write(folder.path / "big.csv", lines)
    clean = Folder(folder.path / "clean")
    clean.path.mkdir()
    assert clean.bring(path).exit_code == 0
    expected = clean.rows()
    dice = random.Random(4)
    cut_short = set()
    for trial in range(KILLS):
        importing = process(folder, "import", path, "--exchange", "binance")
        if trial:
            time.sleep(dice.uniform(0.3, 1.5))
        else:
            wait_until(lambda: folder.database.exists() and stored_by(folder) > 0, 30)
        importing.send_signal(signal.SIGKILL)
        importing.communicate()
        if not folder.database.exists():
            continue
        stored = folder.rows()
        assert set(stored) <= set(expected)
        with reader(folder.database) as db:
            assert db.value("SELECT SUM(inserted) FROM run") in (len(stored), None)
            cut_short |= set(db.rows("SELECT id FROM run WHERE outcome = 'running'"))
    assert folder.bring(path).exit_code == 0
    assert folder.rows() == expected
    assert cut_short
    with reader(folder.database) as db:
        assert set(db.rows("SELECT id FROM run WHERE outcome = 'interrupted'")) == cut_short
    assert folder.value("SELECT status FROM tracker WHERE exchange_id = 3") == "idle"
    assert folder.value("SELECT total_records FROM tracker WHERE exchange_id = 3") == len(expected)
    assert not list(folder.path.glob(".fundwatch-import*")), "nothing is left lying around"


def test_ctrl_c_ends_it_with_what_came_stored(folder: Folder) -> None:
    lines = many(40, 2500)
    importing = process(folder, "import", write(folder.path / "big.csv", lines), "--exchange", "binance")
    wait_until(lambda: folder.database.exists() and stored_by(folder) > 0, 30)
    importing.send_signal(signal.SIGINT)
    _, said = importing.communicate(timeout=30)
    assert importing.returncode == 130, said
    assert said.endswith("Cancelled; what came is stored, and the same call completes it.\n")
    assert folder.value("SELECT outcome FROM run") == "cancelled"
    assert folder.value("SELECT inserted FROM run") == len(folder.rows()) < len(lines)


def stored_by(folder: Folder) -> int:
    try:
        return int(str(folder.value("SELECT COALESCE(SUM(inserted), 0) FROM run")))
    except StorageError:  # it is being made
        return 0


# Beside a collector


def test_beside_a_collector_that_one_does_the_work(tmp_path: Path) -> None:
    household = Household.of_two(tmp_path)
    lines = [line._replace(symbol=f"OLD{line.symbol}") for line in many(30, 250)]
    path = write(tmp_path / "old.csv", lines)
    with household.collecting() as collector:
        tried = household.run("import", str(path), "--exchange", "binance", "--dry-run")
        assert (tried.returncode, tried.stdout[:38]) == (0, "old.csv: would be imported: 7,500 rows")
        done = household.run("import", str(path), "--exchange", "binance")
        assert done.returncode == 0, done.stderr
        assert done.stderr.startswith(f"process {collector.pid} collects: it does the work\n")
        assert "old.csv: imported, run " in done.stderr
        assert "7,500 rows of 30 markets, 7,500 new" in done.stderr
        (tmp_path / "bare.csv").write_text(_bare(1000).replace("BTCUSDT", "OLDBTCUSDT"))
        bare = household.run(
            "import", str(tmp_path / "bare.csv"), "--exchange", "binance", "--time-unit", "ms"
        )
        assert "90 new" in bare.stderr
        relative = subprocess.run(
            [
                sys.executable,
                "-m",
                "fundwatch",
                *household.words("import", "old.csv", "--exchange", "binance"),
            ],
            cwd=tmp_path,
            env=household.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "imported already as run" in relative.stderr
        refused = household.run("import", str(path), "--exchange", "lighter")
        assert refused.returncode == 1
        assert "not written like one of lighter" in refused.stderr
        assert collector.poll() is None
        collector.send_signal(signal.SIGTERM)
        _, log = collector.communicate(timeout=30)
    assert " binance import ok: " in log
    with reader(household.database) as db:
        assert db.value(
            "SELECT COUNT(*) FROM settlement s JOIN run r ON r.id = s.run_id WHERE r.source = 2"
        ) == len(lines) + len(BTC)


def test_ctrl_c_beside_a_collector_cancels_its_job(tmp_path: Path) -> None:
    household = Household.of_two(tmp_path)
    path = write(tmp_path / "old.csv", [line._replace(symbol=f"OLD{line.symbol}") for line in many(40, 1200)])
    with household.collecting() as collector:
        importing = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "fundwatch",
                *household.words("import", str(path), "--exchange", "binance"),
            ],
            stderr=subprocess.PIPE,
            text=True,
            env=household.environment,
        )

        def outcome() -> object:
            with reader(household.database) as db:
                return db.value("SELECT outcome FROM run WHERE kind = 'import' AND inserted > 0")

        wait_until(lambda: outcome() is not None, 30)
        importing.send_signal(signal.SIGINT)
        _, said = importing.communicate(timeout=30)
        assert importing.returncode == 130, said
        assert outcome() == "cancelled"
        assert collector.poll() is None


# Real history


def binance_files() -> list[Path]:
    return sorted((RECORDED / "history").glob("binance_2026Q1_*.csv"))


@needs_recorded
def test_real_files_of_a_quarter_give_the_sums_that_they_contain(folder: Folder) -> None:
    """Read independently; these files carry no interval, so windows are compared by their rates and,
    where spacing tells, by their hours."""
    files = binance_files()
    assert len(files) > 30
    done = folder.bring(*files)
    assert done.exit_code == 0, done.stderr
    truth: dict[str, dict[int, float]] = defaultdict(dict)
    for path in files:
        with path.open(newline="") as lines:
            for row in csv.DictReader(lines):
                hour = settlement_hour(int(row["timestamp"]) / 1000)
                assert hour is not None
                truth[row["symbol"]][hour] = float(row["funding_rate"])
    rows: dict[str, list[tuple[int, float, float | None]]] = defaultdict(list)
    for symbol, at, rate, hours in folder.rows():
        rows[symbol].append((at, rate, hours))
    assert {symbol: {at: rate for at, rate, _ in found} for symbol, found in rows.items()} == truth
    for symbol, found in rows.items():
        assert [hours for _, _, hours in found].count(None) == 1, f"{symbol}: only the first is unknown"
        times = [at for at, _, _ in found]
        spacing = [(after - before) / HOUR for before, after in pairwise(times)]
        assert [hours for _, _, hours in found[1:]] == spacing, f"{symbol}: no payment is missing in these"
        for days in (1, 3, 7, 30):
            start = times[-1] - days * 86400
            paid = sum(rate for at, rate, _ in found if at > start)
            assert paid == pytest.approx(
                sum(rate for at, rate in truth[symbol].items() if at > start), rel=1e-12
            )
            assert sum(hours or 0 for at, _, hours in found if at > start) == days * 24, symbol


@needs_recorded
def test_a_real_file_of_binance_is_refused_as_one_of_hyperliquid(folder: Folder) -> None:
    done = folder.ask("import", "--exchange", "hyperliquid", binance_files()[0])
    assert done.exit_code == 1
    assert "refused" in done.stderr
    assert folder.rows() == []
