"""Export as a person at a terminal meets it, and the way back through import."""

import csv
import io
import json
import sys
from itertools import pairwise
from math import sin
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fundwatch.cli import main
from fundwatch.models import Kind, Settlement, Source
from fundwatch.storage import lock
from fundwatch.storage.database import reader
from tests.commands.desk import Desk, run
from tests.commands.full_disk import SHARED_MEMORY_BYTES, run_limited
from tests.storage.ledger import hour, paid

SYMBOLS = ("BTCUSDT", "ETHUSDT", "1000PEPEUSDT")


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Binance and Lighter, with a negative rate, a special payment, an unknown interval and a dead market."""
    for symbol in SYMBOLS:
        desk.market(symbol, exchange="binance", ticker=symbol.removesuffix("USDT").removeprefix("1000"))
    desk.market("BTC", exchange="lighter", status="delisted")
    desk.exchange = "binance"
    rates = (0.0001, -0.00031, 7.1e-05)
    for symbol, rate in zip(SYMBOLS, rates, strict=True):
        desk.save(*(paid(end, rate * (1 + end / 7919), 8.0, symbol=symbol) for end in range(8, 241, 8)))
    desk.save(paid(8, 0.0004, None, symbol="ETHUSDT", kind=Kind.SPECIAL))
    desk.exchange = "lighter"
    desk.save(*(paid(end, 0.000012, payment=-1.25 / end) for end in range(1, 49)))
    return desk


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stored(database: Path) -> list[Any]:
    with reader(database) as db:
        return db.rows(
            "SELECT name, symbol, funding_time, kind, rate, interval_hours, payment_usd FROM settlement"
            " JOIN market ON market.id = market_id JOIN exchange ON exchange.id = exchange_id"
            " ORDER BY 1, 2, 3, 4"
        )


def test_everything_is_written_by_exchange_symbol_and_time(filled: Desk, tmp_path: Path) -> None:
    result = filled.ask("export", "--out", str(tmp_path / "a.csv"))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "139 settlements of 4 markets" in result.stderr
    rows = rows_of(tmp_path / "a.csv")
    order = [(row["exchange"], row["symbol"], int(row["funding_time"]), row["kind"]) for row in rows]
    assert order == sorted(order)
    assert len(order) == len(stored(filled.writer.path)) == 139
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_what_was_exported_is_what_is_stored(filled: Desk, tmp_path: Path) -> None:
    filled.ask("export", "--out", str(tmp_path / "a.csv"))

    def number(text: str) -> float | None:
        return float(text) if text else None

    read = [
        (
            row["exchange"], row["symbol"], int(row["funding_time"]), int(row["kind"] == "special"),
            number(row["rate"]), number(row["interval_hours"]), number(row["payment_usd"]),
        )
        for row in rows_of(tmp_path / "a.csv")
    ]  # fmt: skip
    assert read == stored(filled.writer.path)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--exchange", "lighter"], {("lighter", "BTC"): 48}),
        (["--asset", "pepe"], {("binance", "1000PEPEUSDT"): 30}),
        (["--asset", "btc", "--exchange", "binance"], {("binance", "BTCUSDT"): 30}),
        (["--since", str(hour(8)), "--until", str(hour(16)), "--asset", "ETH"], {("binance", "ETHUSDT"): 2}),
        (["--since", "2025-12-01", "--until", "2025-12-02", "--asset", "btc"],
         {("binance", "BTCUSDT"): 2, ("lighter", "BTC"): 23}),
    ],
)  # fmt: skip
def test_a_choice_is_written_alone(
    filled: Desk, tmp_path: Path, words: list[str], expected: dict[tuple[str, str], int]
) -> None:
    assert filled.ask("export", "--out", str(tmp_path / "a.csv"), *words).exit_code == 0
    found: dict[tuple[str, str], int] = {}
    for row in rows_of(tmp_path / "a.csv"):
        key = row["exchange"], row["symbol"]
        found[key] = found.get(key, 0) + 1
    assert found == expected


def test_months_one_after_the_other_hold_each_payment_once(filled: Desk, tmp_path: Path) -> None:
    bounds = ["2025-12-01", "2025-12-03", "2025-12-06", "2026-01-01"]
    count = 0
    for start, end in pairwise(bounds):
        result = filled.ask("export", "--out", "-", "--since", start, "--until", end)
        count += len(list(csv.DictReader(io.StringIO(result.stdout))))
    assert count == 139


def test_stdout_carries_the_answer_only(filled: Desk) -> None:
    result = filled.ask("export", "--out", "-", "--format", "jsonl", "--exchange", "lighter")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["payment_usd"] for line in lines] == [-1.25 / end for end in range(1, 49)]


def test_the_ending_of_the_file_tells_the_format(filled: Desk, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    for name in ("a.jsonl", "a.ndjson", "a.parquet", "a.txt"):
        assert filled.ask("export", "--out", str(tmp_path / name)).exit_code == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "a.ndjson").read_bytes()
    assert len(pq.read_table(tmp_path / "a.parquet")) == 139
    assert len(rows_of(tmp_path / "a.txt")) == 139


def test_units_come_first_when_asked_for(filled: Desk, tmp_path: Path) -> None:
    filled.ask("export", "--out", str(tmp_path / "a.csv"), "--units")
    assert (tmp_path / "a.csv").read_text().startswith("# fundwatch settlements, version 1:")


def test_a_file_that_exists_is_written_over_only_by_force(filled: Desk, tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("precious")
    result = filled.ask("export", "--out", str(target))
    assert (result.exit_code, target.read_text()) == (1, "precious")
    assert "--force" in result.stderr
    assert filled.ask("export", "--out", str(target), "--force").exit_code == 0
    assert len(rows_of(target)) == 139


def test_by_force_the_file_behind_a_link_is_written_and_the_link_stays(filled: Desk, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert filled.ask("export", "--out", str(tmp_path / "link.csv"), "--force").exit_code == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert len(rows_of(tmp_path / "real.csv")) == 139


@pytest.mark.parametrize("name", ["fundwatch.db", "fundwatch.db-wal", "fundwatch.db.lock", "folder"])
def test_no_force_reaches_the_database_or_what_is_no_file(filled: Desk, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    result = filled.ask("export", "--out", str(tmp_path / name), "--force")
    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert len(stored(filled.writer.path)) == 139


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--asset", "btx"], 2, "near it: BTC"),
        (["--until", "2025-11-30"], 3, "no settlement to export"),
        (["--exchange", "paradex"], 3, "no settlement to export"),
        (["--since", "2026-01-01", "--until", "2026-01-01"], 2, "no time between them"),
        (["--until", "2026"], 2, "--until: '2026' is no time"),
        (["--since", "soon"], 2, "--since: 'soon' is no time"),
    ],
)
@pytest.mark.parametrize("out", ["-", "a.csv"])
def test_what_cannot_be_answered_is_said_and_leaves_no_file(
    filled: Desk, tmp_path: Path, words: list[str], code: int, said: str, out: str
) -> None:
    target = out if out == "-" else str(tmp_path / out)
    before = set(tmp_path.iterdir())
    result = filled.ask("export", "--out", target, *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert {file.suffix for file in set(tmp_path.iterdir()) - before} <= {".db-shm", ".db-wal"}


def test_parquet_without_pyarrow_is_said_in_words(
    filled: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "fundwatch.exports.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = filled.ask("export", "--out", str(tmp_path / "a.parquet"))
    assert result.exit_code == 2
    assert "pip install 'fundwatch[parquet]'" in result.stderr
    assert not (tmp_path / "a.parquet").exists()


def test_parquet_does_not_go_to_stdout(filled: Desk) -> None:
    result = filled.ask("export", "--out", "-", "--format", "parquet")
    assert (result.exit_code, result.stdout) == (2, "")


def test_it_works_beside_a_collector(filled: Desk, tmp_path: Path) -> None:
    with lock.acquire(filled.writer.path, "collector"):
        assert filled.ask("export", "--out", str(tmp_path / "a.csv")).exit_code == 0


def test_without_a_database_there_is_nothing_yet(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--db", str(tmp_path / "none.db"), "export", "--out", "-"])
    assert result.exit_code == 3
    assert "no database" in result.stderr


def imported(database: Path, file: Path, exchange: str) -> Result:
    return CliRunner().invoke(main, ["--db", str(database), "import", str(file), "--exchange", exchange])


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize("words", [(), ("--units",)])
def test_imported_into_an_empty_database_it_gives_the_same_rows(
    filled: Desk, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    file, other = tmp_path / name, tmp_path / "other" / "f.db"
    other.parent.mkdir()
    assert filled.ask("export", "--out", str(file), *words).exit_code == 0
    for exchange in ("binance", "lighter"):
        result = imported(other, file, exchange)
        assert result.exit_code == 0, result.stderr
    assert stored(other) == stored(filled.writer.path)
    with reader(other) as db:
        assert db.rows("SELECT DISTINCT source FROM run") == [(int(Source.IMPORT),)]
    again = CliRunner().invoke(main, ["--db", str(other), "export", "--out", str(tmp_path / "b.csv")])
    assert again.exit_code == 0
    assert [{**row, "source": ""} for row in rows_of(tmp_path / "b.csv")] == [
        {**row, "source": ""} for row in rows_of_either(file)
    ]


def rows_of_either(file: Path) -> list[dict[str, str]]:
    if file.suffix == ".csv":
        lines = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith("#")]
        return list(csv.DictReader(lines))
    found = [json.loads(line) for line in file.read_text().splitlines()]
    rows = [row for row in found if "fundwatch" not in row]
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_no_room_leaves_no_file_and_says_so(desk: Desk, tmp_path: Path, name: str) -> None:
    desk.market("BTC", exchange="lighter")
    desk.exchange = "lighter"
    desk.save(*(Settlement("BTC", hour(end), 1e-05 * sin(end), 1.0) for end in range(1, 3001)))
    desk.writer.close()
    target = tmp_path / name
    done = run_limited(desk.writer.path, SHARED_MEMORY_BYTES, "export", "--out", str(target))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"no room left for {target}" in done.stderr
    assert "Traceback" not in done.stderr
    target.write_text("the last good one")
    done = run_limited(desk.writer.path, SHARED_MEMORY_BYTES, "export", "--out", str(target), "--force")
    assert (done.returncode, target.read_text()) == (1, "the last good one")
    assert not list(tmp_path.glob("*.part*"))


def test_an_export_of_the_demo_is_refused_by_a_database_of_real_payments(
    filled: Desk, tmp_path: Path
) -> None:
    out = tmp_path / "demo.csv"
    assert filled.ask("export", "--out", str(out)).exit_code == 0
    out.write_bytes(out.read_bytes().replace(b",exchange\r\n", b",demo\r\n"))
    assert {row["source"] for row in rows_of(out)} == {"demo"}
    for words in ((), ("--dry-run",)):
        refused = run("--db", str(tmp_path / "other.db"), "import", "--exchange", "binance", str(out), *words)
        assert refused.exit_code == 1
        assert "its rows are simulated" in refused.output
